//! Owned spans, as a store returns them, as OTLP again: what is made of them is what they are.

use super::attributes::{Reference, Traits, put_attribute};
use super::span::{EventName, Head, Resource, expected, put_references, put_tag};
use crate::frame::Frame;
use skua_model::otlp::{event, span};
use skua_model::wire::put_bytes;
use skua_model::{AnyValue, Log, Process, RefType, Span, Tag, Value, WARNINGS_KEY};
use std::collections::HashMap;
use std::convert::Infallible;

/// Bytes that most spans take, roughly.
const SPAN: usize = 512;

/// Appends one OTLP `TracesData` of these spans, marked as of Jaeger's own model, so that a [`skua_model::SpanBatch`] of it has
/// the same spans: tags in their order, references, logs, flags, warnings and processes. Spans of one process lie together, in
/// their order.
///
/// Lost is only what OTLP cannot say: an end after the year 2554 becomes its last nanosecond.
pub fn spans(spans: &[Span], out: &mut Vec<u8>) {
    for (process, spans) in by_process(spans) {
        let resource = Resource::open(out, process.service_name.as_bytes(), 64 * process.tags.len(), SPAN * spans.len());
        process.tags.iter().for_each(|t| Resource::put_tag(out, t.key.as_bytes(), any(&t.value)));
        let group = resource.spans(out, SPAN * spans.len());
        spans.into_iter().for_each(|s| put(out, s));
        group.close(out);
    }
}

/// In the order in which spans name them. Those of equal content are one.
fn by_process(spans: &[Span]) -> Vec<(&Process, Vec<&Span>)> {
    let mut groups: Vec<(&Process, Vec<&Span>)> = Vec::new();
    let mut by_address: HashMap<*const Process, usize> = HashMap::new();
    for s in spans {
        let process: &Process = &s.process;
        let place = *by_address.entry(process).or_insert_with(|| {
            groups.iter().position(|(p, _)| *p == process).unwrap_or_else(|| {
                groups.push((process, Vec::new()));
                groups.len() - 1
            })
        });
        groups[place].1.push(s);
    }
    groups
}

/// The span as field 2 of `ScopeSpans`.
fn put(out: &mut Vec<u8>, s: &Span) {
    let frame = Frame::open(out, 2, expected(SPAN));
    let head = Head {
        trace_id: s.trace_id.0,
        span_id: s.span_id.0,
        operation: s.operation_name.as_bytes(),
        flags: s.flags,
        start: s.start_time,
        duration: i128::from(s.duration),
    };
    head.put(out);
    let reference = |r: &skua_model::Reference| {
        let follows = r.kind == RefType::FollowsFrom;
        Ok::<_, Infallible>(Reference { trace_id: r.trace_id.0, span_id: r.span_id.0, follows })
    };
    let Ok(()) = put_references(out, &s.trace_id.0, || s.references.iter().map(reference));
    let mut traits = Traits::default();
    s.tags.iter().for_each(|t| put_tag(out, &mut traits, t.key.as_bytes(), any(&t.value)));
    put_warnings(out, &s.warnings);
    traits.put(out);
    s.logs.iter().for_each(|log| put_event(out, log));
    frame.close(out);
}

fn put_warnings(out: &mut Vec<u8>, warnings: &[String]) {
    if warnings.is_empty() {
        return;
    }
    let bytes: usize = warnings.iter().map(|w| w.len() + 8).sum();
    let attribute = Frame::open(out, span::ATTRIBUTES >> 3, bytes + 32);
    put_bytes(out, 1, WARNINGS_KEY);
    let value = Frame::open(out, 2, bytes);
    let list = Frame::open(out, 5, bytes);
    for warning in warnings {
        let item = Frame::open(out, 1, warning.len() + 4);
        put_bytes(out, 1, warning.as_bytes());
        item.close(out);
    }
    list.close(out);
    value.close(out);
    attribute.close(out);
}

fn put_event(out: &mut Vec<u8>, log: &Log) {
    let mut name = EventName::default();
    log.fields.iter().for_each(|t: &Tag| name.see(t.key.as_bytes(), any(&t.value)));
    let (frame, written) = name.open(out, log.timestamp, 64 * log.fields.len() + 16);
    for field in log.fields.iter().skip(written) {
        put_attribute(out, event::ATTRIBUTES >> 3, field.key.as_bytes(), any(&field.value));
    }
    frame.close(out);
}

pub(super) fn any(value: &Value) -> AnyValue<'_> {
    match value {
        Value::String(s) => AnyValue::String(s.as_bytes()),
        Value::Bool(v) => AnyValue::Bool(*v),
        Value::Int64(v) => AnyValue::Int(*v),
        Value::Float64(v) => AnyValue::Double(*v),
        Value::Binary(b) => AnyValue::Bytes(b),
    }
}
