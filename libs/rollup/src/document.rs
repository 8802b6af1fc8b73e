//! The figures of one interval, as they are kept.

use crate::histogram::Histogram;
use bytes::Bytes;
use prost::Message as _;
use skua_proto::skua::rollup::v1 as proto;
use skua_store::rollups::RollupKind;
use skua_store::{ErrorKind, StoreError};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;

/// Microseconds that a document covers; intervals start at multiples of it since 1970.
pub use skua_store::rollups::INTERVAL;

/// Microseconds.
pub const MINUTE: u64 = 60_000_000;

/// A document is larger than this only if it is not one.
const MOST_BYTES: u64 = 256 << 20;

/// zstd's level: 9 is 8 % smaller than 3, for a few milliseconds a minute.
const LEVEL: i32 = 9;

/// What a series is counted by: its key in a document.
pub trait Key: Ord + Clone {
    /// Which documents have it.
    const KIND: RollupKind;

    /// Two names and two small numbers.
    fn parts(&self) -> (&str, &str, u32, u32);

    /// The reverse; `None` for numbers that mean nothing to this version.
    fn of(first: String, second: String, kind: u32, status: u32) -> Option<Self>;
}

/// RED: requests, errors, durations.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesKey {
    /// The service whose spans these are.
    pub service: String,
    /// The span's name.
    pub operation: String,
    /// OTLP's number of the span kind, 0 (unspecified) to 5.
    pub kind: u8,
    /// OTLP's status code: 0 unset, 1 ok, 2 error.
    pub status: u8,
}

/// Who calls whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkKey {
    /// The service that calls.
    pub parent: String,
    /// The service, database, queue or other peer that is called.
    pub child: String,
    /// How.
    pub connection: Connection,
}

/// How one calls another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Connection {
    /// Both sent spans.
    Call,
    /// By way of a queue, or the queue itself.
    Messaging,
    /// A database that sends no spans.
    Database,
    /// Another peer that sends no spans.
    Peer,
}

impl Connection {
    /// All of them, in the order of their numbers in a document.
    pub const ALL: [Self; 4] = [Self::Call, Self::Messaging, Self::Database, Self::Peer];

    /// Grafana's text for the label `connection_type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Call => "",
            Self::Messaging => "messaging_system",
            Self::Database => "database",
            Self::Peer => "virtual_node",
        }
    }
}

impl Key for SeriesKey {
    const KIND: RollupKind = RollupKind::Red;

    fn parts(&self) -> (&str, &str, u32, u32) {
        (&self.service, &self.operation, self.kind.into(), self.status.into())
    }

    fn of(service: String, operation: String, kind: u32, status: u32) -> Option<Self> {
        Some(Self { service, operation, kind: u8::try_from(kind).ok()?, status: u8::try_from(status).ok()? })
    }
}

impl Key for LinkKey {
    const KIND: RollupKind = RollupKind::Links;

    fn parts(&self) -> (&str, &str, u32, u32) {
        (&self.parent, &self.child, self.connection as u32, 0)
    }

    fn of(parent: String, child: String, kind: u32, _: u32) -> Option<Self> {
        Some(Self { parent, child, connection: *Connection::ALL.get(kind as usize)? })
    }
}

/// What was counted of one series in one minute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// How long each call took; its count is the number of calls.
    pub latency: Histogram,
    /// Calls that failed; of a series, whose key has the status, 0.
    pub errors: u64,
    /// One of the slowest.
    pub exemplar: Option<Exemplar>,
}

/// A span that was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exemplar {
    /// Big-endian.
    pub trace_id: [u8; 16],
    /// Big-endian.
    pub span_id: [u8; 8],
    /// Microseconds since 1970.
    pub start: u64,
    /// Microseconds.
    pub duration: u64,
}

