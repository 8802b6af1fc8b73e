//! The OTLP form of a span in Jaeger's own model, whatever it came in.

use super::attributes::{Reference, Traits, put_attribute, put_link};
use crate::frame::Frame;
use skua_model::otlp::{JAEGER_FLAGS, event, resource, span};
use skua_model::wire::{put_bytes, put_uint, put_varint};
use skua_model::{AnyValue, FORMAT_TAG};

/// Room for a length that most contents of so many bytes of Thrift or `api_v2` will have in OTLP.
pub(crate) fn expected(bytes: usize) -> usize {
    bytes + bytes / 16 + 16
}

/// Opens a `ResourceSpans` of a service. The caller writes the process's tags with [`Resource::put_tag`].
pub(crate) struct Resource {
    resource_spans: Frame,
    resource: Frame,
}

impl Resource {
    /// `process` and `spans` are the lengths of what will be written, roughly.
    pub fn open(out: &mut Vec<u8>, service: &[u8], process: usize, spans: usize) -> Self {
        let resource_spans = Frame::open(out, 1, expected(process + spans));
        let resource = Frame::open(out, 1, process + 24);
        put_attribute(out, resource::ATTRIBUTES >> 3, b"service.name", AnyValue::String(service));
        Self { resource_spans, resource }
    }

    pub fn put_tag(out: &mut Vec<u8>, key: &[u8], value: AnyValue<'_>) {
        put_attribute(out, resource::ATTRIBUTES >> 3, key, value);
    }

    /// All tags are written; spans follow.
    pub fn spans(self, out: &mut Vec<u8>, expected: usize) -> Group {
        self.resource.close(out);
        Group { resource_spans: self.resource_spans, scope_spans: Frame::open(out, 2, expected) }
    }
}

/// An open `ResourceSpans` and in it an open `ScopeSpans` without a scope: spans are its fields 2.
pub(crate) struct Group {
    resource_spans: Frame,
    scope_spans: Frame,
}

impl Group {
    pub fn close(self, out: &mut Vec<u8>) {
        self.scope_spans.close(out);
        self.resource_spans.close(out);
    }
}

/// What every span has.
#[derive(Default)]
pub(crate) struct Head<'a> {
    pub trace_id: [u8; 16],
    pub span_id: [u8; 8],
    pub operation: &'a [u8],
    pub flags: u32,
    /// Nanoseconds since 1970.
    pub start: u64,
    /// Nanoseconds; a negative one ends the span before it starts, for [`skua_model::repair`].
    pub duration: i128,
}

impl Head<'_> {
    /// The first fields of a span.
    #[inline]
    pub fn put(&self, out: &mut Vec<u8>) {
        put_bytes(out, span::TRACE_ID >> 3, &self.trace_id);
        put_bytes(out, span::SPAN_ID >> 3, &self.span_id);
        put_bytes(out, span::NAME >> 3, self.operation);
        let end = (i128::from(self.start) + self.duration).clamp(0, i128::from(u64::MAX)) as u64;
        for (tag, time) in [(span::START, self.start), (span::END, end)] {
            put_varint(out, u64::from(tag));
            out.extend_from_slice(&time.to_le_bytes());
        }
        put_varint(out, u64::from(JAEGER_FLAGS));
        put_varint(out, u64::from(self.flags));
    }
}

/// Parent and links. Links hold the parent too when nothing else could say where and of which type it was.
/// `all` begins again each time it is called.
pub(crate) fn put_references<E, I>(out: &mut Vec<u8>, trace_id: &[u8; 16], all: impl Fn() -> I) -> Result<(), E>
where
    I: Iterator<Item = Result<Reference, E>>,
{
    let (mut child_of, mut follows_from, mut first) = (None, None, None);
    for r in all() {
        let r = r?;
        first.get_or_insert(r);
        if r.trace_id == *trace_id && r.span_id != [0; 8] {
            if r.follows { &mut follows_from } else { &mut child_of }.get_or_insert(r);
        }
    }
    let parent = child_of.or(follows_from);
    if let Some(p) = parent {
        put_bytes(out, span::PARENT_SPAN_ID >> 3, &p.span_id);
    }
    let is_parent = |r: &Reference| parent.is_some_and(|p| p.trace_id == r.trace_id && p.span_id == r.span_id);
    let plain = first.is_some_and(|r| is_parent(&r) && !r.follows) && all().flatten().filter(is_parent).count() == 1;
    all().flatten().skip(usize::from(plain)).for_each(|r| put_link(out, &r));
    Ok(())
}

/// A tag of a span.
#[inline]
pub(crate) fn put_tag(out: &mut Vec<u8>, traits: &mut Traits, key: &[u8], value: AnyValue<'_>) {
    traits.see(key, value);
    put_attribute(out, span::ATTRIBUTES >> 3, key, value);
}

/// The tag that Jaeger's collector puts after all others.
#[inline]
pub(crate) fn put_format(out: &mut Vec<u8>, format_tag: Option<&str>) {
    if let Some(format) = format_tag {
        put_attribute(out, span::ATTRIBUTES >> 3, FORMAT_TAG, AnyValue::String(format.as_bytes()));
    }
}

impl Traits {
    /// Kind and status.
    #[inline]
    pub fn put(&self, out: &mut Vec<u8>) {
        put_uint(out, span::KIND >> 3, self.kind);
        if self.error {
            put_bytes(out, span::STATUS >> 3, &[3 << 3, 2]); // Status.code = ERROR
        }
    }
}

/// Finds what names an event: a first and only text field `event` that is not empty. The first pass over a log's fields.
#[derive(Default)]
pub(crate) struct EventName<'a> {
    name: &'a [u8],
    events: usize,
    fields: usize,
}

impl<'a> EventName<'a> {
    #[inline]
    pub fn see(&mut self, key: &[u8], value: AnyValue<'a>) {
        if key == b"event" {
            self.events += 1;
            if let (0, AnyValue::String(s)) = (self.fields, value) {
                self.name = s;
            }
        }
        self.fields += 1;
    }

    /// Opens the event, `time` in nanoseconds since 1970, and says how many of the first fields it has written already: its name.
    #[inline]
    pub fn open(&self, out: &mut Vec<u8>, time: u64, expected: usize) -> (Frame, usize) {
        let named = self.events == 1 && !self.name.is_empty();
        let frame = Frame::open(out, span::EVENTS >> 3, expected);
        put_varint(out, u64::from(event::TIME));
        out.extend_from_slice(&time.to_le_bytes());
        if named {
            put_bytes(out, event::NAME >> 3, self.name);
        }
        (frame, usize::from(named))
    }
}
