//! Counts spans as they come, in the order of each partition.

mod facts;
mod join;
mod names;
mod partition;
mod tally;
mod totals;
mod window;

pub use partition::Position;

pub(crate) use facts::Facts;
pub(crate) use names::{LinkNames, Names, SeriesNames};
pub(crate) use partition::{Only, Partition, Seen, Shared};
pub(crate) use totals::{BOUNDS, Live, Total, Totals, bound};

use crate::document::{Figures, Key, LinkKey, Mark, SeriesKey, interval_of};
use crate::expose::Exposition;
use crate::metrics::RollupMetrics;
use parking_lot::Mutex;
use skua_model::{SpanBatch, SpanEntry};
use skua_store::rollups::RollupKind;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// How much is held while counting.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long a span waits for its parent, its child and its duplicate.
    pub window: Duration,
    /// Bytes of all windows; the oldest spans go first.
    pub window_bytes: usize,
    /// Series, and links, that are told apart.
    pub max_series: usize,
}

/// Spans of a batch that came with one record.
#[derive(Debug, Clone)]
pub struct Part {
    /// Of the topic; 0 without a topic.
    pub partition: i32,
    /// As in [`Counter::begin`]: parts of another are passed over.
    pub assignment: u64,
    /// Of the record, in the partition.
    pub offset: i64,
    /// The record's time, in milliseconds since 1970.
    pub clock: u64,
    /// Their places in the batch.
    pub spans: Range<usize>,
}

/// Spans of a record whose places in the window are looked up together.
const AHEAD: usize = 32;

/// Documents that have to be learned before spans can be counted.
pub type Needed = HashSet<(RollupKind, u64)>;

/// Counts the spans of all partitions that a process reads.
pub struct Counter {
    options: Options,
    state: Arc<Mutex<State>>,
    metrics: RollupMetrics,
}

struct State {
    names: Names,
    totals: Totals,
    hasher: foldhash::quality::RandomState,
    partitions: HashMap<i32, Partition>,
}

/// What was counted of one partition for one document.
#[derive(Debug, Clone, PartialEq)]
pub struct Delta<K> {
    /// The partition.
    pub partition: i32,
    /// Series or link, minute, figures.
    pub rows: Vec<(K, u64, Figures)>,
    /// The mark that the document has if nobody else counted this partition; `None` when any up to [`Taken::known`] is right.
    pub expected: Option<Mark>,
}

/// How far a partition was counted when a save began.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// Its name in marks.
    pub source: String,
    /// Everything up to here is in the documents once they are saved.
    pub mark: Mark,
    /// Where the next process may begin then.
    pub position: Position,
    /// Documents that were not learned have a mark of at most this offset.
    pub known: i64,
    /// Of the partition when it began.
    pub assignment: u64,
}

/// What was counted since the last one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// By partition.
    pub partitions: BTreeMap<i32, Taken>,
    /// By interval.
    pub red: BTreeMap<u64, Vec<Delta<SeriesKey>>>,
    /// By interval.
    pub links: BTreeMap<u64, Vec<Delta<LinkKey>>>,
}

impl Counter {
    /// Nothing is counted before a partition begins.
    pub fn new(options: Options, metrics: RollupMetrics) -> Self {
        let names = Names::new(options.max_series);
        let hasher = foldhash::quality::RandomState::default();
        let state = State { names, totals: Totals::default(), hasher, partitions: HashMap::new() };
        Self { options, state: Arc::new(Mutex::new(state)), metrics }
    }

    /// A partition is ours from now on, by a new `assignment`, and is read from a position. Records before `until` may be counted already; so
    /// may others of documents with a mark up to it.
    pub fn begin(&self, partition: i32, assignment: u64, source: String, from: Position, until: i64) {
        let window = self.options.window.as_millis() as u64;
        self.state.lock().partitions.insert(partition, Partition::new(source, from, until, window, assignment));
    }

    /// A partition is no longer ours; what was counted and not saved, its next owner counts.
    pub fn end(&self, partition: i32) {
        self.state.lock().partitions.remove(&partition);
    }

    /// Counts the spans of a batch. Parts of partitions that have not begun, and records that were counted before, are passed over.
    ///
    /// # Errors
    /// With the documents that have to be [learned](Counter::learn) first; then nothing was counted.
    pub fn count(&self, batch: &SpanBatch, parts: &[Part]) -> Result<(), Needed> {
        let mut state = self.state.lock();
        let needed = state.needed(batch, parts);
        if !needed.is_empty() {
            return Err(needed);
        }
        self.count_parts(&mut state, batch, parts);
        Ok(())
    }

