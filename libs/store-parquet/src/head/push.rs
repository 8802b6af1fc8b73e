//! Taking spans apart.

use super::attributes::SPAN_KIND;
use super::value::{any_key, plain};
use super::{Head, Pool};
use crate::columns::{NULL, Type};
use skua_model::otlp::{self, span, status};
use skua_model::wire::{Cursor, put_bytes, put_message, put_uint, put_varint};
use skua_model::{AnyValue, SpanBatch, SpanView};
use std::borrow::Cow;

/// Codes that spans of one resource and one scope share.
#[derive(Clone, Copy)]
struct Origin {
    resource: u32,
    service: u32,
    scope: u32,
}

/// Fields of a span that come once: the last one counts.
#[derive(Default)]
struct Once<'a> {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    parent_id: [u8; 8],
    trace_state: Option<&'a [u8]>,
    name: &'a [u8],
    kind: u64,
    start: u64,
    end: u64,
    flags: u32,
    jaeger_flags: Option<u64>,
    status: Status<'a>,
    /// An attribute or an event is in the rest.
    searched_rest: bool,
}

#[derive(Default)]
struct Status<'a> {
    message: Option<&'a [u8]>,
    code: u64,
    /// There is one, and it holds nothing else.
    plain: bool,
    /// There is one that holds something else, or a text that is not UTF-8.
    odd: bool,
}

impl<'a> Status<'a> {
    /// False when the field has to go to the rest.
    fn read(&mut self, body: &'a [u8]) -> bool {
        let (mut c, mut odd) = (Cursor::new(body), false);
        while let Ok(Some(tag)) = c.tag() {
            match tag {
                status::MESSAGE => self.message = Some(c.bytes().unwrap_or_default()),
                status::CODE => self.code = c.varint().unwrap_or_default(),
                _ => {
                    odd = true;
                    if c.skip(tag, 0).is_err() {
                        break;
                    }
                }
            }
        }
        self.odd |= odd;
        self.plain |= !odd;
        !odd
    }
}

/// What a column of text can hold of a value.
fn text(value: &[u8]) -> Cow<'_, [u8]> {
    match String::from_utf8_lossy(value) {
        Cow::Borrowed(_) => Cow::Borrowed(value),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// The code of a text, and whether it is that of the very bytes.
fn text_code(pool: &mut Pool, value: &[u8]) -> (u32, bool) {
    match pool.code_if(value, |value| std::str::from_utf8(value).is_ok()) {
        Some(code) => (code, true),
        None => (pool.code(&text(value)), false),
    }
}

/// As an id lies in a span: empty stands for zeros.
fn id<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().unwrap_or([0; N])
}

impl Head {
    /// Adds the sound spans of a batch, in their order.
    pub fn push(&mut self, batch: &SpanBatch) {
        let (mut resource, mut scope) = (None, None);
        let (mut origin, mut fields) = (Origin { resource: 0, service: 0, scope: 0 }, Vec::new());
        for entry in batch.spans() {
            let number = batch.resource_of(entry);
            if resource.replace(number) != Some(number) {
                fields.clear();
                batch.resource_pieces(number).for_each(|piece| fields.extend_from_slice(piece));
                origin.resource = self.resource.pool.code(&fields);
                origin.service = self.service.pool.code(&text(batch.service(number)));
            }
            let number = batch.scope_of(entry);
            if scope.replace(number) != Some(number) {
                fields.clear();
                batch.scope_pieces(number).for_each(|piece| fields.extend_from_slice(piece));
                origin.scope = self.scope.pool.code(&fields);
            }
            self.push_span(batch.span_body(entry), origin);
        }
    }

