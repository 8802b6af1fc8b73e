//! Which blocks there are: one object, replaced by compare-and-swap, that every process holds in memory.

mod format;
mod store;

pub use store::Manifests;

use crate::block::{file_name, sidecar_name};
use std::collections::BTreeMap;

/// What exists. A block that is not here does not.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Manifest {
    /// Sorted by `start_max`, then id.
    #[prost(message, repeated, tag = "1")]
    pub blocks: Vec<BlockMeta>,
    /// Blocks that are no longer here, whose files are to be deleted; in the order in which they went.
    #[prost(message, repeated, tag = "2")]
    pub dropped: Vec<Dropped>,
    /// Of each log, by the name of who writes it: the last segment whose spans are all in blocks.
    #[prost(btree_map = "string, uint64", tag = "3")]
    pub logs: BTreeMap<String, u64>,
}

/// A block.
#[derive(Clone, PartialEq, prost::Message)]
pub struct BlockMeta {
    /// Its files are `blocks/<id>.parquet` and `blocks/<id>.side`.
    #[prost(string, tag = "1")]
    pub id: String,
    /// Spans in it.
    #[prost(uint32, tag = "2")]
    pub spans: u32,
    /// Traces of which spans are in it.
    #[prost(uint32, tag = "3")]
    pub traces: u32,
    /// Bytes of its Parquet file.
    #[prost(uint64, tag = "4")]
    pub bytes: u64,
    /// Bytes of its sidecar.
    #[prost(uint64, tag = "5")]
    pub side_bytes: u64,
    /// The earliest start of a span, nanoseconds since 1970.
    #[prost(sfixed64, tag = "6")]
    pub start_min: i64,
    /// The latest start of a span, nanoseconds since 1970.
    #[prost(sfixed64, tag = "7")]
    pub start_max: i64,
    /// When it was cut, milliseconds since 1970.
    #[prost(uint64, tag = "8")]
    pub created_ms: u64,
    /// How often its spans have been joined with those of other blocks.
    #[prost(uint32, tag = "9")]
    pub joined: u32,
}

/// A block that went.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Dropped {
    /// Of the block.
    #[prost(string, tag = "1")]
    pub id: String,
    /// When it went, milliseconds since 1970.
    #[prost(uint64, tag = "2")]
    pub at_ms: u64,
}

impl BlockMeta {
    /// The name of its Parquet file.
    pub fn file(&self) -> String {
        file_name(&self.id)
    }

    /// The name of its sidecar.
    pub fn side_file(&self) -> String {
        sidecar_name(&self.id)
    }

    /// Bytes of both files.
    pub fn size(&self) -> u64 {
        self.bytes.saturating_add(self.side_bytes)
    }

    fn place(&self) -> (i64, &str) {
        (self.start_max, &self.id)
    }
}

impl Manifest {
    /// Whether it has a block.
    pub fn has(&self, id: &str) -> bool {
        self.blocks.iter().any(|block| block.id == id)
    }

    /// Adds a block at its place. False, and nothing changed, when it is there already.
    pub fn add(&mut self, block: BlockMeta) -> bool {
        match self.blocks.binary_search_by(|other| other.place().cmp(&block.place())) {
            Err(place) if !self.has(&block.id) => {
                self.blocks.insert(place, block);
                true
            }
            _ => false,
        }
    }

    /// Takes a block out, whose files are to be deleted from now on. False, and nothing changed, when it is not there.
    pub fn drop_block(&mut self, id: &str, now_ms: u64) -> bool {
        let Some(place) = self.blocks.iter().position(|block| block.id == id) else { return false };
        self.blocks.remove(place);
        self.dropped.push(Dropped { id: id.to_owned(), at_ms: now_ms });
        true
    }

    /// A log's segments up to this one are in blocks. False, and nothing changed, when that was known.
    pub fn advance_log(&mut self, writer: &str, segment: u64) -> bool {
        if self.logs.get(writer).is_some_and(|last| *last >= segment) {
            return false;
        }
        self.logs.insert(writer.to_owned(), segment);
        true
    }

    /// Bytes of all blocks and their sidecars.
    pub fn bytes(&self) -> u64 {
        self.blocks.iter().fold(0, |sum: u64, block| sum.saturating_add(block.size()))
    }

    /// Spans of all blocks.
    pub fn spans(&self) -> u64 {
        self.blocks.iter().map(|block| u64::from(block.spans)).sum()
    }
}

#[cfg(test)]
mod tests;
