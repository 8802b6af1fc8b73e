//! Spans in Parquet, on a disk or in an object store. `DESIGN.md` beside `src` draws the bytes.

#![allow(dead_code, reason = "the rooms that use it are being built")]

pub mod bucket;
mod block;
mod columns;
mod config;
mod head;
mod rebuild;
#[cfg(test)]
mod samples;
mod log;
mod lease;
pub mod manifest;
mod names;
mod random;
mod rollups;
mod sampling;
mod sidecar;

pub use bucket::Bucket;
pub use config::{Config, JoinConfig, S3Config, Sync, WalConfig};
pub use lease::Leases;
pub use rollups::ParquetRollups;
pub use sampling::ParquetSampling;

/// Rows of a page, in all columns of a block.
pub const PAGE: usize = 8192;
