//! Counts a period anew from the spans that a store holds, beside those who count what comes.
//!
//! Every span counts in the minute in which it started, by the same rules as on its way in, but with the whole of its trace known. An
//! interval is read in pieces of time and service by service, so that neither the traces nor their ids have to be held.
//!
//! A document is replaced only if nobody changed it since before the spans were read, and after a pause in which everybody who counts
//! has saved what it had by then: what comes later is not among the spans that were read, and is added to the new figures.

use crate::count::{Facts, Names, Only, Partition, Position, Shared, Totals};
use crate::document::{Document, INTERVAL, Key, LinkKey, SeriesKey, interval_of};
use crate::flush::{Flusher, Stores};
use crate::metrics::RollupMetrics;
use crate::now_ms;
use futures::TryStreamExt;
use prometheus_client::registry::Registry;
use skua_model::Trace;
use skua_store::rollups::Version;
use skua_store::{ErrorKind, FoundItem, SpanReader, StoreError, TraceQuery};
use std::sync::Arc;
use std::time::Duration;

/// Intervals whose figures are held until the pause is over.
const TOGETHER: usize = 144;
/// Traces of one search; of more, the time is cut in two.
const PAGE: i32 = 500;
/// How often an interval that others keep changing is counted again.
const TRIES: usize = 5;

/// What to count anew.
pub struct Recount {
    reader: Arc<dyn SpanReader>,
    stores: Stores,
    flusher: Flusher,
    /// Longer than anybody waits before he saves.
    pause: Duration,
    max_series: usize,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The interval that starts then was counted: spans, and calls from one service to another.
    Counted {
        /// Microseconds since 1970.
        interval: u64,
        /// Spans.
        spans: u64,
        /// Calls.
        calls: u64,
    },
    /// All that was counted waits for those who count to save.
    Waiting,
    /// The interval's documents were replaced.
    Saved {
        /// Microseconds since 1970.
        interval: u64,
    },
    /// The store has no span of the interval any more: its figures stay.
    Kept {
        /// Microseconds since 1970.
        interval: u64,
    },
    /// Somebody changed the interval meanwhile: it is counted again.
    Again {
        /// Microseconds since 1970.
        interval: u64,
    },
}

/// The figures of one interval, and what they may replace.
struct Counted {
    interval: u64,
    red: Document<SeriesKey>,
    links: Document<LinkKey>,
    red_was: Option<Version>,
    links_was: Option<Version>,
}

impl Recount {
    /// `pause` has to be longer than anybody who counts for these stores waits before he saves.
    pub fn new(reader: Arc<dyn SpanReader>, stores: Stores, pause: Duration, max_series: usize) -> Self {
        let flusher = Flusher::new(stores.clone(), RollupMetrics::register(&mut Registry::default()));
        Self { reader, stores, flusher, pause, max_series }
    }

    /// Counts the intervals that begin between `from` and `until` (microseconds since 1970; `until` itself not among them), and tells of
    /// each step.
    ///
    /// # Errors
    /// As the stores; and Overloaded for an interval that others keep changing. What was saved up to then stays.
    pub async fn run(&self, from: u64, until: u64, mut tell: impl FnMut(Step) + Send) -> Result<(), StoreError> {
        let all: Vec<u64> = (interval_of(from)..until).step_by(INTERVAL as usize).collect();
        for some in all.chunks(TOGETHER) {
            let mut left = some.to_vec();
            for _ in 0..TRIES {
                left = self.round(&left, &mut tell).await?;
                if left.is_empty() {
                    break;
                }
            }
            if let Some(interval) = left.first() {
                let text = format!("recount the interval {interval}: others keep changing it; try again later");
                return Err(StoreError::new(ErrorKind::Overloaded, text));
            }
        }
        Ok(())
    }

    /// Counts and saves some intervals; returns those that somebody changed meanwhile.
    async fn round(&self, intervals: &[u64], tell: &mut (impl FnMut(Step) + Send)) -> Result<Vec<u64>, StoreError> {
        let services = self.reader.services().await?;
        let mut counted = Vec::new();
        for interval in intervals {
            let one = self.count(*interval, &services).await?;
            let (spans, calls) = (total(&one.red), total(&one.links));
            tell(Step::Counted { interval: *interval, spans, calls });
            match (spans, &one.red_was, &one.links_was) {
                (0, None, None) => {}
                (0, ..) => tell(Step::Kept { interval: *interval }),
                _ => counted.push(one),
            }
        }
        if counted.is_empty() {
            return Ok(Vec::new());
        }
        tell(Step::Waiting);
        tokio::time::sleep(self.pause).await;
        let mut again = Vec::new();
        for one in counted {
            let interval = one.interval;
            let saved =
                self.save(interval, &one.red, one.red_was).await? && self.save(interval, &one.links, one.links_was).await?;
            if saved {
                self.flusher.tell_jaeger(interval, &one.links).await?;
                tell(Step::Saved { interval });
            } else {
                tell(Step::Again { interval });
                again.push(interval);
            }
        }
        Ok(again)
    }

