//! Reads `jaeger.api_v2` and writes OTLP as it reads: one pass finds a span's fields, a second copies its lists.
//! Every nested message is checked as it is copied; strings are copied as they are, UTF-8 or not.

use super::error::at;
use super::span::{Group, Head, put_format, put_references, put_tag};
use super::{JaegerError, attributes};
use crate::frame::Frame;
use attributes::{Reference, Traits, open_process, put_event};
use skua_model::WARNINGS_KEY;
use skua_model::otlp::span;
use skua_model::wire::{Cursor, len, messages, put_bytes, varint};

/// Tags of `jaeger.api_v2.Span`, of `Batch` and of `PostSpansRequest`.
mod tag {
    use super::{len, varint};
    pub const TRACE_ID: u32 = len(1);
    pub const SPAN_ID: u32 = len(2);
    pub const OPERATION: u32 = len(3);
    pub const REFERENCES: u32 = len(4);
    pub const FLAGS: u32 = varint(5);
    pub const START: u32 = len(6);
    pub const DURATION: u32 = len(7);
    pub const TAGS: u32 = len(8);
    pub const LOGS: u32 = len(9);
    pub const PROCESS: u32 = len(10);
    pub const WARNINGS: u32 = len(12);
    /// Field numbers 1 to 12.
    pub const SPAN_KNOWN: u32 = 0x1ffe & !(1 << 11);
    pub const BATCH_SPANS: u32 = len(1);
    pub const BATCH_PROCESS: u32 = len(2);
    pub const REQUEST_BATCH: u32 = len(1);
}

/// Reads one `jaeger.api_v2.Span`, the value of Kafka's `protobuf` encoding, and appends one OTLP `TracesData`.
///
/// # Errors
/// When any part of the message is malformed; `out` is then as before.
pub fn span(message: &[u8], out: &mut Vec<u8>) -> Result<(), JaegerError> {
    or_truncate(out, |out| {
        let fields = Fields::read(message)?;
        let group = open_process(out, fields.process, message.len())?;
        fields.put(out, None)?;
        group.close(out);
        Ok(())
    })
}

/// Reads a `PostSpansRequest` and appends one OTLP `TracesData`. Spans without a process get the batch's and come first; the
/// others follow, and those side by side whose processes are equal byte for byte share a `ResourceSpans`. With `format_tag`, the tag `@jaeger@format` of that value
/// is appended to every span, as Jaeger's collector does (`proto` for gRPC).
///
/// # Errors
/// When any part of the message is malformed; `out` is then as before.
pub fn batch(post_spans_request: &[u8], format_tag: Option<&str>, out: &mut Vec<u8>) -> Result<(), JaegerError> {
    or_truncate(out, |out| {
        let mut c = Cursor::new(post_spans_request);
        while let Some(tag) = c.tag().map_err(at("PostSpansRequest"))? {
            if tag == tag::REQUEST_BATCH {
                put_batch(c.bytes().map_err(at("PostSpansRequest.batch"))?, format_tag, out)?;
            } else {
                c.skip(tag, 1 << 1).map_err(at("PostSpansRequest"))?;
            }
        }
        Ok(())
    })
}

/// Reads a message whose field 1 is a list of spans and appends one OTLP `TracesData`: a `Batch`, and of Jaeger's remote storage a
/// `SpansResponseChunk` or any number of `WriteSpanRequest`s one after the other. Each span has its own process; those side by side
/// whose processes are equal byte for byte share a `ResourceSpans`.
///
/// # Errors
/// When any part of the message is malformed; `out` is then as before.
pub fn spans(message: &[u8], out: &mut Vec<u8>) -> Result<(), JaegerError> {
    or_truncate(out, |out| put_batch(message, None, out))
}

fn or_truncate(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<(), JaegerError>) -> Result<(), JaegerError> {
    let from = out.len();
    write(out).inspect_err(|_| out.truncate(from))
}

fn put_batch(body: &[u8], format_tag: Option<&str>, out: &mut Vec<u8>) -> Result<(), JaegerError> {
    let mut batch_process = None; // lies after the spans
    let mut c = Cursor::new(body);
    while let Some(tag) = c.tag().map_err(at("Batch"))? {
        match tag {
            tag::BATCH_SPANS => drop(c.bytes().map_err(at("Batch.spans"))?),
            tag::BATCH_PROCESS => batch_process = Some(c.bytes().map_err(at("Batch.process"))?),
            _ => c.skip(tag, 0b110).map_err(at("Batch"))?,
        }
    }
    // Those without a process first, together: a long one is then copied once, however the spans lie.
    let mut open: Option<(Group, Option<&[u8]>)> = None;
    let mut some_own = false;
    for own in [false, true] {
        for (index, message) in messages(body, tag::BATCH_SPANS).enumerate() {
            let mut put = || {
                let fields = Fields::read(message)?;
                if fields.process.is_some() != own {
                    some_own = true;
                    return Ok(());
                }
                let process = fields.process.or(batch_process);
                if open.as_ref().is_none_or(|(_, of)| *of != process) {
                    if let Some((group, _)) = open.take() {
                        group.close(out);
                    }
                    open = Some((open_process(out, process, body.len())?, process));
                }
                fields.put(out, format_tag)
            };
            put().map_err(|e| JaegerError::InBatch { index, source: Box::new(e) })?;
        }
        if !some_own {
            break;
        }
    }
    if let Some((group, _)) = open {
        group.close(out);
    }
    Ok(())
}

/// A repeated field: the bytes from its first to its last occurrence.
#[derive(Clone, Copy, Default)]
struct Run {
    from: usize,
    to: usize,
}

impl Run {
    #[inline(always)]
    fn add(&mut self, from: usize, to: usize) {
        if self.to == 0 {
            self.from = from;
        }
        self.to = to;
    }
}

