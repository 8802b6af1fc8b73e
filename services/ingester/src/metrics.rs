//! Jaeger's names for what an ingester's workers do; the consumer's own are in `libs/kafka`.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// `jaeger_ingester_span_processor_*`. Jaeger counts messages; here a try is one chunk of them.
#[derive(Debug)]
pub struct IngesterMetrics {
    /// Writes that failed.
    pub(crate) errors: Counter,
    /// Writes that were tried again.
    pub(crate) retries: Counter,
    /// Seconds from a chunk's arrival until it is stored.
    pub(crate) latency: Histogram,
}

impl IngesterMetrics {
    /// Registers them all, and `retry_exhausted`, which stays 0: a store is waited for without end.
    pub fn new(registry: &mut Registry) -> Self {
        // Prometheus' default buckets.
        let latency = Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]);
        let metrics = Self { errors: Counter::default(), retries: Counter::default(), latency };
        let names = registry.sub_registry_with_prefix("jaeger_ingester_span_processor");
        names.register("errors", "Writes to the store that failed", metrics.errors.clone());
        names.register("retry_attempts", "Writes to the store that were tried again", metrics.retries.clone());
        names.register("retry_exhausted", "Messages given up after retries; none ever is", Counter::<u64>::default());
        names.register("latency", "Seconds from reading a chunk of messages until it is stored", metrics.latency.clone());
        metrics
    }
}
