//! Answers with spans, in messages that every client takes.

use bytes::Bytes;
use skua_codec::jaeger::owned_proto;
use skua_model::wire::{put_varint, varint_len};
use skua_model::{Process, Span, Trace};
use std::sync::Arc;
use std::vec::IntoIter;

/// Spans of one message, as in Jaeger.
pub(crate) const SPANS: usize = 1000;

/// Bytes of one message, unless a single span is longer: clients take 4 MiB when nobody has said otherwise.
pub(crate) const BYTES: usize = 4_000_000;

/// Spans of traces as `SpansResponseChunk`s, written when they are asked for. No chunk has spans of two traces.
pub(crate) struct Chunks {
    traces: IntoIter<Trace>,
    spans: IntoIter<Span>,
    /// A span that did not fit, written as a field.
    left: Vec<u8>,
    process: (Option<Arc<Process>>, Vec<u8>),
    span: Vec<u8>,
}

impl Chunks {
    pub fn new(traces: Vec<Trace>) -> Self {
        let spans = Vec::new().into_iter();
        Self { traces: traces.into_iter(), spans, left: Vec::new(), process: (None, Vec::new()), span: Vec::new() }
    }

    /// Writes a span as field 1 of a chunk.
    fn put(&mut self, chunk: &mut Vec<u8>, span: &Span) {
        if !self.process.0.as_ref().is_some_and(|known| Arc::ptr_eq(known, &span.process)) {
            self.process.1.clear();
            owned_proto::put_process(&mut self.process.1, &span.process);
            self.process.0 = Some(span.process.clone());
        }
        self.span.clear();
        owned_proto::put_span(&mut self.span, span, &self.process.1);
        chunk.reserve(1 + varint_len(self.span.len() as u64) + self.span.len());
        chunk.push(1 << 3 | 2);
        put_varint(chunk, self.span.len() as u64);
        chunk.extend_from_slice(&self.span);
    }
}

impl Iterator for Chunks {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let mut chunk = std::mem::take(&mut self.left);
        let mut spans = usize::from(!chunk.is_empty());
        loop {
            let Some(span) = self.spans.next() else {
                if spans > 0 {
                    return Some(chunk.into());
                }
                self.spans = self.traces.next()?.spans.into_iter();
                continue;
            };
            let before = chunk.len();
            self.put(&mut chunk, &span);
            spans += 1;
            if spans > 1 && chunk.len() > BYTES {
                self.left = chunk.split_off(before);
                return Some(chunk.into());
            }
            if spans == SPANS {
                return Some(chunk.into());
            }
        }
    }
}
