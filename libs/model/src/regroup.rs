//! Splits a batch by partition. Spans, resources and scopes are copied as they lie; only length prefixes are new.

use crate::SpanBatch;
use crate::partition;
use crate::wire::{put_varint, varint_len};

/// Messages made by [`regroup`], at least one for each partition that has spans.
#[derive(Debug)]
pub struct Groups {
    buf: Vec<u8>,
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    partition: u32,
    /// End offset in `buf`.
    end: usize,
    spans: u32,
}

impl Groups {
    /// Partition, `TracesData` bytes and number of spans of each message.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &[u8], u32)> {
        let mut from = 0;
        self.parts.iter().map(move |p| {
            let message = &self.buf[from..p.end];
            from = p.end;
            (p.partition, message, p.spans)
        })
    }

    /// Messages.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// True when there was no span.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}

/// The numbers of a batch's spans by partition, in the batch's order: `order[bounds[p]..bounds[p + 1]]` are those of `p`.
#[derive(Debug)]
pub struct Partitioned {
    order: Vec<u32>,
    bounds: Vec<u32>,
}

impl Partitioned {
    /// Partitions that have spans, with their span numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &[u32])> {
        let spans = self.bounds.windows(2).map(|w| &self.order[w[0] as usize..w[1] as usize]);
        (0..).zip(spans).filter(|(_, s)| !s.is_empty())
    }
}

/// Sorts a batch's spans by the partition that [`partition::of_trace`] gives their trace.
pub fn partition_spans(batch: &SpanBatch, partitions: u32) -> Partitioned {
    let n = batch.index.spans.len();
    // Stable counting sort of the span numbers by partition.
    let mut at = vec![0_u32; partitions as usize + 1];
    let mut part = Vec::with_capacity(n);
    for s in &batch.index.spans {
        let p = partition::of_trace(&s.trace_id, partitions);
        at[p as usize + 1] += 1;
        part.push(p);
    }
    for i in 0..partitions as usize {
        at[i + 1] += at[i];
    }
    let bounds = at.clone();
    let mut order = vec![0_u32; n];
    for (i, p) in part.iter().enumerate() {
        order[at[*p as usize] as usize] = i as u32;
        at[*p as usize] += 1;
    }
    Partitioned { order, bounds }
}

/// All spans of a trace land in messages of one partition. Order inside a partition is that of the batch; a resource or scope
/// is repeated in each message that needs it. No message is longer than `max_bytes`, unless one span alone is: it then has a
/// message of its own.
pub fn regroup(batch: &SpanBatch, partitions: u32, max_bytes: usize) -> Groups {
    let sorted = partition_spans(batch, partitions);
    let mut out = Groups { buf: Vec::with_capacity(batch.bytes().len() + 512 * partitions as usize), parts: Vec::new() };
    for (partition, mut spans) in sorted.iter() {
        while !spans.is_empty() {
            let (now, later) = spans.split_at(fitting(batch, spans, max_bytes));
            write_subset(batch, now, &mut out.buf);
            out.parts.push(Part { partition, end: out.buf.len(), spans: now.len() as u32 });
            spans = later;
        }
    }
    out
}

/// How many of the first spans surely fit in `max_bytes`, at least one. Counts each length prefix at its longest.
fn fitting(batch: &SpanBatch, spans: &[u32], max_bytes: usize) -> usize {
    const PREFIX: usize = 6;
    let (mut size, mut scope, mut resource) = (0, None, None);
    for (i, s) in spans.iter().enumerate() {
        let span = &batch.index.spans[*s as usize];
        if resource != Some(batch.resource_of(span)) {
            resource = Some(batch.resource_of(span));
            size += PREFIX + len(batch.resource_pieces(batch.resource_of(span)));
        }
        if scope != Some(span.scope) {
            scope = Some(span.scope);
            size += PREFIX + len(batch.scope_pieces(span.scope));
        }
        size += span.field.len();
        if size > max_bytes && i > 0 {
            return i;
        }
    }
    spans.len()
}

/// Writes the spans with these numbers (ascending) as one `TracesData`, at its exact size and in one go.
pub fn write_subset(batch: &SpanBatch, spans: &[u32], out: &mut Vec<u8>) {
    let span = |i: &u32| &batch.index.spans[*i as usize];
    for of_resource in spans.chunk_by(|a, b| batch.resource_of(span(a)) == batch.resource_of(span(b))) {
        let resource = batch.resource_of(span(&of_resource[0]));
        let scope_len = |of_scope: &[u32]| {
            len(batch.scope_pieces(span(&of_scope[0]).scope)) + of_scope.iter().map(|i| span(i).field.len()).sum::<usize>()
        };
        let by_scope = || of_resource.chunk_by(|a, b| span(a).scope == span(b).scope);
        let body: usize = by_scope().map(&scope_len).map(|n| 1 + varint_len(n as u64) + n).sum();

        out.push(1 << 3 | 2); // TracesData.resource_spans
        put_varint(out, (len(batch.resource_pieces(resource)) + body) as u64);
        batch.resource_pieces(resource).for_each(|p| out.extend_from_slice(p));
        for of_scope in by_scope() {
            out.push(2 << 3 | 2); // ResourceSpans.scope_spans
            put_varint(out, scope_len(of_scope) as u64);
            batch.scope_pieces(span(&of_scope[0]).scope).for_each(|p| out.extend_from_slice(p));
            for i in of_scope {
                out.extend_from_slice(batch.slice(&span(i).field));
            }
        }
    }
}

fn len<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> usize {
    pieces.map(<[u8]>::len).sum()
}