    fn push_span(&mut self, body: &[u8], origin: Origin) {
        let (row, rest_from) = (self.trace_id.len(), self.rest.len());
        let (mut once, mut before) = (Once::default(), NULL);
        self.list.clear();
        let mut c = Cursor::new(body);
        loop {
            let start = body.len() - c.remaining();
            let Ok(Some(tag)) = c.tag() else { break };
            match tag {
                span::ATTRIBUTES => {
                    let attribute = c.bytes().unwrap_or_default();
                    let value = plain(attribute);
                    match value.and_then(|(key, value)| self.attributes.push(before, key, &value, row)) {
                        Some(number) => {
                            before = number;
                            self.list.extend_from_slice(&(number as u16).to_le_bytes());
                            continue;
                        }
                        None => {
                            self.list.extend_from_slice(&[0xff; 2]);
                            self.keys.add(any_key(attribute));
                            once.searched_rest = true;
                        }
                    }
                }
                span::TRACE_ID => {
                    once.trace_id = id(c.bytes().unwrap_or_default());
                    continue;
                }
                span::SPAN_ID => {
                    once.span_id = id(c.bytes().unwrap_or_default());
                    continue;
                }
                span::PARENT_SPAN_ID => {
                    once.parent_id = id(c.bytes().unwrap_or_default());
                    continue;
                }
                span::TRACE_STATE => {
                    once.trace_state = Some(c.bytes().unwrap_or_default());
                    continue;
                }
                span::NAME => {
                    once.name = c.bytes().unwrap_or_default();
                    continue;
                }
                span::KIND => {
                    once.kind = c.varint().unwrap_or_default();
                    continue;
                }
                span::START => {
                    once.start = c.fixed64().unwrap_or_default();
                    continue;
                }
                span::END => {
                    once.end = c.fixed64().unwrap_or_default();
                    continue;
                }
                span::FLAGS => {
                    once.flags = c.fixed32().unwrap_or_default();
                    continue;
                }
                otlp::JAEGER_FLAGS => {
                    once.jaeger_flags = Some(c.varint().unwrap_or_default());
                    continue;
                }
                span::STATUS => {
                    if once.status.read(c.bytes().unwrap_or_default()) {
                        continue;
                    }
                }
                span::EVENTS => {
                    let _ = c.bytes();
                    once.searched_rest = true;
                }
                _ => {
                    if c.skip(tag, 0).is_err() {
                        break;
                    }
                }
            }
            self.rest.extend_from_slice(&body[start..body.len() - c.remaining()]);
        }
        self.finish_span(row, rest_from, &mut once, origin);
    }

    fn finish_span(&mut self, row: usize, rest_from: usize, once: &mut Once<'_>, origin: Origin) {
        let otlp_kind = once.kind;
        let (name, sound) = text_code(&mut self.name.pool, once.name);
        if !sound {
            put_bytes(&mut self.rest, span::NAME >> 3, once.name);
        }
        if let Some(state) = once.trace_state {
            let (code, sound) = text_code(&mut self.trace_state.pool, state);
            self.trace_state.put(row, code);
            if !sound {
                put_bytes(&mut self.rest, span::TRACE_STATE >> 3, state);
            }
        }
        if let Some(message) = once.status.message {
            let (code, sound) = text_code(&mut self.message.pool, message);
            self.message.put(row, code);
            once.status.odd |= !sound;
        }
        self.leave_in_rest(once);
        let jaeger = once.jaeger_flags.and_then(|flags| u32::try_from(flags).ok()).filter(|flags| *flags != NULL);
        if let Some(flags) = jaeger {
            self.jaeger_flags.resize(row, NULL);
            self.jaeger_flags.push(flags);
        }
        let shape = self.shape_of(u8::from(once.status.plain));
        self.shape.put(row, shape);
        self.resource.put(row, origin.resource);
        self.service.put(row, origin.service);
        self.scope.put(row, origin.scope);
        self.name.put(row, name);
        let (start, duration) = (once.start as i64, once.end.wrapping_sub(once.start) as i64);
        self.trace_id.push(once.trace_id);
        self.span_id.push(once.span_id);
        self.parent_id.push(once.parent_id);
        self.start.push(start);
        self.duration.push(duration);
        self.kind.push(once.kind as u32);
        self.status.push(once.status.code as u32);
        self.flags.push(once.flags);
        self.rest_end.push(self.rest.len() as u32);
        self.widen_bounds(row, start, duration);
        let kind = if once.jaeger_flags.is_some() { 0 } else { otlp_kind.min(7) as u32 };
        self.note(row, rest_from, once.searched_rest, (origin.service, name, kind));
    }

