//! Writes `jaeger.api_v2.PostSpansRequest`, what a collector takes over gRPC (14250), from a batch.

use super::encode::{put_after_process, put_before_process, put_process_with};
use crate::frame::Frame;
use skua_model::{SpanBatch, SpanEntry};
use std::collections::HashMap;

/// One `PostSpansRequest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostSpans {
    /// The message.
    pub message: Vec<u8>,
    /// Spans in it, at least one.
    pub spans: usize,
}

/// Repeated with each span, processes may take this many bytes; a process that would take more has a request of its own.
const REPEATED: usize = 8 << 10;

/// All sound spans of a batch as few requests. A request has one process for its spans, by `Batch.process`; only when many
/// small groups of spans with processes of their own come together, they share a request, and those of all groups but one
/// carry their process. `extra` tags are appended to every process. A request is at most `max_bytes` long, unless a single
/// span makes it longer.
///
/// Order is kept among the spans of one process. Strings are copied as they are: Jaeger's own decoder does not ask for UTF-8.
pub fn post_spans(batch: &SpanBatch, extra: &[(String, String)], max_bytes: usize) -> Vec<PostSpans> {
    let mut requests = Requests { max_bytes, done: Vec::new() };
    let mut small = Vec::new();
    let mut groups = by_process(batch);
    let several = groups.len() > 1;
    for group in &mut groups {
        put_process_with(&mut group.process, BATCH_PROCESS, &batch.process(group.resource), extra);
        let repeated = group.spans.saturating_mul(group.process.len());
        if several && (group.spans == 1 || repeated <= REPEATED) {
            small.push(&*group);
        } else {
            requests.write(batch, &[group]);
        }
    }
    // The process that would be repeated most is the batch's.
    small.sort_by_key(|g| std::cmp::Reverse((g.spans - 1) * g.process.len()));
    if !small.is_empty() {
        requests.write(batch, &small);
    }
    requests.done
}

const REQUEST_BATCH: u32 = 1;
const BATCH_SPANS: u32 = 1;
const BATCH_PROCESS: u32 = 2;
const SPAN_PROCESS: u32 = 10;

/// Spans with equal resources, byte for byte.
struct Group<'a> {
    resource: u32,
    runs: Vec<&'a [SpanEntry]>,
    spans: usize,
    /// As the field of a `Batch`.
    process: Vec<u8>,
}

impl Group<'_> {
    /// The process as the field of a span: the two fields differ in their first byte only.
    fn put_as_span_process(&self, out: &mut Vec<u8>) {
        const TAG: u8 = (SPAN_PROCESS << 3 | 2) as u8;
        out.push(TAG);
        out.extend_from_slice(&self.process[1..]);
    }
}

fn by_process(batch: &SpanBatch) -> Vec<Group<'_>> {
    let mut known = HashMap::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for run in batch.spans().chunk_by(|a, b| batch.resource_of(a) == batch.resource_of(b)) {
        let resource = batch.resource_of(&run[0]);
        let number = *known.entry(batch.resource_pieces(resource).collect::<Vec<_>>()).or_insert(groups.len());
        if number == groups.len() {
            groups.push(Group { resource, runs: Vec::new(), spans: 0, process: Vec::new() });
        }
        groups[number].runs.push(run);
        groups[number].spans += run.len();
    }
    groups
}

/// What the length of a batch may take beyond the guess that was made of it.
const MAX_PREFIX: usize = 5;

struct Requests {
    max_bytes: usize,
    done: Vec<PostSpans>,
}

impl Requests {
    /// Writes groups whose first gives the batch its process.
    fn write(&mut self, batch: &SpanBatch, groups: &[&Group<'_>]) {
        let Some(first) = groups.first() else { return };
        let own = |i: usize, g: &Group<'_>| if i == 0 { 0 } else { g.spans * g.process.len() };
        let spans: usize = groups.iter().flat_map(|g| &g.runs).flat_map(|run| run.iter()).map(SpanEntry::size).sum();
        let repeated: usize = groups.iter().enumerate().map(|(i, g)| own(i, g)).sum();
        let expected = (spans + repeated + first.process.len()).min(self.max_bytes);
        let mut open = Open::new(expected);
        for (i, group) in groups.iter().enumerate() {
            for span in group.runs.iter().flat_map(|run| run.iter()) {
                let from = open.message.len();
                put_span(&mut open.message, batch, span, (i > 0).then_some(group));
                open.spans += 1;
                if open.message.len() + first.process.len() + MAX_PREFIX > self.max_bytes && open.spans > 1 {
                    let mut next = Open::new(expected);
                    next.message.extend_from_slice(&open.message[from..]);
                    next.spans = 1;
                    open.message.truncate(from);
                    open.spans -= 1;
                    self.done.push(std::mem::replace(&mut open, next).close(&first.process));
                }
            }
        }
        self.done.push(open.close(&first.process));
    }
}

/// A request that is being written.
struct Open {
    message: Vec<u8>,
    batch: Frame,
    spans: usize,
}

impl Open {
    fn new(expected: usize) -> Self {
        let mut message = Vec::with_capacity(expected + expected / 8 + 16);
        let batch = Frame::open(&mut message, REQUEST_BATCH, expected);
        Self { message, batch, spans: 0 }
    }

    fn close(mut self, process: &[u8]) -> PostSpans {
        self.message.extend_from_slice(process);
        self.batch.close(&mut self.message);
        PostSpans { message: self.message, spans: self.spans }
    }
}

#[inline]
fn put_span(out: &mut Vec<u8>, batch: &SpanBatch, span: &SpanEntry, own: Option<&Group<'_>>) {
    let view = batch.view(span);
    let frame = Frame::open(out, BATCH_SPANS, span.size() + own.map_or(0, |g| g.process.len()));
    put_before_process(out, &view);
    if let Some(group) = own {
        group.put_as_span_process(out);
    }
    put_after_process(out, &view);
    frame.close(out);
}
