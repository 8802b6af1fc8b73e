//! Counting where there is no Kafka: what a store has taken, in this process, as it comes.
//!
//! Nothing is read again here: what was counted and not yet saved when the process is killed is missing from the roll-ups, and a call
//! whose two spans came to different processes is no link. `skua rollup rebuild` counts both.

use crate::count::{Counter, Position};
use crate::flush::{Flusher, regularly};
use crate::now_ms;
use async_trait::async_trait;
use skua_model::SpanBatch;
use skua_store::{Later, SpanWriter, StoreError, Written};
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Counts the spans that a store takes.
pub struct Here {
    counter: Counter,
    flusher: Flusher,
    /// One save at a time.
    saving: tokio::sync::Mutex<()>,
}

impl Here {
    /// `process` is a name for people; it need not be unique.
    pub fn new(process: &str, counter: Counter, flusher: Flusher) -> Arc<Self> {
        let unique = foldhash::quality::RandomState::default().hash_one((process, now_ms(), std::process::id()));
        counter.begin(0, 0, format!("{process}/{unique:016x}"), Position::default(), 0);
        Arc::new(Self { counter, flusher, saving: tokio::sync::Mutex::default() })
    }

    /// The same writer, of which everything that it takes is counted.
    pub fn counting(self: &Arc<Self>, inner: Arc<dyn SpanWriter>) -> Arc<dyn SpanWriter> {
        Arc::new(Counting { here: self.clone(), inner })
    }

    /// Saves every `interval` until told to stop; [`Here::save`] then saves what is left.
    pub async fn run(self: Arc<Self>, interval: Duration, stop: CancellationToken) {
        regularly(interval, stop, || self.save()).await;
    }

    /// Saves what was counted.
    pub async fn save(&self) {
        let _one = self.saving.lock().await;
        self.counter.tick(0, now_ms());
        let snapshot = self.counter.take();
        match self.flusher.save(&snapshot).await {
            Ok(_) => _ = self.counter.saved(&snapshot),
            Err(error) => {
                tracing::error!(%error, "failed to save roll-ups: what was counted since the last time is missing from them");
                self.counter.dropped(&snapshot);
            }
        }
    }
}

struct Counting {
    here: Arc<Here>,
    inner: Arc<dyn SpanWriter>,
}

impl Counting {
    /// Counts what lies between the spans that were refused.
    fn count(&self, batch: &SpanBatch, written: &Written) {
        let mut refused: Vec<usize> = written.refused.iter().map(|r| r.span as usize).collect();
        refused.sort_unstable();
        refused.push(batch.len());
        let mut from = 0;
        let mut stored = Vec::with_capacity(refused.len());
        for span in refused {
            if span > from {
                stored.push(from..span);
            }
            from = span + 1;
        }
        self.here.counter.count_here(batch, &stored, now_ms());
    }
}

#[async_trait]
impl SpanWriter for Counting {
    async fn write(&self, batch: &SpanBatch) -> Result<Written, StoreError> {
        let written = self.inner.write(batch).await?;
        self.count(batch, &written);
        Ok(written)
    }

    /// Counts what is taken over: later the batch is not there any more.
    async fn hand_over(&self, batch: &SpanBatch) -> Result<(Written, Later), StoreError> {
        let (written, later) = self.inner.hand_over(batch).await?;
        self.count(batch, &written);
        Ok((written, later))
    }

    async fn flush(&self) -> Result<(), StoreError> {
        self.inner.flush().await
    }
}

#[cfg(test)]
mod tests;
