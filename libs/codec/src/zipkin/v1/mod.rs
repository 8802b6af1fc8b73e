//! A v1 span and how it becomes an OTLP span: the rules of the OpenTelemetry collector's Zipkin receiver, which is what answers
//! on 9411 in Jaeger 1.76. Annotations and binary annotations are taken in one by one, in their order.

pub(super) mod json;
mod status;
pub(super) mod thrift;

use crate::frame::Frame;
use crate::jaeger::attributes::put_attribute;
use crate::zipkin::group::{Groups, Header};
use crate::zipkin::json::Text;
use crate::zipkin::unique::Unique;
use skua_model::AnyValue;
use skua_model::json::put_int;
use skua_model::otlp::{event, resource, span};
use skua_model::wire::{put_bytes, put_uint, put_varint};
use status::Statuses;
use std::borrow::Cow;

const UNKNOWN_SERVICE: &[u8] = b"unknown-service";

/// One span, borrowed from a request; used again for the next one.
#[derive(Default)]
pub(super) struct Span<'a> {
    pub trace_id: [u8; 16],
    pub id: [u8; 8],
    /// Zero without one.
    pub parent_id: [u8; 8],
    pub name: Text<'a>,
    /// Microseconds since 1970; without it the annotations say when the span was.
    pub timestamp: Option<i64>,
    /// Microseconds; means nothing without a timestamp.
    pub duration: i64,
    /// Of the last binary annotation that has one.
    pub service: Text<'a>,
    /// Value of the binary annotation `lc`.
    component: Text<'a>,
    /// Of the first core annotation that has a service.
    host: Option<Host<'a>>,
    /// OTLP's number.
    kind: u64,
    /// Times of the first and last annotation, in microseconds.
    times: Option<(i64, i64)>,
    events: Vec<(i64, Text<'a>)>,
    attributes: Unique<'a, Value<'a>>,
    statuses: Statuses<'a>,
}

/// An endpoint.
#[derive(Default)]
pub(super) struct Host<'a> {
    pub service: Text<'a>,
    /// Texts as they came; empty when absent.
    pub ipv4: Text<'a>,
    pub ipv6: Text<'a>,
    /// 0 when absent.
    pub port: i32,
}

/// The value of a binary annotation.
pub(super) enum Value<'a> {
    Text(Text<'a>),
    Bool(bool),
    Int(i64),
    Double(f64),
}

impl<'a> Span<'a> {
    /// Makes it empty, for the next one.
    pub fn clear(&mut self) {
        let (mut events, mut attributes) = (std::mem::take(&mut self.events), std::mem::take(&mut self.attributes));
        events.clear();
        attributes.clear();
        *self = Self { events, attributes, ..Self::default() };
    }

    /// Takes back what annotations said.
    pub fn clear_annotations(&mut self) {
        (self.host, self.kind, self.times) = (None, 0, None);
        self.events.clear();
    }

    /// Takes back what binary annotations said.
    pub fn clear_binary_annotations(&mut self) {
        (self.service, self.component, self.statuses) = (Text::default(), Text::default(), Statuses::default());
        self.attributes.clear();
    }

    /// `host` is asked for when the service, `service`, is to be the span's.
    pub fn add_annotation(&mut self, timestamp: i64, value: Text<'a>, service: &[u8], host: impl FnOnce() -> Host<'a>) {
        if value.is_empty() {
            return;
        }
        let kind = match &*value {
            b"sr" | b"ss" => 2,
            b"cs" | b"cr" => 3,
            b"ms" => 4,
            b"mr" => 5,
            _ => 0,
        };
        let (first, last) = self.times.unwrap_or((timestamp, timestamp));
        self.times = Some((first.min(timestamp), last.max(timestamp)));
        if kind == 0 {
            return self.events.push((timestamp, value));
        }
        if self.kind == 0 {
            self.kind = kind;
        }
        if self.host.is_none() && !service.is_empty() && service != UNKNOWN_SERVICE {
            self.host = Some(host());
        }
    }

