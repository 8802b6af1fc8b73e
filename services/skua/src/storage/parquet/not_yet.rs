//! In place of `store.rs`, until the library has a store: everything is refused.

use crate::process::{Failure, Process};
use crate::storage::SamplingStores;
use crate::storage::ready::{Closing, Ready};
use skua_query_service::Archive;
use skua_store::memory::MemoryStore;
use skua_store::rollups::RollupStore;
use std::sync::Arc;

const NOT_YET: &str = "SPAN_STORAGE_TYPE=parquet is not in this build yet; memory keeps spans in memory";

#[derive(Clone)]
pub(crate) struct Parquet {
    pub rollups: Arc<dyn RollupStore>,
    pub sampling: SamplingStores,
}

/// # Errors
/// That this build has none.
pub(crate) fn open(_: &mut Process, _: &mut Vec<Ready>) -> Result<Parquet, Failure> {
    Err(NOT_YET.into())
}

impl Parquet {
    pub async fn spans(&self, _: &mut Process, _: &mut Vec<Ready>, _: &mut Closing) -> Result<Arc<MemoryStore>, Failure> {
        Err(NOT_YET.into())
    }

    pub async fn archive(&self, _: &mut Process, _: &mut Vec<Ready>, _: &mut Closing) -> Result<Archive, Failure> {
        Err(NOT_YET.into())
    }
}
