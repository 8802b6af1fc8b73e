//! The postings of one condition, latest first.

use super::partition::{Partition, Posting, Times, not_an_id, signed};
use crate::cql::{Cells, put, put_i32, put_i64};
use crate::decode::trace_id;
use crate::error;
use crate::index::layout::{self, BUCKETS, CELL, HOUR, OPERATION_KEY, SERVICE_KEY};
use crate::index::rows::Table;
use crate::store::CassandraStore;
use futures::TryStreamExt;
use futures::future::try_join_all;
use skua_store::StoreError;
use std::collections::VecDeque;
use std::time::Instant;

/// Hours of `duration_index` that one search reads; a longer one goes by the other indices.
const MOST_HOURS: u64 = 24 * 31;
/// Rows of an hour of `duration_index`: where more spans are so long, it is no help to know them.
const MOST_OF_AN_HOUR: usize = 20_000;
/// Hours that are read side by side.
const HOURS_AT_ONCE: usize = 16;

/// One condition's postings.
pub(super) struct Stream {
    source: Source,
    ready: VecDeque<Posting>,
    times: Times,
}

enum Source {
    /// One partition has them all.
    One(Partition),
    Names(Names),
    Durations(Durations),
}

/// The spans of a service or operation: Jaeger's partitions, and ours of the hours in which those have rows.
struct Names {
    service: String,
    /// Empty for all.
    operation: String,
    lanes: Vec<Lane>,
    /// The hour of ours that was opened last.
    opened: Option<u64>,
}

/// A partition and what was read of it.
struct Lane {
    partition: Partition,
    read: VecDeque<Posting>,
}

/// Spans of a least duration, by the hour.
struct Durations {
    service: String,
    operation: String,
    least: u64,
    /// Buckets in milliseconds, the next at the end.
    hours: Vec<i64>,
    at_once: usize,
    /// An hour had too many.
    overflown: bool,
}

impl Stream {
    /// Spans with a tag.
    pub fn of_tag(service: &str, key: &str, value: &str, times: Times) -> Self {
        let partition = Partition::of_tag(service, key.as_bytes(), times, |out| out.extend_from_slice(value.as_bytes()));
        Self::new(Source::One(partition), times)
    }

    /// Spans of a service, or of one of its operations.
    pub fn of_names(service: &str, operation: &str, times: Times) -> Self {
        let lane = |partition| Lane { partition, read: VecDeque::new() };
        let lanes = if operation.is_empty() {
            let bucket = |bucket| {
                Partition::new(Table::ServiceName, times, |out| {
                    put(out, service.as_bytes());
                    put_i32(out, bucket);
                })
            };
            (0..BUCKETS).map(bucket).map(lane).collect()
        } else {
            vec![lane(Partition::new(Table::ServiceOperation, times, |out| {
                put(out, service.as_bytes());
                put(out, operation.as_bytes());
            }))]
        };
        let names = Names { service: service.to_owned(), operation: operation.to_owned(), lanes, opened: None };
        Self::new(Source::Names(names), times)
    }

    /// Spans that last so many microseconds at least. `None` for a time that is too long to read hour by hour.
    pub fn of_duration(service: &str, operation: &str, least: u64, times: Times) -> Option<Self> {
        // Buckets are rounded to the nearest hour.
        let bucket = |at: u64| layout::duration_bucket(at.saturating_mul(1000));
        let (first, last) = (bucket(times.from.saturating_sub(CELL)), bucket(times.to));
        let hour_ms = (HOUR / 1000) as i64;
        if (last - first) / hour_ms > MOST_HOURS as i64 {
            return None;
        }
        let hours = (0..=(last - first) / hour_ms).map(|i| first + i * hour_ms).collect();
        let (service, operation) = (service.to_owned(), operation.to_owned());
        let durations = Durations { service, operation, least, hours, at_once: 2, overflown: false };
        Some(Self::new(Source::Durations(durations), times))
    }

    fn new(source: Source, times: Times) -> Self {
        Self { source, ready: VecDeque::new(), times }
    }

    /// The next posting; `None` at the end.
    pub fn peek(&self) -> Option<Posting> {
        self.ready.front().copied()
    }

    pub fn pop(&mut self) -> Option<Posting> {
        self.ready.pop_front()
    }

    /// True when nothing more can be read.
    pub fn is_read(&self) -> bool {
        match &self.source {
            Source::One(partition) => partition.is_done(),
            Source::Names(names) => names.lanes.iter().all(|lane| lane.partition.is_done() && lane.read.is_empty()),
            Source::Durations(durations) => durations.hours.is_empty() || durations.overflown,
        }
    }

    /// True when postings are missing: the stream cannot be relied on.
    pub fn is_overflown(&self) -> bool {
        matches!(&self.source, Source::Durations(durations) if durations.overflown)
    }

