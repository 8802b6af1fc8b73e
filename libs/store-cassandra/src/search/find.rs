//! The search itself.

use super::join::Join;
use super::matching::latest_match;
use super::partition::{Posting, Times};
use super::stream::Stream;
use crate::index::layout::CELL;
use crate::store::CassandraStore;
use foldhash::HashSet;
use futures::future::{BoxFuture, FutureExt, try_join_all};
use futures::stream::{FuturesOrdered, StreamExt, try_unfold};
use skua_model::{Trace, TraceId};
use skua_store::{ErrorKind, FoundItem, FoundStream, SpanReader, StoreError, TraceQuery};
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::sync::Arc;

/// Jaeger's limit of traces when none is given.
const DEFAULT_LIMIT: usize = 100;
/// Traces that are read side by side.
const SIDE_BY_SIDE: usize = 16;
/// Services that a search without a service goes through.
const MOST_SERVICES: usize = 500;
/// Rows of indices that one search reads.
const MOST_ROWS: usize = 5_000_000;

impl CassandraStore {
    /// Traces as soon as no candidate that is left can come before them.
    pub(crate) fn found(&self, query: TraceQuery) -> FoundStream<'_> {
        let steps = try_unfold(None, move |search| {
            let query = query.clone();
            async move {
                let mut search = match search {
                    Some(search) => search,
                    None => Search::start(self, query).await?,
                };
                Ok(search.next().await?.map(|item| (item, Some(search))))
            }
        });
        steps.boxed()
    }

    /// A trace, if it matches, after the start of its latest matching span. An index may name one that is not there: its spans were
    /// refused, or have expired.
    async fn candidate(&self, id: TraceId, query: &TraceQuery) -> Result<Option<Match>, StoreError> {
        match self.trace(id).await {
            Ok(trace) => Ok(latest_match(&trace, query).map(|at| (at, trace))),
            Err(e) if e.kind == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }
}

/// A trace that matches, after the start of its latest matching span.
type Match = (u64, Trace);

/// A search under way.
struct Search<'s> {
    store: &'s CassandraStore,
    query: Arc<TraceQuery>,
    candidates: Candidates,
    /// The first candidate that is not being read.
    next: Option<Posting>,
    tried: HashSet<TraceId>,
    /// Candidates being read, in order.
    reading: FuturesOrdered<BoxFuture<'s, Result<Option<Match>, StoreError>>>,
    /// Of those being read.
    postings: VecDeque<u64>,
    /// Starts of the latest matching spans, with their traces.
    found: Vec<Match>,
    /// Traces handed out.
    given: usize,
    limit: usize,
    partial: Option<String>,
}

impl<'s> Search<'s> {
    async fn start(store: &'s CassandraStore, query: TraceQuery) -> Result<Self, StoreError> {
        let mut candidates = Candidates::start(store, &query).await?;
        let next = candidates.next(store).await?;
        Ok(Self {
            store,
            candidates,
            next,
            tried: HashSet::default(),
            reading: FuturesOrdered::new(),
            postings: VecDeque::new(),
            found: Vec::new(),
            given: 0,
            limit: usize::try_from(query.limit).ok().filter(|limit| *limit > 0).unwrap_or(DEFAULT_LIMIT),
            query: Arc::new(query),
            partial: None,
        })
    }

    async fn next(&mut self) -> Result<Option<FoundItem>, StoreError> {
        while self.given < self.limit {
            self.read_more().await?;
            let latest_to_come = self.postings.front().copied().or(self.next.map(|p| p.at));
            let may_come = !self.reading.is_empty() || self.goes_on();
            if let Some(trace) = self.first(latest_to_come.filter(|_| may_come)) {
                self.given += 1;
                return Ok(Some(FoundItem::Trace(trace)));
            }
            match self.reading.next().await {
                Some(read) => {
                    self.postings.pop_front();
                    self.found.extend(read?);
                }
                None => break,
            }
        }
        Ok(self.partial.take().map(FoundItem::Partial))
    }

    /// Whether candidates that are not being read may be.
    fn goes_on(&self) -> bool {
        self.partial.is_none() && self.next.is_some_and(|p| !self.is_full(p.at))
    }

