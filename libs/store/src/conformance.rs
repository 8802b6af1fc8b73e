//! One suite that every store passes. A store's own test calls [`run`], or [`run_case`] for each of [`CASES`].
//!
//! Names and trace ids differ from run to run and times are near now, so that a suite can run beside others on one server.
//! Only what all stores promise is asked: times in whole microseconds, tags in any order, values that survive ten digits.

mod abilities;
mod cases;
pub mod dependencies;
mod limits;
mod narrow;
pub mod rollups;
pub mod sampling;
mod search;
mod spans;
#[cfg(test)]
mod tests;
mod unindexed;

pub use abilities::Abilities;

use crate::{Found, SpanReader, SpanWriter, TraceQuery, Written};
use skua_model::{Span, SpanBatch, Trace, TraceId};
use spans::Spec;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// What `settle` returns; the same type as `futures::future::BoxFuture<()>`.
pub type Settled<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// The names of all cases.
pub const CASES: &[&str] = &[
    "services",
    "operations",
    "trace-by-id",
    "not-found",
    "typed-tags",
    "references",
    "logs",
    "warnings",
    "unicode",
    "large-trace",
    "one-microsecond",
    "duplicates",
    "shared-span-id",
    "search-service",
    "search-operation",
    "search-tags",
    "search-duration",
    "search-time",
    "search-combined",
    "search-one-span",
    "search-limit",
    "search-limit-tags",
    "search-limit-duration",
    "search-many-traces",
    "search-one-microsecond",
    "search-narrow",
    "search-unindexed",
    "search-any-service",
];

/// Runs all cases, one after the other. `settle` returns when everything written is visible to the reader.
///
/// # Panics
/// When the store breaks a promise; the message begins with the name of the case.
pub async fn run<'a>(
    abilities: Abilities,
    writer: &'a dyn SpanWriter,
    reader: &'a dyn SpanReader,
    settle: &'a (dyn Fn() -> Settled<'a> + Sync),
) {
    for case in CASES {
        run_case(case, abilities, writer, reader, settle).await;
    }
}

/// Runs one of [`CASES`].
///
/// # Panics
/// As [`run`], and when there is no such case.
pub async fn run_case<'a>(
    case: &str,
    abilities: Abilities,
    writer: &'a dyn SpanWriter,
    reader: &'a dyn SpanReader,
    settle: &'a (dyn Fn() -> Settled<'a> + Sync),
) {
    let bench = Bench::new(case, abilities, writer, reader, settle);
    match case {
        "services" => cases::services(&bench).await,
        "operations" => cases::operations(&bench).await,
        "trace-by-id" => cases::trace_by_id(&bench).await,
        "not-found" => cases::not_found(&bench).await,
        "typed-tags" => cases::typed_tags(&bench).await,
        "references" => cases::references(&bench).await,
        "logs" => cases::logs(&bench).await,
        "warnings" => cases::warnings(&bench).await,
        "unicode" => cases::unicode(&bench).await,
        "large-trace" => cases::large_trace(&bench).await,
        "one-microsecond" => cases::one_microsecond(&bench).await,
        "duplicates" => cases::duplicates(&bench).await,
        "shared-span-id" => cases::shared_span_id(&bench).await,
        "search-service" => search::service(&bench).await,
        "search-operation" => search::operation(&bench).await,
        "search-tags" => search::tags(&bench).await,
        "search-duration" => search::duration(&bench).await,
        "search-time" => search::time(&bench).await,
        "search-combined" => search::combined(&bench).await,
        "search-one-span" => search::one_span(&bench).await,
        "search-limit" => limits::limit(&bench).await,
        "search-limit-tags" => limits::tags(&bench).await,
        "search-limit-duration" => limits::duration(&bench).await,
        "search-many-traces" => limits::many_traces(&bench).await,
        "search-one-microsecond" => limits::one_microsecond(&bench).await,
        "search-narrow" => narrow::narrow(&bench).await,
        "search-unindexed" => unindexed::unindexed(&bench).await,
        "search-any-service" => search::any_service(&bench).await,
        _ => panic!("there is no case {case}"),
    }
}

/// The store under test, names of our own, and what to call a failure.
struct Bench<'a> {
    case: String,
    abilities: Abilities,
    writer: &'a dyn SpanWriter,
    reader: &'a dyn SpanReader,
    settle: &'a (dyn Fn() -> Settled<'a> + Sync),
    /// Nanoseconds since 1970 when the case began: no two are the same.
    run: u64,
    traces: AtomicU64,
}

