//! Jaeger's metrics of adaptive sampling, and one of ours.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Prometheus' default buckets, in seconds.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The exporter adds `_total` to the names of counters.
#[derive(Debug)]
pub(super) struct Metrics {
    /// `jaeger_collector_sampling_operations_total`: operations counted, summed over the intervals.
    pub operations: Counter,
    /// `jaeger_collector_sampling_services_total`: services counted, summed over the intervals.
    pub services: Counter,
    /// `jaeger_collector_adaptive_sampling_processor_operations_calculated`: of the last calculation; 0 for a follower.
    pub calculated: Gauge,
    /// `jaeger_collector_adaptive_sampling_processor_calculate_probabilities`, in seconds.
    pub latency: Histogram,
    failures: Family<Failed, Counter>,
}

/// `skua_sampling_store_failures_total`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failed {
    call: &'static str,
}

impl Metrics {
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            operations: Counter::default(),
            services: Counter::default(),
            calculated: Gauge::default(),
            latency: Histogram::new(BUCKETS),
            failures: Family::default(),
        };
        let collector = registry.sub_registry_with_prefix("jaeger_collector");
        collector.register("sampling_operations", "Operations counted in an interval", metrics.operations.clone());
        collector.register("sampling_services", "Services counted in an interval", metrics.services.clone());
        let processor = collector.sub_registry_with_prefix("adaptive_sampling_processor");
        processor.register("operations_calculated", "Operations of the last calculation", metrics.calculated.clone());
        processor.register("calculate_probabilities", "Seconds that a calculation took", metrics.latency.clone());
        let help = "Calls to the store of adaptive sampling that failed";
        registry.register("skua_sampling_store_failures", help, metrics.failures.clone());
        metrics
    }

    /// A call to the store failed.
    pub fn failed(&self, call: &'static str) {
        self.failures.get_or_create(&Failed { call }).inc();
    }
}
