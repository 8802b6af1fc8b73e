//! Spans in Parquet, on a disk or in an object store. `DESIGN.md` beside `src` draws the bytes.

#![allow(dead_code, reason = "the rooms that use it are being built")]

mod block;
mod columns;
mod config;
mod head;
mod rebuild;
#[cfg(test)]
mod samples;
mod sidecar;
#[doc(hidden)]
pub mod trial;

pub use config::{Config, JoinConfig, S3Config, Sync, WalConfig};

/// Rows of a page, in all columns of a block.
pub const PAGE: usize = 8192;
