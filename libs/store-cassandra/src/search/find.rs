//! The search itself.

use super::join::Join;
use super::matching::latest_match;
use super::partition::{Posting, Times};
use super::stream::Stream;
use crate::index::layout::CELL;
use crate::store::CassandraStore;
use foldhash::HashSet;
use futures::future::try_join_all;
use futures::stream::{FuturesOrdered, StreamExt};
use skua_model::{Trace, TraceId};
use skua_store::{ErrorKind, Found, SpanReader, StoreError, TraceQuery};
use std::cmp::Reverse;

/// Jaeger's limit of traces when none is given.
const DEFAULT_LIMIT: usize = 100;
/// Traces that are read side by side.
const SIDE_BY_SIDE: usize = 16;
/// Services that a search without a service goes through.
const MOST_SERVICES: usize = 500;
/// Rows of indices that one search reads.
const MOST_ROWS: usize = 5_000_000;

impl CassandraStore {
    pub(crate) async fn search(&self, query: &TraceQuery) -> Result<Found, StoreError> {
        let mut candidates = Candidates::start(self, query).await?;
        let limit = usize::try_from(query.limit).ok().filter(|limit| *limit > 0).unwrap_or(DEFAULT_LIMIT);
        let most = self.config.search.max_traces_read.max(1);
        let (mut tried, mut reading) = (HashSet::default(), FuturesOrdered::new());
        // The start of each trace's latest matching span, with the trace.
        let mut found: Vec<(u64, Trace)> = Vec::new();
        let mut partial = Vec::new();
        let mut next = candidates.next(self).await?;
        loop {
            while let Some(posting) = next
                && reading.len() < SIDE_BY_SIDE.min(limit.saturating_sub(found.len()).max(1))
                && partial.is_empty()
                && !is_full(&found, limit, posting.at)
            {
                if tried.len() >= most {
                    partial.push(format!(
                        "stopped after reading {most} traces (--cassandra.search.max-traces-read): narrow the search for older ones"
                    ));
                } else if candidates.rows() > MOST_ROWS {
                    partial
                        .push(format!("stopped after reading {MOST_ROWS} rows of indices: narrow the search for older traces"));
                } else {
                    if tried.insert(posting.trace) {
                        reading.push_back(self.candidate(posting.trace, query));
                    }
                    next = candidates.next(self).await?;
                }
            }
            match reading.next().await {
                Some(read) => found.extend(read?),
                None => break,
            }
        }
        found.sort_by_key(|(at, trace)| (Reverse(*at), trace.spans.first().map(|s| s.trace_id)));
        found.truncate(limit);
        Ok(Found { traces: found.into_iter().map(|(_, trace)| trace).collect(), partial })
    }

    /// A trace, if it matches. An index may name one that is not there: its spans were refused, or have expired.
    async fn candidate(&self, id: TraceId, query: &TraceQuery) -> Result<Option<(u64, Trace)>, StoreError> {
        match self.trace(id).await {
            Ok(trace) => Ok(latest_match(&trace, query).map(|at| (at, trace))),
            Err(e) if e.kind == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }
}

/// Whether no trace whose latest match is at `at` or before can be among the first.
fn is_full(found: &[(u64, Trace)], limit: usize, at: u64) -> bool {
    found.iter().filter(|(found, _)| *found >= at).count() >= limit
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
