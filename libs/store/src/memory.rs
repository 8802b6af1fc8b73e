//! A bounded store in memory: for trying Skua out, for tests, and for all-in-one without a disk.
//!
//! A trace is held as the OTLP bytes of its spans, as they came, with a row of index and a fingerprint for each (about 60 bytes);
//! spans are taken apart when somebody asks for them. When a bound is passed, the trace that came first goes first, whole.

mod archive;
mod dependencies;
mod held;
mod names;
mod search;

use crate::{
    ErrorKind, Found, FoundStream, Operation, RefusedSpan, SpanReader, SpanWriter, StoreError, TraceQuery, Written, all_found,
};
use async_trait::async_trait;
use futures::stream::{self, StreamExt};
use held::{Fingerprint, Fingerprints, Held};
use names::Names;
use parking_lot::{Mutex, RwLock};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use skua_model::{SpanBatch, SpanView, Trace, TraceId};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

/// Bounds of a [`MemoryStore`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemoryConfig {
    /// Traces at most (Jaeger's `--memory.max-traces`); 0 means no bound.
    pub max_traces: u64,
    /// Bytes at most, index and allocations included, within a few percent; 0 means no bound.
    pub max_bytes: u64,
}

/// Holds whole traces in memory, within bounds. Cheap to share in an `Arc`; reading does not wait for reading.
///
/// Services and operations are those of the traces that are held: they go with their last span, unlike in Jaeger, which lists
/// them for ever.
#[derive(Debug)]
pub struct MemoryStore {
    config: MemoryConfig,
    fingerprints: Fingerprints,
    state: RwLock<State>,
    written: Mutex<dependencies::Lists>,
    evicted: Evicted,
    size: Size,
    /// What the archive holds, for which there is less room here.
    archived: archive::Archived,
    /// Of an archive alone: the store whose bounds it shares.
    primary: Option<Arc<MemoryStore>>,
}

#[derive(Debug, Default)]
struct State {
    traces: HashMap<TraceId, Held>,
    /// In order of arrival.
    order: VecDeque<TraceId>,
    names: Names,
    spans: u64,
    /// Bytes of `traces`.
    bytes: usize,
}

#[derive(Debug, Default)]
struct Evicted {
    traces: Counter,
    spans: Counter,
}

#[derive(Debug, Default)]
struct Size {
    traces: Gauge,
    spans: Gauge,
    bytes: Gauge,
}

