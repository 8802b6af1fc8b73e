//! Spans for tests, written field by field.

use skua_model::SpanBatch;
use skua_model::wire::{put_bytes, put_message};

/// The body of a `Span`.
#[derive(Debug, Clone)]
pub(crate) struct Sample(pub Vec<u8>);

/// A `KeyValue` with a text.
pub(crate) fn text_attribute(out: &mut Vec<u8>, field: u32, key: &[u8], value: &[u8]) {
    put_message(out, field, |kv| {
        put_bytes(kv, 1, key);
        put_message(kv, 2, |any| put_bytes(any, 1, value));
    });
}

impl Sample {
    /// With ids made of these numbers, and no other field.
    pub fn new(trace: u8, span: u8) -> Self {
        let mut out = Vec::new();
        put_bytes(&mut out, 1, &[trace; 16]);
        put_bytes(&mut out, 2, &[span; 8]);
        Self(out)
    }

    /// With more fields.
    pub fn with(mut self, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        write(&mut self.0);
        self
    }

    /// With a name.
    pub fn named(self, name: &str) -> Self {
        self.with(|out| put_bytes(out, 5, name.as_bytes()))
    }
}

/// All of one service, `shop`.
pub(crate) fn batch(samples: &[Sample]) -> SpanBatch {
    let mut out = Vec::new();
    put_message(&mut out, 1, |resource| {
        put_message(resource, 1, |r| text_attribute(r, 1, b"service.name", b"shop"));
        put_message(resource, 2, |scope| samples.iter().for_each(|s| put_bytes(scope, 2, &s.0)));
    });
    SpanBatch::parse(out).unwrap()
}
