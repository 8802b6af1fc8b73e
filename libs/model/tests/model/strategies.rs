//! Random OTLP messages.

use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value::Value,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, TracesData, span};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use skua_model::otlp::JAEGER_FLAGS;
use skua_model::wire::{put_bytes, put_message, put_varint};
use skua_model::{Process, SpanBatch};

fn value() -> impl Strategy<Value = Option<AnyValue>> {
    let leaf = prop_oneof![
        ".{0,12}".prop_map(Value::StringValue),
        any::<bool>().prop_map(Value::BoolValue),
        any::<i64>().prop_map(Value::IntValue),
        any::<f64>().prop_map(Value::DoubleValue),
        vec(any::<u8>(), 0..200).prop_map(Value::BytesValue),
    ];
    let tree = leaf.prop_recursive(3, 12, 4, |inner| {
        let any_value = inner.prop_map(|v| AnyValue { value: Some(v) });
        prop_oneof![
            vec(any_value.clone(), 0..4).prop_map(|values| Value::ArrayValue(ArrayValue { values })),
            vec(("[a-z]{0,4}", any_value), 0..4).prop_map(|kvs| Value::KvlistValue(KeyValueList {
                values: kvs.into_iter().map(|(key, v)| KeyValue { key, value: Some(v), ..Default::default() }).collect(),
            })),
        ]
    });
    proptest::option::of(tree.prop_map(|v| AnyValue { value: Some(v) }))
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let key = prop_oneof![Just("service.name".to_string()), "[a-z.]{0,20}", ".{0,5}"];
    vec((key, value()).prop_map(|(key, value)| KeyValue { key, value, ..Default::default() }), 0..6)
}

/// Few trace ids, so that spans share traces; absent and zero ones among them.
fn trace_id() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(vec![]),
        (0_u64..5).prop_map(|lo| u128::from(lo).to_be_bytes().to_vec()),
        any::<u128>().prop_map(|v| v.to_be_bytes().to_vec()),
    ]
}

fn a_span() -> impl Strategy<Value = Span> {
    let event = (any::<u64>(), ".{0,8}", attributes()).prop_map(|(time_unix_nano, name, attributes)| span::Event {
        time_unix_nano,
        name,
        attributes,
        ..Default::default()
    });
    let link = (trace_id(), any::<[u8; 8]>(), attributes()).prop_map(|(trace_id, id, attributes)| span::Link {
        trace_id,
        span_id: id.to_vec(),
        attributes,
        ..Default::default()
    });
    let times = (any::<u64>(), any::<u64>(), 0..7_i32, proptest::option::of(0..3_i32));
    ((trace_id(), any::<[u8; 8]>(), any::<bool>()), ".{0,40}", times, attributes(), vec(event, 0..3), vec(link, 0..3)).prop_map(
        |((trace_id, id, child), name, (start, end, kind, status), attributes, events, links)| Span {
            trace_id,
            span_id: id.to_vec(),
            parent_span_id: if child { id.iter().rev().copied().collect() } else { vec![] },
            name,
            kind,
            start_time_unix_nano: start,
            end_time_unix_nano: end,
            attributes,
            events,
            links,
            status: status.map(|code| Status { message: "m".repeat(code as usize), code }),
            ..Default::default()
        },
    )
}

pub fn traces() -> impl Strategy<Value = TracesData> {
    let scope = proptest::option::of(("[a-z]{0,5}", attributes()).prop_map(|(name, attributes)| InstrumentationScope {
        name,
        attributes,
        ..Default::default()
    }));
    let scopes = vec(
        (scope, "[a-z]{0,3}", vec(a_span(), 0..5)).prop_map(|(scope, schema_url, spans)| ScopeSpans { scope, schema_url, spans }),
        0..3,
    );
    let resource = proptest::option::of(attributes().prop_map(|attributes| Resource { attributes, ..Default::default() }));
    vec(
        (resource, "[a-z]{0,3}", scopes).prop_map(|(resource, schema_url, scope_spans)| ResourceSpans {
            resource,
            schema_url,
            scope_spans,
        }),
        0..4,
    )
    .prop_map(|resource_spans| TracesData { resource_spans })
}

/// The spans that a batch keeps: those with ids.
pub fn sound(data: &TracesData) -> impl Iterator<Item = &Span> + Clone {
    let spans = data.resource_spans.iter().flat_map(|r| &r.scope_spans).flat_map(|s| &s.spans);
    spans.filter(|s| is_sound(s))
}

pub fn is_sound(s: &Span) -> bool {
    s.trace_id.iter().any(|b| *b != 0) && s.span_id.iter().any(|b| *b != 0)
}

/// One span with ids and times, and what else it needs is up to the test.
pub fn a_sound_span() -> Span {
    Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        start_time_unix_nano: 1_000,
        end_time_unix_nano: 2_000,
        ..Default::default()
    }
}

/// A message of one resource, whose service is `s`, and one scope.
pub fn message(spans: Vec<Span>) -> TracesData {
    of_resource(vec![string("service.name", "s")], spans)
}

/// A message of one resource with these attributes and one scope.
pub fn of_resource(attributes: Vec<KeyValue>, spans: Vec<Span>) -> TracesData {
    let scope_spans = vec![ScopeSpans { spans, ..Default::default() }];
    let resource = Some(Resource { attributes, ..Default::default() });
    TracesData { resource_spans: vec![ResourceSpans { resource, scope_spans, ..Default::default() }] }
}

pub fn string(key: &str, value: &str) -> KeyValue {
    of_value(key, Value::StringValue(value.into()))
}

pub fn of_value(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), ..Default::default() }
}

/// The same message with every span marked as one of Jaeger's own model, with these flags.
pub fn in_jaegers_model(data: &TracesData, flags: u64) -> SpanBatch {
    let mut out = Vec::new();
    for r in &data.resource_spans {
        put_message(&mut out, 1, |out| {
            put_bytes(out, 1, &r.resource.clone().unwrap_or_default().encode_to_vec());
            for span in r.scope_spans.iter().flat_map(|s| &s.spans) {
                put_message(out, 2, |out| {
                    put_message(out, 2, |out| {
                        out.extend_from_slice(&span.encode_to_vec());
                        put_varint(out, u64::from(JAEGER_FLAGS));
                        put_varint(out, flags);
                    });
                });
            }
        });
    }
    SpanBatch::parse(out).expect("OTLP")
}

/// What a rewritten batch says of itself is what a new parse of its bytes finds.
pub fn agrees_with_its_bytes(batch: &SpanBatch) {
    let parsed = SpanBatch::parse(batch.bytes().clone()).expect("what we write is sound");
    assert_eq!(format!("{:?}", parsed.spans()), format!("{:?}", batch.spans()));
    for (a, b) in parsed.spans().iter().zip(batch.spans()) {
        let process = |batch: &SpanBatch, s| Process::from_view(&batch.process(batch.resource_of(s)));
        assert_eq!(process(&parsed, a), process(batch, b));
        assert_eq!(format!("{:?}", parsed.view(a)), format!("{:?}", batch.view(b)));
    }
}
