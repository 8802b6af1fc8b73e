//! A batch written anew with some of its parts replaced. What is not replaced is copied as it lies and not checked again.

use crate::batch::{Header, Index, Piece};
use crate::check::{DecodeError, Walk};
use crate::otlp::{resource_spans, scope_spans, traces_data};
use crate::wire::{put_varint, varint_len};
use crate::{SpanBatch, SpanEntry};
use std::ops::Range;

/// New bytes for things with these numbers, ascending; the bytes lie in [`Rewrite::scratch`].
type Replaced = Vec<(u32, Range<usize>)>;

/// Collects replacements, then writes the batch. Resources, scopes and spans are replaced in ascending order of their numbers;
/// resources and scopes without spans are left out, as are the spans that are not in the index.
pub(crate) struct Rewrite<'b> {
    batch: &'b SpanBatch,
    scratch: Vec<u8>,
    resources: Replaced,
    scopes: Replaced,
    spans: Replaced,
}

impl<'b> Rewrite<'b> {
    pub fn new(batch: &'b SpanBatch) -> Self {
        Self { batch, scratch: Vec::new(), resources: Vec::new(), scopes: Vec::new(), spans: Vec::new() }
    }

    /// Replaces what [`SpanBatch::resource_pieces`] gives. `write` returns false to leave it as it is, whatever it wrote.
    pub fn resource(&mut self, number: u32, write: impl FnOnce(&mut Vec<u8>) -> bool) {
        add(&mut self.scratch, &mut self.resources, number, write);
    }

    /// Replaces what [`SpanBatch::scope_pieces`] gives.
    pub fn scope(&mut self, number: u32, write: impl FnOnce(&mut Vec<u8>) -> bool) {
        add(&mut self.scratch, &mut self.scopes, number, write);
    }

    /// Replaces the `Span` message at this place in [`SpanBatch::spans`].
    pub fn span(&mut self, number: u32, write: impl FnOnce(&mut Vec<u8>) -> bool) {
        add(&mut self.scratch, &mut self.spans, number, write);
    }

    /// The batch with everything replaced; `None` when nothing was, so that the batch can stay as it is.
    ///
    /// # Errors
    /// When it is longer than an index can address.
    pub fn finish(self) -> Result<Option<SpanBatch>, DecodeError> {
        if self.resources.is_empty() && self.scopes.is_empty() && self.spans.is_empty() {
            return Ok(None);
        }
        let batch = self.batch;
        let mut out = Vec::with_capacity(batch.bytes().len() + self.scratch.len() + 64);
        let old = &batch.index;
        let mut index = Index {
            spans: Vec::with_capacity(batch.len()),
            refused: old.refused,
            bad_strings: old.bad_strings,
            backward: old.backward,
            nameless: old.nameless,
            times: old.times,
            ..Index::default()
        };
        let mut number = 0;
        for of_resource in batch.spans().chunk_by(|a, b| batch.resource_of(a) == batch.resource_of(b)) {
            self.put_resource(number, of_resource, &mut out, &mut index);
            number += of_resource.len() as u32;
        }
        if out.len() > u32::MAX as usize {
            return Err(DecodeError::TooLong);
        }
        Ok(Some(SpanBatch::from_parts(out.into(), index)))
    }

    fn put_resource(&self, mut number: u32, spans: &[SpanEntry], out: &mut Vec<u8>, index: &mut Index) {
        let batch = self.batch;
        let resource = batch.resource_of(&spans[0]);
        let by_scope = || spans.chunk_by(|a, b| batch.scope_of(a) == batch.scope_of(b));
        let mut first = number;
        let scopes = by_scope().map(|of_scope| {
            let n = self.scope_len(first, of_scope);
            first += of_scope.len() as u32;
            1 + varint_len(n as u64) + n
        });
        let header =
            self.replacement(&self.resources, resource).map_or_else(|| len(batch.resource_pieces(resource)), <[u8]>::len);
        let body = header + scopes.sum::<usize>();

        put_varint(out, u64::from(traces_data::RESOURCE_SPANS));
        put_varint(out, body as u64);
        let piece = put_header(self.replacement(&self.resources, resource), batch.resource_pieces(resource), out);
        let parent = index.resources.len() as u32;
        index.resources.push(Header { pieces: one_more(&mut index.resource_pieces, piece), parent });
        for of_scope in by_scope() {
            put_varint(out, u64::from(resource_spans::SCOPE_SPANS));
            put_varint(out, self.scope_len(number, of_scope) as u64);
            let scope = batch.scope_of(&of_scope[0]);
            let piece = put_header(self.replacement(&self.scopes, scope), batch.scope_pieces(scope), out);
            index.scopes.push(Header { pieces: one_more(&mut index.scope_pieces, piece), parent });
            for (number, entry) in (number..).zip(of_scope) {
                self.put_span(number, entry, out, index);
            }
            number += of_scope.len() as u32;
        }
    }

    fn put_span(&self, number: u32, entry: &SpanEntry, out: &mut Vec<u8>, index: &mut Index) {
        let (start, scope) = (out.len(), index.scopes.len() as u32 - 1);
        let Some(body) = self.replacement(&self.spans, number) else {
            out.extend_from_slice(self.batch.slice(&entry.field));
            let field = start as u32..out.len() as u32;
            return index.spans.push(SpanEntry { field, scope, ..entry.clone() });
        };
        put_varint(out, u64::from(scope_spans::SPANS));
        put_varint(out, body.len() as u64);
        let prefix = (out.len() - start) as u16;
        out.extend_from_slice(body);
        let field = start as u32..out.len() as u32;
        match Walk::new(body).span(body) {
            Ok((trace_id, marks)) => index.spans.push(SpanEntry { trace_id, field, prefix, marks, scope }),
            Err(why) => index.refused.add(why), // what we write is sound: not reached
        }
    }

    /// Bytes of a `ScopeSpans` message with these spans, the first of which has this number.
    fn scope_len(&self, number: u32, spans: &[SpanEntry]) -> usize {
        let scope = self.batch.scope_of(&spans[0]);
        let header = self.replacement(&self.scopes, scope).map_or_else(|| len(self.batch.scope_pieces(scope)), <[u8]>::len);
        let span = |(number, entry): (u32, &SpanEntry)| {
            self.replacement(&self.spans, number).map_or(entry.size(), |body| 1 + varint_len(body.len() as u64) + body.len())
        };
        header + (number..).zip(spans).map(span).sum::<usize>()
    }

    fn replacement(&self, replaced: &Replaced, number: u32) -> Option<&[u8]> {
        let at = replaced.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        Some(&self.scratch[replaced[at].1.clone()])
    }
}

fn add(scratch: &mut Vec<u8>, replaced: &mut Replaced, number: u32, write: impl FnOnce(&mut Vec<u8>) -> bool) {
    let from = scratch.len();
    if write(scratch) {
        replaced.push((number, from..scratch.len()));
    } else {
        scratch.truncate(from);
    }
}

fn put_header<'a>(new: Option<&[u8]>, old: impl Iterator<Item = &'a [u8]>, out: &mut Vec<u8>) -> Piece {
    let start = out.len() as u32;
    match new {
        Some(new) => out.extend_from_slice(new),
        None => old.for_each(|piece| out.extend_from_slice(piece)),
    }
    start..out.len() as u32
}

fn one_more(pieces: &mut Vec<Piece>, piece: Piece) -> Range<u32> {
    pieces.push(piece);
    pieces.len() as u32 - 1..pieces.len() as u32
}

fn len<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> usize {
    pieces.map(<[u8]>::len).sum()
}
