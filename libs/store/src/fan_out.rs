//! One writer that writes to several: `SPAN_STORAGE_TYPE=elasticsearch,kafka`.

use crate::{SpanWriter, StoreError, Written};
use async_trait::async_trait;
use skua_model::SpanBatch;
use std::sync::Arc;

/// Writes each batch to all of its writers, one after the other.
pub struct FanOut(Vec<Arc<dyn SpanWriter>>);

impl FanOut {
    /// The writer itself when there is one, else a writer to all of them.
    pub fn of(mut writers: Vec<Arc<dyn SpanWriter>>) -> Arc<dyn SpanWriter> {
        match writers.len() {
            1 => writers.swap_remove(0),
            _ => Arc::new(Self(writers)),
        }
    }
}

#[async_trait]
impl SpanWriter for FanOut {
    /// Kept means kept by all. A span that any of them refuses is refused, once, though others may keep it.
    async fn write(&self, batch: &SpanBatch) -> Result<Written, StoreError> {
        let mut all = Written::all(batch);
        for writer in &self.0 {
            for refused in writer.write(batch).await?.refused {
                if !all.refused.iter().any(|r| r.span == refused.span) {
                    all.refused.push(refused);
                }
            }
        }
        all.stored = batch.len() as u64 - all.refused.len() as u64;
        Ok(all)
    }

    async fn flush(&self) -> Result<(), StoreError> {
        for writer in &self.0 {
            writer.flush().await?;
        }
        Ok(())
    }
}
