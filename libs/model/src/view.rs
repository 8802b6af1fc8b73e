//! Borrowed views. They read bytes that [`crate::SpanBatch::parse`] has passed; on bytes that it has not, a malformed field
//! simply ends its list.

use crate::check::id;
use crate::jaeger::WARNINGS_KEY;
use crate::otlp::*;
use crate::wire::{Cursor, messages};

/// A span's own fields, and where its lists lie. Strings are bytes: they need not be UTF-8.
#[derive(Debug, Clone, Default)]
pub struct SpanView<'a> {
    /// Big-endian.
    pub trace_id: [u8; 16],
    /// Big-endian.
    pub span_id: [u8; 8],
    /// Zero for a root.
    pub parent_span_id: [u8; 8],
    /// W3C `tracestate`.
    pub trace_state: &'a [u8],
    /// Jaeger's operation name.
    pub name: &'a [u8],
    /// `SpanKind` number; 0 is unspecified.
    pub kind: u64,
    /// Nanoseconds since 1970.
    pub start: u64,
    /// Nanoseconds since 1970.
    pub end: u64,
    /// W3C trace flags in the low byte.
    pub flags: u32,
    /// Jaeger's flags of a span that came in Jaeger's own model; `None` for one that came as OTLP.
    pub jaeger_flags: Option<u32>,
    /// Status: 0 unset, 1 ok, 2 error.
    pub status_code: u64,
    /// Empty when absent.
    pub status_message: &'a [u8],
    /// Empty when absent.
    pub scope_name: &'a [u8],
    /// Empty when absent.
    pub scope_version: &'a [u8],
    attributes: Run<'a>,
    events: Run<'a>,
    links: Run<'a>,
}

/// The part of a message from the first to the last field of one number: all of a repeated field, with no more in
/// between than an encoder put there (none does).
#[derive(Debug, Clone, Default)]
struct Run<'a> {
    message: &'a [u8],
    from: usize,
    to: usize,
}

impl<'a> Run<'a> {
    #[inline(always)]
    fn add(&mut self, message: &'a [u8], from: usize, to: usize) {
        if self.to == 0 {
            self.message = message;
            self.from = from;
        }
        self.to = to;
    }

    #[inline]
    fn fields(&self, tag: u32) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        messages(&self.message[self.from..self.to], tag)
    }
}

/// Reads the fields of a message in a `match` on tags; stops at malformed bytes and passes over unknown fields.
macro_rules! read {
    ($body:expr, |$c:ident, $start:ident| $($tag:pat => $do:expr),+ $(,)?) => {
        let body = $body;
        let mut $c = Cursor::new(body);
        loop {
            let $start = body.len() - $c.remaining();
            let Ok(Some(tag)) = $c.tag() else { break };
            match tag {
                $($tag => $do,)+
                _ => if $c.skip(tag, 0).is_err() { break },
            }
        }
    };
}

impl<'a> SpanView<'a> {
    /// Of the body of a `Span` and the fields of its `ScopeSpans` beside the spans, of which either may be empty.
    pub fn of(body: &'a [u8], scope: &'a [u8]) -> Self {
        Self::read(body, std::iter::once(scope))
    }

    pub(crate) fn read(body: &'a [u8], scope: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut s = Self::default();
        read!(body, |c, start|
            span::TRACE_ID => s.trace_id = id(c.bytes().unwrap_or_default()).unwrap_or_default(),
            span::SPAN_ID => s.span_id = id(c.bytes().unwrap_or_default()).unwrap_or_default(),
            span::TRACE_STATE => s.trace_state = c.bytes().unwrap_or_default(),
            span::PARENT_SPAN_ID => s.parent_span_id = id(c.bytes().unwrap_or_default()).unwrap_or_default(),
            span::NAME => s.name = c.bytes().unwrap_or_default(),
            span::KIND => s.kind = c.varint().unwrap_or_default(),
            span::START => s.start = c.fixed64().unwrap_or_default(),
            span::END => s.end = c.fixed64().unwrap_or_default(),
            span::ATTRIBUTES => if c.bytes().is_ok() { s.attributes.add(body, start, body.len() - c.remaining()) },
            span::EVENTS => if c.bytes().is_ok() { s.events.add(body, start, body.len() - c.remaining()) },
            span::LINKS => if c.bytes().is_ok() { s.links.add(body, start, body.len() - c.remaining()) },
            span::STATUS => s.read_status(c.bytes().unwrap_or_default()),
            span::FLAGS => s.flags = c.fixed32().unwrap_or_default(),
            JAEGER_FLAGS => s.jaeger_flags = Some(c.varint().unwrap_or_default() as u32),
        );
        for b in scope.flat_map(|piece| messages(piece, scope_spans::SCOPE)) {
            read!(b, |c, _start|
                scope::NAME => s.scope_name = c.bytes().unwrap_or_default(),
                scope::VERSION => s.scope_version = c.bytes().unwrap_or_default(),
            );
        }
        s
    }

