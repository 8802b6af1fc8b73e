//! Spans with known ids and content.

use crate::ports::unique_number;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, SpanKind};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use std::collections::HashSet;
use std::ops::Range;
use std::time::{Duration, UNIX_EPOCH};

/// What names a span: its ids in lower-case hex, as Jaeger writes them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanKey {
    /// 32 digits.
    pub trace: String,
    /// 16 digits.
    pub span: String,
}

/// An endless row of spans: span number `i` has the same ids and content each time it is asked for. Ten spans make a
/// trace; the first of them is the parent of the others. No two rows share a trace id.
#[derive(Debug, Clone)]
pub struct Spans {
    service: String,
    run: u64,
    start: u64,
}

/// Spans in a trace.
pub const SPANS_IN_TRACE: u64 = 10;

impl Spans {
    /// A row of spans of `service`, that start one microsecond after another, from a minute ago.
    pub fn new(service: &str) -> Self {
        let now = UNIX_EPOCH.elapsed().unwrap_or_default();
        let start = now.saturating_sub(Duration::from_secs(60)).as_nanos() as u64;
        Self { service: service.to_owned(), run: unique_number(), start }
    }

    /// The service they all belong to.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The names of the spans of a range.
    pub fn keys(&self, range: Range<u64>) -> HashSet<SpanKey> {
        range.map(|number| self.key(number)).collect()
    }

    /// The name of one span.
    pub fn key(&self, number: u64) -> SpanKey {
        SpanKey { trace: hex(&self.trace_id(number)), span: hex(&span_id(number)) }
    }

    /// The OTLP request that carries the spans of a range.
    pub fn request(&self, range: Range<u64>) -> ExportTraceServiceRequest {
        let resource = Resource {
            attributes: vec![text("service.name", &self.service), text("host.name", "host-1")],
            ..Resource::default()
        };
        let scope = InstrumentationScope { name: "skua.integration-tests".into(), version: "1".into(), ..Default::default() };
        let spans = range.map(|number| self.span(number)).collect();
        let scope_spans = ScopeSpans { scope: Some(scope), spans, schema_url: String::new() };
        let resource_spans =
            ResourceSpans { resource: Some(resource), scope_spans: vec![scope_spans], schema_url: String::new() };
        ExportTraceServiceRequest { resource_spans: vec![resource_spans] }
    }

    fn trace_id(&self, number: u64) -> [u8; 16] {
        (u128::from(self.run) << 64 | u128::from(number / SPANS_IN_TRACE + 1)).to_be_bytes()
    }

    fn span(&self, number: u64) -> Span {
        let place = number % SPANS_IN_TRACE;
        let root = number - place;
        let start = self.start + number * 1000;
        let method = ["GET", "PUT", "POST"][place as usize % 3];
        Span {
            trace_id: self.trace_id(number).to_vec(),
            span_id: span_id(number).to_vec(),
            parent_span_id: if place == 0 { Vec::new() } else { span_id(root).to_vec() },
            name: format!("operation-{place}"),
            kind: if place == 0 { SpanKind::Server } else { SpanKind::Client }.into(),
            start_time_unix_nano: start,
            end_time_unix_nano: start + 5_000_000 + place * 1000,
            attributes: vec![
                text("http.request.method", method),
                text("url.full", &format!("http://shop.example/items/{number}")),
                key_value("http.response.status_code", Value::IntValue(200)),
                key_value("number", Value::IntValue(number as i64)),
                key_value("cached", Value::BoolValue(number.is_multiple_of(2))),
                key_value("load", Value::DoubleValue(0.25)),
            ],
            events: vec![Event {
                time_unix_nano: start + 1000,
                name: "cache miss".into(),
                attributes: vec![text("key", "basket")],
                dropped_attributes_count: 0,
            }],
            status: Some(Status::default()),
            ..Span::default()
        }
    }
}

fn span_id(number: u64) -> [u8; 8] {
    (number + 1).to_be_bytes()
}

fn text(key: &str, value: &str) -> KeyValue {
    key_value(key, Value::StringValue(value.to_owned()))
}

fn key_value(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..Default::default() }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
