//! Counts and times the calls to a reader, under the names of Jaeger 1.76: `jaeger_storage_requests_total{kind,role,operation,result}`,
//! `jaeger_storage_latency{kind,role,operation,result}` in seconds and `jaeger_storage_responses{kind,role,operation}`.

use crate::{Found, FoundItem, FoundStream, Operation, SpanReader, SpanStream, StoreError, TraceQuery};
use async_trait::async_trait;
use futures::stream::{BoxStream, StreamExt};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use skua_model::{Trace, TraceId};
use std::sync::Arc;
use std::time::Instant;

/// Seconds: the default buckets of Prometheus' Go client, which Jaeger uses.
const LATENCY: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Numbers of results. Jaeger records n results as n nanoseconds in buckets of seconds, which tells nothing.
const RESPONSES: [f64; 11] = [0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];

/// What a reader is asked. Jaeger has `find_trace_ids` too, which Skua's readers do not offer.
#[derive(Debug, Clone, Copy)]
enum Call {
    FindTraces,
    GetTrace,
    GetServices,
    GetOperations,
}

/// In the order of [`Call`].
const CALLS: [&str; 4] = ["find_traces", "get_trace", "get_services", "get_operations"];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    kind: String,
    role: String,
    operation: &'static str,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    kind: String,
    role: String,
    operation: &'static str,
}

/// The metric families of all metered readers of a process.
#[derive(Debug, Clone)]
pub struct ReaderMetrics {
    requests: Family<Outcome, Counter>,
    latency: Family<Outcome, Histogram, fn() -> Histogram>,
    responses: Family<Asked, Histogram, fn() -> Histogram>,
}

impl ReaderMetrics {
    /// Registers the families, once a process, in a registry without a prefix.
    pub fn register(registry: &mut Registry) -> Self {
        let latency = || Histogram::new(LATENCY);
        let responses = || Histogram::new(RESPONSES);
        let metrics = Self {
            requests: Family::default(),
            latency: Family::new_with_constructor(latency),
            responses: Family::new_with_constructor(responses),
        };
        let storage = registry.sub_registry_with_prefix("jaeger_storage");
        storage.register("requests", "Calls to the span reader", metrics.requests.clone());
        storage.register("latency", "Seconds that a call to the span reader took", metrics.latency.clone());
        storage.register("responses", "Results of a successful call to the span reader", metrics.responses.clone());
        metrics
    }
}

/// A reader whose calls are counted.
#[derive(Debug)]
pub struct Metered<R: SpanReader + ?Sized> {
    inner: Arc<R>,
    /// In the order of [`Call`].
    calls: [Meters; 4],
}

/// The series of one call, looked up once.
#[derive(Debug)]
struct Meters {
    ok: (Counter, Histogram),
    err: (Counter, Histogram),
    responses: Histogram,
}

impl<R: SpanReader + ?Sized> Metered<R> {
    /// Wraps the one reader of a process, with the role `primary`, and registers its metrics: once a registry. `kind` is the
    /// storage type, such as `elasticsearch` or `memory`.
    pub fn new(inner: Arc<R>, kind: &str, registry: &mut Registry) -> Arc<Self> {
        Arc::new(Self::with(inner, &ReaderMetrics::register(registry), kind, "primary"))
    }

    /// Wraps one of several readers. `role` is `primary` or `archive`. All series exist from now on.
    pub fn with(inner: Arc<R>, metrics: &ReaderMetrics, kind: &str, role: &str) -> Self {
        let calls = CALLS.map(|operation| {
            let series = |result| {
                let labels = Outcome { kind: kind.to_owned(), role: role.to_owned(), operation, result };
                (metrics.requests.get_or_create_owned(&labels), metrics.latency.get_or_create_owned(&labels))
            };
            let asked = Asked { kind: kind.to_owned(), role: role.to_owned(), operation };
            Meters { ok: series("ok"), err: series("err"), responses: metrics.responses.get_or_create_owned(&asked) }
        });
        Self { inner, calls }
    }

    fn count<T>(&self, call: Call, since: Instant, answer: &Result<T, StoreError>, results: impl FnOnce(&T) -> usize) {
        self.calls[call as usize].count(since, answer.as_ref().ok().map(results));
    }

    /// Counts a stream when it ends, and when nobody wants the rest of it; `results` goes on counting.
    fn counted<'a, T: Send + 'a>(
        &'a self,
        call: Call,
        stream: BoxStream<'a, Result<T, StoreError>>,
        results: fn(usize, &T) -> usize,
    ) -> BoxStream<'a, Result<T, StoreError>> {
        let mut counting = Counting { meters: &self.calls[call as usize], since: Instant::now(), ok: true, results: 0 };
        stream.inspect(move |item| counting.item(item.as_ref().ok(), results)).boxed()
    }
}