/// One span on its way in.
struct Arrival<'a> {
    /// Its number in the batch.
    span: u32,
    fingerprint: Fingerprint,
    service: &'a [u8],
    view: SpanView<'a>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new(config: MemoryConfig) -> Self {
        Self {
            config,
            fingerprints: Fingerprints::default(),
            state: RwLock::default(),
            written: Mutex::default(),
            evicted: Evicted::default(),
            size: Size::default(),
            archived: archive::Archived::default(),
            primary: None,
        }
    }

    /// Shows what is held and what had to go: `jaeger_storage_memory_{traces,spans,bytes}` and
    /// `jaeger_storage_memory_evicted_{traces,spans}_total`; of an archive the same under `jaeger_storage_memory_archive_`.
    pub fn register(&self, registry: &mut Registry) {
        let prefix = if self.primary.is_some() { "jaeger_storage_memory_archive" } else { "jaeger_storage_memory" };
        let memory = registry.sub_registry_with_prefix(prefix);
        memory.register("traces", "Traces held in memory", self.size.traces.clone());
        memory.register("spans", "Spans held in memory", self.size.spans.clone());
        memory.register("bytes", "Bytes that the held traces and their index take", self.size.bytes.clone());
        memory.register("evicted_traces", "Traces that made room for newer ones", self.evicted.traces.clone());
        memory.register("evicted_spans", "Spans of evicted traces", self.evicted.spans.clone());
    }

    /// Traces held.
    pub fn traces(&self) -> u64 {
        self.state.read().traces.len() as u64
    }

    /// Spans held.
    pub fn spans(&self) -> u64 {
        self.state.read().spans
    }

    /// Bytes held, index and allocations included.
    pub fn bytes(&self) -> u64 {
        self.state.read().total_bytes() as u64
    }

    /// Traces and spans evicted so far.
    pub fn evicted(&self) -> (u64, u64) {
        (self.evicted.traces.get(), self.evicted.spans.get())
    }

    fn is_over(&self, state: &State) -> bool {
        let over = |bound: Option<u64>, is: usize| bound.is_some_and(|bound| is as u64 > bound);
        over(self.room_for_traces(), state.traces.len()) || over(self.room_for_bytes(), state.total_bytes())
    }

    /// Adds the spans of one trace, but for those it has. Returns the spans that would make the trace larger than the store
    /// may be.
    fn add(&self, state: &mut State, batch: &SpanBatch, id: TraceId, arrivals: &[Arrival<'_>]) -> Vec<u32> {
        let State { traces, order, names, spans, bytes } = state;
        let known = traces.get(&id);
        let mut new: Vec<&Arrival<'_>> = arrivals.iter().filter(|a| !known.is_some_and(|h| h.has(a.fingerprint))).collect();
        let numbers = |of: &[&Arrival<'_>]| of.iter().map(|a| a.span).collect::<Vec<_>>();
        let all_new = numbers(&new);
        let mut seen = HashSet::with_capacity(new.len());
        new.retain(|a| seen.insert(a.fingerprint));
        if new.is_empty() {
            return Vec::new();
        }
        let mut message = Vec::new();
        skua_model::write_subset(batch, &numbers(&new), &mut message);
        let bytes_before = known.map_or(0, Held::bytes);
        let bytes_after = bytes_before + Held::estimate(message.len(), new.len());
        if self.room_for_bytes().is_some_and(|room| bytes_after as u64 > room) {
            return all_new;
        }
        let held = traces.entry(id).or_insert_with(|| {
            order.push_back(id);
            Held::default()
        });
        let rows = new.iter().map(|a| {
            let name = names.add(a.service, a.view.name, held::kind(&a.view));
            (a.view.start / 1000, a.view.duration() / 1000, name, a.fingerprint)
        });
        held.push(message, rows);
        *spans += new.len() as u64;
        *bytes += held.bytes() - bytes_before;
        Vec::new()
    }

    fn show(&self, state: &State) {
        self.size.traces.set(state.traces.len() as i64);
        self.size.spans.set(state.spans as i64);
        self.size.bytes.set(state.total_bytes() as i64);
    }

    /// Makes room, but for the last trace: alone it is within the bounds.
    fn evict(&self, state: &mut State) {
        while state.order.len() > 1 && self.is_over(state) {
            let Some(oldest) = state.order.pop_front() else { return };
            let Some(held) = state.traces.remove(&oldest) else { continue };
            state.bytes -= held.bytes();
            let spans = held.rows().len() as u64;
            state.spans -= spans;
            held.rows().iter().for_each(|row| state.names.remove(row.name));
            self.evicted.traces.inc();
            self.evicted.spans.inc_by(spans);
        }
    }
}

/// A batch's spans by trace, in order of arrival.
fn by_trace<'a>(batch: &'a SpanBatch, fingerprints: &Fingerprints) -> Vec<(TraceId, Vec<Arrival<'a>>)> {
    let mut traces: Vec<(TraceId, Vec<Arrival<'a>>)> = Vec::new();
    let mut places = HashMap::new();
    let mut fingerprint = fingerprints.of(batch);
    let mut service = (u32::MAX, &b""[..]);
    for (span, entry) in (0..).zip(batch.spans()) {
        let id = TraceId(entry.trace_id);
        let resource = batch.resource_of(entry);
        if service.0 != resource {
            service = (resource, batch.process(resource).service);
        }
        let place = *places.entry(id).or_insert_with(|| {
            traces.push((id, Vec::new()));
            traces.len() - 1
        });
        let arrival = Arrival { span, fingerprint: fingerprint(entry), service: service.1, view: batch.view(entry) };
        traces[place].1.push(arrival);
    }
    traces
}

impl State {
    fn total_bytes(&self) -> usize {
        self.bytes + self.names.bytes() + self.order.capacity() * size_of::<TraceId>()
    }
}

#[async_trait]
impl SpanWriter for MemoryStore {
    /// Spans of a trace that would be larger than [`MemoryConfig::max_bytes`] alone are refused with the reason `too-large`.
    async fn write(&self, batch: &SpanBatch) -> Result<Written, StoreError> {
        let arrivals = by_trace(batch, &self.fingerprints);
        let mut written = Written::all(batch);
        let room = self.room_for_bytes().unwrap_or(u64::MAX);
        let mut state = self.state.write();
        for (id, arrivals) in &arrivals {
            let detail = || format!("trace {id} would alone take more than the {room} bytes of the store");
            let refused = self.add(&mut state, batch, *id, arrivals).into_iter();
            written.refused.extend(refused.map(|span| RefusedSpan { span, reason: "too-large", detail: detail() }));
            self.evict(&mut state);
        }
        self.tell_primary(&state);
        written.refused.sort_by_key(|r| r.span);
        written.stored -= written.refused.len() as u64;
        self.show(&state);
        Ok(written)
    }
}

#[async_trait]
impl SpanReader for MemoryStore {
    async fn services(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.state.read().names.services())
    }

    async fn operations(&self, service: &str, kind: &str) -> Result<Vec<Operation>, StoreError> {
        Ok(self.state.read().names.operations(service, kind))
    }

    async fn trace(&self, id: TraceId) -> Result<Trace, StoreError> {
        let messages = self.state.read().traces.get(&id).map(Held::messages);
        let messages = messages.ok_or_else(|| StoreError::new(ErrorKind::NotFound, "trace not found"))?;
        held::materialize(&messages)
    }

    /// Any service is searched when the query names none. Traces are ordered by their earliest span.
    async fn find(&self, query: &TraceQuery) -> Result<Found, StoreError> {
        all_found(self.search(query.clone())).await
    }

    /// Spans are taken apart one trace after the other.
    fn search(&self, query: TraceQuery) -> FoundStream<'_> {
        let candidates = search::candidates(&self.state.read(), &query);
        stream::iter(search::traces(candidates, query)).boxed()
    }

    fn searches_any_service(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
