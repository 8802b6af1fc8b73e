//! Limits, over a store that hands out pieces on command.

use super::*;
use crate::{LimitMetrics, Limits, Stores};
use async_trait::async_trait;
use futures::stream;
use skua_model::{Span, SpanId};
use skua_store::memory::{MemoryConfig, MemoryStore};
use skua_store::{FoundStream, Operation, SpanStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A trace of so many pieces of ten spans; counts the pieces taken. A search finds as many traces of a piece each.
struct Pieces {
    pieces: u64,
    taken: Arc<AtomicUsize>,
    /// No piece comes after so many.
    stuck: Option<u64>,
}

fn piece(n: u64) -> Vec<Span> {
    let span = |i: u64| Span { span_id: SpanId((n * 10 + i + 1).to_be_bytes()), start_time: n * 10 + i, ..Span::default() };
    (0..10).map(span).collect()
}

impl Pieces {
    fn each<T: Send + 'static>(&self, item: fn(u64) -> T) -> futures::stream::BoxStream<'_, Result<T, StoreError>> {
        let (taken, stuck) = (self.taken.clone(), self.stuck);
        stream::iter(0..self.pieces)
            .then(move |n| {
                let taken = taken.clone();
                async move {
                    if stuck.is_some_and(|at| n >= at) {
                        std::future::pending::<()>().await;
                    }
                    taken.fetch_add(1, Ordering::Relaxed);
                    Ok(item(n))
                }
            })
            .boxed()
    }
}

#[async_trait]
impl SpanReader for Pieces {
    async fn services(&self) -> Result<Vec<String>, StoreError> {
        Ok(vec![])
    }

    async fn operations(&self, _: &str, _: &str) -> Result<Vec<Operation>, StoreError> {
        Ok(vec![])
    }

    async fn trace(&self, id: TraceId) -> Result<Trace, StoreError> {
        skua_store::whole_trace(self.spans(id)).await
    }

    async fn find(&self, query: &TraceQuery) -> Result<Found, StoreError> {
        skua_store::all_found(self.search(query.clone())).await
    }

    fn spans(&self, _: TraceId) -> SpanStream<'_> {
        self.each(piece)
    }

    fn search(&self, _: TraceQuery) -> FoundStream<'_> {
        self.each(|n| FoundItem::Trace(Trace { spans: piece(n) }))
    }
}

const NONE: Limits = Limits { max_trace_size: 0, max_result_size: 0, max_memory: 0, max_concurrent: 0, timeout: Duration::ZERO };

fn service(pieces: u64, stuck: Option<u64>, limits: Limits) -> (QueryService, Arc<AtomicUsize>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let dependencies = Arc::new(MemoryStore::new(MemoryConfig::default()));
    let spans = Arc::new(Pieces { pieces, taken: taken.clone(), stuck });
    let stores = Stores { spans, dependencies, archive: None, metrics: None, rollups: None };
    (QueryService::with(stores, Duration::ZERO, limits, LimitMetrics::default()), taken)
}

fn query() -> TraceQuery {
    let (service, operation, tags) = (String::new(), String::new(), Vec::new());
    TraceQuery { service, operation, tags, start_min: 0, start_max: 1, duration_min: 0, duration_max: 0, limit: 0 }
}

