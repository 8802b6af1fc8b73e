//! Blocks: spans in a Parquet file, and what is kept beside it.

mod chunk;
mod encode;
mod gather;
mod order;
mod schema;
mod tags;
mod write;

#[allow(unused_imports, reason = "the store is being built")]
pub(crate) use write::cut;

use crate::sidecar::Sidecar;
use bytes::Bytes;

/// A block that is cut and not yet kept.
#[derive(Debug)]
pub(crate) struct Cut {
    /// The Parquet file.
    pub file: Bytes,
    /// What is kept beside it.
    pub sidecar: Sidecar,
}

#[cfg(test)]
mod tests;
