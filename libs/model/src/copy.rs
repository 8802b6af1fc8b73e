//! Copies a message field by field and lets somebody change its texts on the way.

use crate::otlp::*;
use crate::wire::{Cursor, WireError, put_bytes, put_message};
use std::borrow::Cow;

/// Which message a copy is in: it decides which of its fields are texts and which are messages.
#[derive(Clone, Copy)]
pub(crate) enum Message {
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

/// What a text is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The key of an attribute; its value follows.
    Key,
    /// A text value of an attribute, also inside a list or a map.
    String,
    /// A bytes value of an attribute.
    Bytes,
    /// A text with this name that a person wrote.
    Named(&'static str),
    /// A text that means something only as a whole: a URL, a trace state, a scope's name.
    Whole,
}

enum Part {
    Text(Place),
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
        (M::Span, span::NAME) => Part::Text(Place::Named("the span's name")),
        (M::Event, event::NAME) => Part::Text(Place::Named("an event's name")),
        (M::Status, status::MESSAGE) => Part::Text(Place::Named("the status message")),
        (M::KeyValue, key_value::KEY) => Part::Text(Place::Key),
        (M::AnyValue, any_value::STRING) => Part::Text(Place::String),
        (M::AnyValue, any_value::BYTES) => Part::Text(Place::Bytes),
        (M::ResourceSpans, resource_spans::SCHEMA_URL)
        | (M::ScopeSpans, scope_spans::SCHEMA_URL)
        | (M::Scope, scope::NAME | scope::VERSION)
        | (M::Span, span::TRACE_STATE)
        | (M::Link, link::TRACE_STATE) => Part::Text(Place::Whole),
        _ => Part::Other,
    }
}

/// What becomes of the texts.
pub(crate) trait Edit {
    /// Gives the text to write in place of this one. Called in wire order, once for each text and each bytes value.
    fn text<'a>(&mut self, place: Place, text: &'a [u8]) -> Cow<'a, [u8]>;
}

/// Appends the fields of a message that has passed the check, which bounds the recursion.
pub(crate) fn copy(of: Message, body: &[u8], out: &mut Vec<u8>, edit: &mut impl Edit) {
    let mut c = Cursor::new(body);
    loop {
        let start = body.len() - c.remaining();
        let Ok(Some(tag)) = c.tag() else { break };
        let copied: Result<(), WireError> = match part(of, tag) {
            Part::Text(place) => c.bytes().map(|text| put_bytes(out, tag >> 3, &edit.text(place, text))),
            Part::Message(inner) => c.bytes().map(|b| put_message(out, tag >> 3, |out| copy(inner, b, out, edit))),
            Part::Other => c.skip(tag, 0).map(|()| out.extend_from_slice(&body[start..body.len() - c.remaining()])),
        };
        if copied.is_err() {
            break;
        }
    }
}