/// What the first pass finds: every field of a span's own, and where its lists lie.
#[derive(Default)]
struct Fields<'a> {
    message: &'a [u8],
    head: Head<'a>,
    process: Option<&'a [u8]>,
    references: Run,
    tags: Run,
    logs: Run,
    warnings: Run,
}

impl<'a> Fields<'a> {
    fn read(message: &'a [u8]) -> Result<Self, JaegerError> {
        let mut f = Self { message, ..Self::default() };
        let mut c = Cursor::new(message);
        loop {
            let start = message.len() - c.remaining();
            let Some(tag) = c.tag().map_err(at("Span"))? else { break };
            let bytes = |c: &mut Cursor<'a>, place| c.bytes().map_err(at(place));
            let to = |c: &Cursor<'a>| message.len() - c.remaining();
            match tag {
                tag::TRACE_ID => f.head.trace_id = trace_id(bytes(&mut c, "Span.trace_id")?, "Span.trace_id")?,
                tag::SPAN_ID => f.head.span_id = span_id(bytes(&mut c, "Span.span_id")?, "Span.span_id")?,
                tag::OPERATION => f.head.operation = bytes(&mut c, "Span.operation_name")?,
                tag::REFERENCES => {
                    bytes(&mut c, "Span.references")?;
                    f.references.add(start, to(&c));
                }
                tag::FLAGS => f.head.flags = c.varint().map_err(at("Span.flags"))? as u32,
                tag::START => f.head.start = since_1970(bytes(&mut c, "Span.start_time")?, "Span.start_time")?,
                tag::DURATION => f.head.duration = nanoseconds(bytes(&mut c, "Span.duration")?, "Span.duration")?,
                tag::TAGS => {
                    bytes(&mut c, "Span.tags")?;
                    f.tags.add(start, to(&c));
                }
                tag::LOGS => {
                    bytes(&mut c, "Span.logs")?;
                    f.logs.add(start, to(&c));
                }
                tag::PROCESS => f.process = Some(bytes(&mut c, "Span.process")?),
                tag::WARNINGS => {
                    bytes(&mut c, "Span.warnings")?;
                    f.warnings.add(start, to(&c));
                }
                _ => c.skip(tag, tag::SPAN_KNOWN).map_err(at("Span"))?,
            }
        }
        Ok(f)
    }

    fn list(&self, run: Run, tag: u32) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        messages(&self.message[run.from..run.to], tag)
    }

    /// The span as field 2 of `ScopeSpans`.
    fn put(&self, out: &mut Vec<u8>, format_tag: Option<&str>) -> Result<(), JaegerError> {
        let process = self.process.map_or(0, <[u8]>::len);
        let frame = Frame::open(out, 2, self.message.len() - process + 16);
        self.head.put(out);
        if self.references.to != 0 {
            put_references(out, &self.head.trace_id, || self.list(self.references, tag::REFERENCES).map(Reference::read))?;
        }
        let mut traits = Traits::default();
        for tag in self.list(self.tags, tag::TAGS) {
            let (key, value) = attributes::read(tag).map_err(at("Span.tags"))?;
            put_tag(out, &mut traits, key, value);
        }
        put_format(out, format_tag);
        self.put_warnings(out);
        traits.put(out);
        for log in self.list(self.logs, tag::LOGS) {
            put_event(out, log)?;
        }
        frame.close(out);
        Ok(())
    }

    fn put_warnings(&self, out: &mut Vec<u8>) {
        if self.warnings.to == 0 {
            return;
        }
        let attribute = Frame::open(out, span::ATTRIBUTES >> 3, self.warnings.to - self.warnings.from + 32);
        put_bytes(out, 1, WARNINGS_KEY);
        let value = Frame::open(out, 2, 0);
        let list = Frame::open(out, 5, 0);
        for warning in self.list(self.warnings, tag::WARNINGS) {
            let item = Frame::open(out, 1, warning.len() + 4);
            put_bytes(out, 1, warning);
            item.close(out);
        }
        list.close(out);
        value.close(out);
        attribute.close(out);
    }
}

/// 16 bytes, or the lower 8.
pub(super) fn trace_id(b: &[u8], place: &'static str) -> Result<[u8; 16], JaegerError> {
    let mut id = [0; 16];
    match b.len() {
        16 => id.copy_from_slice(b),
        8 => id[8..].copy_from_slice(b),
        len => return Err(JaegerError::IdLength { place, want: "8 or 16", len }),
    }
    Ok(id)
}

pub(super) fn span_id(b: &[u8], place: &'static str) -> Result<[u8; 8], JaegerError> {
    b.try_into().map_err(|_| JaegerError::IdLength { place, want: "8", len: b.len() })
}

/// A `Timestamp` in nanoseconds since 1970, at least 0 (Go's zero time is the year 1).
pub(super) fn since_1970(b: &[u8], place: &'static str) -> Result<u64, JaegerError> {
    Ok(nanoseconds(b, place)?.clamp(0, i128::from(u64::MAX)) as u64)
}

/// A `Timestamp` or `Duration`: 1 seconds, 2 nanos, both signed.
fn nanoseconds(b: &[u8], place: &'static str) -> Result<i128, JaegerError> {
    let (mut seconds, mut nanos) = (0_i64, 0_i32);
    let mut c = Cursor::new(b);
    while let Some(tag) = c.tag().map_err(at(place))? {
        match tag {
            0x08 => seconds = c.varint().map_err(at(place))? as i64,
            0x10 => nanos = c.varint().map_err(at(place))? as i32,
            _ => c.skip(tag, 0b110).map_err(at(place))?,
        }
    }
    Ok(i128::from(seconds) * 1_000_000_000 + i128::from(nanos))
}
