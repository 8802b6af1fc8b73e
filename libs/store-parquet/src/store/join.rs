//! Joining of small blocks: their spans are read into a head, equal ones once, and cut again.

use super::Inner;
use super::maintain::without;
use crate::block::{Block, cut, file_name, sidecar_name};
use crate::columns::{Field, Rows};
use crate::head::Head;
use crate::manifest::{BlockMeta, Manifest};
use crate::rebuild::Rebuilder;
use foldhash::quality::RandomState;
use skua_model::SpanBatch;
use skua_model::otlp::{resource_spans, scope_spans, traces_data};
use skua_model::wire::{put_bytes, put_message};
use skua_store::{ErrorKind, StoreError};
use std::collections::HashSet;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Blocks that are joined together, and by how much they may differ in spans: each span is written anew a few times at most.
const TOGETHER: usize = 8;
/// Nanoseconds between the first and the last start of joined blocks at most.
const LONGEST: i64 = 24 * 3_600_000_000_000;

/// The next blocks to join, none of those that cannot be read; `None` when there are none.
pub(super) fn group(manifest: &Manifest, target: usize, unreadable: &HashSet<String>) -> Option<Vec<BlockMeta>> {
    let tier = |block: &BlockMeta| (block.spans.max(1)).ilog(TOGETHER as u32);
    let small = |block: &&BlockMeta| (block.spans as usize) < target / 2 && !unreadable.contains(&block.id);
    let mut tiers: Vec<Vec<&BlockMeta>> = vec![Vec::new(); 12];
    for block in manifest.blocks.iter().filter(small) {
        let list = &mut tiers[tier(block) as usize];
        let fits = |list: &Vec<&BlockMeta>| {
            let spans: usize = list.iter().map(|b| b.spans as usize).sum();
            let first = list.iter().map(|b| b.start_min).min().unwrap_or(block.start_min).min(block.start_min);
            spans + block.spans as usize <= target && block.start_max.saturating_sub(first) <= LONGEST
        };
        if !list.is_empty() && !fits(list) {
            // As many as fit: worth it if they fill a block well.
            let spans: usize = list.iter().map(|b| b.spans as usize).sum();
            if list.len() > 1 && spans >= target / 2 {
                return Some(list.iter().map(|b| (*b).clone()).collect());
            }
            list.clear();
        }
        list.push(block);
        if list.len() >= TOGETHER {
            return Some(list.iter().map(|b| (*b).clone()).collect());
        }
    }
    None
}

impl Inner {
    /// Puts one block in the place of several. Nothing changes when one of them is gone by then.
    pub(super) async fn join(self: &Arc<Self>, group: Vec<BlockMeta>) -> Result<(), StoreError> {
        let started = Instant::now();
        let mut joined = Joined { head: Head::new(), seen: HashSet::new(), hashers: Default::default(), twice: 0 };
        for meta in &group {
            let read = async { self.read_into(&*self.block(&meta.id).await?, &mut joined).await };
            if let Err(e) = read.await {
                // The others are joined without it from now on.
                if matches!(e.kind, ErrorKind::Internal | ErrorKind::NotFound) {
                    self.unreadable.lock().insert(meta.id.clone());
                }
                return Err(e);
            }
        }
        let Joined { head, twice, .. } = joined;
        let spans = head.len();
        let cut = {
            let _one = self.cutting.lock().await;
            tokio::task::spawn_blocking(move || cut(&head)).await.map_err(super::panicked)??
        };
        let times = group.iter().map(|block| block.joined).max().unwrap_or(0) + 1;
        let (block, _writing) = self.put_block(cut, times).await?;
        let ids: HashSet<String> = group.iter().map(|block| block.id.clone()).collect();
        let swap = |manifest: &Manifest| {
            if manifest.blocks.iter().filter(|b| ids.contains(&b.id)).count() < ids.len() {
                return None;
            }
            let mut next = without(manifest, &ids, super::now_ms());
            next.add(block.clone());
            Some(next)
        };
        let manifest = self.manifests.update(swap).await?;
        if !manifest.blocks.iter().any(|b| b.id == block.id) {
            self.bucket.delete_all(&[file_name(&block.id), sidecar_name(&block.id)]).await?;
            return Ok(());
        }
        self.metrics.joined.inc_by(ids.len() as u64);
        self.room.notify_waiters();
        tracing::debug!(blocks = ids.len(), spans, twice, milliseconds = started.elapsed().as_millis() as u64, "joined blocks");
        Ok(())
    }