    /// `raw` is the value as text, for `lc`.
    pub fn add_binary_annotation(&mut self, key: Text<'a>, value: Value<'a>, raw: impl FnOnce() -> Text<'a>) {
        let key = if *key == *b"lc" {
            self.component = raw();
            Cow::Borrowed(&b"component"[..])
        } else {
            key
        };
        if !self.statuses.take(&key, &value) {
            self.attributes.push(key, value);
        }
    }

    /// Writes it into its group; a span without any time is of `now` (nanoseconds), or else of 1970. `expected` is about its
    /// length, `rest` about that of all that follows.
    pub fn put(&mut self, out: &mut Vec<u8>, groups: &mut Groups, now: Option<u64>, expected: usize, rest: usize) {
        self.attributes.settle();
        groups.enter(out, rest, |header| self.put_header(header));
        if self.trace_id == [0; 16] {
            return groups.put_empty(out);
        }
        let frame = Frame::open(out, 2, expected);
        put_bytes(out, span::TRACE_ID >> 3, &self.trace_id);
        put_bytes(out, span::SPAN_ID >> 3, &self.id);
        if self.parent_id != [0; 8] {
            put_bytes(out, span::PARENT_SPAN_ID >> 3, &self.parent_id);
        }
        put_bytes(out, span::NAME >> 3, &self.name);
        put_uint(out, span::KIND >> 3, self.kind);
        let own = self.timestamp.map(|start| (start, start.saturating_add(self.duration)));
        let (start, end) = own.or(self.times).map_or((0, 0), |(start, end)| (nanoseconds(start), nanoseconds(end)));
        let absent = now.filter(|_| start == 0);
        let (start, end) = absent.map_or((start, end), |now| (now, now));
        for (tag, time) in [(span::START, start), (span::END, end)] {
            put_varint(out, u64::from(tag));
            out.extend_from_slice(&time.to_le_bytes());
        }
        for (key, value) in self.attributes.iter() {
            put_attribute(out, span::ATTRIBUTES >> 3, key, value.as_any());
        }
        if absent.is_some() {
            put_attribute(out, span::ATTRIBUTES >> 3, b"otel.zipkin.absentField.startTime", AnyValue::Bool(true));
        }
        for (time, name) in &self.events {
            let frame = Frame::open(out, span::EVENTS >> 3, name.len() + 12);
            put_varint(out, u64::from(event::TIME));
            out.extend_from_slice(&nanoseconds(*time).to_le_bytes());
            put_bytes(out, event::NAME >> 3, name);
            frame.close(out);
        }
        self.statuses.put(out);
        frame.close(out);
    }

    fn put_header(&self, header: &mut Header) {
        let mut put = |key: &[u8], value: &[u8]| {
            put_attribute(&mut header.resource, resource::ATTRIBUTES >> 3, key, AnyValue::String(value));
        };
        let Some(host) = &self.host else {
            let names = [&*self.service, &*self.component];
            return put(b"service.name", names.into_iter().find(|name| !name.is_empty()).unwrap_or(UNKNOWN_SERVICE));
        };
        put(b"service.name", &host.service);
        for (key, ip) in [(b"ipv4", &host.ipv4), (b"ipv6", &host.ipv6)] {
            if !ip.is_empty() {
                put(key, ip);
            }
        }
        if host.port != 0 {
            let mut port = Vec::with_capacity(11);
            put_int(&mut port, host.port);
            put(b"port", &port);
        }
    }
}

impl Value<'_> {
    fn as_any(&self) -> AnyValue<'_> {
        match self {
            Self::Text(text) => AnyValue::String(text),
            Self::Bool(v) => AnyValue::Bool(*v),
            Self::Int(v) => AnyValue::Int(*v),
            Self::Double(v) => AnyValue::Double(*v),
        }
    }
}

/// Before 1970 is 1970.
fn nanoseconds(microseconds: i64) -> u64 {
    u64::try_from(microseconds).unwrap_or(0).saturating_mul(1000)
}