impl Figures {
    /// Adds another's; of two exemplars the slower stays.
    pub fn add(&mut self, other: &Self) {
        self.latency.add(&other.latency);
        self.errors += other.errors;
        self.exemplar = match (self.exemplar, other.exemplar) {
            (Some(ours), Some(theirs)) if theirs.duration <= ours.duration => Some(ours),
            (ours, theirs) => theirs.or(ours),
        };
    }
}

/// How much of a source is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mark {
    /// Everything that ended before this offset.
    pub offset: i64,
    /// Every entry of the window up to and including this epoch that ended unanswered.
    pub epoch: u64,
}

/// The figures of one interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Document<K: Ord> {
    /// How often it was saved; the first time as 1.
    pub revision: u64,
    /// When it was last counted anew from the store, in microseconds since 1970; 0 when never.
    pub recounted: u64,
    /// What is in here, by source.
    pub marks: BTreeMap<String, Mark>,
    /// Figures by series and minute (microseconds since 1970, a multiple of [`MINUTE`]).
    pub rows: BTreeMap<K, BTreeMap<u64, Figures>>,
}

impl<K: Ord> Default for Document<K> {
    fn default() -> Self {
        Self { revision: 0, recounted: 0, marks: BTreeMap::new(), rows: BTreeMap::new() }
    }
}

/// The start of the interval that a time (microseconds since 1970) lies in.
pub fn interval_of(time: u64) -> u64 {
    time - time % INTERVAL
}

impl<K: Key> Document<K> {
    /// Adds figures of one minute.
    pub fn add(&mut self, key: &K, minute: u64, figures: &Figures) {
        if let Some(row) = self.rows.get_mut(key) {
            row.entry(minute).or_default().add(figures);
        } else {
            self.rows.insert(key.clone(), BTreeMap::from([(minute, figures.clone())]));
        }
    }

    /// Leaves each series one exemplar, the slowest: they take more room than all the figures.
    pub fn keep_slowest(&mut self) {
        for minutes in self.rows.values_mut() {
            let slowest = minutes.values().filter_map(|f| f.exemplar).max_by_key(|e| (e.duration, e.span_id));
            minutes.values_mut().filter(|f| f.exemplar != slowest).for_each(|f| f.exemplar = None);
        }
    }

    /// The bytes to keep.
    ///
    /// # Errors
    /// Internal, if zstd fails.
    pub fn encode(&self, interval: u64) -> Result<Bytes, StoreError> {
        let mut places: HashMap<&str, u32> = HashMap::new();
        let mut names = Vec::new();
        let mut place = |name| {
            *places.entry(name).or_insert_with(|| {
                names.push(String::from(name));
                names.len() as u32 - 1
            })
        };
        let mut rows = Vec::with_capacity(self.rows.len());
        for (key, minutes) in &self.rows {
            let (first, second, kind, status) = key.parts();
            let mut row = proto::Row { first: place(first), second: place(second), kind, status, ..proto::Row::default() };
            for (minute, figures) in minutes {
                put_figures(&mut row, minute.saturating_sub(interval) / MINUTE, *minute, figures);
            }
            if row.errors.iter().all(|errors| *errors == 0) {
                row.errors.clear();
            }
            rows.push(row);
        }
        let marks = self.marks.iter();
        let marks = marks.map(|(source, m)| proto::Mark { source: source.clone(), offset: m.offset, epoch: m.epoch }).collect();
        let document = proto::Document { revision: self.revision, recounted: self.recounted, marks, names, rows };
        let packed = zstd::bulk::compress(&document.encode_to_vec(), LEVEL);
        packed.map(Bytes::from).map_err(|e| StoreError::new(ErrorKind::Internal, "compress roll-ups").caused_by(e))
    }

