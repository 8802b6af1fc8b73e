//! Binary annotations as tags of Jaeger's own model.

use super::structs::{BinaryAnnotation, first, kind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use skua_model::AnyValue;
use std::borrow::Cow;

/// Tags of the process, which some clients could only send with a span, under Jaeger's name.
pub(super) fn process_key(key: &[u8]) -> Option<&'static [u8]> {
    match key {
        b"jaegerClient" | b"jaeger.version" => Some(b"jaeger.version"),
        b"jaeger.hostname" => Some(b"hostname"),
        _ => None,
    }
}

/// A value of a tag.
pub(super) enum Value<'a> {
    Is(AnyValue<'a>),
    /// What Jaeger says of a value that is none.
    Unreadable(String),
}

impl Value<'_> {
    pub fn as_any(&self) -> AnyValue<'_> {
        match self {
            Self::Is(value) => *value,
            Self::Unreadable(text) => AnyValue::String(text.as_bytes()),
        }
    }
}

/// The value with its type; integers have a sign.
pub(super) fn value<'a>(b: &BinaryAnnotation<'a>) -> Value<'a> {
    let number = match b.kind {
        kind::BOOL => Some(AnyValue::Bool(b.value == [1])),
        kind::STRING => Some(AnyValue::String(b.value)),
        kind::BYTES => Some(AnyValue::Bytes(b.value)),
        kind::I16 => first(b.value).map(|v| AnyValue::Int(i64::from(i16::from_be_bytes(v)))),
        kind::I32 => first(b.value).map(|v| AnyValue::Int(i64::from(i32::from_be_bytes(v)))),
        kind::I64 => first(b.value).map(|v| AnyValue::Int(i64::from_be_bytes(v))),
        kind::DOUBLE => first(b.value).map(|v| AnyValue::Double(f64::from_be_bytes(v))),
        _ => None,
    };
    number.map_or_else(|| unreadable(b), Value::Is)
}

#[cold]
fn unreadable<'a>(b: &BinaryAnnotation<'_>) -> Value<'a> {
    let why = match b.kind {
        kind::BOOL..=kind::STRING if b.value.is_empty() => Cow::Borrowed("EOF"),
        kind::BOOL..=kind::STRING => Cow::Borrowed("unexpected EOF"),
        other => Cow::Owned(format!("unknown zipkin annotation type: {other}")),
    };
    Value::Unreadable(format!("Cannot parse Zipkin value {}: {why}", STANDARD.encode(b.value)))
}

/// Gives the tags that an annotation of a span becomes: none, one, or those of an address.
pub(super) fn for_each<'a>(b: &BinaryAnnotation<'a>, mut tag: impl FnMut(&'a [u8], AnyValue<'_>)) {
    match (b.key, &b.host) {
        (b"lc", _) => tag(b"component", AnyValue::String(b.value)),
        (b"sa" | b"ca" | b"ma", None) => {}
        (b"sa" | b"ca" | b"ma", Some(peer)) => {
            tag(b"peer.service", AnyValue::String(peer.service));
            if peer.ipv4 != 0 {
                tag(b"peer.ipv4", AnyValue::Int(i64::from(peer.ipv4 as u32)));
            }
            if let Some(ipv6) = peer.ipv6 {
                tag(b"peer.ipv6", AnyValue::Bytes(ipv6));
            }
            if peer.port != 0 {
                tag(b"peer.port", AnyValue::Int(i64::from(peer.port as u16)));
            }
        }
        _ => tag(b.key, value(b).as_any()),
    }
}