    fn count_parts(&self, state: &mut State, batch: &SpanBatch, parts: &[Part]) {
        let mut shared = Shared { names: &mut state.names, totals: &mut state.totals, hasher: &state.hasher };
        let mut services: Vec<Option<(u16, &[u8])>> = Vec::new();
        let (mut seen, mut touched) = (Seen::default(), 0);
        let mut ready = Vec::with_capacity(AHEAD + 1);
        for part in parts {
            let Some(partition) = state.partitions.get_mut(&part.partition) else { continue };
            if !partition.takes(part) {
                continue;
            }
            partition.record(part.offset, part.clock, &mut shared);
            for entries in batch.spans()[part.spans.clone()].chunks(AHEAD) {
                for entry in entries {
                    let resource = batch.resource_of(entry);
                    if services.len() <= resource as usize {
                        services.resize(resource as usize + 1, None);
                    }
                    let (service, name) = *services[resource as usize].get_or_insert_with(|| {
                        let name = batch.service(resource);
                        (shared.names.service(name), name)
                    });
                    let facts = Facts::of_view(&batch.view(entry), name);
                    let keys = shared.keys(&facts);
                    ready.push((facts, keys, service));
                }
                // Apart from the rest, so that all wait for memory at once.
                touched ^= ready.iter().fold(0, |all, (_, keys, _)| all ^ partition.touch(*keys));
                for (facts, keys, service) in ready.drain(..) {
                    partition.span(&facts, keys, service, part.offset, &mut shared);
                }
            }
            seen.add(std::mem::take(&mut partition.seen));
        }
        std::hint::black_box(touched);
        state.bound(self.options.window_bytes, &mut seen);
        self.metrics.seen(&seen);
        self.metrics.overflowed(std::mem::take(&mut state.names.overflowed));
    }

    /// What a document says is counted already; `marks` is empty when there is none.
    pub fn learn(&self, kind: RollupKind, interval: u64, marks: &BTreeMap<String, Mark>) {
        for partition in self.state.lock().partitions.values_mut().filter(|p| p.next < p.until) {
            let mark = marks.get(&partition.source).copied().unwrap_or(Mark { offset: i64::MIN, epoch: 0 });
            partition.learned.entry((kind, interval)).or_insert(mark);
        }
    }

    /// Counts the spans at these places of a batch as the next record of partition 0, which need not come from anywhere: `clock` is now, in
    /// milliseconds since 1970.
    pub fn count_here(&self, batch: &SpanBatch, spans: &[Range<usize>], clock: u64) {
        // Nothing has to be learned: nobody else counts this source.
        let mut state = self.state.lock();
        let offset = state.partitions.get(&0).map_or(0, |p| p.next);
        let part =
            |(offset, spans): (i64, &Range<usize>)| Part { partition: 0, assignment: 0, offset, clock, spans: spans.clone() };
        let parts: Vec<Part> = (offset..).zip(spans).map(part).collect();
        self.count_parts(&mut state, batch, &parts);
    }

    /// Time goes on in a partition of which nothing more is there to read: milliseconds since 1970.
    pub fn tick(&self, partition: i32, clock: u64) {
        let mut state = self.state.lock();
        let state = &mut *state;
        if let Some(partition) = state.partitions.get_mut(&partition) {
            partition.tick(clock, &mut Shared { names: &mut state.names, totals: &mut state.totals, hasher: &state.hasher });
            self.metrics.seen(&std::mem::take(&mut partition.seen));
        }
    }

    /// Takes out what was counted, for saving. Give it to [`Counter::saved`] afterwards.
    pub fn take(&self) -> Snapshot {
        let mut state = self.state.lock();
        let state = &mut *state;
        let mut snapshot = Snapshot::default();
        for (number, p) in &mut state.partitions {
            let (red, links) = (std::mem::take(&mut p.red), std::mem::take(&mut p.links));
            let names = &state.names;
            let rows = red.cells().map(|(minute, place, cell)| (names.series_key(place), minute, cell.figures()));
            deltas(&mut snapshot.red, *number, rows, |interval| p.learned.get(&(RollupKind::Red, interval)).copied());
            let rows = links.cells().map(|(minute, place, cell)| (names.link_key(place), minute, cell.figures()));
            deltas(&mut snapshot.links, *number, rows, |interval| p.learned.get(&(RollupKind::Links, interval)).copied());
            let taken = Taken {
                source: p.source.clone(),
                mark: p.mark(),
                position: p.position(),
                known: p.known,
                assignment: p.assignment,
            };
            snapshot.partitions.insert(*number, taken);
        }
        self.metrics.size(state.partitions.values().map(Partition::bytes).sum(), state.names.len());
        snapshot
    }

