//! The ingester's settings: the flags that begin with `ingester.`, by the same names.

use serde::Deserialize;

/// Chunks that are written at the same time. More would only hold more memory: one bulk request keeps a core busy. Jaeger's
/// `ingester.parallelism` counts spans, one a worker, and has no meaning here.
pub const WORKERS: usize = 4;

/// Flags under `ingester.`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Config {
    /// Bytes of messages that may be under way.
    pub max_in_flight_bytes: usize,
    /// Where undecodable messages and refused spans go.
    pub dead_letter_topic: String,
}