    /// Begins to read candidates, as far as it can be of use.
    async fn read_more(&mut self) -> Result<(), StoreError> {
        let most = self.store.config.search.max_traces_read.max(1);
        let wanted = self.limit.saturating_sub(self.given + self.found.len()).max(1);
        while let Some(posting) = self.next
            && self.reading.len() < SIDE_BY_SIDE.min(wanted)
            && self.goes_on()
        {
            if self.tried.len() >= most {
                self.partial = Some(format!(
                    "stopped after reading {most} traces (--cassandra.search.max-traces-read): narrow the search for older ones"
                ));
            } else if self.candidates.rows() > MOST_ROWS {
                self.partial =
                    Some(format!("stopped after reading {MOST_ROWS} rows of indices: narrow the search for older traces"));
            } else {
                if self.tried.insert(posting.trace) {
                    let (store, query) = (self.store, Arc::clone(&self.query));
                    self.reading.push_back(async move { store.candidate(posting.trace, &query).await }.boxed());
                    self.postings.push_back(posting.at);
                }
                self.next = self.candidates.next(self.store).await?;
            }
        }
        Ok(())
    }

    /// Whether no trace whose latest match is at `at` or before can be among the first.
    fn is_full(&self, at: u64) -> bool {
        self.given + self.found.iter().filter(|(found, _)| *found >= at).count() >= self.limit
    }

    /// The latest trace found, unless one to come, which matches at `to_come` or before, may come before it.
    fn first(&mut self, to_come: Option<u64>) -> Option<Trace> {
        let order = |(at, trace): &Match| (Reverse(*at), trace.spans.first().map(|s| s.trace_id));
        let (i, (at, _)) = self.found.iter().enumerate().min_by_key(|(_, found)| order(found))?;
        // Of equal times the smaller trace id comes first.
        to_come.is_none_or(|to_come| *at > to_come).then(|| self.found.swap_remove(i).1)
    }
}

/// The candidates of one service, or of all.
struct Candidates {
    joins: Vec<Join>,
    heads: Vec<Option<Posting>>,
}

impl Candidates {
    async fn start(store: &CassandraStore, query: &TraceQuery) -> Result<Self, StoreError> {
        let services = if query.service.is_empty() { store.services().await? } else { vec![query.service.clone()] };
        if services.len() > MOST_SERVICES {
            let text = format!(
                "Cassandra's indices are kept by service, and there are {}: name one (without, {MOST_SERVICES} are searched at most)",
                services.len()
            );
            return Err(StoreError::new(ErrorKind::Unsupported, text));
        }
        let times = Times { from: query.start_min, to: query.start_max.saturating_add(CELL) };
        let none = Self { joins: Vec::new(), heads: Vec::new() };
        if query.start_min > query.start_max {
            return Ok(none);
        }
        let start = |service: &String| {
            let (streams, more) = streams(store, service, query, times);
            let service = service.clone();
            async move { Join::start(store, streams, more, (&service, &query.operation), times).await }
        };
        let mut candidates = Self { joins: try_join_all(services.iter().map(start)).await?, ..none };
        let heads = try_join_all(candidates.joins.iter_mut().map(|join| join.next(store))).await?;
        candidates.heads = heads;
        Ok(candidates)
    }

    /// The latest of all.
    async fn next(&mut self, store: &CassandraStore) -> Result<Option<Posting>, StoreError> {
        let heads = self.heads.iter().enumerate().filter_map(|(i, head)| head.map(|p| (p.at, i)));
        let Some((_, i)) = heads.max() else { return Ok(None) };
        let next = self.joins[i].next(store).await?;
        Ok(std::mem::replace(&mut self.heads[i], next))
    }

    fn rows(&self) -> usize {
        self.joins.iter().map(|join| join.rows).sum()
    }
}

/// What is known of the conditions from indices: of the tags, and of the rest. A tag that is not indexed leaves no stream: the traces
/// are looked at.
fn streams(store: &CassandraStore, service: &str, query: &TraceQuery, times: Times) -> (Vec<Stream>, Vec<Stream>) {
    let indexed = query.tags.iter().filter(|(key, value)| store.filter.is_complete_for(key, value));
    let tags: Vec<Stream> = indexed.map(|(key, value)| Stream::of_tag(service, key, value, times)).collect();
    let mut more = Vec::new();
    if tags.is_empty() || !query.operation.is_empty() {
        more.push(Stream::of_names(service, &query.operation, times));
    }
    if query.duration_min > 0 {
        more.extend(Stream::of_duration(service, &query.operation, query.duration_min, times));
    }
    (tags, more)
}
