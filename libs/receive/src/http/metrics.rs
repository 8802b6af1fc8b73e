//! Jaeger's metrics of its HTTP servers. The exporter adds `_total` to the names of counters.

use parking_lot::Mutex;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::collections::HashSet;
use std::time::Duration;

/// Sets of labels with a histogram of their own; the rest share one, as in Jaeger.
const MAX_SETS: usize = 1000;

/// Bytes of a path in a label; a longer one is counted with the rest, so that paths made up by a stranger stay small.
const MAX_PATH: usize = 128;

/// Prometheus' default buckets, in seconds.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: String,
    path: String,
    status: String,
}

/// `<prefix>_http_request_duration`: time from a request's header to its answer in seconds (port 14268 only).
///
/// Jaeger has `status="0"` for the 200 of `/api/sampling`; here it is 200.
#[derive(Debug)]
pub struct Requests {
    durations: Family<Request, Histogram, fn() -> Histogram>,
    other: Histogram,
    known: Mutex<HashSet<Request>>,
}

impl Requests {
    /// Registers under `prefix`, such as `jaeger_collector`.
    pub fn new(prefix: &str, registry: &mut Registry) -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        let durations = Family::new_with_constructor(histogram);
        registry.register(format!("{prefix}_http_request_duration"), "Duration of HTTP requests in seconds", durations.clone());
        let other = || "other".to_owned();
        let other = durations.get_or_create(&Request { method: other(), path: other(), status: other() }).clone();
        Self { durations, other, known: Mutex::default() }
    }

    pub(super) fn observe(&self, method: &str, path: String, status: u16, took: Duration) {
        let fits = path.len() <= MAX_PATH && method.len() <= MAX_PATH;
        let request = Request { method: method.to_owned(), path, status: status.to_string() };
        let fits = fits && {
            let mut known = self.known.lock();
            known.contains(&request) || (known.len() < MAX_SETS - 1 && known.insert(request.clone()))
        };
        let took = took.as_secs_f64();
        if fits { self.durations.get_or_create(&request).observe(took) } else { self.other.observe(took) }
    }
}

impl Default for Requests {
    /// Counts for nobody.
    fn default() -> Self {
        Self::new("", &mut Registry::default())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Type {
    r#type: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failure {
    source: &'static str,
    status: &'static str,
}

/// `<prefix>_http_server_requests` and `<prefix>_http_server_errors`: what remote samplers asked for and got.
#[derive(Debug)]
pub struct Sampling {
    answered: Counter,
    answered_legacy: Counter,
    refused: Counter,
    errors: Family<Failure, Counter>,
}

/// Why a remote sampler was answered 500.
#[derive(Debug, Clone, Copy)]
pub(super) enum ServerError {
    /// There is no strategy to be had.
    CollectorProxy,
    /// The strategy has no legacy form.
    Thrift,
}

impl Sampling {
    /// Registers under `prefix`, such as `jaeger_collector` or `jaeger_agent`.
    pub fn new(prefix: &str, registry: &mut Registry) -> Self {
        let (requests, errors) = (Family::<Type, Counter>::default(), Family::<Failure, Counter>::default());
        registry.register(format!("{prefix}_http_server_requests"), "Answers to remote samplers", requests.clone());
        registry.register(format!("{prefix}_http_server_errors"), "Errors told to remote samplers", errors.clone());
        let of = |r#type| requests.get_or_create(&Type { r#type }).clone();
        // Jaeger shows all of them from the start; `proto` and `write` cannot happen here.
        for source in ["collector-proxy", "proto", "thrift", "write"] {
            drop(errors.get_or_create(&Failure { source, status: "5xx" }));
        }
        let refused = errors.get_or_create(&Failure { source: "all", status: "4xx" }).clone();
        Self { answered: of("sampling"), answered_legacy: of("sampling-legacy"), refused, errors }
    }

    pub(super) fn answered(&self) {
        self.answered.inc();
    }

    pub(super) fn answered_legacy(&self) {
        self.answered_legacy.inc();
    }

    pub(super) fn refused(&self) {
        self.refused.inc();
    }

    pub(super) fn failed(&self, error: ServerError) {
        let source = match error {
            ServerError::CollectorProxy => "collector-proxy",
            ServerError::Thrift => "thrift",
        };
        self.errors.get_or_create(&Failure { source, status: "5xx" }).inc();
    }
}

impl Default for Sampling {
    /// Counts for nobody.
    fn default() -> Self {
        Self::new("", &mut Registry::default())
    }
}
