//! A v2 span and how it becomes an OTLP span: the rules of the OpenTelemetry collector's Zipkin receiver, which is what answers
//! on 9411 in Jaeger 1.76.

pub(super) mod json;
mod keys;
mod packed;
pub(super) mod proto;

use crate::frame::Frame;
use crate::jaeger::attributes::put_attribute;
use crate::zipkin::error::Fault;
use crate::zipkin::group::{Groups, Header};
use crate::zipkin::json::Text;
use crate::zipkin::unique::Unique;
use keys::{Given, Meaning};
use skua_model::AnyValue;
use skua_model::otlp::{resource, scope, span, status};
use skua_model::wire::{put_bytes, put_uint, put_varint};

/// One span, borrowed from a request; used again for the next one.
#[derive(Default)]
pub(super) struct Span<'a> {
    pub trace_id: [u8; 16],
    pub id: [u8; 8],
    /// Zero without one.
    pub parent_id: [u8; 8],
    pub name: Text<'a>,
    /// OTLP's number; 0 when Zipkin has none.
    pub kind: u64,
    /// Microseconds since 1970.
    pub timestamp: Option<u64>,
    /// Microseconds.
    pub duration: u64,
    pub local: Endpoint<'a>,
    pub remote: Endpoint<'a>,
    pub annotations: Vec<Annotation<'a>>,
    pub tags: Tags<'a>,
}

/// Who took part. An endpoint that is absent has nothing.
#[derive(Default)]
pub(super) struct Endpoint<'a> {
    pub service: Text<'a>,
    /// As Go writes them; empty when absent.
    pub ipv4: Text<'a>,
    pub ipv6: Text<'a>,
    pub port: u16,
}

/// An event.
#[derive(Default)]
pub(super) struct Annotation<'a> {
    /// Microseconds since 1970.
    pub timestamp: u64,
    pub value: Text<'a>,
}

/// Zipkin's kinds by name, with OTLP's number.
pub(super) fn kind(name: &[u8]) -> u64 {
    match name {
        b"SERVER" => 2,
        b"CLIENT" => 3,
        b"PRODUCER" => 4,
        b"CONSUMER" => 5,
        _ => 0,
    }
}

/// Absurd times stay absurd instead of starting again at 0.
pub(super) fn nanoseconds(microseconds: u64) -> u64 {
    microseconds.saturating_mul(1000)
}

/// Texts by key, and what each is for.
#[derive(Default)]
pub(super) struct Tags<'a> {
    map: Unique<'a, Tag<'a>>,
    /// Some tag is more than an attribute.
    special: bool,
}

struct Tag<'a> {
    value: Text<'a>,
    meaning: Meaning,
}

impl<'a> Tags<'a> {
    pub fn clear(&mut self) {
        self.map.clear();
        self.special = false;
    }

    #[inline]
    pub fn push(&mut self, key: Text<'a>, value: Text<'a>) {
        let meaning = Meaning::of(&key);
        self.special |= meaning != Meaning::Plain;
        self.map.push(key, Tag { value, meaning });
    }

    fn get(&self, meaning: Meaning) -> Option<&Text<'a>> {
        self.of(meaning).next().map(|(_, value)| value)
    }

    fn of(&self, meaning: Meaning) -> impl Iterator<Item = (&Text<'a>, &Text<'a>)> {
        let some = self.special.then(|| self.map.iter()).into_iter().flatten();
        some.filter(move |(_, tag)| tag.meaning == meaning).map(|(key, tag)| (key, &tag.value))
    }
}

impl<'a> Span<'a> {
    /// Makes it empty, for the next one.
    pub fn clear(&mut self) {
        let (mut annotations, mut tags) = (std::mem::take(&mut self.annotations), std::mem::take(&mut self.tags));
        annotations.clear();
        tags.clear();
        *self = Self { annotations, tags, ..Self::default() };
    }

    /// Writes it into its group. `expected` is about its length, `rest` about that of all that follows.
    pub fn put(&mut self, out: &mut Vec<u8>, groups: &mut Groups, expected: usize, rest: usize) -> Result<(), Fault> {
        self.tags.map.settle();
        groups.enter(out, rest, |header| self.put_header(header));
        let frame = Frame::open(out, 2, expected);
        put_bytes(out, span::TRACE_ID >> 3, &self.trace_id);
        put_bytes(out, span::SPAN_ID >> 3, &self.id);
        if let Some(state) = self.tags.get(Meaning::TraceState) {
            put_bytes(out, span::TRACE_STATE >> 3, state);
        }
        if self.parent_id != [0; 8] && self.parent_id != self.id {
            put_bytes(out, span::PARENT_SPAN_ID >> 3, &self.parent_id);
        }
        put_bytes(out, span::NAME >> 3, &self.name);
        let internal = || u64::from(self.tags.get(Meaning::Kind).is_some_and(|k| **k == *b"internal"));
        put_uint(out, span::KIND >> 3, if self.kind == 0 { internal() } else { self.kind });
        let start = nanoseconds(self.timestamp.unwrap_or(0));
        let end = start.saturating_add(nanoseconds(self.duration));
        for (tag, time) in [(span::START, start), (span::END, end)] {
            put_varint(out, u64::from(tag));
            out.extend_from_slice(&time.to_le_bytes());
        }
        let links = self.put_links(out)?;
        self.put_attributes(out, links);
        for annotation in &self.annotations {
            packed::put_event(out, nanoseconds(annotation.timestamp), &annotation.value);
        }
        self.put_status(out);
        frame.close(out);
        Ok(())
    }

