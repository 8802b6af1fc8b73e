//! The traces that all conditions name.
//!
//! A span that meets all conditions has, in the stream of each, a posting between its start and a
//! [`CELL`](crate::index::layout::CELL) later: so its trace is named by all of them within a cell. The streams are read side by side
//! from the latest time down, and what was seen is forgotten a cell later: memory is bounded by what lies in a cell.
//!
//! A stream that is much denser than the sparsest one costs more to read than it saves: the traces are read anyway, and checked.

use super::partition::{Posting, Times};
use super::stream::Stream;
use crate::index::layout::CELL;
use crate::store::CassandraStore;
use foldhash::HashMap;
use futures::future::try_join_all;
use skua_model::TraceId;
use skua_store::StoreError;

/// Reading a trace costs about as much as so many postings.
const WORTH: f64 = 30.0;
/// Entries that are looked through for old ones.
const MANY: usize = 4096;

/// Candidates of one service.
pub(super) struct Join {
    streams: Vec<Stream>,
    /// For each trace the time of its last posting in each stream.
    seen: HashMap<TraceId, Vec<Option<u64>>>,
    forget_at: usize,
    /// What a stream that was given up leaves behind.
    left: Vec<Posting>,
    /// What is read when no stream can be relied on.
    all: All,
    /// Rows read so far.
    pub rows: usize,
}

/// All spans of a service or operation, from a time down.
struct All {
    service: String,
    operation: String,
    times: Times,
}

impl All {
    fn stream(&self) -> Stream {
        Stream::of_names(&self.service, &self.operation, self.times)
    }
}

impl Join {
    /// Begins to read the streams of a service's conditions, and leaves out those that are too dense to be of use. `more` are read
    /// only if none of the others ends with its first page. Without a stream it goes by all spans of the service or operation.
    pub async fn start(
        store: &CassandraStore,
        mut streams: Vec<Stream>,
        mut more: Vec<Stream>,
        (service, operation): (&str, &str),
        times: Times,
    ) -> Result<Self, StoreError> {
        let all = All { service: service.to_owned(), operation: operation.to_owned(), times };
        let mut rows: usize = try_join_all(streams.iter_mut().map(|s| s.fill(store))).await?.into_iter().sum();
        if !streams.iter().any(Stream::is_read) {
            rows += try_join_all(more.iter_mut().map(|s| s.fill(store))).await?.into_iter().sum::<usize>();
            streams.append(&mut more);
        }
        if streams.iter().any(|s| s.is_read() && s.peek().is_none() && !s.is_overflown()) {
            streams.clear(); // one condition is met by nothing
            return Ok(Self { streams, seen: HashMap::default(), forget_at: MANY, left: Vec::new(), all, rows });
        }
        let sound = streams.iter().filter(|s| !s.is_overflown());
        let sparsest = sound.map(Stream::density).fold(f64::INFINITY, f64::min);
        streams.retain(|s| !s.is_overflown() && s.density() <= sparsest * WORTH);
        if streams.is_empty() {
            streams.push(all.stream()); // the one that there was has too many
        }
        Ok(Self { streams, seen: HashMap::default(), forget_at: MANY, left: Vec::new(), all, rows })
    }

    /// The trace that is named next, latest first. One may come again.
    pub async fn next(&mut self, store: &CassandraStore) -> Result<Option<Posting>, StoreError> {
        loop {
            if let Some(posting) = self.left.pop() {
                return Ok(Some(posting));
            }
            if self.streams.iter().any(|s| s.peek().is_none() && !s.is_read()) {
                self.rows += try_join_all(self.streams.iter_mut().map(|s| s.fill(store))).await?.into_iter().sum::<usize>();
            }
            if self.streams.iter().any(Stream::is_overflown) {
                self.give_up();
                continue;
            }
            let heads = self.streams.iter().enumerate().filter_map(|(i, s)| s.peek().map(|p| (p.at, i)));
            let Some((_, latest)) = heads.max() else { return Ok(None) };
            let Some(posting) = self.streams[latest].pop() else { return Ok(None) };
            self.all.times.to = self.all.times.to.min(posting.at.saturating_add(CELL));
            if self.completes(latest, posting) {
                return Ok(Some(posting));
            }
        }
    }

    /// Goes on without a stream that cannot be relied on any more: what waited for it is a candidate now.
    fn give_up(&mut self) {
        self.streams.retain(|s| !s.is_overflown());
        if self.streams.is_empty() {
            self.streams.push(self.all.stream());
        }
        let waiting = std::mem::take(&mut self.seen).into_iter();
        self.left = waiting.filter_map(|(trace, at)| Some(Posting { at: at.into_iter().flatten().min()?, trace })).collect();
        self.left.sort_by_key(|p| p.at);
    }

    /// Whether the trace has now a posting in each stream within a cell.
    fn completes(&mut self, stream: usize, posting: Posting) -> bool {
        if self.streams.len() == 1 {
            return true;
        }
        self.forget(posting.at);
        let times = self.seen.entry(posting.trace).or_insert_with(|| vec![None; self.streams.len()]);
        times[stream] = Some(posting.at);
        times.iter().all(|at| at.is_some_and(|at| at - posting.at <= CELL))
    }

    fn forget(&mut self, now: u64) {
        if self.seen.len() < self.forget_at {
            return;
        }
        self.seen.retain(|_, times| times.iter().flatten().any(|at| *at - now <= CELL));
        self.forget_at = MANY.max(2 * self.seen.len());
    }
}
