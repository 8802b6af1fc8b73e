//! `jaeger.Span`: one pass finds a span's fields, a second copies its lists.

use super::ThriftError;
use super::error::{at, require};
use super::reader::{Reader, Type};
use super::tag::{self, List};
use crate::frame::Frame;
use crate::jaeger::attributes::{Reference, Traits, put_attribute};
use crate::jaeger::span::{EventName, Head, expected, put_format, put_references, put_tag};
use skua_model::otlp::event;

/// Microseconds since 1970 in nanoseconds, at least 0 and at most what 64 bits hold (the year 2554).
fn since_1970(microseconds: i64) -> u64 {
    u64::try_from(microseconds).unwrap_or(0).saturating_mul(1_000)
}

fn trace_id(high: i64, low: i64) -> [u8; 16] {
    (u128::from(high as u64) << 64 | u128::from(low as u64)).to_be_bytes()
}

/// Reads a span and writes it as field 2 of `ScopeSpans`.
pub(super) fn put<'a, R: Reader<'a>>(r: &mut R, format_tag: Option<&str>, out: &mut Vec<u8>) -> Result<(), ThriftError> {
    let (mut head, mut low, mut high, mut parent) = (Head::default(), 0, 0, 0);
    let (mut references, mut tags, mut logs) = (List::default(), List::default(), List::default());
    let (mut seen, mut last, before) = (0, 0, r.remaining());
    while let Some(field) = r.field(&mut last).map_err(at("Span"))? {
        match (field.id, field.kind) {
            (1, Type::I64) => low = r.i64().map_err(at("Span.traceIdLow"))?,
            (2, Type::I64) => high = r.i64().map_err(at("Span.traceIdHigh"))?,
            (3, Type::I64) => head.span_id = r.i64().map_err(at("Span.spanId"))?.to_be_bytes(),
            (4, Type::I64) => parent = r.i64().map_err(at("Span.parentSpanId"))?,
            (5, Type::Binary) => head.operation = r.binary().map_err(at("Span.operationName"))?,
            (6, Type::List) => references = List::pass(r).map_err(at("Span.references"))?,
            (7, Type::I32) => head.flags = r.i32().map_err(at("Span.flags"))? as u32,
            (8, Type::I64) => head.start = since_1970(r.i64().map_err(at("Span.startTime"))?),
            (9, Type::I64) => head.duration = i128::from(r.i64().map_err(at("Span.duration"))?) * 1_000,
            (10, Type::List) => tags = List::pass(r).map_err(at("Span.tags"))?,
            (11, Type::List) => logs = List::pass(r).map_err(at("Span.logs"))?,
            _ => {
                r.skip(&field).map_err(at("Span"))?;
                continue;
            }
        }
        seen |= 1_u32 << field.id;
    }
    require(
        seen,
        &[
            (1, "Span.traceIdLow"),
            (2, "Span.traceIdHigh"),
            (3, "Span.spanId"),
            (4, "Span.parentSpanId"),
            (5, "Span.operationName"),
            (7, "Span.flags"),
            (8, "Span.startTime"),
            (9, "Span.duration"),
        ],
    )?;
    head.trace_id = trace_id(high, low);

    let frame = Frame::open(out, 2, expected(before - r.remaining()));
    head.put(out);
    put_parent_and_links(out, &head.trace_id, parent, &references)?;
    let mut traits = Traits::default();
    for tag in tags.read(tag::read) {
        let (key, value) = tag?;
        put_tag(out, &mut traits, key, value);
    }
    put_format(out, format_tag);
    traits.put(out);
    logs.read(|log| put_event(log, out)).collect::<Result<(), _>>()?;
    frame.close(out);
    Ok(())
}

/// A `parentSpanId` that no reference names is a CHILD_OF before all of them.
fn put_parent_and_links<'a, R: Reader<'a>>(
    out: &mut Vec<u8>,
    trace_id: &[u8; 16],
    parent: i64,
    references: &List<R>,
) -> Result<(), ThriftError> {
    let named = |r: &Reference| r.trace_id == *trace_id && r.span_id == parent.to_be_bytes();
    let add = parent != 0 && !references.read(reference).flatten().any(|r| named(&r));
    let parent = add.then(|| Reference { trace_id: *trace_id, span_id: parent.to_be_bytes(), follows: false });
    put_references(out, trace_id, || parent.map(Ok).into_iter().chain(references.read(reference)))
}

/// A `SpanRef`.
fn reference<'a, R: Reader<'a>>(r: &mut R) -> Result<Reference, ThriftError> {
    let (mut kind, mut low, mut high, mut span_id) = (0, 0, 0, 0);
    let (mut seen, mut last) = (0, 0);
    while let Some(field) = r.field(&mut last).map_err(at("SpanRef"))? {
        match (field.id, field.kind) {
            (1, Type::I32) => kind = r.i32().map_err(at("SpanRef.refType"))?,
            (2, Type::I64) => low = r.i64().map_err(at("SpanRef.traceIdLow"))?,
            (3, Type::I64) => high = r.i64().map_err(at("SpanRef.traceIdHigh"))?,
            (4, Type::I64) => span_id = r.i64().map_err(at("SpanRef.spanId"))?,
            _ => {
                r.skip(&field).map_err(at("SpanRef"))?;
                continue;
            }
        }
        seen |= 1_u32 << field.id;
    }
    require(seen, &[(1, "SpanRef.refType"), (2, "SpanRef.traceIdLow"), (3, "SpanRef.traceIdHigh"), (4, "SpanRef.spanId")])?;
    Ok(Reference { trace_id: trace_id(high, low), span_id: span_id.to_be_bytes(), follows: kind != 0 })
}

/// Reads a `Log` and writes it as an event.
fn put_event<'a, R: Reader<'a>>(r: &mut R, out: &mut Vec<u8>) -> Result<(), ThriftError> {
    let (mut time, mut fields, mut name) = (0, List::default(), EventName::default());
    let (mut seen, mut last, before) = (0, 0, r.remaining());
    while let Some(field) = r.field(&mut last).map_err(at("Log"))? {
        match (field.id, field.kind) {
            (1, Type::I64) => time = since_1970(r.i64().map_err(at("Log.timestamp"))?),
            (2, Type::List) => fields = List::pass(r).map_err(at("Log.fields"))?,
            _ => {
                r.skip(&field).map_err(at("Log"))?;
                continue;
            }
        }
        seen |= 1_u32 << field.id;
    }
    require(seen, &[(1, "Log.timestamp"), (2, "Log.fields")])?;
    for field in fields.read(tag::read) {
        let (key, value) = field?;
        name.see(key, value);
    }
    let (frame, written) = name.open(out, time, before - r.remaining() + 8);
    for field in fields.read(tag::read).skip(written) {
        let (key, value) = field?;
        put_attribute(out, event::ATTRIBUTES >> 3, key, value);
    }
    frame.close(out);
    Ok(())
}