    /// What a column of numbers cannot hold, and an odd status, follows the other fields of the rest, where it counts.
    fn leave_in_rest(&mut self, once: &mut Once<'_>) {
        if once.kind >= u64::from(NULL) {
            put_uint(&mut self.rest, span::KIND >> 3, once.kind);
            once.kind = 0;
        }
        if let Some(flags) = once.jaeger_flags
            && flags >= u64::from(NULL)
        {
            put_uint(&mut self.rest, otlp::JAEGER_FLAGS >> 3, flags);
        }
        let s = &mut once.status;
        if s.odd || s.code >= u64::from(NULL) {
            put_message(&mut self.rest, span::STATUS >> 3, |out| {
                s.message.iter().for_each(|message| put_bytes(out, status::MESSAGE >> 3, message));
                put_varint(out, u64::from(status::CODE)); // even a zero: it may follow another
                put_varint(out, s.code);
            });
            s.plain = false;
            s.code = u32::try_from(s.code).ok().filter(|code| *code != NULL).map_or(0, u64::from);
        }
    }

    /// The code of the span's shape, of which `list` has the columns.
    fn shape_of(&mut self, marks: u8) -> u32 {
        self.list.push(marks);
        let code = self.lists.code(&self.list);
        if (code as usize) < self.shape.pool.len() {
            return code;
        }
        let mut shape = vec![marks];
        for number in self.list.as_chunks().0 {
            match self.attributes.columns.get(usize::from(u16::from_le_bytes(*number))) {
                Some(column) => {
                    shape.push(column.ty as u8);
                    put_varint(&mut shape, column.key.len() as u64);
                    shape.extend_from_slice(&column.key);
                }
                None => shape.push(0),
            }
        }
        self.shape.pool.add(&shape)
    }

    /// Keeps the operation, and the keys of events.
    fn note(&mut self, row: usize, rest_from: usize, rest: bool, (service, name, kind): (u32, u32, u32)) {
        let view = SpanView::of(if rest { &self.rest[rest_from..] } else { b"" }, b"");
        for event in view.events() {
            event.for_each_field(|key, _| self.keys.add(key));
        }
        let columns = self.attributes.kinds;
        let has = |ty: Type| self.attributes.columns.get(columns[ty as usize] as usize).map_or(NULL, |a| a.column.code(row));
        let in_columns = columns != [NULL; 5] && Type::ALL.iter().any(|ty| has(*ty) != NULL);
        let in_rest = rest && view.attributes().any(|kv| kv.key == SPAN_KIND);
        if !in_columns && !in_rest {
            return self.services.add(service, name, kind);
        }
        // The first attribute of that key tells, in a column or not.
        let mut loose = view.attributes();
        for number in self.list.as_chunks().0 {
            let number = u32::from(u16::from_le_bytes(*number));
            let own = match self.attributes.columns.get(number as usize) {
                Some(a) if a.key == SPAN_KIND && a.ty == Type::String => a.column.pool.get(a.column.code(row)),
                Some(a) if a.key == SPAN_KIND => b"",
                Some(_) => continue,
                None => match loose.next() {
                    Some(kv) if kv.key == SPAN_KIND => match kv.value {
                        AnyValue::String(kind) => kind,
                        _ => b"",
                    },
                    _ => continue,
                },
            };
            return self.services.add_own(service, name, own);
        }
    }
}
