//! What is asked of an object store, which costs money and time.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    operation: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Direction {
    direction: &'static str,
}

#[derive(Debug, Default)]
pub(super) struct Metrics {
    requests: Family<Operation, Counter>,
    errors: Family<Operation, Counter>,
    bytes: Family<Direction, Counter>,
    all: AtomicU64,
}

impl Metrics {
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("skua_parquet");
        registry.register("requests", "Requests to the directory or object store", self.requests.clone());
        registry.register("request_errors", "Requests to the directory or object store that failed", self.errors.clone());
        registry.register("request_bytes", "Bytes of objects that were sent and received", self.bytes.clone());
    }

    pub fn count(&self, operation: &'static str, requests: u64, ok: bool) {
        let of = Operation { operation };
        self.requests.get_or_create(&of).inc_by(requests);
        self.all.fetch_add(requests, Ordering::Relaxed);
        if !ok {
            self.errors.get_or_create(&of).inc();
        }
    }

    pub fn requests(&self) -> u64 {
        self.all.load(Ordering::Relaxed)
    }

    pub fn sent(&self, bytes: usize) {
        self.bytes.get_or_create(&Direction { direction: "sent" }).inc_by(bytes as u64);
    }

    pub fn received(&self, bytes: usize) {
        self.bytes.get_or_create(&Direction { direction: "received" }).inc_by(bytes as u64);
    }
}
