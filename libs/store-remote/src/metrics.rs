//! Calls to a remote storage: `skua_remote_storage_calls_total{role,method,code}` and `skua_remote_storage_latency{role,method}` in
//! seconds.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::borrow::Cow;
use std::time::Instant;
use tonic::Code;

/// Prometheus' default buckets, in seconds.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    method: &'static str,
    code: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Method {
    method: &'static str,
}

/// The series of one store.
#[derive(Debug)]
pub(crate) struct Metrics {
    calls: Family<Outcome, Counter>,
    latency: Family<Method, Histogram, fn() -> Histogram>,
}

impl Metrics {
    /// `role` is `primary` or `archive`.
    pub fn register(registry: &mut Registry, role: &str) -> Self {
        let metrics = Self { calls: Family::default(), latency: Family::new_with_constructor(|| Histogram::new(BUCKETS)) };
        let role = std::iter::once((Cow::Borrowed("role"), Cow::Owned(role.to_owned())));
        let registry = registry.sub_registry_with_prefix("skua_remote_storage").sub_registry_with_labels(role);
        registry.register("calls", "Calls to the remote storage by gRPC's code", metrics.calls.clone());
        registry.register("latency", "Seconds that a call to the remote storage took", metrics.latency.clone());
        metrics
    }

    /// Counts a call that began at `since`. One that was not answered in time counts as `DeadlineExceeded`.
    pub fn count(&self, method: &'static str, since: Instant, code: Code) {
        self.calls.get_or_create(&Outcome { method, code: format!("{code:?}") }).inc();
        self.latency.get_or_create(&Method { method }).observe(since.elapsed().as_secs_f64());
    }
}
