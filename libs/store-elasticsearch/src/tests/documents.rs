//! Documents of random spans, read back, are those spans.

use super::bodies::shape;
use crate::bulk::{Of, Parts};
use crate::document::TagRules;
use crate::read_document::DocumentReader;
use crate::services::ServiceCache;
use crate::{Config, TagsAsFields};
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value::Value,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, TracesData, span};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use skua_model::{Process, SpanBatch};
use std::sync::Arc;
use std::time::Duration;

fn value() -> impl Strategy<Value = Option<AnyValue>> {
    let leaf = prop_oneof![
        ".{0,12}".prop_map(Value::StringValue),
        any::<bool>().prop_map(Value::BoolValue),
        any::<i64>().prop_map(Value::IntValue),
        any::<f64>().prop_map(Value::DoubleValue),
        Just(Value::DoubleValue(f64::NEG_INFINITY)),
        Just(Value::DoubleValue(f64::NAN)),
        vec(any::<u8>(), 0..20).prop_map(Value::BytesValue),
    ];
    let tree = leaf.prop_recursive(2, 8, 3, |inner| {
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

fn a_span() -> impl Strategy<Value = Span> {
    let event = (any::<u64>(), ".{0,8}", attributes()).prop_map(|(time_unix_nano, name, attributes)| span::Event {
        time_unix_nano,
        name,
        attributes,
        ..Default::default()
    });
    let link = (any::<[u8; 16]>(), any::<[u8; 8]>(), attributes()).prop_map(|(trace_id, id, attributes)| span::Link {
        trace_id: trace_id.to_vec(),
        span_id: id.to_vec(),
        attributes,
        ..Default::default()
    });
    let ids = (any::<u128>(), 1..u64::MAX, any::<bool>());
    let times = (any::<u64>(), any::<u64>(), 0..7_i32, proptest::option::of(0..3_i32));
    (ids, ".{0,40}", times, attributes(), vec(event, 0..3), vec(link, 0..3)).prop_map(
        |((trace_id, id, child), name, (start, end, kind, status), attributes, events, links)| Span {
            trace_id: (trace_id | 1).to_be_bytes().to_vec(),
            span_id: id.to_be_bytes().to_vec(),
            parent_span_id: if child { id.to_le_bytes().to_vec() } else { vec![] },
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

fn traces() -> impl Strategy<Value = TracesData> {
    let scope = proptest::option::of("[a-z]{0,5}".prop_map(|name| InstrumentationScope { name, ..Default::default() }));
    let scopes =
        vec((scope, vec(a_span(), 0..4)).prop_map(|(scope, spans)| ScopeSpans { scope, spans, ..Default::default() }), 0..3);
    let resource = proptest::option::of(attributes().prop_map(|attributes| Resource { attributes, ..Default::default() }));
    vec(
        (resource, scopes).prop_map(|(resource, scope_spans)| ResourceSpans { resource, scope_spans, ..Default::default() }),
        0..4,
    )
    .prop_map(|resource_spans| TracesData { resource_spans })
}

/// The spans of a batch as their documents say, in order.
fn through_documents(batch: &SpanBatch, config: &Config) -> Vec<skua_model::Span> {
    let (shape, cache) = (shape(config), ServiceCache::new(Duration::ZERO));
    let mut parts = Parts::new(batch, &shape, &cache);
    let mut reader = DocumentReader::new(&shape.rules);
    let mut spans = Vec::new();
    let mut pairs = std::collections::HashSet::new();
    while let Some(part) = parts.next_part(usize::MAX) {
        for item in &part.items {
            let lines = std::str::from_utf8(&part.body[item.bytes.start as usize..item.bytes.end as usize]).unwrap();
            let (action, document) = lines.strip_suffix('\n').unwrap().split_once('\n').unwrap();
            let action: serde_json::Value = serde_json::from_str(action).unwrap();
            match item.of {
                Of::Span(number) => {
                    assert_eq!(number as usize, spans.len());
                    assert_eq!(action["create"]["_id"].as_str().unwrap().len(), 24);
                    spans.push(reader.span(document).unwrap());
                }
                Of::Service(key) => {
                    assert!(pairs.insert(key));
                    let pair: serde_json::Value = serde_json::from_str(document).unwrap();
                    assert!(pair["serviceName"].is_string() && pair["operationName"].is_string());
                    assert!(action["index"]["_id"].is_string());
                }
            }
        }
    }
    spans
}

/// What JSON has no number for is stored as a string.
fn stored_as(tag: &mut skua_model::Tag) {
    if let skua_model::Value::Float64(v) = tag.value
        && !v.is_finite()
    {
        tag.value = skua_model::Value::String(tag.value.as_text().into_owned());
    }
}

/// The same as the model reads them, in whole microseconds and without warnings, which are not stored.
fn through_views(batch: &SpanBatch) -> Vec<skua_model::Span> {
    let owned = |entry| {
        let process = Arc::new(Process::from_view(&batch.process(batch.resource_of(entry))));
        let mut span = skua_model::Span::from_view(&batch.view(entry), process);
        span.start_time = span.start_time / 1000 * 1000;
        span.duration = span.duration / 1000 * 1000;
        span.logs.iter_mut().for_each(|l| l.timestamp = l.timestamp / 1000 * 1000);
        span.warnings.clear();
        let process = Arc::make_mut(&mut span.process);
        let logs = span.logs.iter_mut().flat_map(|l| &mut l.fields);
        span.tags.iter_mut().chain(&mut process.tags).chain(logs).for_each(stored_as);
        span
    };
    batch.spans().iter().map(owned).collect()
}

proptest! {
    #[test]
    fn a_document_read_back_is_its_span(data in traces()) {
        let batch = SpanBatch::parse(data.encode_to_vec()).unwrap();
        let (got, want) = (through_documents(&batch, &Config::default()), through_views(&batch));
        prop_assert_eq!(got, want);
    }

    /// As fields, tags lose their order, the difference between 2.0 and 2, and that between a dot and its replacement.
    #[test]
    fn no_tag_is_lost_as_a_field(data in traces()) {
        let batch = SpanBatch::parse(data.encode_to_vec()).unwrap();
        let config = Config { tags_as_fields: TagsAsFields { all: true, ..TagsAsFields::default() }, ..Config::default() };
        let (got, want) = (through_documents(&batch, &config), through_views(&batch));
        let keys = |tags: &[skua_model::Tag]| {
            let mut keys: Vec<String> = tags.iter().map(|t| t.key.replace('@', ".")).collect();
            keys.sort_unstable();
            keys
        };
        for (got, want) in got.iter().zip(&want) {
            prop_assert_eq!(keys(&got.tags), keys(&want.tags));
            prop_assert_eq!(keys(&got.process.tags), keys(&want.process.tags));
            prop_assert_eq!(format!("{:?}", &got.logs), format!("{:?}", &want.logs));
        }
    }

    #[test]
    fn reading_never_panics(source in ".{0,200}") {
        let rules = TagRules::new(&TagsAsFields::default()).unwrap();
        let _ = DocumentReader::new(&rules).span(&source);
    }
}

#[test]
fn an_id_depends_on_content_and_grows_with_time() {
    let ids = |batch: &SpanBatch| -> Vec<String> {
        let (shape, cache) = (shape(&Config::default()), ServiceCache::new(Duration::ZERO));
        let part = Parts::new(batch, &shape, &cache).next_part(usize::MAX).unwrap();
        let text = String::from_utf8(part.body.to_vec()).unwrap();
        let ids = text
            .lines()
            .filter_map(|l| l.strip_prefix("{\"create\":")?.split_once("\"_id\":\"").map(|(_, id)| id[..24].to_owned()));
        ids.collect()
    };
    let mut client = super::given::span(1, 1, "op");
    client.kind = 3;
    let mut server = client.clone();
    server.kind = 2;
    let both = super::given::batch("zipkin", vec![client.clone(), server.clone()]);
    let again = ids(&both);
    assert_eq!(ids(&both), again);
    assert_ne!(again[0], again[1]);
    assert_eq!(again[0][..8], again[1][..8], "six bytes of time");
    // The order in a batch and the company there do not matter.
    assert_eq!(ids(&super::given::batch("zipkin", vec![server, client])), [again[1].clone(), again[0].clone()]);
}
