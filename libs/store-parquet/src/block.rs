//! Blocks: spans in a Parquet file, and what is kept beside it.

mod cells;
mod chunk;
mod decode;
mod encode;
mod gather;
mod order;
mod read;
mod schema;
mod tags;
mod values;
mod write;

pub(crate) use cells::PageRows;
pub(crate) use read::{Block, FEW, Pages, file_name, sidecar_name};
pub(crate) use schema::column_names;
pub(crate) use values::Values;
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
