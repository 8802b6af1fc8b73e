//! Whether every block is sound: its files, its sidecar, its pages, its spans; and which files no block has.

use super::rows::RowChecks;
use super::{footer, pages_of};
use crate::block::Block;
use crate::bucket::{Bucket, Object};
use crate::manifest::{BlockMeta, Manifest, Manifests};
use bytes::Bytes;
use parquet::column::reader::ColumnReader;
use skua_store::StoreError;
use std::collections::HashSet;
use tokio::runtime::Handle;

/// Problems of a block that are told at most.
const MOST: usize = 20;

/// One block that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Of the block.
    pub id: String,
    /// Spans in it, as the manifest says.
    pub spans: u32,
    /// What is wrong with it, a sentence each; 20 at most.
    pub problems: Vec<String>,
    /// Problems beyond those.
    pub more: u64,
}

/// All blocks together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Blocks that were looked at.
    pub blocks: u64,
    /// Of them those that have problems.
    pub unsound: u64,
    /// Spans of all of them.
    pub spans: u64,
    /// Blocks that were joined or retired before they could be looked at.
    pub gone: u64,
    /// Files below `blocks/` that no block has: of a block that is being written, or left over from a crash and deleted in time.
    pub unnamed: Vec<Object>,
}

/// Problems that were found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<String>,
    more: u64,
}

impl Findings {
    pub fn add(&mut self, problem: impl Into<String>) {
        if self.list.len() < MOST {
            self.list.push(problem.into());
        } else {
            self.more += 1;
        }
    }
}

/// Looks at every block, the oldest first; `each` is told of one after the other. Memory is that of one block.
///
/// # Errors
/// When the manifest cannot be read, or the bucket not be reached. What is damaged is a problem of its block and no error.
pub async fn verify(bucket: &Bucket, mut each: impl FnMut(&Checked)) -> Result<Summary, StoreError> {
    let manifests = Manifests::open(bucket.clone()).await?;
    let (mut summary, mut seen) = (Summary::default(), HashSet::new());
    loop {
        let manifest = manifests.current();
        let Some(meta) = manifest.blocks.iter().find(|meta| !seen.contains(&meta.id)) else { break };
        seen.insert(meta.id.clone());
        let checked = one(bucket, meta).await?;
        if checked.problems.iter().any(|problem| problem.ends_with(IS_MISSING)) {
            manifests.refresh().await?;
            if !manifests.current().has(&meta.id) {
                summary.gone += 1;
                continue;
            }
        }
        summary.blocks += 1;
        summary.spans += u64::from(checked.spans);
        summary.unsound += u64::from(!checked.problems.is_empty());
        each(&checked);
    }
    let listed = bucket.list("blocks").await?;
    // After the listing: what was written before and is whole is named by now.
    manifests.refresh().await?;
    let manifest = manifests.current();
    let named: HashSet<String> = named(&manifest).collect();
    summary.unnamed = listed.into_iter().filter(|object| !named.contains(&object.name)).collect();
    Ok(summary)
}

const IS_MISSING: &str = "is not there";

fn named(manifest: &Manifest) -> impl Iterator<Item = String> + '_ {
    let dropped = manifest.dropped.iter().map(|dropped| BlockMeta { id: dropped.id.clone(), ..BlockMeta::default() });
    manifest.blocks.iter().cloned().chain(dropped).flat_map(|meta| [meta.file(), meta.side_file()])
}

/// In a thread of its own: the Parquet library may panic where bytes are damaged.
async fn one(bucket: &Bucket, meta: &BlockMeta) -> Result<Checked, StoreError> {
    let (bucket, of, handle) = (bucket.clone(), meta.clone(), Handle::current());
    let findings = tokio::task::spawn_blocking(move || {
        handle.block_on(async {
            let mut findings = Findings::default();
            look(&bucket, &of, &mut findings).await.map(|()| findings)
        })
    });
    let findings = match findings.await {
        Ok(findings) => findings?,
        Err(e) => Findings { list: vec![format!("reading it ended unexpectedly, as damage may cause: {e}")], more: 0 },
    };
    Ok(Checked { id: meta.id.clone(), spans: meta.spans, problems: findings.list, more: findings.more })
}

async fn look(bucket: &Bucket, meta: &BlockMeta, findings: &mut Findings) -> Result<(), StoreError> {
    let file = whole(bucket, &meta.file(), meta.bytes, findings).await?;
    let side = whole(bucket, &meta.side_file(), meta.side_bytes, findings).await?;
    let (Some(file), Some(side)) = (file, side) else { return Ok(()) };
    let block = match Block::of(bucket, &meta.id, &side, &pages_of(meta.bytes)) {
        Ok(block) => block,
        Err(e) => {
            findings.add(e.message);
            return Ok(());
        }
    };
    of_manifest(meta, &block, findings);
    let mut readers = footer::read(&file, &block.sidecar.about, findings);
    // Pages are read as a search reads them.
    pages(&block, &mut readers, findings).await
}

/// A file of the size that the manifest says.
async fn whole(bucket: &Bucket, name: &str, bytes: u64, findings: &mut Findings) -> Result<Option<Bytes>, StoreError> {
    let file = bucket.get(name).await?;
    match &file {
        None => findings.add(format!("{name} {IS_MISSING}")),
        Some(file) if file.len() as u64 != bytes => {
            findings.add(format!("{name} has {} bytes, the manifest says {bytes}", file.len()));
        }
        Some(_) => {}
    }
    Ok(file)
}

fn of_manifest(meta: &BlockMeta, block: &Block, findings: &mut Findings) {
    let (about, runs) = (&block.sidecar.about, &block.sidecar.runs);
    let bound = |list: &[i64], of: fn(i64, i64) -> i64| list.iter().copied().reduce(of).unwrap_or_default();
    let told =
        (about.spans, runs.len() as u64, about.file_bytes, bound(&about.start_min, i64::min), bound(&about.start_max, i64::max));
    let wanted = (meta.spans, u64::from(meta.traces), meta.bytes, meta.start_min, meta.start_max);
    if told != wanted {
        let what = "spans, traces, bytes, first and last start";
        findings.add(format!("{what} are {told:?} in the sidecar and {wanted:?} in the manifest"));
    }
}

async fn pages(block: &Block, readers: &mut [ColumnReader], findings: &mut Findings) -> Result<(), StoreError> {
    let about = &block.sidecar.about;
    let columns: Vec<usize> = (0..about.columns.len()).collect();
    let mut checks = RowChecks::new(block);
    block.prefetch(&(0..about.pages()).collect::<Vec<_>>(), &columns).await?;
    for page in 0..about.pages() {
        let mut rows = block.rows();
        let read = block.load(&mut rows, page, &columns, None).await;
        match read.and_then(|()| checks.page(page, &rows, findings)) {
            Ok(()) => {}
            Err(e) if e.is_retryable() => return Err(e),
            Err(e) => {
                findings.add(e.message);
                // What follows would only repeat it.
                return Ok(());
            }
        }
        for (column, reader) in readers.iter_mut().enumerate() {
            let name = || super::columns::names(about).swap_remove(column);
            match footer::compare(reader, about.rows_of(page).len(), |row| rows.cell(column, row)) {
                Ok(None) => {}
                Ok(Some(row)) => {
                    findings.add(format!("page {page}, row {row}: Parquet's reader finds another value of {}", name()));
                }
                Err(e) => {
                    findings.add(format!("page {page}: Parquet's reader cannot read {}: {e}", name()));
                    return Ok(());
                }
            }
        }
    }
    checks.finish(findings);
    Ok(())
}
