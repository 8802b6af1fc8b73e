//! From sealed heads to blocks.

use super::intake::Sealed;
use super::{Inner, ParquetStore};
use crate::block::{cut, file_name, sidecar_name};
use crate::manifest::{BlockMeta, Manifest};
use skua_store::StoreError;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Pauses between two tries to write a block, doubling.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LAST_PAUSE: Duration = Duration::from_secs(15);
/// Time between two looks at the age of the live head.
const LOOK: Duration = Duration::from_millis(500);

impl Inner {
    fn block_age(&self) -> Duration {
        match (self.config.block_age, &self.log) {
            (Duration::ZERO, Some(_)) => super::AGE_WITH_LOG,
            (Duration::ZERO, None) => super::AGE_WITHOUT,
            (age, _) => age,
        }
    }

    /// Works until the store is closed.
    pub(super) async fn cut_blocks(self: Arc<Self>) {
        let mut pause = FIRST_PAUSE;
        loop {
            let Some(sealed) = self.next_sealed() else {
                tokio::select! {
                    () = self.wake.notified() => {}
                    () = tokio::time::sleep(LOOK) => {}
                    () = self.stop.cancelled() => return,
                }
                continue;
            };
            match self.cut(&sealed).await {
                Ok(()) => {
                    pause = FIRST_PAUSE;
                    self.state.write().sealed.pop_front();
                    if let (Some(log), Some(segment)) = (&self.log, sealed.segment) {
                        log.forget(segment);
                    }
                    sealed.kept.send_replace(true);
                    self.room.notify_waiters();
                    self.show();
                }
                Err(e) => {
                    self.metrics.cut_errors.inc();
                    tracing::error!(error = %e, cause = ?e.source.as_ref().map(ToString::to_string), spans = sealed.head.len(),
                        retry_in_ms = pause.as_millis() as u64, "a block could not be written; it will be tried again");
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = self.stop.cancelled() => return,
                    }
                    pause = (pause * 2).min(LAST_PAUSE);
                }
            }
        }
    }

    /// The first sealed head; the live one is sealed when it is full or old.
    fn next_sealed(&self) -> Option<Arc<Sealed>> {
        let due = |state: &super::State| {
            let old = state.since.is_some_and(|since| since.elapsed() >= self.block_age());
            !state.replaying && state.sealed.is_empty() && !state.live.is_empty() && (old || self.is_full(&state.live))
        };
        if due(&self.state.read()) {
            let mut state = self.state.write();
            if due(&state) {
                self.seal(&mut state);
            }
        }
        self.state.read().sealed.front().cloned()
    }

    async fn cut(&self, sealed: &Arc<Sealed>) -> Result<(), StoreError> {
        let _one = self.cutting.lock().await;
        let started = Instant::now();
        let head = sealed.clone();
        let cut = tokio::task::spawn_blocking(move || cut(&head.head)).await.map_err(super::panicked)??;
        let block = self.put_block(cut, 0).await?;
        let (spans, bytes) = (block.spans, block.bytes);
        let log = self.log.as_ref().zip(sealed.segment).map(|(log, segment)| (log.writer().to_owned(), segment));
        let with = |manifest: &Manifest| {
            let mut next = manifest.clone();
            next.add(block.clone());
            if let Some((writer, segment)) = &log {
                next.advance_log(writer, *segment);
            }
            Some(next)
        };
        self.manifests.update(with).await?;
        self.metrics.cuts.inc();
        self.metrics.cut_seconds.observe(started.elapsed().as_secs_f64());
        tracing::debug!(spans, bytes, milliseconds = started.elapsed().as_millis() as u64, "cut a block");
        Ok(())
    }

    /// Writes the files of a block that no manifest names yet.
    pub(super) async fn put_block(&self, cut: crate::block::Cut, joined: u32) -> Result<BlockMeta, StoreError> {
        let id = format!("{:013}-{:016x}", super::now_ms(), crate::random::number());
        let side = bytes::Bytes::from(cut.sidecar.encode());
        let about = &cut.sidecar.about;
        let block = BlockMeta {
            spans: about.spans,
            traces: cut.sidecar.runs.len() as u32,
            bytes: cut.file.len() as u64,
            side_bytes: side.len() as u64,
            start_min: about.start_min.iter().copied().min().unwrap_or_default(),
            start_max: about.start_max.iter().copied().max().unwrap_or_default(),
            created_ms: super::now_ms(),
            joined,
            id,
        };
        let (side_file, file) = (sidecar_name(&block.id), file_name(&block.id));
        let put = async {
            self.bucket.put(&side_file, side).await?;
            self.bucket.put(&file, cut.file).await
        };
        if let Err(e) = put.await {
            // The next try has another name. What cannot be deleted is an orphan.
            let _ = self.bucket.delete_all(&[file, side_file]).await;
            return Err(e);
        }
        Ok(block)
    }
}

impl ParquetStore {
    /// Writes what is under way: to blocks, or, where there is a log, to that. Nothing is taken any more.
    ///
    /// # Errors
    /// When the log could not be written to the end.
    pub async fn close(&self) -> Result<(), StoreError> {
        match &self.inner.log {
            Some(log) => log.close().await?,
            None => self.inner.drained().await,
        }
        self.inner.stop.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
        Ok(())
    }
}

impl Drop for ParquetStore {
    fn drop(&mut self) {
        self.inner.stop.cancel();
    }
}
