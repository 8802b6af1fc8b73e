//! Rewrites a batch that holds something to sanitize: strings that are not UTF-8, spans that do not end after they start,
//! resources that do not name their service. It is the rare case, so it copies the whole batch; what is sound keeps its bytes.

use crate::SpanBatch;
use crate::check::{DecodeError, Marks};
use crate::copy::{Edit, Message, Place, copy};
use crate::header::{ResourceHeader, for_each_field, put_text_attribute};
use crate::otlp::{resource, span};
use crate::rewrite::Rewrite;
use crate::view::{KeyValue, SERVICE_NAME, service_text};
use crate::warn::copy_with_warning;
use crate::wire::{put_bytes, put_message, put_varint};
use crate::{AnyValue, SpanEntry};
use std::borrow::Cow;

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
    /// Resources whose service name was absent, empty or not a string: they now have the name that Jaeger's sanitizers give,
    /// `missing-service-name`, `empty-service-name` or `service-name-wrong-type`.
    pub services: u32,
}

/// Returns the batch as it is when there is nothing to mend, which costs nothing. What was mended once is not mended again.
///
/// # Errors
/// When the mended batch is longer than an index can address.
pub fn repair(mut batch: SpanBatch) -> Result<(SpanBatch, Repairs), DecodeError> {
    let mut repairs = Repairs::default();
    if batch.bad_strings() == 0 && batch.backward_spans() == 0 && batch.nameless_resources() == 0 {
        return Ok((batch, repairs));
    }
    let mut rewrite = Rewrite::new(&batch);
    let (mut last_resource, mut last_scope) = (None, None);
    for (number, entry) in (0..).zip(batch.spans()) {
        let (resource, scope) = (batch.resource_of(entry), batch.scope_of(entry));
        if last_resource.replace(resource) != Some(resource) {
            rewrite.resource(resource, |out| mend_resource(&batch, resource, out, &mut repairs));
        }
        if last_scope.replace(scope) != Some(scope) && batch.bad_strings() > 0 {
            rewrite.scope(scope, |out| mend_scope(&batch, scope, out, &mut repairs));
        }
        if entry.marks.has(Marks::BAD_STRINGS) || entry.marks.has(Marks::BACKWARD) {
            rewrite.span(number, |out| {
                mend_span(&batch, entry, out, &mut repairs);
                true
            });
        }
    }
    if let Some(mended) = rewrite.finish()? {
        batch = mended;
    }
    (batch.index.bad_strings, batch.index.backward, batch.index.nameless) = (0, 0, 0);
    Ok((batch, repairs))
}

/// Replaces what is not UTF-8 and counts it.
struct Mend<'r>(&'r mut u32);

impl Edit for Mend<'_> {
    fn text<'a>(&mut self, place: Place, text: &'a [u8]) -> Cow<'a, [u8]> {
        if place == Place::Bytes {
            return Cow::Borrowed(text);
        }
        match String::from_utf8_lossy(text) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(mended) => {
                *self.0 += 1;
                Cow::Owned(mended.into_bytes())
            }
        }
    }
}

fn mend_resource(batch: &SpanBatch, number: u32, out: &mut Vec<u8>, repairs: &mut Repairs) -> bool {
    if batch.bad_strings() == 0 && batch.nameless_resources() == 0 {
        return false;
    }
    let (pieces, strings, mut mended) = (batch.resource_pieces(number), repairs.strings, Vec::new());
    for piece in pieces {
        copy(Message::ResourceSpans, piece, &mut mended, &mut Mend(&mut repairs.strings));
    }
    let mut header = ResourceHeader::read(&mended);
    let nameless = name_service(&mut header);
    repairs.services += u32::from(nameless);
    header.put(out);
    nameless || repairs.strings > strings
}

/// Gives the resource the name of its service that readers would show; false when it has one.
fn name_service(header: &mut ResourceHeader) -> bool {
    let name = header.attributes().find(|kv| kv.key == SERVICE_NAME).map(|kv| kv.value);
    if matches!(name, Some(AnyValue::String(s)) if !s.is_empty()) {
        return false;
    }
    let (service, mut out, mut named) = (service_text(name), Vec::with_capacity(header.resource.len() + 48), false);
    for_each_field(&header.resource, |tag, field, payload| {
        let is_name = |b| tag == resource::ATTRIBUTES && KeyValue::read(b).key == SERVICE_NAME;
        if !named && payload.is_some_and(is_name) {
            named = true;
            put_text_attribute(&mut out, resource::ATTRIBUTES >> 3, SERVICE_NAME, service);
        } else {
            out.extend_from_slice(field);
        }
    });
    if !named {
        put_text_attribute(&mut out, resource::ATTRIBUTES >> 3, SERVICE_NAME, service);
    }
    header.resource = out;
    true
}

fn mend_scope(batch: &SpanBatch, number: u32, out: &mut Vec<u8>, repairs: &mut Repairs) -> bool {
    let strings = repairs.strings;
    for piece in batch.scope_pieces(number) {
        copy(Message::ScopeSpans, piece, out, &mut Mend(&mut repairs.strings));
    }
    repairs.strings > strings
}

fn mend_span(batch: &SpanBatch, entry: &SpanEntry, out: &mut Vec<u8>, repairs: &mut Repairs) {
    let mut body = Cow::Borrowed(batch.span_body(entry));
    if entry.marks.has(Marks::BAD_STRINGS) {
        let mut mended = Vec::with_capacity(body.len() + 64);
        copy(Message::Span, &body, &mut mended, &mut Mend(&mut repairs.strings));
        body = Cow::Owned(mended);
    }
    if !entry.marks.has(Marks::BACKWARD) {
        return out.extend_from_slice(&body);
    }
    repairs.durations += 1;
    let s = batch.view(entry);
    let end = s.start.saturating_add(1);
    if entry.is_jaeger() {
        out.extend_from_slice(&body);
        put_message(out, span::ATTRIBUTES >> 3, |out| {
            put_bytes(out, 1, b"InvalidNegativeDuration");
            put_message(out, 2, |out| put_bytes(out, 7, NEGATIVE_DURATION.as_bytes()));
        });
    } else {
        let (was, is) = (utc(s.end), utc(end));
        let warning =
            format!("Negative duration detected, sanitizing end timestamp. Original end timestamp: {was}, adjusted to: {is}");
        copy_with_warning(&body, &warning, out);
    }
    // The last of repeated scalar fields counts (protobuf encoding, "last one wins"): the new end follows the old.
    put_varint(out, u64::from(span::END));
    out.extend_from_slice(&end.to_le_bytes());
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