impl Meters {
    /// `results` is `None` for a failure.
    fn count(&self, since: Instant, results: Option<usize>) {
        let (requests, latency) = if results.is_some() { &self.ok } else { &self.err };
        requests.inc();
        latency.observe(since.elapsed().as_secs_f64());
        if let Some(results) = results {
            self.responses.observe(results as f64);
        }
    }
}

/// A stream under way, counted when it is dropped.
struct Counting<'a> {
    meters: &'a Meters,
    since: Instant,
    ok: bool,
    results: usize,
}

impl Counting<'_> {
    fn item<T>(&mut self, item: Option<&T>, results: fn(usize, &T) -> usize) {
        match item {
            Some(item) => self.results = results(self.results, item),
            None => self.ok = false,
        }
    }
}

impl Drop for Counting<'_> {
    fn drop(&mut self) {
        self.meters.count(self.since, self.ok.then_some(self.results));
    }
}

#[async_trait]
impl<R: SpanReader + ?Sized> SpanReader for Metered<R> {
    async fn services(&self) -> Result<Vec<String>, StoreError> {
        let since = Instant::now();
        let answer = self.inner.services().await;
        self.count(Call::GetServices, since, &answer, Vec::len);
        answer
    }

    async fn operations(&self, service: &str, kind: &str) -> Result<Vec<Operation>, StoreError> {
        let since = Instant::now();
        let answer = self.inner.operations(service, kind).await;
        self.count(Call::GetOperations, since, &answer, Vec::len);
        answer
    }

    /// A trace that is not there counts as `err`, as in Jaeger.
    async fn trace(&self, id: TraceId) -> Result<Trace, StoreError> {
        let since = Instant::now();
        let answer = self.inner.trace(id).await;
        self.count(Call::GetTrace, since, &answer, |_| 1);
        answer
    }

    async fn find(&self, query: &TraceQuery) -> Result<Found, StoreError> {
        let since = Instant::now();
        let answer = self.inner.find(query).await;
        self.count(Call::FindTraces, since, &answer, |found| found.traces.len());
        answer
    }

    /// The time is until the last piece was taken.
    fn spans(&self, id: TraceId) -> SpanStream<'_> {
        self.counted(Call::GetTrace, self.inner.spans(id), |_, _| 1)
    }

    /// The time is until the last trace was taken.
    fn search(&self, query: TraceQuery) -> FoundStream<'_> {
        let results = |n, item: &FoundItem| n + usize::from(matches!(item, FoundItem::Trace(_)));
        self.counted(Call::FindTraces, self.inner.search(query), results)
    }

    fn searches_any_service(&self) -> bool {
        self.inner.searches_any_service()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{MemoryConfig, MemoryStore};

    /// Scenario: a fresh reader, then one call that succeeds and one that does not.
    /// Guarantees: every series is there from the start, and each call is counted once, under Jaeger's names.
    #[tokio::test]
    async fn series_exist_and_count() {
        let mut registry = Registry::default();
        let store = Arc::new(MemoryStore::new(MemoryConfig::default()));
        let reader: Arc<dyn SpanReader> = Metered::new(store, "memory", &mut registry);
        let text = || {
            let mut out = String::new();
            prometheus_client::encoding::text::encode(&mut out, &registry).unwrap();
            out
        };
        let line = |operation: &str, result: &str, n: u32| {
            let labels = format!("kind=\"memory\",role=\"primary\",operation=\"{operation}\",result=\"{result}\"");
            format!("jaeger_storage_requests_total{{{labels}}} {n}\n")
        };
        for (operation, result) in CALLS.into_iter().flat_map(|c| [(c, "ok"), (c, "err")]) {
            assert!(text().contains(&line(operation, result, 0)), "{operation} {result}\n{}", text());
        }
        assert!(reader.searches_any_service(), "as the reader within");
        assert!(reader.services().await.is_ok() && reader.trace(TraceId([1; 16])).await.is_err());
        assert!(text().contains(&line("get_services", "ok", 1)) && text().contains(&line("get_trace", "err", 1)));
        assert!(
            text().contains(
                "jaeger_storage_latency_count{kind=\"memory\",role=\"primary\",operation=\"get_trace\",result=\"err\"} 1"
            )
        );
        assert!(text().contains("jaeger_storage_responses_count{kind=\"memory\",role=\"primary\",operation=\"get_services\"} 1"));
    }
}