    fn read_status(&mut self, b: &'a [u8]) {
        read!(b, |c, _start|
            status::MESSAGE => self.status_message = c.bytes().unwrap_or_default(),
            status::CODE => self.status_code = c.varint().unwrap_or_default(),
        );
    }

    /// In wire order, repeated keys and [`WARNINGS_KEY`] included.
    #[inline]
    pub fn attributes(&self) -> impl Iterator<Item = KeyValue<'a>> + use<'a> {
        self.attributes.fields(span::ATTRIBUTES).map(KeyValue::read)
    }

    /// [`SpanView::attributes`] without most of those whose key is not wanted, of which the value is then not read.
    #[inline]
    pub fn attributes_of<F: Fn(&[u8]) -> bool>(&self, wanted: F) -> impl Iterator<Item = KeyValue<'a>> + use<'a, F> {
        let passed = move |b: &[u8]| match b {
            // As nearly all are written: the key, then the value, both short. The tags are those of `key_value`.
            [0x0a, length @ ..0x80, rest @ ..] => match rest.split_at_checked(usize::from(*length)) {
                Some((key, [0x12, size @ ..0x80, value @ ..])) => usize::from(*size) == value.len() && !wanted(key),
                _ => false,
            },
            _ => false,
        };
        let fields = self.attributes.fields(span::ATTRIBUTES).filter(move |b| !passed(b));
        fields.map(KeyValue::read)
    }

    /// In wire order.
    pub fn events(&self) -> impl Iterator<Item = EventView<'a>> + use<'a> {
        self.events.fields(span::EVENTS).map(EventView::read)
    }

    /// In wire order.
    pub fn links(&self) -> impl Iterator<Item = LinkView<'a>> + use<'a> {
        self.links.fields(span::LINKS).map(LinkView::read)
    }

    /// The strings of the attribute [`WARNINGS_KEY`].
    pub fn warnings(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let lists = self.attributes().filter(|kv| kv.key == WARNINGS_KEY).map(|kv| kv.value);
        lists.flat_map(|list| list.items()).filter_map(|v| if let AnyValue::String(s) = v { Some(s) } else { None })
    }

    /// End minus start in nanoseconds, 0 when negative.
    pub fn duration(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }
}

/// An attribute.
#[derive(Debug, Clone, Copy)]
pub struct KeyValue<'a> {
    /// May be empty.
    pub key: &'a [u8],
    /// [`AnyValue::Empty`] when absent.
    pub value: AnyValue<'a>,
}

impl<'a> KeyValue<'a> {
    #[inline]
    pub(crate) fn read(b: &'a [u8]) -> Self {
        let mut kv = Self { key: b"", value: AnyValue::Empty };
        read!(b, |c, _start|
            key_value::KEY => kv.key = c.bytes().unwrap_or_default(),
            key_value::VALUE => kv.value = AnyValue::read(c.bytes().unwrap_or_default()),
        );
        kv
    }
}

