//! Taking spans.

use crate::{Later, StoreError};
use async_trait::async_trait;
use skua_model::SpanBatch;

/// A place that spans are delivered to.
#[async_trait]
pub trait SpanWriter: Send + Sync {
    /// Delivers all spans of a batch.
    ///
    /// `Ok` means that each span is either kept (acknowledged by the store, or by Kafka from all in-sync replicas) or listed in
    /// [`Written::refused`]; nothing of the batch remains to be done. An error means that any part of the batch may or may not
    /// have been kept: when it [`is_retryable`](StoreError::is_retryable) the caller may deliver the whole batch again.
    /// Delivering the same spans twice leaves the store as delivering them once (Kafka, which cannot know, aside).
    ///
    /// A writer waits a bounded time for a store that is away, then returns [`ErrorKind::Unavailable`](crate::ErrorKind).
    async fn write(&self, batch: &SpanBatch) -> Result<Written, StoreError>;

    /// As [`write`](Self::write), but returns as soon as the batch is taken over and need not be held any more: [`Later`] ends when its spans are
    /// kept. A store that gathers for long (a minute) overrides it; by default it is `write` and a `Later` that has ended.
    ///
    /// What is refused is known at once. A `Later` that does not end before the process does means that any part of the batch may or may
    /// not have been kept. [`flush`](Self::flush) has a store keep at once what it gathers.
    async fn hand_over(&self, batch: &SpanBatch) -> Result<(Written, Later), StoreError> {
        Ok((self.write(batch).await?, Later::done()))
    }

    /// Delivers what is still under way, before the process ends. The default has nothing under way.
    async fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// What became of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Spans that were kept. `stored + refused.len()` is the number of spans in the batch.
    pub stored: u64,
    /// Spans that the store will never take.
    pub refused: Vec<RefusedSpan>,
}

/// A span that a store refuses for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedSpan {
    /// Its place in [`SpanBatch::spans`].
    pub span: u32,
    /// Short, for the metric label `reason`: `too-large`, `mapping`, ….
    pub reason: &'static str,
    /// For the operator and the dead-letter header: what the store said.
    pub detail: String,
}

impl Written {
    /// Every span was kept.
    pub fn all(batch: &SpanBatch) -> Self {
        Self { stored: batch.len() as u64, refused: Vec::new() }
    }
}
