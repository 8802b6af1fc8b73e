//! Figures of a store.

use super::Inner;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// Names begin with `skua_parquet_`.
pub(super) struct StoreMetrics {
    pub spans: Counter,
    pub waits: Counter,
    pub cuts: Counter,
    pub cut_errors: Counter,
    pub cut_seconds: Histogram,
    pub damaged_log_bytes: Counter,
    pub unreadable: Counter,
    pub joined: Counter,
    pub retired: Counter,
    pub blocks: Gauge,
    pub block_bytes: Gauge,
    pub block_spans: Gauge,
    pub head_spans: Gauge,
    pub head_bytes: Gauge,
    pub log_bytes: Gauge,
}

impl StoreMetrics {
    pub fn new(registry: &mut Registry) -> Self {
        let registry = registry.sub_registry_with_prefix("skua_parquet");
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let spans = counter("spans", "Spans that were taken");
        let waits = counter("waits", "Times that a write had to wait because a block was not written yet");
        let cuts = counter("blocks_cut", "Blocks that were written");
        let cut_errors = counter("cut_errors", "Tries to write a block that failed");
        let damaged_log_bytes = counter("damaged_log_bytes", "Bytes of the log that could not be read again at start");
        let unreadable = counter("unreadable_blocks", "Times that a block could not be read and an answer was partial");
        let joined = counter("blocks_joined", "Blocks that were joined into larger ones");
        let retired = counter("blocks_retired", "Blocks that were deleted by age or by bytes");
        let cut_seconds = Histogram::new(exponential_buckets(0.01, 2.0, 12));
        registry.register("cut_seconds", "Time to write a block", cut_seconds.clone());
        let mut gauge = |name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        Self {
            spans,
            waits,
            cuts,
            cut_errors,
            cut_seconds,
            damaged_log_bytes,
            unreadable,
            joined,
            retired,
            blocks: gauge("blocks", "Blocks in the manifest"),
            block_bytes: gauge("block_bytes", "Bytes of all blocks with their sidecars"),
            block_spans: gauge("block_spans", "Spans of all blocks"),
            head_spans: gauge("head_spans", "Spans in memory, of which no block is written yet"),
            head_bytes: gauge("head_bytes", "Bytes of memory that they take"),
            log_bytes: gauge("log_bytes", "Bytes of the log"),
        }
    }
}

impl Inner {
    /// Brings the gauges up to date.
    pub(super) fn show(&self) {
        let manifest = self.manifests.current();
        self.metrics.blocks.set(manifest.blocks.len() as i64);
        self.metrics.block_bytes.set(manifest.bytes() as i64);
        self.metrics.block_spans.set(manifest.spans() as i64);
        let state = self.state.read();
        let heads = || state.sealed.iter().map(|s| &s.head).chain([&state.live]);
        self.metrics.head_spans.set(heads().map(|h| h.len() as i64).sum());
        self.metrics.head_bytes.set(heads().map(|h| h.bytes() as i64).sum());
        self.metrics.log_bytes.set(self.log.as_ref().map_or(0, |log| log.bytes() as i64));
    }
}
