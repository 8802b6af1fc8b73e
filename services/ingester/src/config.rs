//! The ingester's settings: the flags that begin with `ingester.`, by the same names.

use serde::Deserialize;

/// Chunks that are written at the same time at most. More would only hold more memory: one bulk request keeps a core busy.
const MAX_WORKERS: usize = 4;

/// Flags under `ingester.`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Config {
    /// Jaeger's number of workers per partition; here an upper bound of chunks written at the same time.
    pub parallelism: usize,
    /// Bytes of messages that may be under way.
    pub max_in_flight_bytes: usize,
    /// Where undecodable messages and refused spans go.
    pub dead_letter_topic: String,
}

impl Config {
    /// Chunks written at the same time.
    pub fn workers(&self) -> usize {
        self.parallelism.clamp(1, MAX_WORKERS)
    }
}
