//! One writer that writes to several: `SPAN_STORAGE_TYPE=elasticsearch,kafka`.

use crate::{Later, SpanWriter, StoreError, Written};
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

/// Of what any writer refuses, each span once.
fn refuse(all: &mut Written, of_one: Written) {
    for refused in of_one.refused {
        if !all.refused.iter().any(|r| r.span == refused.span) {
            all.refused.push(refused);
            all.stored -= 1;
        }
    }
}

#[async_trait]
impl SpanWriter for FanOut {
    /// Kept means kept by all. A span that any of them refuses is refused, once, though others may keep it.
    async fn write(&self, batch: &SpanBatch) -> Result<Written, StoreError> {
        let mut all = Written::all(batch);
        for writer in &self.0 {
            refuse(&mut all, writer.write(batch).await?);
        }
        Ok(all)
    }

    /// Kept when the last has kept it.
    async fn hand_over(&self, batch: &SpanBatch) -> Result<(Written, Later), StoreError> {
        let (mut all, mut later) = (Written::all(batch), Vec::with_capacity(self.0.len()));
        for writer in &self.0 {
            let (written, kept) = writer.hand_over(batch).await?;
            refuse(&mut all, written);
            later.push(kept);
        }
        Ok((all, Later::all(later)))
    }

    async fn flush(&self) -> Result<(), StoreError> {
        for writer in &self.0 {
            writer.flush().await?;
        }
        Ok(())
    }
}
