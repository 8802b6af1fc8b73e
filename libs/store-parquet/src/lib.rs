//! Spans in Parquet, on a disk or in an object store. `DESIGN.md` beside `src` draws the bytes.

mod block;
pub mod bucket;
mod columns;
mod config;
mod head;
mod lease;
mod log;
pub mod manifest;
mod names;
mod random;
mod rebuild;
mod rollups;
#[cfg(test)]
mod samples;
mod sampling;
mod search;
mod sidecar;
mod store;
pub mod tools;
#[doc(hidden)]
pub mod trial;

pub use bucket::Bucket;
pub use config::{Config, JoinConfig, S3Config, Sync, WalConfig};
pub use lease::Leases;
pub use rollups::ParquetRollups;
pub use sampling::ParquetSampling;
pub use store::{ParquetStore, Role};

/// Rows of a page, in all columns of a block.
pub const PAGE: usize = 8192;