    /// Saves new figures over a version; false if there is another by now.
    async fn save<K: Key>(&self, interval: u64, new: &Document<K>, was: Option<Version>) -> Result<bool, StoreError> {
        let body = new.encode(interval)?;
        self.stores.rollups.save_rollup(K::KIND, interval, body, was).await
    }

    async fn count(&self, interval: u64, services: &[String]) -> Result<Counted, StoreError> {
        let (mut red, red_was) = self.before::<SeriesKey>(interval).await?;
        let (mut links, links_was) = self.before::<LinkKey>(interval).await?;
        let mut names = Names::new(self.max_series);
        let hasher = foldhash::quality::RandomState::default();
        let mut totals = Totals::default();
        let mut shared = Shared { names: &mut names, totals: &mut totals, hasher: &hasher };
        for service in services {
            let (mut at, mut length, mut page) = (interval, INTERVAL, PAGE);
            while at < interval + INTERVAL {
                let end = (at + length).min(interval + INTERVAL);
                let Some(traces) = self.find(service, at, end, page).await? else {
                    // Too many: half of the time, or if that cannot be, more of them at once.
                    if end - at > 1 {
                        length = (end - at) / 2
                    } else {
                        page = page.saturating_mul(2)
                    }
                    continue;
                };
                for trace in &traces {
                    add(trace, service, at..end, &mut shared, &mut red, &mut links);
                }
                if traces.len() < page as usize / 4 {
                    length = (2 * length).min(INTERVAL);
                }
                (at, page) = (end, PAGE);
            }
        }
        red.keep_slowest();
        links.keep_slowest();
        Ok(Counted { interval, red, links, red_was, links_was })
    }

    /// An empty document with the marks of the one that is there.
    async fn before<K: Key>(&self, interval: u64) -> Result<(Document<K>, Option<Version>), StoreError> {
        let Some(found) = self.stores.rollups.rollup(K::KIND, interval).await? else {
            return Ok((Document { revision: 1, recounted: now_ms() * 1000, ..Document::default() }, None));
        };
        let old = Document::<K>::decode(interval, &found.body)?;
        let new = Document { revision: old.revision + 1, recounted: now_ms() * 1000, marks: old.marks, ..Document::default() };
        Ok((new, Some(found.version)))
    }

    /// All traces with a span of the service that started then; `None` if there are more than a page.
    async fn find(&self, service: &str, from: u64, until: u64, page: i32) -> Result<Option<Vec<Trace>>, StoreError> {
        let query = TraceQuery {
            service: service.to_owned(),
            operation: String::new(),
            tags: Vec::new(),
            start_min: from,
            start_max: until - 1,
            duration_min: 0,
            duration_max: 0,
            limit: page,
        };
        let mut found = self.reader.search(query);
        let mut traces = Vec::new();
        while let Some(item) = found.try_next().await? {
            match item {
                FoundItem::Trace(trace) => traces.push(trace),
                FoundItem::Partial(why) => {
                    let text = format!(
                        "recount the spans of {service} from {from} to {until}: the store's answer is not complete: {why}"
                    );
                    return Err(StoreError::new(ErrorKind::Unsupported, text));
                }
            }
            if traces.len() >= page as usize {
                return Ok(None);
            }
        }
        Ok(Some(traces))
    }
}

/// Adds what the spans of a service that started at a time contribute.
fn add(
    trace: &Trace,
    service: &str,
    start: std::ops::Range<u64>,
    shared: &mut Shared<'_>,
    red: &mut Document<SeriesKey>,
    links: &mut Document<LinkKey>,
) {
    let service = shared.names.service(service.as_bytes());
    // One epoch, which is not over before all spans have come; epoch 0 counts as saved.
    let from = Position { clock: 1, ..Position::default() };
    let mut partition = Partition::new(String::new(), from, 0, 1, 0).only(Only { service, start });
    for span in &trace.spans {
        let facts = Facts::of_span(span);
        let service = shared.names.service(facts.service);
        partition.span(&facts, shared.keys(&facts), service, 0, shared);
    }
    partition.settle(shared);
    for (minute, place, cell) in partition.red.cells() {
        red.add(&shared.names.series_key(place), minute, &cell.figures());
    }
    for (minute, place, cell) in partition.links.cells() {
        links.add(&shared.names.link_key(place), minute, &cell.figures());
    }
}

fn total<K: Ord>(document: &Document<K>) -> u64 {
    document.rows.values().flat_map(|minutes| minutes.values()).map(|f| f.latency.count()).sum()
}

#[cfg(test)]
mod tests;