/// The value of an attribute.
#[derive(Debug, Clone, Copy)]
pub enum AnyValue<'a> {
    /// No value was set.
    Empty,
    /// Usually UTF-8.
    String(&'a [u8]),
    /// `bool_value`.
    Bool(bool),
    /// `int_value`.
    Int(i64),
    /// `double_value`.
    Double(f64),
    /// `bytes_value`.
    Bytes(&'a [u8]),
    /// The body of an `ArrayValue`; see [`AnyValue::items`].
    Array(&'a [u8]),
    /// The body of a `KeyValueList`; see [`AnyValue::entries`].
    Map(&'a [u8]),
}

impl<'a> AnyValue<'a> {
    #[inline]
    fn read(b: &'a [u8]) -> Self {
        let mut v = Self::Empty;
        read!(b, |c, _start|
            any_value::STRING => v = Self::String(c.bytes().unwrap_or_default()),
            any_value::BOOL => v = Self::Bool(c.varint().unwrap_or_default() != 0),
            any_value::INT => v = Self::Int(c.varint().unwrap_or_default() as i64),
            any_value::DOUBLE => v = Self::Double(f64::from_bits(c.fixed64().unwrap_or_default())),
            any_value::ARRAY => v = Self::Array(c.bytes().unwrap_or_default()),
            any_value::MAP => v = Self::Map(c.bytes().unwrap_or_default()),
            any_value::BYTES => v = Self::Bytes(c.bytes().unwrap_or_default()),
        );
        v
    }

    /// The values of an array; none for other kinds.
    pub fn items(&self) -> impl Iterator<Item = AnyValue<'a>> + use<'a> {
        messages(if let Self::Array(b) = self { b } else { b"" }, list::VALUES).map(AnyValue::read)
    }

    /// The entries of a map; none for other kinds.
    pub fn entries(&self) -> impl Iterator<Item = KeyValue<'a>> + use<'a> {
        messages(if let Self::Map(b) = self { b } else { b"" }, list::VALUES).map(KeyValue::read)
    }
}

/// An event of a span: Jaeger's log.
#[derive(Debug, Clone)]
pub struct EventView<'a> {
    /// Nanoseconds since 1970.
    pub time: u64,
    /// Jaeger's field `event`.
    pub name: &'a [u8],
    body: &'a [u8],
}

impl<'a> EventView<'a> {
    fn read(body: &'a [u8]) -> Self {
        let mut e = Self { time: 0, name: b"", body };
        read!(body, |c, _start|
            event::TIME => e.time = c.fixed64().unwrap_or_default(),
            event::NAME => e.name = c.bytes().unwrap_or_default(),
        );
        e
    }

    /// In wire order.
    pub fn attributes(&self) -> impl Iterator<Item = KeyValue<'a>> + use<'a> {
        messages(self.body, event::ATTRIBUTES).map(KeyValue::read)
    }

    /// The fields that Jaeger gives the log: `event` with the name first, unless the name is empty or an attribute has that key.
    #[inline]
    pub fn for_each_field(&self, mut field: impl FnMut(&'a [u8], AnyValue<'a>)) {
        if !self.name.is_empty() && !self.attributes().any(|kv| kv.key == b"event") {
            field(b"event", AnyValue::String(self.name));
        }
        for kv in self.attributes() {
            field(kv.key, kv.value);
        }
    }
}

/// A link to another span: Jaeger's reference.
#[derive(Debug, Clone)]
pub struct LinkView<'a> {
    /// Big-endian; zero when absent.
    pub trace_id: [u8; 16],
    /// Big-endian; zero when absent.
    pub span_id: [u8; 8],
    /// W3C `tracestate`.
    pub trace_state: &'a [u8],
    body: &'a [u8],
}

impl<'a> LinkView<'a> {
    fn read(body: &'a [u8]) -> Self {
        let mut l = Self { trace_id: [0; 16], span_id: [0; 8], trace_state: b"", body };
        read!(body, |c, _start|
            link::TRACE_ID => l.trace_id = id(c.bytes().unwrap_or_default()).unwrap_or_default(),
            link::SPAN_ID => l.span_id = id(c.bytes().unwrap_or_default()).unwrap_or_default(),
            link::TRACE_STATE => l.trace_state = c.bytes().unwrap_or_default(),
        );
        l
    }

    /// In wire order.
    pub fn attributes(&self) -> impl Iterator<Item = KeyValue<'a>> + use<'a> {
        messages(self.body, link::ATTRIBUTES).map(KeyValue::read)
    }
}

/// A resource as Jaeger's process: the service name apart, the rest in order.
#[derive(Debug, Clone)]
pub struct ProcessView<'a> {
    /// Never empty: Jaeger's sanitizers' names stand for what is absent (`missing-service-name`), empty
    /// (`empty-service-name`) or not a string (`service-name-wrong-type`).
    pub service: &'a [u8],
    /// What the resource says itself; `None` when it says nothing.
    pub named: Option<AnyValue<'a>>,
    attributes: Vec<KeyValue<'a>>,
}

/// The attribute of a resource that names its service.
pub(crate) const SERVICE_NAME: &[u8] = b"service.name";

fn resource_attributes<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = KeyValue<'a>> {
    let resources = pieces.flat_map(|b| messages(b, resource_spans::RESOURCE));
    resources.flat_map(|r| messages(r, resource::ATTRIBUTES)).map(KeyValue::read)
}

/// The name that Jaeger's sanitizers give: in place of what is absent, empty or not a string.
pub(crate) fn service_text(name: Option<AnyValue<'_>>) -> &[u8] {
    match name {
        None => b"missing-service-name",
        Some(AnyValue::String(b"")) => b"empty-service-name",
        Some(AnyValue::String(s)) => s,
        Some(_) => b"service-name-wrong-type",
    }
}

impl<'a> ProcessView<'a> {
    /// Of the fields of a `ResourceSpans` beside its spans.
    pub fn of(fields: &'a [u8]) -> Self {
        Self::read(std::iter::once(fields))
    }

    pub(crate) fn read(pieces: impl Iterator<Item = &'a [u8]>) -> Self {
        let (mut service, mut attributes) = (None, Vec::new());
        for kv in resource_attributes(pieces) {
            if service.is_none() && kv.key == SERVICE_NAME {
                service = Some(kv.value);
            } else {
                attributes.push(kv);
            }
        }
        Self { service: service_text(service), named: service, attributes }
    }

    /// [`ProcessView::service`] alone, without reading the rest.
    pub(crate) fn read_service(pieces: impl Iterator<Item = &'a [u8]>) -> &'a [u8] {
        service_text(resource_attributes(pieces).find(|kv| kv.key == SERVICE_NAME).map(|kv| kv.value))
    }

    /// The resource's attributes in wire order, without the first `service.name`.
    pub fn attributes(&self) -> &[KeyValue<'a>] {
        &self.attributes
    }
}
