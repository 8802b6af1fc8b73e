//! Rewrites a batch that holds something to sanitize: strings that are not UTF-8, spans that do not end after they start.
//! It is the rare case, so it copies the whole batch and indexes it again.

use crate::check::DecodeError;
use crate::jaeger::WARNINGS_KEY;
use crate::otlp::*;
use crate::wire::{Cursor, WireError, put_bytes, put_message, put_varint};
use crate::{SpanBatch, SpanEntry};

/// The value of the binary tag `InvalidNegativeDuration`, as Jaeger 1.76 writes it.
const NEGATIVE_DURATION: &str = "Duration can't be negative, so it is changed to default value";

/// What [`repair`] changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repairs {
    /// Strings in which bytes that are not UTF-8 became U+FFFD.
    pub strings: u32,
    /// Spans that did not end after they started: they now last 1 ns and carry a warning (a tag, when they came in Jaeger's
    /// own model), as Jaeger's sanitizer does.
    pub durations: u32,
}

/// Returns the batch as it is when there is nothing to mend, which costs nothing.
///
/// # Errors
/// When the mended batch is longer than an index can address.
pub fn repair(batch: SpanBatch) -> Result<(SpanBatch, Repairs), DecodeError> {
    if batch.bad_strings() == 0 && batch.backward_spans() == 0 {
        return Ok((batch, Repairs::default()));
    }
    let mut repairs = Repairs::default();
    let mut out = Vec::with_capacity(batch.bytes().len() + 128 * batch.backward_spans() as usize + 64);
    let spans = batch.spans();
    for of_resource in spans.chunk_by(|a, b| batch.resource_of(a) == batch.resource_of(b)) {
        put_message(&mut out, 1, |out| {
            for piece in batch.resource_pieces(batch.resource_of(&of_resource[0])) {
                copy(Message::ResourceSpans, piece, out, &mut repairs);
            }
            for of_scope in of_resource.chunk_by(|a, b| batch.scope_of(a) == batch.scope_of(b)) {
                put_message(out, 2, |out| {
                    for piece in batch.scope_pieces(batch.scope_of(&of_scope[0])) {
                        copy(Message::ScopeSpans, piece, out, &mut repairs);
                    }
                    of_scope.iter().for_each(|s| put_message(out, 2, |out| copy_span(&batch, s, out, &mut repairs)));
                });
            }
        });
    }
    let mut mended = SpanBatch::parse(out)?;
    mended.index.refused = *batch.refused();
    Ok((mended, repairs))
}

fn copy_span(batch: &SpanBatch, entry: &SpanEntry, out: &mut Vec<u8>, repairs: &mut Repairs) {
    let s = batch.view(entry);
    let body = batch.span_body(entry);
    if s.end > s.start {
        return copy(Message::Span, body, out, repairs);
    }
    repairs.durations += 1;
    // The last of repeated scalar fields counts (protobuf encoding, "last one wins"): the new end follows the old.
    copy(Message::Span, body, out, repairs);
    put_varint(out, u64::from(span::END));
    out.extend_from_slice(&s.start.saturating_add(1).to_le_bytes());
    if s.jaeger_flags.is_some() {
        put_message(out, 9, |out| {
            put_bytes(out, 1, b"InvalidNegativeDuration");
            put_message(out, 2, |out| put_bytes(out, 7, NEGATIVE_DURATION.as_bytes()));
        });
        return;
    }
    let warning = format!(
        "Negative duration detected, sanitizing end timestamp. Original end timestamp: {}, adjusted to: {}",
        utc(s.end),
        utc(s.start.saturating_add(1))
    );
    put_message(out, 9, |out| {
        put_bytes(out, 1, WARNINGS_KEY);
        put_message(out, 2, |out| put_message(out, 5, |out| put_message(out, 1, |out| put_bytes(out, 1, warning.as_bytes()))));
    });
}

/// Which message a copy is in: it decides which of its fields are texts and which are messages.
#[derive(Clone, Copy)]
enum Message {
    ResourceSpans,
    ScopeSpans,
    Resource,
    Scope,
    Span,
    Event,
    Link,
    Status,
    KeyValue,
    AnyValue,
    Array,
    Map,
}

enum Part {
    Text,
    Message(Message),
    Other,
}

fn part(of: Message, tag: u32) -> Part {
    use Message as M;
    match (of, tag) {
        (M::ResourceSpans, resource_spans::RESOURCE) => Part::Message(M::Resource),
        (M::ScopeSpans, scope_spans::SCOPE) => Part::Message(M::Scope),
        (M::Resource, resource::ATTRIBUTES)
        | (M::Scope, scope::ATTRIBUTES)
        | (M::Span, span::ATTRIBUTES)
        | (M::Event, event::ATTRIBUTES)
        | (M::Link, link::ATTRIBUTES)
        | (M::Map, list::VALUES) => Part::Message(M::KeyValue),
        (M::Span, span::EVENTS) => Part::Message(M::Event),
        (M::Span, span::LINKS) => Part::Message(M::Link),
        (M::Span, span::STATUS) => Part::Message(M::Status),
        (M::KeyValue, key_value::VALUE) | (M::Array, list::VALUES) => Part::Message(M::AnyValue),
        (M::AnyValue, any_value::ARRAY) => Part::Message(M::Array),
        (M::AnyValue, any_value::MAP) => Part::Message(M::Map),
        (M::ResourceSpans, resource_spans::SCHEMA_URL)
        | (M::ScopeSpans, scope_spans::SCHEMA_URL)
        | (M::Scope, scope::NAME | scope::VERSION)
        | (M::Span, span::NAME | span::TRACE_STATE)
        | (M::Event, event::NAME)
        | (M::Link, link::TRACE_STATE)
        | (M::Status, status::MESSAGE)
        | (M::KeyValue, key_value::KEY)
        | (M::AnyValue, any_value::STRING) => Part::Text,
        _ => Part::Other,
    }
}

/// Copies the fields of a message that has passed the check; recursion is bounded by it.
fn copy(of: Message, body: &[u8], out: &mut Vec<u8>, repairs: &mut Repairs) {
    let mut c = Cursor::new(body);
    loop {
        let start = body.len() - c.remaining();
        let Ok(Some(tag)) = c.tag() else { break };
        let copied: Result<(), WireError> = match part(of, tag) {
            Part::Text => c.bytes().map(|s| {
                let text = String::from_utf8_lossy(s);
                repairs.strings += u32::from(matches!(text, std::borrow::Cow::Owned(_)));
                put_bytes(out, tag >> 3, text.as_bytes());
            }),
            Part::Message(inner) => c.bytes().map(|b| put_message(out, tag >> 3, |out| copy(inner, b, out, repairs))),
            Part::Other => c.skip(tag, 0).map(|()| out.extend_from_slice(&body[start..body.len() - c.remaining()])),
        };
        if copied.is_err() {
            break;
        }
    }
}

/// Nanoseconds since 1970 as Go prints a `time.Time` in UTC: `2026-11-21 05:00:00.000000001 +0000 UTC`.
fn utc(ns: u64) -> String {
    let (days, in_day) = ((ns / 1_000_000_000 / 86_400) as i64, ns / 1_000_000_000 % 86_400);
    let (y, m, d) = crate::json::civil_from_days(days);
    let fraction = format!("{:09}", ns % 1_000_000_000);
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    format!("{y:04}-{m:02}-{d:02} {:02}:{:02}:{:02}{dot}{fraction} +0000 UTC", in_day / 3600, in_day / 60 % 60, in_day % 60)
}