    /// Reads what [`Document::encode`] made. Rows of a kind that this version does not know are left out.
    ///
    /// # Errors
    /// Corrupt bytes.
    pub fn decode(interval: u64, bytes: &[u8]) -> Result<Self, StoreError> {
        let torn = |why: String| torn(K::KIND, interval, why);
        let plain = zstd::bulk::decompress(bytes, size(K::KIND, interval, bytes)?).map_err(|e| torn(e.to_string()))?;
        let document = proto::Document::decode(&*plain).map_err(|e| torn(e.to_string()))?;
        let name = |place: u32| document.names.get(place as usize).cloned().ok_or_else(|| torn(format!("no name {place}")));
        let mut rows = BTreeMap::new();
        for row in &document.rows {
            let Some(key) = K::of(name(row.first)?, name(row.second)?, row.kind, row.status) else { continue };
            rows.insert(key, figures(row, interval).ok_or_else(|| torn("a row is cut off".to_owned()))?);
        }
        let marks = document.marks.into_iter().map(|m| (m.source, Mark { offset: m.offset, epoch: m.epoch })).collect();
        Ok(Self { revision: document.revision, recounted: document.recounted, marks, rows })
    }
}

fn torn(kind: RollupKind, interval: u64, why: impl Display) -> StoreError {
    StoreError::new(ErrorKind::Internal, format!("read the roll-ups ({}) of {interval}: {why}", kind.name()))
}

/// Bytes of a document before it was compressed, as its head tells: what is too large is not begun with.
fn size(kind: RollupKind, interval: u64, bytes: &[u8]) -> Result<usize, StoreError> {
    let size = zstd::zstd_safe::get_frame_content_size(bytes).ok().flatten();
    match size.ok_or_else(|| torn(kind, interval, "it is not compressed as roll-ups are"))? {
        size if size > MOST_BYTES => Err(torn(kind, interval, format!("{size} bytes are too many"))),
        size => Ok(size as usize),
    }
}

fn put_figures(row: &mut proto::Row, number: u64, minute: u64, figures: &Figures) {
    row.minutes.push(number as u32);
    row.errors.push(figures.errors);
    row.sums.push(figures.latency.sum);
    row.lengths.push(figures.latency.buckets().len() as u32);
    let mut before = 0;
    for (bucket, spans) in figures.latency.buckets() {
        row.buckets.push(u32::from(bucket - before));
        row.counts.push(*spans);
        before = *bucket;
    }
    if let Some(e) = &figures.exemplar {
        row.exemplars.push(proto::Exemplar {
            minute: number as u32,
            trace_id: e.trace_id.to_vec(),
            span_id: e.span_id.to_vec(),
            duration: e.duration,
            start: e.start.saturating_sub(minute),
        });
    }
}

/// `None` for lists of lengths that do not match.
fn figures(row: &proto::Row, interval: u64) -> Option<BTreeMap<u64, Figures>> {
    let (mut minutes, mut at) = (BTreeMap::new(), 0_usize);
    for (i, number) in row.minutes.iter().enumerate() {
        let length = *row.lengths.get(i)? as usize;
        let gaps = row.buckets.get(at..at.checked_add(length)?)?;
        let counts = row.counts.get(at..at + length)?;
        at += length;
        let mut bucket = 0_u8;
        let mut buckets = Vec::with_capacity(length);
        for (gap, count) in gaps.iter().zip(counts) {
            bucket = bucket.checked_add(u8::try_from(*gap).ok()?)?;
            buckets.push((bucket, *count));
        }
        let errors = row.errors.get(i).copied().unwrap_or(0);
        let latency = Histogram::new(*row.sums.get(i)?, buckets);
        minutes.insert(interval + u64::from(*number) * MINUTE, Figures { latency, errors, exemplar: None });
    }
    for e in &row.exemplars {
        let minute = interval + u64::from(e.minute) * MINUTE;
        let (trace_id, span_id) = (e.trace_id.as_slice().try_into().ok()?, e.span_id.as_slice().try_into().ok()?);
        let exemplar = Exemplar { trace_id, span_id, start: minute + e.start, duration: e.duration };
        minutes.get_mut(&minute)?.exemplar = Some(exemplar);
    }
    Some(minutes)
}

#[cfg(test)]
mod tests;
mod visit;

pub use visit::{Minute, Row, Visits};
