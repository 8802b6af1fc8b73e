//! Writing a batch.

use crate::bulk::Parts;
use crate::store::ElasticsearchStore;
use async_trait::async_trait;
use futures::stream::{FuturesUnordered, StreamExt};
use skua_model::SpanBatch;
use skua_store::{ErrorKind, RefusedSpan, SpanWriter, StoreError, Written};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

#[async_trait]
impl SpanWriter for ElasticsearchStore {
    async fn write(&self, batch: &SpanBatch) -> Result<Written, StoreError> {
        let rows = &self.metrics.spans;
        let (started, count) = (Instant::now(), batch.len() as u64);
        rows.attempts.inc_by(count);
        match self.write_parts(batch).await {
            Ok(refused) => {
                let stored = count - refused.len() as u64;
                rows.inserts.inc_by(stored);
                rows.errors.inc_by(refused.len() as u64);
                rows.latency_ok.observe(started.elapsed().as_secs_f64());
                Ok(Written { stored, refused })
            }
            Err(e) => {
                rows.errors.inc_by(count);
                rows.latency_err.observe(started.elapsed().as_secs_f64());
                Err(e)
            }
        }
    }
}

impl ElasticsearchStore {
    /// Renders and sends part after part, as many at a time as there are permits.
    async fn write_parts(&self, batch: &SpanBatch) -> Result<Vec<RefusedSpan>, StoreError> {
        let mut refused = Vec::new();
        if batch.is_empty() {
            return Ok(refused);
        }
        self.ready().await?;
        let closed = |e| StoreError::new(ErrorKind::Internal, "the store is closed").caused_by(e);
        let mut parts = Parts::new(batch, &self.shape, &self.cache);
        let mut sending = FuturesUnordered::new();
        loop {
            while sending.len() < self.workers && !parts.is_done() {
                // Wait for a permit only when there is nothing else to wait for.
                let permit = match self.permits.try_acquire() {
                    Ok(permit) => permit,
                    Err(_) if !sending.is_empty() => break,
                    Err(_) => self.permits.acquire().await.map_err(closed)?,
                };
                let Some(part) = parts.next_part(self.size.load(Relaxed)) else { break };
                sending.push(async move {
                    let delivered = self.deliver(part).await;
                    drop(permit);
                    delivered
                });
            }
            match sending.next().await {
                Some(delivered) => refused.extend(delivered?),
                None => break,
            }
        }
        refused.sort_unstable_by_key(|r| r.span);
        Ok(refused)
    }
}