    /// The resource and the scope. Without a service the collector has no resource: its attributes are lost, and so is a
    /// scope's version without a name.
    fn put_header(&self, header: &mut Header) {
        if !self.local.service.is_empty() {
            let source = self.tags.get(Meaning::ServiceSource).map_or(&b""[..], |s| s);
            let source = if source.is_empty() { b"service.name" } else { source };
            let resources = || self.tags.of(Meaning::Resource);
            let is_source = |key: &[u8]| key == source;
            let service = resources().find(|(key, _)| is_source(key)).map_or(&self.local.service, |(_, value)| value);
            let mut put = |key, value| {
                put_attribute(&mut header.resource, resource::ATTRIBUTES >> 3, key, AnyValue::String(value));
            };
            put(source, service);
            resources().filter(|(key, _)| !is_source(key)).for_each(|(key, value)| put(key, value));
        }
        if let Some(name) = self.tags.get(Meaning::Library).filter(|name| !name.is_empty()) {
            put_bytes(&mut header.scope, scope::NAME >> 3, name);
            if let Some(version) = self.tags.get(Meaning::LibraryVersion) {
                put_bytes(&mut header.scope, scope::VERSION >> 3, version);
            }
        }
    }

    /// `otlp.link.0` and those that follow on it. Returns how many did.
    fn put_links(&self, out: &mut Vec<u8>) -> Result<u8, Fault> {
        if !self.tags.special {
            return Ok(0);
        }
        let mut links = [None; 128];
        for (_, tag) in self.tags.map.iter() {
            if let Meaning::Link(number) = tag.meaning {
                links[usize::from(number)] = Some(&tag.value);
            }
        }
        let mut count = 0;
        for text in links.iter().map_while(|l| *l) {
            packed::put_link(out, text)?;
            count += 1;
        }
        Ok(count)
    }

    fn put_attributes(&self, out: &mut Vec<u8>, links: u8) {
        let given = |out: &mut Vec<u8>, what: Given, value| put_attribute(out, span::ATTRIBUTES >> 3, what.key(), value);
        for (key, tag) in self.tags.map.iter() {
            let stays = match tag.meaning {
                Meaning::Plain => true,
                Meaning::Error => *tag.value != *b"true",
                Meaning::Kind => self.kind != 0,
                Meaning::StatusDescription => self.tags.get(Meaning::StatusCode).is_none(),
                Meaning::Link(number) => number >= links,
                Meaning::Endpoint(what) => !self.gives(what),
                _ => false,
            };
            if stays {
                put_attribute(out, span::ATTRIBUTES >> 3, key, AnyValue::String(&tag.value));
            }
        }
        let (local, remote) = (&self.local, &self.remote);
        for (endpoint, ip, port) in [(local, Given::HostIp, Given::HostPort), (remote, Given::PeerIp, Given::PeerPort)] {
            if ip == Given::PeerIp && !endpoint.service.is_empty() {
                given(out, Given::PeerService, AnyValue::String(&endpoint.service));
            }
            if self.gives(ip) {
                let v6 = !endpoint.ipv6.is_empty();
                given(out, ip, AnyValue::String(if v6 { &endpoint.ipv6 } else { &endpoint.ipv4 }));
            }
            if self.gives(port) {
                given(out, port, AnyValue::Int(i64::from(endpoint.port)));
            }
        }
        if self.timestamp.is_none() {
            given(out, Given::NoStart, AnyValue::Bool(true));
        }
    }

    /// True when a field says it, which is stronger than a tag of the same name.
    fn gives(&self, what: Given) -> bool {
        let (local, remote) = (&self.local, &self.remote);
        match what {
            Given::HostIp => !(local.ipv4.is_empty() && local.ipv6.is_empty()),
            Given::HostPort => local.port != 0,
            Given::PeerService => !remote.service.is_empty(),
            Given::PeerIp => !(remote.ipv4.is_empty() && remote.ipv6.is_empty()),
            Given::PeerPort => remote.port != 0,
            Given::NoStart => self.timestamp.is_none(),
        }
    }

    fn put_status(&self, out: &mut Vec<u8>) {
        let (mut code, mut message) = (0, &b""[..]);
        if let Some(text) = self.tags.get(Meaning::StatusCode) {
            code = match &**text {
                b"STATUS_CODE_OK" | b"Ok" => 1,
                b"STATUS_CODE_ERROR" | b"Error" => 2,
                _ => 0,
            };
            message = self.tags.get(Meaning::StatusDescription).map_or(message, |m| m);
        }
        if self.tags.get(Meaning::Error).is_some() {
            code = 2;
        }
        if code != 0 || !message.is_empty() {
            let frame = Frame::open(out, span::STATUS >> 3, message.len() + 4);
            if !message.is_empty() {
                put_bytes(out, status::MESSAGE >> 3, message);
            }
            put_uint(out, status::CODE >> 3, code);
            frame.close(out);
        }
    }
}
