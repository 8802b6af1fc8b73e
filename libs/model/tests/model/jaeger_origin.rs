//! How a span that came in Jaeger's own model reads: field 1001 marks it, its attributes are tags verbatim.

use crate::strategies::a_sound_span;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, TracesData, span};
use prost::Message;
use skua_model::otlp::JAEGER_FLAGS;
use skua_model::wire::put_varint;
use skua_model::{RefType, SpanBatch};
use std::sync::Arc;

fn string(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.into())) });
    KeyValue { key: key.into(), value, ..Default::default() }
}

fn strings(key: &str, values: &[&str]) -> KeyValue {
    let values = values.iter().map(|v| AnyValue { value: Some(Value::StringValue((*v).into())) }).collect();
    let value = Some(AnyValue { value: Some(Value::ArrayValue(ArrayValue { values })) });
    KeyValue { key: key.into(), value, ..Default::default() }
}

fn link(span_id: u8, ref_type: &str) -> span::Link {
    span::Link {
        trace_id: vec![1; 16],
        span_id: vec![span_id; 8],
        attributes: vec![string("opentracing.ref_type", ref_type)],
        ..Default::default()
    }
}

/// The owned span, with Jaeger's flags if given.
fn read(span: &Span, jaeger_flags: Option<u64>) -> skua_model::Span {
    let mut body = span.encode_to_vec();
    if let Some(flags) = jaeger_flags {
        put_varint(&mut body, u64::from(JAEGER_FLAGS));
        put_varint(&mut body, flags);
    }
    let mut bytes = Vec::new();
    skua_model::wire::put_message(&mut bytes, 1, |out| {
        skua_model::wire::put_message(out, 2, |out| skua_model::wire::put_bytes(out, 2, &body));
    });
    let batch = SpanBatch::parse(bytes).expect("OTLP");
    skua_model::Span::from_view(&batch.view(&batch.spans()[0]), Arc::default())
}

#[test]
fn tags_are_the_attributes() {
    let span = Span {
        kind: 2,
        status: Some(Status { code: 2, message: "m".into() }),
        trace_state: "a=b".into(),
        attributes: vec![string("a", "1"), strings("@jaeger@warnings", &["w"]), string("@jaeger@warnings", "a tag")],
        ..a_sound_span()
    };
    let keys = |s: &skua_model::Span| s.tags.iter().map(|t| t.key.clone()).collect::<Vec<_>>().join(" ");
    let (jaeger, otlp) = (read(&span, Some(0)), read(&span, None));
    assert_eq!(keys(&jaeger), "a @jaeger@warnings");
    assert_eq!(keys(&otlp), "a span.kind otel.status_code error otel.status_description w3c.tracestate");
    assert_eq!((jaeger.warnings, otlp.warnings), (vec!["w".to_owned()], vec!["w".to_owned()]));
    assert_eq!(read(&span, Some(9)).flags, 9);
}

#[test]
fn links_with_the_parent_among_them_are_all_references() {
    let parent = Span { parent_span_id: vec![7; 8], ..a_sound_span() };
    let refs = |links: Vec<span::Link>, flags| {
        let s = read(&Span { links, ..parent.clone() }, flags);
        s.references.iter().map(|r| (r.span_id.0[0], r.kind == RefType::ChildOf)).collect::<Vec<_>>()
    };
    let both = vec![link(3, "follows_from"), link(7, "child_of")];
    assert_eq!(refs(both.clone(), Some(0)), [(3, false), (7, true)]);
    assert_eq!(refs(both, None), [(7, true), (3, false)]);
    let other = vec![link(3, "follows_from")];
    assert_eq!(refs(other.clone(), Some(0)), [(7, true), (3, false)]);
    assert_eq!(refs(other, None), [(7, true), (3, false)]);
    assert_eq!(refs(vec![link(7, "follows_from")], None), [(7, false)]);
    assert_eq!(refs(vec![link(7, "child_of"), link(7, "child_of")], Some(0)), [(7, true), (7, true)]);
}

#[test]
fn the_first_service_name_counts() {
    let process = |attributes: Vec<KeyValue>| {
        let resource = Some(Resource { attributes, ..Default::default() });
        let scope_spans = vec![ScopeSpans { spans: vec![a_sound_span()], ..Default::default() }];
        let data = TracesData { resource_spans: vec![ResourceSpans { resource, scope_spans, ..Default::default() }] };
        let batch = SpanBatch::parse(data.encode_to_vec()).unwrap();
        skua_model::Process::from_view(&batch.process(0))
    };
    let p = process(vec![string("host", "h"), string("service.name", "a"), string("service.name", "b")]);
    assert_eq!((&p.service_name[..], p.tags.len(), &p.tags[1].key[..]), ("a", 2, "service.name"));
    assert_eq!(process(vec![]).service_name, "missing-service-name");
    assert_eq!(process(vec![string("service.name", "")]).service_name, "empty-service-name");
    assert_eq!(process(vec![strings("service.name", &[])]).service_name, "service-name-wrong-type");
}
