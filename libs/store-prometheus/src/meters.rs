//! Counts what Prometheus is asked.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::time::Instant;

/// Seconds: Prometheus' default buckets.
const LATENCY: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    result: &'static str,
}

/// `skua_prometheus_requests_total{result}` and `skua_prometheus_request_duration_seconds`.
#[derive(Debug, Clone)]
pub(crate) struct Meters {
    ok: Counter,
    err: Counter,
    duration: Histogram,
}

impl Meters {
    /// Registers the metrics, once a process; all series exist from now on.
    pub fn register(registry: &mut Registry) -> Self {
        let requests = Family::<Labels, Counter>::default();
        let duration = Histogram::new(LATENCY);
        let ours = registry.sub_registry_with_prefix("skua_prometheus");
        ours.register("requests", "Requests to the Prometheus that RED metrics are read from", requests.clone());
        let help = "Time that such a request took, to the last byte of its answer";
        ours.register_with_unit("request_duration", help, Unit::Seconds, duration.clone());
        let series = |result| requests.get_or_create_owned(&Labels { result });
        Self { ok: series("ok"), err: series("err"), duration }
    }

    pub fn count(&self, since: Instant, ok: bool) {
        if ok { &self.ok } else { &self.err }.inc();
        self.duration.observe(since.elapsed().as_secs_f64());
    }
}
