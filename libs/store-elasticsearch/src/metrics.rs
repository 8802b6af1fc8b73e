//! Jaeger's counters of an Elasticsearch writer.

use crate::index::Role;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::borrow::Cow;

/// Handles of the series `jaeger_storage_…{kind="elasticsearch",role="primary"|"archive"}`.
#[derive(Debug)]
pub(crate) struct Metrics {
    /// `jaeger_storage_spans_…`.
    pub spans: Rows,
    /// `jaeger_storage_bulk_index_…`: documents of bulk requests, those of services included.
    pub bulk: Rows,
}

/// Tried, kept, failed, and how long it took, in seconds.
#[derive(Debug)]
pub(crate) struct Rows {
    /// `…_attempts_total`
    pub attempts: Counter,
    /// `…_inserts_total`
    pub inserts: Counter,
    /// `…_errors_total`
    pub errors: Counter,
    /// `…_latency_ok`
    pub latency_ok: Histogram,
    /// `…_latency_err`
    pub latency_err: Histogram,
}

impl Metrics {
    pub fn register(registry: &mut Registry, role: Role) -> Self {
        let labels = [("kind", "elasticsearch"), ("role", role.name())].map(|(k, v)| (Cow::Borrowed(k), Cow::Borrowed(v)));
        let registry = registry.sub_registry_with_prefix("jaeger_storage").sub_registry_with_labels(labels.into_iter());
        Self { spans: Rows::register(registry, "spans"), bulk: Rows::register(registry, "bulk_index") }
    }
}

impl Rows {
    fn register(registry: &mut Registry, of: &str) -> Self {
        // Prometheus' default buckets, in seconds.
        let latency = || Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]);
        let rows = Self {
            attempts: Counter::default(),
            inserts: Counter::default(),
            errors: Counter::default(),
            latency_ok: latency(),
            latency_err: latency(),
        };
        registry.register(format!("{of}_attempts"), format!("{of}.attempts"), rows.attempts.clone());
        registry.register(format!("{of}_inserts"), format!("{of}.inserts"), rows.inserts.clone());
        registry.register(format!("{of}_errors"), format!("{of}.errors"), rows.errors.clone());
        registry.register(format!("{of}_latency_ok"), format!("{of}.latency-ok"), rows.latency_ok.clone());
        registry.register(format!("{of}_latency_err"), format!("{of}.latency-err"), rows.latency_err.clone());
        rows
    }
}
