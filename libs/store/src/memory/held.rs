//! One trace as it is held: messages of OTLP bytes, a row of index for each span, and a fingerprint of each span.

use super::names::NameId;
use crate::{ErrorKind, StoreError};
use bytes::Bytes;
use skua_model::{AnyValue, Process, Span, SpanBatch, SpanEntry, SpanView, Trace, kind_text};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

/// Tells spans of different content apart: two keyed 64-bit hashes of the span, its resource and its scope.
pub(super) type Fingerprint = [u64; 2];

/// What an allocator adds to a block, and `Bytes` to its owner when it is shared.
const PER_ALLOCATION: usize = 16;
const PER_MESSAGE: usize = 2 * PER_ALLOCATION + 24;
/// A slot of the map of traces at its usual fill, and the empty containers.
const PER_TRACE: usize = (16 + size_of::<Held>()) * 3 / 2 + 3 * PER_ALLOCATION;
/// A slot of a hash set: the value and one byte of control.
const PER_FINGERPRINT: usize = size_of::<Fingerprint>() + 1;

/// What a search needs to know of one span.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// Microseconds since 1970.
    pub start: u64,
    /// Microseconds.
    pub duration: u64,
    pub name: NameId,
    /// The number of its message and of the span in it.
    pub message: u32,
    pub span: u32,
}

#[derive(Debug, Default)]
pub(super) struct Held {
    messages: Vec<Bytes>,
    rows: Vec<Row>,
    fingerprints: HashSet<Fingerprint>,
    message_bytes: usize,
}

impl Held {
    pub fn has(&self, fingerprint: Fingerprint) -> bool {
        self.fingerprints.contains(&fingerprint)
    }

    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Microseconds since 1970: the earliest start of its spans.
    pub fn start(&self) -> u64 {
        self.rows.iter().map(|r| r.start).min().unwrap_or_default()
    }

    /// Cheap copies, so that spans are taken apart while nobody waits.
    pub fn messages(&self) -> Vec<Bytes> {
        self.messages.clone()
    }

    /// Adds a message and its spans in the message's order: start and duration in microseconds, name, fingerprint.
    pub fn push(&mut self, message: Vec<u8>, spans: impl ExactSizeIterator<Item = (u64, u64, NameId, Fingerprint)>) {
        let number = self.messages.len() as u32;
        self.message_bytes += message.len();
        if self.messages.len() == self.messages.capacity() {
            self.messages.reserve_exact(1 + self.messages.len() / 4);
        }
        self.messages.push(message.into_boxed_slice().into());
        if self.rows.capacity() - self.rows.len() < spans.len() {
            self.rows.reserve_exact(spans.len().max(self.rows.len() / 4));
        }
        for (span, (start, duration, name, fingerprint)) in (0..).zip(spans) {
            self.rows.push(Row { start, duration, name, message: number, span });
            self.fingerprints.insert(fingerprint);
        }
    }

    /// Bytes held, allocations included.
    pub fn bytes(&self) -> usize {
        let rows = self.rows.capacity() * size_of::<Row>();
        let fingerprints = self.fingerprints.capacity() * 8 / 7 * PER_FINGERPRINT;
        let messages = self.messages.capacity() * size_of::<Bytes>() + self.messages.len() * PER_MESSAGE;
        PER_TRACE + self.message_bytes + messages + rows + fingerprints
    }

    /// Bytes that a message of so many spans will take in a trace.
    pub fn estimate(message: usize, spans: usize) -> usize {
        size_of::<Bytes>() + PER_MESSAGE + message + spans * (size_of::<Row>() + 2 * PER_FINGERPRINT)
    }
}

/// Makes fingerprints; the keys are drawn when the store is made, so that nobody can choose two spans that look the same.
#[derive(Debug, Default)]
pub(super) struct Fingerprints([RandomState; 2]);

impl Fingerprints {
    /// Fingerprints of the spans of a batch.
    pub fn of<'a>(&'a self, batch: &'a SpanBatch) -> impl FnMut(&SpanEntry) -> Fingerprint + use<'a> {
        let mut resource = (u32::MAX, [0; 2]);
        move |entry| {
            let number = batch.resource_of(entry);
            if resource.0 != number {
                resource = (number, self.hash(batch.resource_pieces(number), &[]));
            }
            let view = batch.view(entry);
            let scope = [view.scope_name, view.scope_version];
            self.hash(scope.into_iter().chain([batch.span_body(entry)]), &resource.1)
        }
    }

    fn hash<'a>(&self, parts: impl Iterator<Item = &'a [u8]> + Clone, seed: &[u64]) -> Fingerprint {
        let of = |state: &RandomState| {
            let mut hasher = state.build_hasher();
            seed.iter().for_each(|s| hasher.write_u64(*s));
            for part in parts.clone() {
                hasher.write_usize(part.len());
                hasher.write(part);
            }
            hasher.finish()
        };
        [of(&self.0[0]), of(&self.0[1])]
    }
}

/// The span's kind as Jaeger's tags tell it: the first tag `span.kind`, if it is a string.
pub(super) fn kind<'a>(view: &SpanView<'a>) -> &'a [u8] {
    match view.attributes().find(|kv| kv.key == b"span.kind").map(|kv| kv.value) {
        Some(AnyValue::String(s)) => s,
        Some(_) => b"",
        None if view.jaeger_flags.is_some() => b"",
        None => kind_text(view.kind).unwrap_or_default().as_bytes(),
    }
}

/// The batch of one of a trace's messages.
pub(super) fn parse(message: &Bytes) -> Result<SpanBatch, StoreError> {
    let unreadable = |e| StoreError::new(ErrorKind::Internal, "failed to read a span from memory").caused_by(e);
    SpanBatch::parse(message.clone()).map_err(unreadable)
}

/// Takes a trace's spans apart, in order of start and then of span id.
pub(super) fn materialize(messages: &[Bytes]) -> Result<Trace, StoreError> {
    let mut spans = Vec::new();
    let mut known: HashMap<Vec<u8>, Arc<Process>> = HashMap::new();
    for message in messages {
        let batch = parse(message)?;
        let mut current = (u32::MAX, Arc::default());
        for entry in batch.spans() {
            let resource = batch.resource_of(entry);
            if current.0 != resource {
                let process = known.entry(batch.resource_pieces(resource).collect::<Vec<_>>().concat());
                let process = process.or_insert_with(|| Arc::new(Process::from_view(&batch.process(resource))));
                current = (resource, Arc::clone(process));
            }
            spans.push(Span::from_view(&batch.view(entry), Arc::clone(&current.1)));
        }
    }
    spans.sort_by_key(|s| (s.start_time, s.span_id));
    Ok(Trace { spans })
}