    /// A snapshot is saved. Returns where the next owner of each partition may begin.
    pub fn saved(&self, snapshot: &Snapshot) -> Vec<(i32, Position)> {
        let mut state = self.state.lock();
        let mut positions = Vec::new();
        for (number, taken) in &snapshot.partitions {
            let Some(p) = state.partitions.get_mut(number).filter(|p| p.assignment == taken.assignment) else { continue };
            p.known = p.known.max(taken.mark.offset);
            let Mark { offset, epoch } = taken.mark;
            p.learned.retain(|_, mark| mark.offset > offset || mark.epoch > epoch || p.next < p.until);
            for mark in p.learned.values_mut() {
                *mark = Mark { offset: mark.offset.max(offset), epoch: mark.epoch.max(epoch) };
            }
            positions.push((*number, taken.position));
        }
        positions
    }

    /// A snapshot was not saved and will not be.
    pub fn dropped(&self, snapshot: &Snapshot) {
        let spans = snapshot.red.values().flatten().flat_map(|delta| &delta.rows).map(|(_, _, figures)| figures.latency.count());
        self.metrics.uncounted.inc_by(spans.sum());
    }

    /// Each partition, and the offset of the next record of it.
    pub fn positions(&self) -> Vec<(i32, i64)> {
        self.state.lock().partitions.iter().map(|(number, p)| (*number, p.next)).collect()
    }

    /// What was counted since the process began, for Prometheus.
    pub fn exposition(&self) -> Exposition {
        Exposition::new(Live(self.state.clone()), self.metrics.clone())
    }

    /// The bytes of all windows, for a test of the bound and for the bench.
    pub fn window_bytes(&self) -> usize {
        self.state.lock().partitions.values().map(Partition::bytes).sum()
    }
}

/// Sorts rows into the documents that they belong to.
fn deltas<K: Key>(
    documents: &mut BTreeMap<u64, Vec<Delta<K>>>,
    partition: i32,
    rows: impl Iterator<Item = (K, u64, Figures)>,
    expected: impl Fn(u64) -> Option<Mark>,
) {
    let mut of: BTreeMap<u64, Vec<(K, u64, Figures)>> = BTreeMap::new();
    for row in rows {
        of.entry(interval_of(row.1)).or_default().push(row);
    }
    for (interval, rows) in of {
        documents.entry(interval).or_default().push(Delta { partition, rows, expected: expected(interval) });
    }
}

impl Partition {
    /// Whether a record comes next, and is not one that was counted.
    fn takes(&self, part: &Part) -> bool {
        self.assignment == part.assignment && part.offset >= self.next
    }
}

impl State {
    /// Documents that spans of these parts belong to and that have to be learned.
    fn needed(&mut self, batch: &SpanBatch, parts: &[Part]) -> Needed {
        let mut needed = Needed::new();
        for part in parts {
            let Some(p) = self.partitions.get(&part.partition).filter(|p| p.takes(part) && p.next < p.until) else { continue };
            let starts = batch.spans()[part.spans.clone()].iter().map(|entry: &SpanEntry| batch.view(entry).start / 1000);
            for interval in starts.map(interval_of) {
                let unknown = RollupKind::ALL.into_iter().map(|kind| (kind, interval));
                needed.extend(unknown.filter(|document| !p.learned.contains_key(document)));
            }
        }
        needed
    }

    /// Gives up the oldest spans while the windows take more than they may.
    fn bound(&mut self, most: usize, seen: &mut Seen) {
        let mut shared = Shared { names: &mut self.names, totals: &mut self.totals, hasher: &self.hasher };
        while self.partitions.values().map(Partition::bytes).sum::<usize>() > most {
            let largest = self.partitions.values_mut().filter(|p| p.can_evict()).max_by_key(|p| p.bytes());
            let Some(largest) = largest else { return };
            largest.evict(&mut shared);
            seen.add(std::mem::take(&mut largest.seen));
        }
    }
}

impl Seen {
    pub(crate) fn add(&mut self, other: Self) {
        self.counted += other.counted;
        self.duplicate += other.duplicate;
        self.replayed += other.replayed;
        self.unjoined += other.unjoined;
        self.evicted += other.evicted;
    }
}

#[cfg(test)]
pub(crate) mod tests;
