//! What is counted while the spans stream by: who calls whom, and RED (requests, errors, durations) of every operation.
//!
//! - [`count`]: from spans to figures, in the order of each partition.
//! - [`document`]: the figures of ten minutes, as they are kept in a [`RollupStore`](skua_store::rollups::RollupStore).
//! - [`flush`]: figures are added to the documents, each once.
//! - [`expose`]: figures since the process began, for Prometheus.
//! - [`here`]: counting where there is no Kafka.
//! - [`recount`]: a period is counted anew from the store.
//! - [`retention`]: how long documents are kept.
//! - [`histogram`]: durations in exponential buckets.
//! - [`read`]: answers made of the documents.

use std::time::{SystemTime, UNIX_EPOCH};

pub mod count;
pub mod document;
pub mod expose;
pub mod flush;
pub mod here;
pub mod histogram;
mod metrics;
pub mod read;
pub mod recount;
pub mod retention;

pub use metrics::RollupMetrics;

/// Milliseconds since 1970.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
