//! The parts of a Jaeger span as parts of an OTLP span: tags, logs, references and the process.

use super::JaegerError;
use super::decode::{since_1970, span_id, trace_id};
use super::error::at;
use super::span::{EventName, Group, Resource};
use crate::frame::Frame;
use skua_model::AnyValue;
use skua_model::otlp::{event, link, span};
use skua_model::wire::{Cursor, WireError, len, messages, put_bytes, put_varint, varint_len};

const KEY: u32 = len(1);

/// Reads a `KeyValue`. A value of another type than `v_type` says is not seen, as in Jaeger; an unknown type is a string.
#[inline]
pub(crate) fn read(b: &[u8]) -> Result<(&[u8], AnyValue<'_>), WireError> {
    let (mut key, mut kind, mut text, mut binary) = (&b[..0], 0, &b[..0], &b[..0]);
    let (mut flag, mut int, mut float) = (false, 0, 0);
    let mut c = Cursor::new(b);
    while let Some(tag) = c.tag()? {
        match tag {
            KEY => key = c.bytes()?,
            0x10 => kind = c.varint()?,
            0x1a => text = c.bytes()?,
            0x20 => flag = c.varint()? != 0,
            0x28 => int = c.varint()?,
            0x31 => float = c.fixed64()?,
            0x3a => binary = c.bytes()?,
            _ => c.skip(tag, 0xfe)?,
        }
    }
    let value = match kind {
        1 => AnyValue::Bool(flag),
        2 => AnyValue::Int(int as i64),
        3 => AnyValue::Double(f64::from_bits(float)),
        4 => AnyValue::Bytes(binary),
        _ => AnyValue::String(text),
    };
    Ok((key, value))
}

/// Writes an OTLP `KeyValue` with exact lengths. Jaeger has no lists, maps or empty values: they are not written.
#[inline]
pub(crate) fn put_attribute(out: &mut Vec<u8>, number: u32, key: &[u8], value: AnyValue<'_>) {
    let text = |s: &[u8]| 1 + varint_len(s.len() as u64) + s.len();
    let value_len = match value {
        AnyValue::String(s) | AnyValue::Bytes(s) => text(s),
        AnyValue::Bool(_) => 2,
        AnyValue::Int(v) => 1 + varint_len(v as u64),
        AnyValue::Double(_) => 9,
        AnyValue::Empty | AnyValue::Array(_) | AnyValue::Map(_) => 0,
    };
    let body = text(key) + 1 + varint_len(value_len as u64) + value_len;
    out.reserve(body + 8);
    put_varint(out, u64::from(number << 3 | 2));
    put_varint(out, body as u64);
    put_bytes(out, 1, key);
    put_varint(out, 2 << 3 | 2);
    put_varint(out, value_len as u64);
    match value {
        AnyValue::String(s) => put_bytes(out, 1, s),
        AnyValue::Bool(v) => out.extend_from_slice(&[2 << 3, u8::from(v)]),
        AnyValue::Int(v) => {
            out.push(3 << 3);
            put_varint(out, v as u64);
        }
        AnyValue::Double(v) => {
            out.push(4 << 3 | 1);
            out.extend_from_slice(&v.to_le_bytes());
        }
        AnyValue::Bytes(b) => put_bytes(out, 7, b),
        AnyValue::Empty | AnyValue::Array(_) | AnyValue::Map(_) => {}
    }
}

/// What OTLP has fields for and Jaeger has tags for.
#[derive(Default)]
pub(crate) struct Traits {
    /// OTLP's number of the first `span.kind` that is a kind.
    pub kind: u64,
    /// A tag `error` is true.
    pub error: bool,
}

impl Traits {
    #[inline]
    pub fn see(&mut self, key: &[u8], value: AnyValue<'_>) {
        match (key, value) {
            (b"span.kind", AnyValue::String(s)) if self.kind == 0 => {
                let kinds = [&b"internal"[..], b"server", b"client", b"producer", b"consumer"];
                self.kind = (1..).zip(kinds).find(|(_, k)| s.eq_ignore_ascii_case(k)).map_or(0, |(n, _)| n);
            }
            (b"error", AnyValue::Bool(v)) => self.error |= v,
            (b"error", AnyValue::String(s)) => self.error |= s.eq_ignore_ascii_case(b"true"),
            _ => {}
        }
    }
}