fn is_met(service: &QueryService, limit: &str) -> bool {
    let mut registry = prometheus_client::registry::Registry::default();
    service.gate.metrics.register(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    text.contains(&format!("skua_query_limited_total{{limit=\"{limit}\"}} 1\n"))
}

/// Scenario: a trace of 100 pieces, a limit of 25 spans. Guarantees: 25 spans with a warning, no more than the third piece is read, and
/// it is counted.
#[tokio::test]
async fn a_giant_trace_is_cut() {
    let (service, taken) = service(100, None, Limits { max_trace_size: 25, ..NONE });
    let trace = service.trace(TraceId([1; 16]), true).await.unwrap();
    assert_eq!((trace.spans.len(), taken.load(Ordering::Relaxed)), (25, 3));
    let warning = "the trace has more than 25 spans, the rest is left out (--query.max-trace-size)";
    assert_eq!(trace.spans[0].warnings, [warning]);
    assert!(trace.spans[1..].iter().all(|s| s.warnings.is_empty()) && is_met(&service, "trace-size"));
}

#[tokio::test]
async fn a_large_answer_stops_and_says_so() {
    let one: usize = piece(0).iter().map(weight).sum();
    let (service, taken) = service(100, None, Limits { max_result_size: 3 * one, ..NONE });
    let found = service.find(&query(), true).await.unwrap();
    assert_eq!((found.traces.len(), taken.load(Ordering::Relaxed)), (3, 4));
    let why = format!("the answer stops at {} bytes of spans (--query.max-result-size): narrow the search", 3 * one);
    assert_eq!(found.partial, [why]);
    assert!(is_met(&service, "result-size"));
}

/// Scenario: room for two traces of a search, whose client does not read on. Guarantees: no more is read until the client takes what
/// is there; then all of it comes.
#[tokio::test]
async fn memory_is_given_back_as_an_answer_is_read() {
    let one: usize = piece(0).iter().map(weight).sum();
    let (service, taken) = service(50, None, Limits { max_memory: 2 * one.next_multiple_of(1024), ..NONE });
    let mut answers = service.answer(Wanted::Search(query()), true).await.unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(taken.load(Ordering::Relaxed) <= 4, "{taken:?}");
    let mut count = 0;
    while let Some(item) = answers.next().await {
        assert!(matches!(item.unwrap(), Item::Trace(held) if held.trace.spans.len() == 10));
        count += 1;
    }
    assert_eq!(count, 50);
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_ends() {
    let limits = Limits { timeout: Duration::from_secs(5), ..NONE };
    let (service, _) = service(3, Some(1), limits);
    let mut answers = service.answer(Wanted::Search(query()), true).await.unwrap();
    assert!(matches!(answers.next().await, Some(Ok(Item::Trace(_)))), "the first came in time");
    let e = answers.next().await.unwrap().unwrap_err();
    assert_eq!((e.kind, e.message.as_str()), (ErrorKind::Timeout, "the query took longer than 5s (--query.timeout)"));
    assert!(answers.next().await.is_none() && is_met(&service, "timeout"));
}

/// Scenario: a client takes the first trace of many and then nothing for longer than a query may take. Guarantees: the turn is another's
/// by then, and the client is told that what it has is not all.
#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_loses_its_turn() {
    let limits = Limits { timeout: Duration::from_secs(5), max_concurrent: 1, ..NONE };
    let (service, _) = service(50, None, limits);
    let mut answers = service.answer(Wanted::Search(query()), true).await.unwrap();
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(service.services().await.is_ok());
    let mut last = None;
    while let Some(item) = answers.next().await {
        last = Some(item);
    }
    assert_eq!(last.unwrap().unwrap_err().kind, ErrorKind::Timeout);
}

/// Scenario: a bug: reading a trace panics after the first. Guarantee: the answer does not look whole.
#[tokio::test]
async fn what_breaks_off_says_so() {
    let (service, _) = service(3, None, NONE);
    let mut answers = service.answer(Wanted::Search(query()), true).await.unwrap();
    answers.reading = Some(AbortOnDropHandle::new(tokio::spawn(async { panic!("a bug") })));
    let mut last = None;
    while let Some(item) = answers.next().await {
        last = Some(item);
    }
    assert_eq!(last.unwrap().unwrap_err().to_string(), "the query broke off");
}

/// Scenario: one query may run at a time; its client goes away while the store hangs. Guarantee: the next one's turn comes.
#[tokio::test]
async fn a_client_that_is_gone_ends_the_reading() {
    let (service, _) = service(3, Some(1), Limits { max_concurrent: 1, ..NONE });
    let answers = service.answer(Wanted::Search(query()), true).await.unwrap();
    drop(answers);
    assert_eq!(service.services().await.unwrap(), Vec::<String>::new());
}

/// Scenario: the only query that may run hangs. Guarantee: another is told that there are too many.
#[tokio::test(start_paused = true)]
async fn too_many_queries_wait_their_turn() {
    let (service, _) = service(3, Some(1), Limits { max_concurrent: 1, timeout: Duration::from_secs(5), ..NONE });
    let hanging = service.gate.enter().await.unwrap();
    let e = service.services().await.unwrap_err();
    assert_eq!(e.kind, ErrorKind::Overloaded, "{e}");
    assert!(is_met(&service, "concurrency"));
    drop(hanging);
    assert!(service.services().await.is_ok());
}