impl<'a> Bench<'a> {
    fn new(
        case: &str,
        abilities: Abilities,
        writer: &'a dyn SpanWriter,
        reader: &'a dyn SpanReader,
        settle: &'a (dyn Fn() -> Settled<'a> + Sync),
    ) -> Self {
        let run = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64);
        Self { case: case.to_owned(), abilities, writer, reader, settle, run, traces: AtomicU64::new(0) }
    }

    /// A service name that nobody else has.
    fn service(&self, name: &str) -> String {
        format!("{name}-{:x}", self.run)
    }

    /// Microseconds since 1970, a minute ago, so that all spans have ended.
    fn start(&self) -> u64 {
        self.run / 1000 - 60_000_000
    }

    /// A trace id that nobody else has.
    fn trace_id(&self) -> TraceId {
        let low = self.traces.fetch_add(1, Ordering::Relaxed) + 1;
        TraceId((u128::from(self.run) << 64 | u128::from(low)).to_be_bytes())
    }

    /// A span of a fresh trace: `op` of `service`, starting a minute ago and lasting a millisecond.
    fn span(&self, service: &str) -> Spec {
        Spec::new(self.trace_id(), 1, self.service(service), self.start())
    }

    /// Writes all spans in one batch, settles, and returns what was written as a reader should return it.
    async fn write(&self, specs: &[Spec]) -> Vec<Span> {
        let batch = self.deliver(specs).await;
        (self.settle)().await;
        let mut spans = spans::owned(&batch);
        if !self.abilities.repeated_keys {
            spans.iter_mut().for_each(spans::keep_last_of_each_key);
        }
        spans::normal(&spans)
    }

    /// Writes all spans in one batch.
    async fn deliver(&self, specs: &[Spec]) -> SpanBatch {
        let batch = SpanBatch::parse(spans::encode(specs)).expect("the suite writes valid OTLP");
        assert_eq!(batch.len(), specs.len(), "{}: the suite's spans are sound", self.case);
        let written = self.writer.write(&batch).await;
        let written = written.unwrap_or_else(|e| panic!("{}: failed to write: {e}", self.case));
        assert_eq!(written, Written::all(&batch), "{}: all spans are stored", self.case);
        batch
    }

    /// A trace, which must be there.
    async fn trace(&self, id: TraceId) -> Vec<Span> {
        let trace = self.reader.trace(id).await.unwrap_or_else(|e| panic!("{}: failed to read trace {id}: {e}", self.case));
        self.in_order(&trace);
        spans::normal(&trace.spans)
    }

    fn in_order(&self, trace: &Trace) {
        assert!(trace.spans.is_sorted_by_key(|s| s.start_time / 1000), "{}: spans are in order of start", self.case);
    }

    /// A query for all traces of a service that this case wrote.
    fn query(&self, service: &str) -> TraceQuery {
        TraceQuery {
            service: self.service(service),
            operation: String::new(),
            tags: Vec::new(),
            start_min: self.start() - 60_000_000,
            start_max: self.start() + 120_000_000,
            duration_min: 0,
            duration_max: 0,
            limit: 100,
        }
    }

    async fn find(&self, query: &TraceQuery) -> Found {
        let found = self.reader.find(query).await.unwrap_or_else(|e| panic!("{}: failed to search {query:?}: {e}", self.case));
        assert!(found.partial.is_empty(), "{}: the answer to {query:?} is complete: {:?}", self.case, found.partial);
        found.traces.iter().for_each(|t| self.in_order(t));
        found
    }

    /// The ids of the traces that the query finds, in their order.
    async fn found(&self, query: &TraceQuery) -> Vec<TraceId> {
        let found = self.find(query).await;
        found.traces.iter().filter_map(|t| t.spans.first()).map(|s| s.trace_id).collect()
    }

    /// The query finds these traces, latest first.
    async fn expect(&self, what: &str, query: &TraceQuery, want: &[&Spec]) {
        let got = self.found(query).await;
        let want: Vec<TraceId> = want.iter().map(|s| s.trace_id).collect();
        assert_eq!(got, want, "{}: {what}: {query:?}", self.case);
    }
}
