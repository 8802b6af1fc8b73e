//! For the bench: what a head and a block cost. No part of the store's interface.

use crate::block::cut;
use crate::head::Head;
use crate::sidecar::Role;
use bytes::Bytes;
use skua_model::SpanBatch;
use skua_store::StoreError;

/// A head.
#[derive(Debug)]
pub struct Trial(Head);

/// A block that was cut.
#[derive(Debug)]
pub struct TrialBlock {
    /// The Parquet file.
    pub file: Bytes,
    /// What is kept beside it.
    pub sidecar: Vec<u8>,
    /// Of the file: bytes that tell which rows have a value.
    pub levels: u64,
    /// Role or key of each column, and its bytes in the file.
    pub columns: Vec<(String, u64)>,
}

impl Trial {
    /// Without spans.
    #[allow(clippy::new_without_default, reason = "for one program")]
    pub fn new() -> Self {
        Self(Head::new())
    }

    /// Adds a batch.
    pub fn push(&mut self, batch: &SpanBatch) {
        self.0.push(batch);
    }

    /// Spans.
    pub fn spans(&self) -> usize {
        self.0.len()
    }

    /// Bytes on the heap.
    pub fn bytes(&self) -> usize {
        self.0.bytes()
    }

    /// Cuts a block.
    ///
    /// # Errors
    /// As the store does.
    pub fn cut(&self) -> Result<TrialBlock, StoreError> {
        let cut = cut(&self.0)?;
        let column = |c: &crate::sidecar::Column| {
            let data: u64 = c.bytes.iter().map(|bytes| u64::from(*bytes)).sum();
            let name = match Role::try_from(c.role) {
                Ok(Role::Attribute) => String::from_utf8_lossy(&c.key).into_owned(),
                Ok(role) => format!("{role:?}"),
                Err(e) => e.to_string(),
            };
            (name, data + c.dictionary.as_ref().map_or(0, |d| u64::from(d.bytes)))
        };
        let columns = cut.sidecar.about.columns.iter().map(column).collect();
        let levels = cut.sidecar.about.columns.iter().flat_map(|c| &c.levels).map(|bytes| u64::from(*bytes)).sum();
        Ok(TrialBlock { levels, file: cut.file, sidecar: cut.sidecar.encode(), columns })
    }
}
