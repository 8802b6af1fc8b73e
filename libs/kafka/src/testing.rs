//! Batches for tests.

use skua_model::SpanBatch;
use skua_model::wire::{put_bytes, put_message, put_varint};

/// What a test says about a span.
#[derive(Debug, Clone)]
pub struct Sketch {
    /// Spans of one number share a resource.
    pub resource: u8,
    pub trace: u128,
    pub span: u64,
    /// Bytes of its one attribute.
    pub weight: usize,
}

/// A batch with these spans, in this order; neighbours of one resource share it.
pub fn batch(spans: &[Sketch]) -> SpanBatch {
    let mut out = Vec::new();
    for group in spans.chunk_by(|a, b| a.resource == b.resource) {
        put_message(&mut out, 1, |out| {
            put_message(out, 1, |out| attribute(out, 1, "service.name", format!("service-{}", group[0].resource).as_bytes()));
            put_message(out, 2, |out| group.iter().for_each(|s| put_message(out, 2, |out| span(out, s))));
        });
    }
    SpanBatch::parse(out).expect("a batch")
}

fn span(out: &mut Vec<u8>, s: &Sketch) {
    put_bytes(out, 1, &s.trace.to_be_bytes());
    put_bytes(out, 2, &s.span.to_be_bytes());
    put_bytes(out, 5, b"GET /orders");
    for (number, nanos) in [(7, 1_700_000_000_000_000_000_u64), (8, 1_700_000_000_001_000_000)] {
        put_varint(out, number << 3 | 1);
        out.extend_from_slice(&nanos.to_le_bytes());
    }
    // Hard to compress, so that a broker's limit means the same with and without compression.
    let mut state = s.span | 1;
    let text: Vec<u8> = (0..s.weight)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            b'a' + (state % 26) as u8
        })
        .collect();
    attribute(out, 9, "text", &text);
}

fn attribute(out: &mut Vec<u8>, number: u32, key: &str, value: &[u8]) {
    put_message(out, number, |out| {
        put_bytes(out, 1, key.as_bytes());
        put_message(out, 2, |out| put_bytes(out, 1, value));
    });
}
