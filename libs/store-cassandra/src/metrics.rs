//! Jaeger's counters of a Cassandra store: `jaeger_storage_{attempts,inserts,errors}_total{kind,role,table}` and
//! `jaeger_storage_latency_{ok,err}`, the same under `jaeger_storage_read_…` for reads, and `jaeger_storage_tag_index_skipped_total`.
//!
//! Attempts and inserts of writes count rows; latencies are of requests, which hold several rows.

use crate::index::rows::Table;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::borrow::Cow;

/// Handles of all series of one store.
#[derive(Debug)]
pub(crate) struct Metrics {
    /// By the number of a [`Table`].
    tables: [Rows; 5],
    pub service_names: Rows,
    pub operation_names: Rows,
    pub dependencies: Rows,
    pub throughput: Rows,
    pub probabilities: Rows,
    pub rollups: Rows,
    /// Tags that are in no index because they are too long or JSON objects, and operations that are too long.
    pub skipped: Counter,
    pub read: Reads,
}

/// Tried, done, failed, and how long it took, in seconds.
#[derive(Debug)]
pub(crate) struct Rows {
    pub attempts: Counter,
    pub inserts: Counter,
    pub errors: Counter,
    pub latency_ok: Histogram,
    pub latency_err: Histogram,
}

/// By table, as in Jaeger; a page is a read.
#[derive(Debug)]
pub(crate) struct Reads {
    pub traces: Rows,
    tables: [Rows; 5],
}

/// In the order of [`Table`].
const TABLES: [&str; 5] = ["traces", "service_name_index", "service_operation_index", "duration_index", "tag_index"];

impl Metrics {
    /// `kind` is `cassandra` or `scylla`, `role` `primary` or `archive`.
    pub fn register(registry: &mut Registry, kind: &str, role: &str) -> Self {
        let label = |name: &'static str, value: &str| (Cow::Borrowed(name), Cow::Owned(value.to_owned()));
        let labels = [label("kind", kind), label("role", role)];
        let registry = registry.sub_registry_with_prefix("jaeger_storage").sub_registry_with_labels(labels.into_iter());
        let skipped = Counter::default();
        registry.register("tag_index_skipped", "Tags that are too long for the index, or JSON objects", skipped.clone());
        Self {
            tables: TABLES.map(|table| Rows::register(registry, table)),
            service_names: Rows::register(registry, "service_names"),
            operation_names: Rows::register(registry, "operation_names_v2"),
            dependencies: Rows::register(registry, "dependencies"),
            throughput: Rows::register(registry, "operation_throughput"),
            probabilities: Rows::register(registry, "probabilities"),
            rollups: Rows::register(registry, "skua_rollups"),
            skipped,
            read: Reads::register(registry.sub_registry_with_prefix("read")),
        }
    }

    pub fn of(&self, table: Table) -> &Rows {
        &self.tables[table as usize]
    }
}

impl Reads {
    fn register(registry: &mut Registry) -> Self {
        Self { traces: Rows::register(registry, "read_traces"), tables: TABLES.map(|table| Rows::register(registry, table)) }
    }

    pub fn of(&self, table: Table) -> &Rows {
        &self.tables[table as usize]
    }
}

impl Rows {
    fn register(registry: &mut Registry, table: &str) -> Self {
        // Prometheus' default buckets, in seconds.
        let latency = || Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]);
        let rows = Self {
            attempts: Counter::default(),
            inserts: Counter::default(),
            errors: Counter::default(),
            latency_ok: latency(),
            latency_err: latency(),
        };
        let label = std::iter::once((Cow::Borrowed("table"), Cow::Owned(table.to_owned())));
        let registry = registry.sub_registry_with_labels(label);
        registry.register("attempts", "Rows that were tried to write, or pages to read", rows.attempts.clone());
        registry.register("inserts", "Rows written, or pages read", rows.inserts.clone());
        registry.register("errors", "Rows or pages that failed", rows.errors.clone());
        registry.register("latency_ok", "Seconds of a request that went well", rows.latency_ok.clone());
        registry.register("latency_err", "Seconds of a request that failed", rows.latency_err.clone());
        rows
    }

    /// Counts a request with `rows` rows.
    pub fn count(&self, rows: u64, since: std::time::Instant, ok: bool) {
        self.attempts.inc_by(rows);
        let (counter, latency) = if ok { (&self.inserts, &self.latency_ok) } else { (&self.errors, &self.latency_err) };
        counter.inc_by(rows);
        latency.observe(since.elapsed().as_secs_f64());
    }
}
