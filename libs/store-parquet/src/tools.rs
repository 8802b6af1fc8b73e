//! What people and scripts ask of the files of a store: what there is, whether it is sound, and its spans as OTLP. All of it only reads; the
//! store may be open in another process. Spans that are in no block yet, but in a log or in memory, are not seen.

mod assemble;
mod columns;
mod export;
mod footer;
mod inspect;
mod rows;
mod verify;

pub use export::{Export, Selection};
pub use inspect::{BlockDetails, ColumnDetails, ServiceDetails, inspect, inspect_block};
pub use verify::{Checked, Summary, verify};

/// Bytes of what is read at once of one block, held in memory.
fn pages_of(bytes: u64) -> std::sync::Arc<crate::block::Pages> {
    // Dictionaries are held as they are when they are not compressed, and the cache is in parts that do not fill evenly.
    crate::block::Pages::new(usize::try_from(bytes).unwrap_or(usize::MAX).saturating_mul(4).max(64 << 20))
}

#[cfg(test)]
mod tests;
