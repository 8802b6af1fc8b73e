//! The texts in which OpenTelemetry's Zipkin exporter packs what Zipkin has no fields for: an event with attributes in an
//! annotation's value, `name|{"key":"value"}|dropped`, and a link in a tag, `trace id|span id|trace state|{…}|dropped`.

use crate::frame::Frame;
use crate::jaeger::attributes::put_attribute;
use crate::zipkin::error::Fault;
use crate::zipkin::hex;
use crate::zipkin::json::{Json, JsonError, Text};
use skua_model::AnyValue;
use skua_model::otlp::{event, link, span};
use skua_model::wire::{put_bytes, put_uint, put_varint};

/// An annotation as an event of a span. What follows the first `|` of two parts is lost, as in the collector; where three or more
/// parts are not a packed event the collector refuses the request, and here all of the text is the name.
pub(super) fn put_event(out: &mut Vec<u8>, time: u64, value: &[u8]) {
    let frame = Frame::open(out, span::EVENTS >> 3, value.len() + 12);
    put_varint(out, u64::from(event::TIME));
    out.extend_from_slice(&time.to_le_bytes());
    let from = out.len();
    if put_packed(out, value).is_none() {
        out.truncate(from);
        put_bytes(out, event::NAME >> 3, value);
    }
    frame.close(out);
}

fn put_packed(out: &mut Vec<u8>, value: &[u8]) -> Option<()> {
    let end = value.iter().position(|b| *b == b'|')?;
    put_bytes(out, event::NAME >> 3, &value[..end]);
    if let Some((attributes, dropped)) = split_last(&value[end + 1..]) {
        put_json_attributes(out, event::ATTRIBUTES >> 3, attributes).ok()?;
        put_uint(out, event::DROPPED >> 3, u64::from(count(dropped)?));
    }
    Some(())
}

/// Appends a link.
///
/// # Errors
/// When it has five parts or more and one of them is malformed. One of fewer parts is passed over, as in the collector.
pub(super) fn put_link(out: &mut Vec<u8>, text: &[u8]) -> Result<(), Fault> {
    const FIELD: &str = "tags.otlp.link";
    let mut parts = text.splitn(4, |b| *b == b'|');
    let (Some(trace_id), Some(span_id), Some(state), Some(rest)) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Ok(());
    };
    let Some((attributes, dropped)) = split_last(rest) else { return Ok(()) };
    let wrong = |text, what| Fault::value(FIELD, text, what);
    let trace_id = id::<16>(trace_id).ok_or_else(|| wrong(trace_id, "a trace id of 32 hex digits"))?;
    let span_id = id::<8>(span_id).ok_or_else(|| wrong(span_id, "a span id of 16 hex digits"))?;
    let dropped = count(dropped).ok_or_else(|| wrong(dropped, "a number of dropped attributes"))?;
    let frame = Frame::open(out, span::LINKS >> 3, text.len());
    put_bytes(out, link::TRACE_ID >> 3, &trace_id);
    put_bytes(out, link::SPAN_ID >> 3, &span_id);
    if !state.is_empty() {
        put_bytes(out, link::TRACE_STATE >> 3, state);
    }
    put_json_attributes(out, link::ATTRIBUTES >> 3, attributes).map_err(|_| wrong(attributes, "an object of attributes"))?;
    put_uint(out, link::DROPPED >> 3, u64::from(dropped));
    frame.close(out);
    Ok(())
}

/// What lies before and behind the last `|`.
fn split_last(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().rposition(|b| *b == b'|')?;
    Some((&text[..at], &text[at + 1..]))
}

fn count(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok().filter(|t| !t.starts_with('+'))?.parse().ok()
}

/// Hex digits, perhaps in quotes; nothing at all is zero.
fn id<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let text = text.strip_prefix(b"\"").and_then(|t| t.strip_suffix(b"\"")).unwrap_or(text);
    if text.is_empty() { Some([0; N]) } else { hex::bytes(text) }
}

/// Texts, numbers and booleans; values of other types are left out. A number without a fraction is an integer.
fn put_json_attributes(out: &mut Vec<u8>, field: u32, text: &[u8]) -> Result<(), JsonError> {
    let mut json = Json::new(text);
    if !json.null()? {
        json.object()?;
        let mut first = true;
        while let Some(key) = json.key(&mut first)? {
            match json.peek() {
                b'"' => {
                    let value: Text<'_> = json.string()?;
                    put_attribute(out, field, &key, AnyValue::String(&value));
                }
                b't' | b'f' => put_attribute(out, field, &key, AnyValue::Bool(json.bool()?)),
                b'-' | b'0'..=b'9' => {
                    let value: f64 = json.number()?.parse().unwrap_or_default(); // JSON's numbers are all of Rust's
                    let whole = value.fract() == 0.0;
                    put_attribute(out, field, &key, if whole { AnyValue::Int(value as i64) } else { AnyValue::Double(value) });
                }
                _ => json.skip()?,
            }
        }
    }
    json.end()
}