/// A `Log` as an event of a span.
pub(crate) fn put_event(out: &mut Vec<u8>, log: &[u8]) -> Result<(), JaegerError> {
    const FIELDS: u32 = len(2);
    let (mut time, mut name) = (0, EventName::default());
    let mut c = Cursor::new(log);
    while let Some(tag) = c.tag().map_err(at("Log"))? {
        match tag {
            0x0a => time = since_1970(c.bytes().map_err(at("Log.timestamp"))?, "Log.timestamp")?,
            FIELDS => {
                let (key, value) = read(c.bytes().map_err(at("Log.fields"))?).map_err(at("Log.fields"))?;
                name.see(key, value);
            }
            _ => c.skip(tag, 0b110).map_err(at("Log"))?,
        }
    }
    let (frame, written) = name.open(out, time, log.len() + 8);
    for field in messages(log, FIELDS).skip(written) {
        let (key, value) = read(field).map_err(at("Log.fields"))?;
        put_attribute(out, event::ATTRIBUTES >> 3, key, value);
    }
    frame.close(out);
    Ok(())
}

/// A `SpanRef`.
#[derive(Clone, Copy)]
pub(crate) struct Reference {
    pub trace_id: [u8; 16],
    pub span_id: [u8; 8],
    /// FOLLOWS_FROM, or a type that does not exist.
    pub follows: bool,
}

impl Reference {
    pub fn read(b: &[u8]) -> Result<Self, JaegerError> {
        let mut r = Self { trace_id: [0; 16], span_id: [0; 8], follows: false };
        let mut c = Cursor::new(b);
        while let Some(tag) = c.tag().map_err(at("SpanRef"))? {
            match tag {
                0x0a => r.trace_id = trace_id(c.bytes().map_err(at("SpanRef.trace_id"))?, "SpanRef.trace_id")?,
                0x12 => r.span_id = span_id(c.bytes().map_err(at("SpanRef.span_id"))?, "SpanRef.span_id")?,
                0x18 => r.follows = c.varint().map_err(at("SpanRef.ref_type"))? != 0,
                _ => c.skip(tag, 0b1110).map_err(at("SpanRef"))?,
            }
        }
        Ok(r)
    }
}

/// A reference as a link of a span.
pub(crate) fn put_link(out: &mut Vec<u8>, r: &Reference) {
    let kind: &[u8] = if r.follows { b"follows_from" } else { b"child_of" };
    let frame = Frame::open(out, span::LINKS >> 3, 64);
    put_bytes(out, link::TRACE_ID >> 3, &r.trace_id);
    put_bytes(out, link::SPAN_ID >> 3, &r.span_id);
    put_attribute(out, link::ATTRIBUTES >> 3, b"opentracing.ref_type", AnyValue::String(kind));
    frame.close(out);
}

/// Opens a `ResourceSpans` of a process for spans of roughly `expected` bytes. Jaeger's sanitizer names a process that is
/// not there.
pub(crate) fn open_process(out: &mut Vec<u8>, process: Option<&[u8]>, expected: usize) -> Result<Group, JaegerError> {
    const TAGS: u32 = len(2);
    let body = process.unwrap_or_default();
    let mut service: &[u8] = if process.is_some() { b"" } else { b"null-process-and-service-name" };
    let mut c = Cursor::new(body);
    while let Some(tag) = c.tag().map_err(at("Process"))? {
        match tag {
            0x0a => service = c.bytes().map_err(at("Process.service_name"))?,
            TAGS => drop(c.bytes().map_err(at("Process.tags"))?),
            _ => c.skip(tag, 0b110).map_err(at("Process"))?,
        }
    }
    let resource = Resource::open(out, service, body.len(), expected);
    for tag in messages(body, TAGS) {
        let (key, value) = read(tag).map_err(at("Process.tags"))?;
        Resource::put_tag(out, key, value);
    }
    Ok(resource.spans(out, expected))
}
