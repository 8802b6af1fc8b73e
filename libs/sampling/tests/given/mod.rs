//! Batches of root spans.
#![allow(clippy::unwrap_used, dead_code, reason = "for tests, of which not each uses all")]

use skua_model::SpanBatch;
use skua_model::wire::{fixed64, put_bytes, put_message, put_varint};

/// The value of a tag.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    Text(&'a str),
    Int(i64),
    Float(f64),
    Bool(bool),
}
use Value::*;

/// A span of a service.
#[derive(Clone, Copy)]
pub struct Span<'a> {
    pub operation: &'a str,
    pub parent: u64,
    pub tags: &'a [(&'a str, Value<'a>)],
}

/// A batch with one service.
pub fn batch(service: &str, spans: &[Span<'_>]) -> SpanBatch {
    let mut out = Vec::new();
    put_message(&mut out, 1, |out| {
        put_message(out, 1, |out| tag(out, 1, "service.name", Text(service)));
        put_message(out, 2, |out| spans.iter().zip(1..).for_each(|(s, id)| span(out, s, id)));
    });
    SpanBatch::parse(out).unwrap()
}

/// A batch of root spans of a probabilistic or lower-bound sampler.
pub fn sampled(service: &str, operation: &str, kind: &str, param: f64, count: usize) -> SpanBatch {
    let tags = [("sampler.type", Text(kind)), ("sampler.param", Float(param))];
    batch(service, &vec![Span { operation, parent: 0, tags: &tags }; count])
}

fn span(out: &mut Vec<u8>, s: &Span<'_>, id: u64) {
    put_message(out, 2, |out| {
        put_bytes(out, 1, &u128::from(id).to_be_bytes());
        put_bytes(out, 2, &id.to_be_bytes());
        if s.parent != 0 {
            put_bytes(out, 4, &s.parent.to_be_bytes());
        }
        put_bytes(out, 5, s.operation.as_bytes());
        for (number, time) in [(7, 1_000_000_000u64), (8, 1_000_001_000)] {
            put_varint(out, u64::from(fixed64(number)));
            out.extend_from_slice(&time.to_le_bytes());
        }
        s.tags.iter().for_each(|(key, value)| tag(out, 9, key, *value));
    });
}

fn tag(out: &mut Vec<u8>, number: u32, key: &str, value: Value<'_>) {
    put_message(out, number, |out| {
        put_bytes(out, 1, key.as_bytes());
        put_message(out, 2, |out| match value {
            Text(v) => put_bytes(out, 1, v.as_bytes()),
            Bool(v) => out.extend_from_slice(&[0x10, u8::from(v)]),
            Int(v) => {
                out.push(0x18);
                put_varint(out, v as u64);
            }
            Float(v) => {
                out.push(0x21);
                out.extend_from_slice(&v.to_le_bytes());
            }
        });
    });
}