    /// Reads until there is a posting, or none is left. Returns how many rows were read.
    pub async fn fill(&mut self, store: &CassandraStore) -> Result<usize, StoreError> {
        let mut read = 0;
        while self.ready.is_empty() && !self.is_read() {
            read += match &mut self.source {
                Source::One(partition) => partition.read(store, &mut self.ready).await?,
                Source::Names(names) => names.read(store, self.times, &mut self.ready).await?,
                Source::Durations(durations) => durations.read(store, self.times, &mut self.ready).await?,
            };
        }
        Ok(read)
    }

    /// Postings in a microsecond, as far as can be told from what was read so far.
    pub fn density(&self) -> f64 {
        let from = if self.is_read() { self.times.from } else { self.ready.back().map_or(self.times.from, |last| last.at) };
        self.ready.len() as f64 / (self.times.to.saturating_sub(from)).max(1) as f64
    }
}

impl Names {
    /// Reads pages where one is missing, and hands over what is in order then.
    async fn read(&mut self, store: &CassandraStore, times: Times, into: &mut VecDeque<Posting>) -> Result<usize, StoreError> {
        let mut read = fill(&mut self.lanes, store).await?;
        while let Some((at, lane)) = self.latest() {
            let hour = layout::hour(at);
            if self.opened != Some(hour) {
                self.opened = Some(hour);
                self.lanes.push(Lane { partition: self.ours(hour, times), read: VecDeque::new() });
                read += fill(&mut self.lanes, store).await?;
                continue;
            }
            into.extend(self.lanes[lane].read.pop_front());
            if self.lanes[lane].read.is_empty() {
                if !self.lanes[lane].partition.is_done() {
                    break;
                }
                self.lanes.remove(lane);
            }
        }
        Ok(read)
    }

    /// The latest posting that is at hand, and its lane. A lane with nothing at hand has nothing at all.
    fn latest(&self) -> Option<(u64, usize)> {
        let fronts = self.lanes.iter().enumerate().filter_map(|(i, lane)| lane.read.front().map(|p| (p.at, i)));
        fronts.max()
    }

    fn ours(&self, hour: u64, times: Times) -> Partition {
        let within = Times { from: times.from.max(hour * HOUR), to: times.to.min((hour + 1) * HOUR - 1) };
        let operation = (!self.operation.is_empty()).then_some(self.operation.as_bytes());
        let key = if operation.is_some() { OPERATION_KEY } else { SERVICE_KEY };
        Partition::of_tag(&self.service, key, within, |out| layout::put_hour_value(out, hour, operation))
    }
}

/// Reads a page in each lane that has nothing at hand and is not at its end.
async fn fill(lanes: &mut [Lane], store: &CassandraStore) -> Result<usize, StoreError> {
    let empty = lanes.iter_mut().filter(|lane| lane.read.is_empty() && !lane.partition.is_done());
    let read = try_join_all(empty.map(|lane| lane.partition.read(store, &mut lane.read))).await?;
    Ok(read.into_iter().sum())
}

impl Durations {
    async fn read(&mut self, store: &CassandraStore, times: Times, into: &mut VecDeque<Posting>) -> Result<usize, StoreError> {
        let some = self.hours.split_off(self.hours.len().saturating_sub(self.at_once));
        self.at_once = (self.at_once * 2).min(HOURS_AT_ONCE);
        let read = try_join_all(some.iter().rev().map(|hour| self.hour(store, *hour))).await?;
        let mut rows = 0;
        for hour in read {
            rows += hour.len();
            self.overflown |= hour.len() >= MOST_OF_AN_HOUR;
            let mut hour: Vec<Posting> = hour.into_iter().filter(|p| (times.from..=times.to).contains(&p.at)).collect();
            hour.sort_by_key(|p| std::cmp::Reverse(p.at));
            into.extend(hour);
        }
        Ok(rows)
    }

    async fn hour(&self, store: &CassandraStore, bucket: i64) -> Result<Vec<Posting>, StoreError> {
        const DOING: &str = "search the index of durations";
        let connected = store.connected().await?;
        let mut values = Vec::new();
        put(&mut values, self.service.as_bytes());
        put(&mut values, self.operation.as_bytes());
        put_i64(&mut values, bucket);
        put_i64(&mut values, signed(self.least));
        let _permit = store.permit().await?;
        let started = Instant::now();
        let rows = async {
            let statement = connected.statements.durations.clone();
            let pages = connected.session.execute_iter(statement, Cells(&values)).await;
            let pages = pages.map_err(|e| error::of_paging(DOING, e))?;
            let mut pages = pages.rows_stream::<(i64, i64, Vec<u8>)>().map_err(|e| error::unreadable(DOING, e))?;
            let mut postings = Vec::new();
            while let Some((_, at, trace)) = pages.try_next().await.map_err(|e| error::of_paging(DOING, e))? {
                let trace = trace_id(&trace).ok_or_else(not_an_id)?;
                postings.push(Posting { at: u64::try_from(at).unwrap_or(0), trace });
                if postings.len() == MOST_OF_AN_HOUR {
                    break;
                }
            }
            Ok(postings)
        };
        let rows = rows.await;
        store.metrics.read.of(Table::Duration).count(1, started, rows.is_ok());
        rows
    }
}
