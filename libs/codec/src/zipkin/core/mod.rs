//! `zipkincore.Span` in Jaeger's own model: the conversion of its agent (UDP) and of its ingester (Kafka's
//! `zipkin-thrift`). Of the annotations and binary annotations one pass finds what they say of the span, others copy them.

mod notes;
pub(super) mod structs;
mod tags;

use crate::frame::Frame;
use crate::jaeger::attributes::{Traits, put_attribute};
use crate::jaeger::span::{EventName, Head, expected, put_format, put_tag};
use crate::thrift::reader::Reader;
use crate::zipkin::error::{Fault, ZipkinError, of_list};
use crate::zipkin::group::{Groups, Header};
use crate::zipkin::json::{Json, JsonError, Text};
use notes::{Mended, Notes, core_kind};
use skua_model::AnyValue;
use skua_model::otlp::{event, resource, span};
use skua_model::wire::put_bytes;
use std::borrow::Cow;
use structs::{Annotation, BinaryAnnotation, Span, kind};
use tags::{for_each, process_key, value};

/// Which of Jaeger's programs the spans come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way<'f> {
    /// Its agent: it mends spans before it converts them. The collector behind it may add a tag `@jaeger@format`.
    Agent(Option<&'f str>),
    /// Its ingester.
    Ingester,
}

/// Reads a list of spans and appends one OTLP `TracesData`; says how many spans there were, of which some became two.
pub(crate) fn list<'a, R: Reader<'a>>(r: &mut R, way: Way<'_>, out: &mut Vec<u8>) -> Result<usize, ZipkinError> {
    let mut groups = Groups::default();
    let count = r.structs().map_err(of_list)?;
    for index in 0..count {
        let mut put = || {
            let mut notes = Notes::default();
            let mut span = Span::read(r, &mut notes)?;
            let mended = match way {
                Way::Agent(_) => Mended::mend(&mut span, &notes),
                Way::Ingester => Mended::default(),
            };
            let core = Core { span, notes, way, mended };
            core.put(out, &mut groups, r.remaining())
        };
        put().map_err(|fault: Fault| fault.of_span(index))?;
    }
    groups.close(out);
    Ok(count)
}

/// A span with all that is known of it.
struct Core<'a, 'f, R> {
    span: Span<'a, R>,
    notes: Notes<'a>,
    way: Way<'f>,
    mended: Mended,
}

impl<'a, R: Reader<'a>> Core<'a, '_, R> {
    fn put(&self, out: &mut Vec<u8>, groups: &mut Groups, rest: usize) -> Result<(), Fault> {
        let (s, n) = (&self.span, &self.notes);
        let mut header = Ok(());
        groups.enter(out, s.len + rest, |h| header = self.put_process(h));
        header?;
        if s.trace_id == [0; 16] {
            groups.put_empty(out);
            return Ok(());
        }
        let (start, duration) = self.times();
        let is_client = self.put_one(out, start, duration, true, None)?;
        let (Some(sent), Some(received)) = (n.client_send, n.server_receive) else { return Ok(()) };
        // Client and server shared a span: the other half becomes one of its own, with the same id.
        let (other, from, to) = match is_client {
            true => (&b"server"[..], received, n.server_send),
            false => (&b"client"[..], sent, n.client_receive),
        };
        let duration = to.map_or(0, |to| to.wrapping_sub(from));
        self.put_one(out, from, duration, false, Some(other)).map(drop)
    }

    /// Start and duration in microseconds: the span's own, or else those of client or server.
    fn times(&self) -> (i64, i64) {
        let (s, n) = (&self.span, &self.notes);
        let (start, mut duration) = (s.timestamp.unwrap_or(0), s.duration.unwrap_or(0));
        let from_to = n.client_send.map(|at| (at, n.client_receive)).or(n.server_receive.map(|at| (at, n.server_send)));
        let (0, Some((from, to))) = (start, from_to) else { return (start, duration) };
        if let (0, Some(to)) = (duration, to) {
            duration = to.wrapping_sub(from);
        }
        (from, duration)
    }

