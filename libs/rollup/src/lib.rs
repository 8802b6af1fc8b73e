//! What is counted while the spans stream by: who calls whom, and RED (requests, errors, durations) of every operation.
//!
//! - [`document`]: the figures of ten minutes, as they are kept in a [`RollupStore`](skua_store::rollups::RollupStore).
//! - [`histogram`]: durations in exponential buckets.
//! - [`read`]: answers made of the documents.

pub mod document;
pub mod histogram;
pub mod read;
