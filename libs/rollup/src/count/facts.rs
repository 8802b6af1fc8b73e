//! What counting needs to know of a span, the same whether it is on its way to a store or was read from one.

use crate::document::Connection;
use skua_model::{AnyValue, RefType, Span, SpanView, Value, for_each_reference};
use std::borrow::Cow;

/// A span, for counting.
#[derive(Debug, Clone)]
pub(crate) struct Facts<'a> {
    pub trace_id: [u8; 16],
    pub span_id: [u8; 8],
    /// In the same trace: the first CHILD_OF, else the first FOLLOWS_FROM, as Jaeger has it.
    pub parent: Option<[u8; 8]>,
    pub service: &'a [u8],
    pub name: &'a [u8],
    /// OTLP's number: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    pub kind: u8,
    /// 0 unset, 1 ok, 2 error.
    pub status: u8,
    /// Microseconds since 1970.
    pub start: u64,
    /// Microseconds.
    pub duration: u64,
    pub peer: Peer<'a>,
}

/// Whom a span says it calls.
#[derive(Debug, Clone, Default)]
pub(crate) struct Peer<'a> {
    service: &'a [u8],
    db_system: &'a [u8],
    db_name: &'a [u8],
    queue_system: &'a [u8],
    queue_name: &'a [u8],
    address: &'a [u8],
}

impl<'a> Peer<'a> {
    /// Takes an attribute if it is one of those that name a peer; of OpenTelemetry's old and new names the new.
    #[inline]
    fn take(&mut self, key: &[u8], value: &'a [u8]) {
        let (place, old) = match key {
            b"peer.service" => (&mut self.service, false),
            b"db.system.name" => (&mut self.db_system, false),
            b"db.system" => (&mut self.db_system, true),
            b"db.namespace" => (&mut self.db_name, false),
            b"db.name" => (&mut self.db_name, true),
            b"messaging.system" => (&mut self.queue_system, false),
            b"messaging.destination.name" => (&mut self.queue_name, false),
            b"messaging.destination" => (&mut self.queue_name, true),
            b"server.address" => (&mut self.address, false),
            b"net.peer.name" => (&mut self.address, true),
            _ => return,
        };
        if !old || place.is_empty() {
            *place = value;
        }
    }

    /// How it is called, and its name: that of `peer.service`, else of the database or queue (`system/name`), else its address.
    pub fn name(&self) -> Option<(Connection, Cow<'a, [u8]>)> {
        let both = |system: &'a [u8], name: &'a [u8]| match (system, name) {
            (b"", only) | (only, b"") => Cow::Borrowed(only),
            (system, name) => Cow::Owned([system, b"/", name].concat()),
        };
        let database = both(self.db_system, self.db_name);
        let queue = both(self.queue_system, self.queue_name);
        let (connection, name) = if !database.is_empty() {
            (Connection::Database, database)
        } else if !queue.is_empty() {
            (Connection::Messaging, queue)
        } else {
            (Connection::Peer, Cow::Borrowed(self.address))
        };
        let name = if self.service.is_empty() { name } else { Cow::Borrowed(self.service) };
        (!name.is_empty()).then_some((connection, name))
    }
}

/// The kind that Jaeger's tag names.
fn kind_of(text: &[u8]) -> u8 {
    match text {
        b"internal" => 1,
        b"server" => 2,
        b"client" => 3,
        b"producer" => 4,
        b"consumer" => 5,
        _ => 0,
    }
}

/// What tags say of kind and status, and the peer. Of a tag that comes twice the last counts.
#[derive(Default)]
struct Tags<'a> {
    kind: u8,
    status: u8,
    error: bool,
    peer: Peer<'a>,
}

impl<'a> Tags<'a> {
    #[inline]
    fn text(&mut self, key: &[u8], value: &'a [u8]) {
        match key {
            b"span.kind" => self.kind = kind_of(value),
            b"otel.status_code" => {
                self.status = match value {
                    b"OK" => 1,
                    b"ERROR" => 2,
                    _ => 0,
                }
            }
            b"error" => self.error = value == b"true",
            _ => self.peer.take(key, value),
        }
    }

    fn status(&self) -> u8 {
        if self.status == 0 && self.error { 2 } else { self.status }
    }
}

/// Keys that tell something here begin with one of these letters, and few others have their lengths.
fn tells(key: &[u8]) -> bool {
    matches!(
        (key.first(), key.len()),
        (Some(b'p'), 12)
            | (Some(b'd'), 7 | 9 | 12 | 14)
            | (Some(b'm'), 16 | 21 | 26)
            | (Some(b's'), 9 | 14)
            | (Some(b'n'), 13)
            | (Some(b'e'), 5)
            | (Some(b'o'), 16)
    )
}

impl<'a> Facts<'a> {
    /// Of a span on its way.
    #[inline]
    pub fn of_view(view: &SpanView<'a>, service: &'a [u8]) -> Self {
        let mut tags = Tags::default();
        for kv in view.attributes_of(tells) {
            match kv.value {
                AnyValue::String(value) => tags.text(kv.key, value),
                AnyValue::Bool(error) if kv.key == b"error" => tags.error = error,
                _ => {}
            }
        }
        if view.jaeger_flags.is_none() {
            if view.kind != 0 {
                tags.kind = u8::try_from(view.kind).ok().filter(|kind| *kind <= 5).unwrap_or(tags.kind);
            }
            if matches!(view.status_code, 1 | 2) {
                tags.status = view.status_code as u8;
            }
        }
        Self {
            trace_id: view.trace_id,
            span_id: view.span_id,
            parent: parent_of(view),
            service,
            name: view.name,
            kind: tags.kind,
            status: tags.status(),
            start: view.start / 1000,
            duration: view.duration() / 1000,
            peer: tags.peer,
        }
    }

    /// Of a span that a store gave.
    pub fn of_span(span: &'a Span) -> Self {
        let mut tags = Tags::default();
        for tag in span.tags.iter().filter(|tag| tells(tag.key.as_bytes())) {
            match &tag.value {
                Value::String(value) => tags.text(tag.key.as_bytes(), value.as_bytes()),
                Value::Bool(error) if tag.key == "error" => tags.error = *error,
                _ => {}
            }
        }
        let (mut child_of, mut follows_from) = (None, None);
        for r in span.references.iter().filter(|r| r.trace_id == span.trace_id && r.span_id.0 != [0; 8]) {
            let of = if r.kind == RefType::ChildOf { &mut child_of } else { &mut follows_from };
            of.get_or_insert(r.span_id.0);
        }
        Self {
            trace_id: span.trace_id.0,
            span_id: span.span_id.0,
            parent: child_of.or(follows_from),
            service: span.process.service_name.as_bytes(),
            name: span.operation_name.as_bytes(),
            kind: tags.kind,
            status: tags.status(),
            start: span.start_time / 1000,
            duration: span.duration / 1000,
            peer: tags.peer,
        }
    }
}

#[inline]
fn parent_of(view: &SpanView<'_>) -> Option<[u8; 8]> {
    if view.links().next().is_none() {
        return (view.parent_span_id != [0; 8]).then_some(view.parent_span_id);
    }
    let (mut child_of, mut follows_from) = (None, None);
    for_each_reference(view, |trace_id, span_id, follows| {
        let of = if follows { &mut follows_from } else { &mut child_of };
        if *trace_id == view.trace_id && *span_id != [0; 8] {
            of.get_or_insert(*span_id);
        }
    });
    child_of.or(follows_from)
}
