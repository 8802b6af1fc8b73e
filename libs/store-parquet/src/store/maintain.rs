//! Retention, joining, and what no manifest names: by one process at a time.

use super::{Inner, Role, now_ms};
use crate::block::{file_name, sidecar_name};
use crate::lease::Leases;
use crate::manifest::Manifest;
use skua_store::StoreError;
use skua_store::sampling::Lease as _;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// The lease of who maintains a store.
const LEASE: &str = "parquet-maintenance";
/// How long a process that was killed keeps the others waiting.
const LEASE_TTL: Duration = Duration::from_secs(180);
/// Readers of other processes that know an older manifest find its blocks for so long.
const GRACE_MS: u64 = 10 * 60_000;
/// A file of a writer that has not reached the manifest yet is left alone for so long.
const ORPHAN_MS: u64 = 3_600_000;
/// Time between two looks for files that no manifest names.
const LISTING: Duration = Duration::from_secs(3600);

impl Inner {
    /// Works until the store is closed.
    pub(super) async fn maintain(self: Arc<Self>) {
        let leases = Leases::new(self.bucket.clone());
        let owner = format!("{}-{:016x}", std::process::id(), crate::random::number());
        let mut listed: Option<Instant> = None;
        loop {
            tokio::select! {
                () = tokio::time::sleep(self.config.join.interval) => {}
                () = self.stop.cancelled() => break,
            }
            self.forget_blocks();
            let embedded = self.bucket.directory().is_some();
            if !embedded && !self.writes.load(Ordering::Relaxed) {
                continue;
            }
            if !embedded && !leases.acquire(LEASE, &owner, LEASE_TTL, now_ms() * 1000).await.unwrap_or(false) {
                continue;
            }
            let clean = listed.is_none_or(|at| at.elapsed() >= LISTING);
            match self.maintain_once(clean).await {
                Ok(()) if clean => listed = Some(Instant::now()),
                Ok(()) => {}
                Err(e) => tracing::warn!(error = %e, "failed to join or to delete blocks; it will be tried again"),
            }
            self.show();
        }
        if let Err(e) = leases.forfeit(LEASE, &owner).await {
            tracing::debug!(error = %e, "failed to give the lease of maintenance back");
        }
    }

    /// Forgets what was remembered of blocks that there are no more.
    fn forget_blocks(&self) {
        let manifest = self.manifests.current();
        let there: HashSet<&str> = manifest.blocks.iter().map(|block| block.id.as_str()).collect();
        self.filters.write().retain(|id, _| there.contains(id.as_str()));
        self.unreadable.lock().retain(|id| there.contains(id.as_str()));
    }

    pub(super) async fn maintain_once(self: &Arc<Self>, clean: bool) -> Result<(), StoreError> {
        if self.bucket.directory().is_none() {
            self.manifests.refresh().await?;
        }
        if self.role == Role::Primary {
            self.retire().await?;
        }
        self.delete_dropped().await?;
        if clean {
            self.delete_orphans().await?;
        }
        if self.config.join.enabled {
            let next = || super::join::group(&self.manifests.current(), self.config.block_spans, &self.unreadable.lock());
            while let Some(group) = next() {
                if self.stop.is_cancelled() {
                    break;
                }
                self.join(group).await?;
                self.delete_dropped().await?;
            }
        }
        Ok(())
    }

    /// Bytes of all blocks at most.
    fn budget(&self, used: u64) -> Option<u64> {
        let text = self.config.max_bytes.trim();
        if let Some(percent) = text.strip_suffix('%') {
            let percent: f64 = percent.trim().parse().ok()?;
            let free = free_bytes(self.bucket.directory()?)?;
            return Some(((used + free) as f64 * percent / 100.0) as u64);
        }
        text.parse().ok().filter(|bytes| *bytes > 0)
    }

