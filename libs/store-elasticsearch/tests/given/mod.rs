//! Spans to write.
#![allow(clippy::unwrap_used, dead_code, reason = "for tests, of which not each uses all")]

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, TracesData};
use prost::Message;
use skua_model::SpanBatch;
use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970.
pub fn now_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64
}

/// An attribute.
pub fn text(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) });
    KeyValue { key: key.to_owned(), value, ..Default::default() }
}

/// A span of a millisecond that starts now.
pub fn span(trace: u64, id: u64, name: &str) -> Span {
    let start = now_ns();
    Span {
        trace_id: u128::from(trace + 1).to_be_bytes().to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        name: name.to_owned(),
        kind: 2,
        start_time_unix_nano: start,
        end_time_unix_nano: start + 1_000_000,
        attributes: vec![text("http.method", "GET")],
        ..Default::default()
    }
}

/// Spans of one service.
pub fn batch(service: &str, spans: Vec<Span>) -> SpanBatch {
    let resource =
        Some(Resource { attributes: vec![text("service.name", service), text("host.name", "h")], ..Default::default() });
    let scope_spans = vec![ScopeSpans { spans, ..Default::default() }];
    let data = TracesData { resource_spans: vec![ResourceSpans { resource, scope_spans, ..Default::default() }] };
    SpanBatch::parse(data.encode_to_vec()).unwrap()
}