    /// Writes a span with these times (microseconds): with all tags and logs, or with its kind alone. True when it is a client's.
    fn put_one(&self, out: &mut Vec<u8>, start: i64, duration: i64, whole: bool, kind: Option<&[u8]>) -> Result<bool, Fault> {
        let s = &self.span;
        let frame = Frame::open(out, 2, if whole { expected(s.len) } else { 100 });
        let head = Head {
            trace_id: s.trace_id,
            span_id: s.id.to_be_bytes(),
            operation: s.name,
            flags: if s.debug { 2 } else { 0 },
            start: nanoseconds(start),
            duration: i128::from(duration) * 1000,
        };
        head.put(out);
        if let Some(parent) = s.parent_id.filter(|id| *id != 0) {
            put_bytes(out, span::PARENT_SPAN_ID >> 3, &parent.to_be_bytes());
        }
        let (mut traits, mut is_client) = (Traits::default(), None);
        let mut put = |out: &mut Vec<u8>, key: &[u8], value: AnyValue<'_>| {
            if key == b"span.kind" {
                is_client.get_or_insert(matches!(value, AnyValue::String(b"client")));
            }
            put_tag(out, &mut traits, key, value);
        };
        if whole {
            self.for_each_tag(|key, value| put(out, key, value))?;
        }
        if let Some(kind) = kind.or(self.notes.kind) {
            put(out, b"span.kind", AnyValue::String(kind));
        }
        if let Way::Agent(format_tag) = self.way {
            put_format(out, format_tag);
        }
        traits.put(out);
        if whole {
            for annotation in s.annotations.read(Annotation::read) {
                put_log(out, &annotation?);
            }
        }
        frame.close(out);
        Ok(is_client == Some(true))
    }

    /// All but the kind.
    fn for_each_tag(&self, mut tag: impl FnMut(&[u8], AnyValue<'_>)) -> Result<(), Fault> {
        let mend = matches!(self.way, Way::Agent(_));
        let all = || self.span.binary_annotations.read(BinaryAnnotation::read);
        let is_odd_error = |b: &BinaryAnnotation<'_>| mend && b.kind != kind::BOOL && b.key.eq_ignore_ascii_case(b"error");
        let mut messages = false;
        for annotation in all() {
            let b = annotation?;
            if process_key(b.key).is_some() {
                continue;
            }
            if is_odd_error(&b) {
                tag(b.key, AnyValue::Bool(!b.value.eq_ignore_ascii_case(b"false")));
                messages |= is_message(b.value);
            } else {
                for_each(&b, &mut tag);
            }
        }
        if let Some(duration) = self.mended.negative_duration {
            tag(b"errNegativeDuration", AnyValue::String(duration.to_string().as_bytes()));
        }
        if self.mended.zero_parent {
            tag(b"errZeroParentID", AnyValue::String(b"0"));
        }
        if messages {
            for b in all().flatten().filter(|b| is_odd_error(b) && is_message(b.value)) {
                tag(b"error.message", AnyValue::String(b.value));
            }
        }
        Ok(())
    }

    /// Service and tags, which are in order.
    fn put_process(&self, header: &mut Header) -> Result<(), Fault> {
        let (service, ipv4) = self.notes.service();
        let mut tags = Vec::new();
        if self.notes.process_tags {
            for annotation in self.span.binary_annotations.read(BinaryAnnotation::read) {
                let b = annotation?;
                if let Some(key) = process_key(b.key) {
                    tags.push((key, value(&b)));
                }
            }
        }
        if ipv4 != 0 {
            tags.push((b"ip", tags::Value::Is(AnyValue::Int(ipv4))));
        }
        tags.sort_by(|(a, x), (b, y)| a.cmp(b).then_with(|| order(x.as_any(), y.as_any())));
        let mut put = |key, value| put_attribute(&mut header.resource, resource::ATTRIBUTES >> 3, key, value);
        put(b"service.name", AnyValue::String(service));
        tags.iter().for_each(|(key, value)| put(key, value.as_any()));
        Ok(())
    }
}

/// What is more than a boolean in words.
fn is_message(error: &[u8]) -> bool {
    !(error.is_empty() || error.eq_ignore_ascii_case(b"true") || error.eq_ignore_ascii_case(b"false"))
}

/// Jaeger's order of values of one key: by type, then by value.
fn order(a: AnyValue<'_>, b: AnyValue<'_>) -> std::cmp::Ordering {
    let rank = |v: &AnyValue<'_>| match v {
        AnyValue::Bool(_) => 1,
        AnyValue::Int(_) => 2,
        AnyValue::Double(_) => 3,
        AnyValue::Bytes(_) => 4,
        _ => 0,
    };
    match (a, b) {
        (AnyValue::Bool(a), AnyValue::Bool(b)) => a.cmp(&b),
        (AnyValue::Int(a), AnyValue::Int(b)) => a.cmp(&b),
        (AnyValue::Double(a), AnyValue::Double(b)) => a.total_cmp(&b),
        (AnyValue::String(a), AnyValue::String(b)) | (AnyValue::Bytes(a), AnyValue::Bytes(b)) => a.cmp(b),
        (a, b) => rank(&a).cmp(&rank(&b)),
    }
}

/// An annotation as an event, unless it is empty or a core annotation. A JSON object of texts is its fields, and `null` has none.
fn put_log(out: &mut Vec<u8>, a: &Annotation<'_>) {
    if a.value.is_empty() || core_kind(a.value).is_some() {
        return;
    }
    let fields = fields(a.value).unwrap_or_else(|_| vec![(Cow::Borrowed(&b"event"[..]), Cow::Borrowed(a.value))]);
    let mut name = EventName::default();
    fields.iter().for_each(|(key, value)| name.see(key, AnyValue::String(value)));
    let (frame, written) = name.open(out, nanoseconds(a.timestamp), a.value.len() + 16);
    for (key, value) in &fields[written..] {
        put_attribute(out, event::ATTRIBUTES >> 3, key, AnyValue::String(value));
    }
    frame.close(out);
}

fn fields(text: &[u8]) -> Result<Vec<(Text<'_>, Text<'_>)>, JsonError> {
    let (mut json, mut fields, mut first) = (Json::new(text), Vec::new(), true);
    if !json.null()? {
        json.object()?;
        while let Some(key) = json.key(&mut first)? {
            fields.push((key, if json.null()? { Cow::default() } else { json.string()? }));
        }
    }
    json.end().map(|()| fields)
}

/// Before 1970 is 1970.
fn nanoseconds(microseconds: i64) -> u64 {
    u64::try_from(microseconds).unwrap_or(0).saturating_mul(1000)
}