    async fn read_into(&self, block: &Block, joined: &mut Joined) -> Result<(), StoreError> {
        let about = &block.sidecar.about;
        let columns: Vec<usize> = (0..about.columns.len()).collect();
        let mut rebuilder = Rebuilder::new();
        // All at once: pages of a column lie together in the file, not those of a page.
        block.prefetch(&(0..about.pages()).collect::<Vec<_>>(), &columns).await?;
        for page in 0..about.pages() {
            let started = Instant::now();
            let mut rows = block.rows();
            block.load(&mut rows, page, &columns, None).await?;
            joined.add(&rows, about.rows_of(page).len(), &mut rebuilder)?;
            let bytes: u64 = about.columns.iter().map(|c| u64::from(c.bytes[page])).sum();
            if self.config.join.rate > 0 {
                let due = Duration::from_secs_f64(bytes as f64 / self.config.join.rate as f64);
                tokio::select! {
                    () = tokio::time::sleep(due.saturating_sub(started.elapsed())) => {}
                    () = self.stop.cancelled() => {
                        return Err(StoreError::new(ErrorKind::Unavailable, "join blocks: the process ends"));
                    }
                }
            }
        }
        Ok(())
    }
}

/// The spans of several blocks, each once.
struct Joined {
    head: Head,
    seen: HashSet<[u64; 2]>,
    hashers: [RandomState; 2],
    /// Spans that were there already.
    twice: u64,
}

impl Joined {
    /// Adds the rows of a page.
    fn add(&mut self, rows: &impl Rows, count: usize, rebuilder: &mut Rebuilder) -> Result<(), StoreError> {
        let mut order: Vec<(u32, u32, usize)> =
            (0..count).map(|row| (rows.code(Field::Resource, row), rows.code(Field::Scope, row), row)).collect();
        order.sort_unstable();
        let (mut message, mut failed) = (Vec::with_capacity(count * 512), None);
        for of_resource in order.chunk_by(|a, b| a.0 == b.0) {
            put_message(&mut message, traces_data::RESOURCE_SPANS >> 3, |out| {
                let resource = rows.value(Field::Resource, of_resource[0].0);
                out.extend_from_slice(resource);
                for of_scope in of_resource.chunk_by(|a, b| a.1 == b.1) {
                    put_message(out, resource_spans::SCOPE_SPANS >> 3, |out| {
                        let scope = rows.value(Field::Scope, of_scope[0].1);
                        out.extend_from_slice(scope);
                        for (.., row) in of_scope {
                            let mut body = Vec::with_capacity(512);
                            if let Err(e) = rebuilder.span(rows, *row, &mut body) {
                                failed = Some(e);
                                continue;
                            }
                            let hash = |hasher: &RandomState| hasher.hash_one((resource, scope, &body));
                            if self.seen.insert([hash(&self.hashers[0]), hash(&self.hashers[1])]) {
                                put_bytes(out, scope_spans::SPANS >> 3, &body);
                            } else {
                                self.twice += 1;
                            }
                        }
                    });
                }
            });
        }
        if let Some(e) = failed {
            return Err(e);
        }
        let unreadable = |e| StoreError::new(ErrorKind::Internal, "join blocks: their spans are no OTLP").caused_by(e);
        self.head.push(&SpanBatch::parse(message).map_err(unreadable)?);
        Ok(())
    }
}