    /// Deletes what is too old, and the oldest of what is too much.
    pub(super) async fn retire(&self) -> Result<(), StoreError> {
        let now = now_ms();
        let retention = self.config.retention;
        let cutoff = now.checked_sub(retention.as_millis() as u64).map(|ms| ms as i64 * 1_000_000);
        let cutoff = cutoff.filter(|_| !retention.is_zero());
        let retire = |manifest: &Manifest| {
            let used = manifest.bytes();
            let budget = self.budget(used).unwrap_or(u64::MAX);
            let mut left = used;
            let mut retired = HashSet::new();
            for block in &manifest.blocks {
                if left > budget || cutoff.is_some_and(|cutoff| block.start_max < cutoff) {
                    left -= block.size();
                    retired.insert(block.id.clone());
                }
            }
            (!retired.is_empty()).then(|| without(manifest, &retired, now))
        };
        let before = self.manifests.current().blocks.len();
        let after = self.manifests.update(retire).await?.blocks.len();
        let retired = before.saturating_sub(after);
        if retired > 0 {
            self.metrics.retired.inc_by(retired as u64);
            tracing::info!(blocks = retired, "retired blocks by age or by bytes");
        }
        Ok(())
    }

    /// Deletes the files of blocks that were dropped long enough ago.
    pub(super) async fn delete_dropped(&self) -> Result<(), StoreError> {
        let embedded = self.bucket.directory().is_some();
        let until = if embedded { u64::MAX } else { now_ms().saturating_sub(GRACE_MS) };
        let due: HashSet<String> =
            self.manifests.current().dropped.iter().filter(|d| d.at_ms <= until).map(|d| d.id.clone()).collect();
        if due.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = due.iter().flat_map(|id| [file_name(id), sidecar_name(id)]).collect();
        self.bucket.delete_all(&names).await?;
        for id in &due {
            self.blocks.remove(id);
            self.filters.write().remove(id);
        }
        let forget = |manifest: &Manifest| {
            let mut next = manifest.clone();
            next.dropped.retain(|d| !due.contains(&d.id));
            Some(next)
        };
        self.manifests.update(forget).await.map(drop)
    }

    /// Deletes files of blocks that no manifest names: their writer has crashed.
    async fn delete_orphans(&self) -> Result<(), StoreError> {
        let embedded = self.bucket.directory().is_some();
        let old = now_ms().saturating_sub(ORPHAN_MS);
        let until = if embedded { old.max(self.opened_ms) } else { old };
        let listed = self.bucket.list("blocks").await?;
        // After the listing: what was written before it and is wanted is named by now.
        if !embedded {
            self.manifests.refresh().await?;
        }
        // Before the manifest: what is not being written any more is named by then. Times alone do not tell, as clocks are set back.
        let writing = self.writing.lock().clone();
        let manifest = self.manifests.current();
        let known: HashSet<&str> =
            manifest.blocks.iter().map(|b| b.id.as_str()).chain(manifest.dropped.iter().map(|d| d.id.as_str())).collect();
        let id_of = |name: &str| {
            let name = name.strip_prefix("blocks/")?;
            name.strip_suffix(".parquet").or_else(|| name.strip_suffix(".side")).map(str::to_owned)
        };
        let orphan = |name: &str| id_of(name).is_some_and(|id| !known.contains(id.as_str()) && !writing.contains(&id));
        let names: Vec<String> =
            listed.into_iter().filter(|o| o.modified_ms < until && orphan(&o.name)).map(|o| o.name).collect();
        if names.is_empty() {
            return Ok(());
        }
        tracing::info!(files = names.len(), "deleting files of blocks that were never finished");
        self.bucket.delete_all(&names).await
    }
}

/// The manifest without these blocks, which are to be deleted.
pub(super) fn without(manifest: &Manifest, ids: &HashSet<String>, now: u64) -> Manifest {
    let mut next = manifest.clone();
    for id in ids {
        next.drop_block(id, now);
    }
    next
}

/// Bytes that are free for us on the disk of a directory.
fn free_bytes(directory: &std::path::Path) -> Option<u64> {
    let stat = nix::sys::statvfs::statvfs(directory).ok()?;
    Some(stat.blocks_available() * stat.fragment_size())
}
