//! What there is: of the whole store from its manifest, of one block from its sidecar.

use super::columns::{names, type_name};
use crate::block::Block;
use crate::bucket::Bucket;
use crate::manifest::{BlockMeta, Manifest, Manifests};
use crate::sidecar::Encoding;
use skua_store::{ErrorKind, StoreError};
use std::sync::Arc;

/// One block.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockDetails {
    /// As the manifest has it.
    pub meta: BlockMeta,
    /// Data pages of each column.
    pub pages: usize,
    /// Rows of a page but the last.
    pub page_rows: u32,
    /// In the order of the file.
    pub columns: Vec<ColumnDetails>,
    /// Sorted by name.
    pub services: Vec<ServiceDetails>,
    /// Bytes of the filter of trace ids.
    pub trace_filter_bytes: usize,
    /// Bytes of the filter of tags.
    pub tag_filter_bytes: usize,
    /// Bytes of the list of traces in memory.
    pub runs_bytes: usize,
    /// Keys of tags and log fields without a column, as far as they are listed.
    pub rest_keys: Vec<String>,
    /// There are more than are listed.
    pub more_rest_keys: bool,
}

/// One column of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDetails {
    /// As in the Parquet file.
    pub name: String,
    /// As people who know Parquet call it.
    pub ty: &'static str,
    /// `dictionary`, `plain`, `delta` or `bits`.
    pub encoding: &'static str,
    /// Bytes in the file: dictionary and pages.
    pub bytes: u64,
    /// Values of its dictionary, if it has one.
    pub distinct: Option<u32>,
    /// Rows without a value.
    pub nulls: u64,
}

/// One service of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceDetails {
    /// Its name.
    pub name: String,
    /// Operations of it, told apart by kind.
    pub operations: usize,
}

/// The manifest; `None` when there is none: nothing was ever cut there, or it is no store.
///
/// # Errors
/// `Internal` when it is damaged, `Unavailable` or `Overloaded`.
pub async fn inspect(bucket: &Bucket) -> Result<Option<Arc<Manifest>>, StoreError> {
    let manifests = Manifests::open(bucket.clone()).await?;
    Ok(manifests.exists().then(|| manifests.current()))
}

/// One block, by its id or by a beginning of it that no other block has.
///
/// # Errors
/// `NotFound` when the manifest has no such block; `Invalid` when it has several; else as [`inspect`], also for the sidecar.
pub async fn inspect_block(bucket: &Bucket, id: &str) -> Result<BlockDetails, StoreError> {
    let manifest = inspect(bucket).await?.unwrap_or_default();
    let mut found = manifest.blocks.iter().filter(|block| block.id.starts_with(id));
    let meta = match (found.next(), found.next()) {
        (Some(meta), None) => meta,
        (Some(_), Some(_)) => {
            return Err(StoreError::new(ErrorKind::Invalid, format!("inspect a block: several begin with {id:?}")));
        }
        (None, _) => return Err(StoreError::new(ErrorKind::NotFound, format!("inspect a block: the manifest has none {id:?}"))),
    };
    let block = Block::open(bucket, &meta.id, &super::pages_of(0)).await?;
    Ok(details(meta, &block))
}

fn details(meta: &BlockMeta, block: &Block) -> BlockDetails {
    let about = &block.sidecar.about;
    let column = |(column, name): (&crate::sidecar::Column, String)| ColumnDetails {
        name,
        ty: type_name(column),
        encoding: match Encoding::try_from(column.encoding) {
            Ok(Encoding::Dictionary) => "dictionary",
            Ok(Encoding::Plain) => "plain",
            Ok(Encoding::Delta) => "delta",
            Ok(Encoding::Bits) => "bits",
            Err(_) => "unknown",
        },
        bytes: sum(&column.bytes) + column.dictionary.as_ref().map_or(0, |dictionary| u64::from(dictionary.bytes)),
        distinct: column.dictionary.as_ref().map(|dictionary| dictionary.values),
        nulls: sum(&column.nulls),
    };
    let service =
        |service: &crate::sidecar::Service| ServiceDetails { name: service.name.clone(), operations: service.operations.len() };
    BlockDetails {
        meta: meta.clone(),
        pages: about.pages(),
        page_rows: about.page_rows,
        columns: about.columns.iter().zip(names(about)).map(column).collect(),
        services: about.services.iter().map(service).collect(),
        trace_filter_bytes: block.sidecar.traces.size(),
        tag_filter_bytes: block.sidecar.tags.size(),
        runs_bytes: block.sidecar.runs.size(),
        rest_keys: about.rest_keys.iter().map(|key| String::from_utf8_lossy(key).into_owned()).collect(),
        more_rest_keys: about.more_rest_keys,
    }
}

fn sum(list: &[u32]) -> u64 {
    list.iter().map(|n| u64::from(*n)).sum()
}
