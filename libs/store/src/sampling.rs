//! What adaptive sampling keeps: how much each collector has seen, what the leader made of it, and who the leader is.
//!
//! All times are arguments, in microseconds since 1970, so that a test is its own clock. Stores tell times apart by the
//! millisecond at least.

mod memory;

pub use memory::MemorySampling;

use crate::StoreError;
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Sampled traces of one operation, counted by one collector during one interval.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Throughput {
    /// Not empty.
    pub service: String,
    /// Not empty.
    pub operation: String,
    /// Root spans of a probabilistic sampler. 0 says that the operation exists.
    pub count: u64,
    /// The probabilities that they were sampled with, as text with six decimals: `0.001000`.
    pub probabilities: BTreeSet<String>,
}

/// A number for each operation of each service: service, then operation.
pub type ByOperation = BTreeMap<String, BTreeMap<String, f64>>;

/// Where the collectors of one installation meet.
#[async_trait]
pub trait SamplingStore: Send + Sync {
    /// Keeps what one collector counted up to the time `at`. Nothing is written when there is nothing.
    ///
    /// Inserting the same twice counts it twice. An error means that any part of it may have been kept.
    async fn insert_throughput(&self, at: u64, throughput: &[Throughput]) -> Result<(), StoreError>;

    /// What all collectors inserted after the time `after` and up to and including `until`, in any order, with an item for each
    /// one inserted. Ranges that touch share nothing and lose nothing. Empty when there is nothing.
    async fn throughput(&self, after: u64, until: u64) -> Result<Vec<Throughput>, StoreError>;

    /// Keeps what the leader `host` calculated at the time `at`: the probability of each operation, and its sampled traces a
    /// second.
    async fn insert_probabilities_and_qps(
        &self,
        at: u64,
        host: &str,
        probabilities: &ByOperation,
        qps: &ByOperation,
    ) -> Result<(), StoreError>;

    /// The probabilities with the latest `at`, whole: operations that they lack are not there. Empty before the first.
    async fn latest_probabilities(&self) -> Result<ByOperation, StoreError>;
}

/// A right that one of several processes has, for a time.
#[async_trait]
pub trait Lease: Send + Sync {
    /// Takes a lease that nobody has, or that has expired, and keeps one's own: it then lasts `ttl` from `now` on. True when
    /// `owner` has it.
    ///
    /// Of several that ask at the same time one gets it. An error means that it may or may not have been taken; to ask again
    /// is right. A store whose server has a clock may go by that and not by `now`; one that goes by `now` compares the clocks
    /// of the owners, which have to agree to much less than the `ttl`.
    async fn acquire(&self, resource: &str, owner: &str, ttl: Duration, now: u64) -> Result<bool, StoreError>;

    /// Gives a lease back, so that another need not wait until it expires. False when `owner` does not have it.
    async fn forfeit(&self, resource: &str, owner: &str) -> Result<bool, StoreError>;
}
