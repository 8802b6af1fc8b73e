//! Answering questions.

use crate::{ErrorKind, StoreError};
use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use skua_model::{Span, Trace, TraceId};

/// A search for traces. All conditions hold for one and the same span.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceQuery {
    /// Empty means any, where the store can search without one.
    pub service: String,
    /// Empty means any.
    pub operation: String,
    /// Key and value; all must match a tag of the span, of its process, or a field of one of its logs. On Elasticsearch
    /// the value is a Lucene regular expression over the whole value, as in Jaeger; in memory it is compared as text.
    pub tags: Vec<(String, String)>,
    /// Microseconds since 1970, inclusive; the span's start.
    pub start_min: u64,
    /// Microseconds since 1970, inclusive; the span's start.
    pub start_max: u64,
    /// Microseconds, inclusive; 0 means no bound.
    pub duration_min: u64,
    /// Microseconds, inclusive; 0 means no bound.
    pub duration_max: u64,
    /// Traces at most; 0 and less mean the store's default (Elasticsearch: 100; memory: no limit).
    pub limit: i32,
}

/// An operation of a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operation {
    /// The span name.
    pub name: String,
    /// `server`, `client`, … or empty when the store does not keep it (Elasticsearch does not, as in Jaeger).
    pub kind: String,
}

/// Traces that matched, and what the answer lacks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// In the order of their latest matching span, latest first; within a trace spans are in order of start.
    pub traces: Vec<Trace>,
    /// Why the answer is not complete; empty when it is.
    pub partial: Vec<String>,
}

/// Spans of one trace, piece by piece as the store hands them over; no piece is empty, and nothing follows an error.
pub type SpanStream<'a> = BoxStream<'a, Result<Vec<Span>, StoreError>>;

/// What a search finds, in the order of [`Found`]; nothing follows an error.
pub type FoundStream<'a> = BoxStream<'a, Result<FoundItem, StoreError>>;

/// One thing that a search finds.
#[derive(Debug, Clone, PartialEq)]
pub enum FoundItem {
    /// The next trace, whole.
    Trace(Trace),
    /// Why the answer is not complete.
    Partial(String),
}

/// What the query tier asks a store.
#[async_trait]
pub trait SpanReader: Send + Sync {
    /// Names of all services seen within the store's look-back. Sorted; empty when none.
    async fn services(&self) -> Result<Vec<String>, StoreError>;

    /// Operations of a service, sorted by name; of one span kind unless `kind` is empty. Empty for an unknown service.
    /// A store that keeps no kinds ignores `kind` and returns empty kinds.
    async fn operations(&self, service: &str, kind: &str) -> Result<Vec<Operation>, StoreError>;

    /// All spans of a trace, in order of start. [`ErrorKind::NotFound`](crate::ErrorKind) (`trace not found`) when there is none.
    async fn trace(&self, id: TraceId) -> Result<Trace, StoreError>;

    /// Whole traces of which at least one span matches.
    async fn find(&self, query: &TraceQuery) -> Result<Found, StoreError>;

    /// Whether [`SpanReader::find`] takes a query without a service, so that a UI offers it.
    fn searches_any_service(&self) -> bool {
        false
    }

    /// As [`trace`](Self::trace), but piece by piece, in order of start where the store keeps one (Cassandra does not). A reader that
    /// stops early costs no more than the pieces it took. By default one piece.
    fn spans(&self, id: TraceId) -> SpanStream<'_> {
        stream::once(async move { self.trace(id).await.map(|trace| trace.spans) }).boxed()
    }

    /// As [`find`](Self::find), but trace by trace as they are found. By default all at once.
    fn search(&self, query: TraceQuery) -> FoundStream<'_> {
        let items = |found: Found| {
            let traces = found.traces.into_iter().map(FoundItem::Trace);
            stream::iter(traces.chain(found.partial.into_iter().map(FoundItem::Partial)).map(Ok))
        };
        stream::once(async move { self.find(&query).await.map(items) }).try_flatten().boxed()
    }
}

/// [`SpanReader::trace`] of a reader that has its [`spans`](SpanReader::spans).
///
/// # Errors
/// As the stream.
pub async fn whole_trace(mut pieces: SpanStream<'_>) -> Result<Trace, StoreError> {
    let mut spans = Vec::new();
    while let Some(piece) = pieces.try_next().await? {
        if spans.is_empty() { spans = piece } else { spans.extend(piece) }
    }
    if spans.is_empty() {
        return Err(StoreError::new(ErrorKind::NotFound, "trace not found"));
    }
    spans.sort_by_key(|s| (s.start_time, s.span_id));
    Ok(Trace { spans })
}

/// [`SpanReader::find`] of a reader that has its [`search`](SpanReader::search).
///
/// # Errors
/// As the stream.
pub async fn all_found(mut items: FoundStream<'_>) -> Result<Found, StoreError> {
    let mut found = Found::default();
    while let Some(item) = items.try_next().await? {
        match item {
            FoundItem::Trace(trace) => found.traces.push(trace),
            FoundItem::Partial(why) => found.partial.push(why),
        }
    }
    Ok(found)
}
