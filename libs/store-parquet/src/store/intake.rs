//! What comes in: to the log and the head under one lock, so that a head and its segments hold the same spans.

use super::{Inner, ParquetStore, Role};
use crate::head::Head;
use crate::log::{Replay, Replayed, Ticket};
use async_trait::async_trait;
use bytes::Bytes;
use skua_model::{SpanBatch, repair, write_subset};
use skua_store::{ErrorKind, Later, SpanWriter, StoreError, Written};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How long a write waits for room before the sender is told to come again.
const PATIENCE: Duration = Duration::from_secs(10);
const COME_AGAIN: Duration = Duration::from_secs(1);

/// The spans that are in no block yet.
pub(super) struct State {
    pub live: Head,
    /// When the first span came into the live head.
    pub since: Option<Instant>,
    /// Ends when the live head is a block.
    kept: watch::Sender<bool>,
    /// Full heads in their order, of which blocks are being cut.
    pub sealed: VecDeque<Arc<Sealed>>,
    /// The log is being read again: the live head has a part of the segments only, and is sealed by who reads.
    pub replaying: bool,
}

/// A head that takes nothing more.
pub(super) struct Sealed {
    pub head: Head,
    /// The last segment of the log whose spans are in it or in those before it.
    pub segment: Option<u64>,
    pub kept: watch::Sender<bool>,
}

impl State {
    pub fn new(replaying: bool) -> Self {
        Self { live: Head::new(), since: None, kept: watch::Sender::new(false), sealed: VecDeque::new(), replaying }
    }

    /// Makes room for a new head.
    pub fn seal(&mut self, segment: Option<u64>) {
        let head = std::mem::replace(&mut self.live, Head::new());
        let kept = std::mem::replace(&mut self.kept, watch::Sender::new(false));
        self.since = None;
        self.sealed.push_back(Arc::new(Sealed { head, segment, kept }));
    }
}

/// What remains of a write once its spans are in the head.
struct Entered {
    /// With a log.
    ticket: Option<Ticket>,
    /// Without.
    kept: watch::Receiver<bool>,
}

impl Inner {
    pub(super) fn is_full(&self, head: &Head) -> bool {
        head.len() >= self.config.block_spans || head.bytes() >= self.config.head_bytes
    }

    /// Seals the live head, of which the caller knows that it is not empty.
    pub(super) fn seal(&self, state: &mut State) {
        state.seal(self.log.as_ref().map(crate::log::Log::roll));
        self.wake.notify_one();
    }

    /// Takes a batch when there is room for it; `None` when there is none.
    fn enter(&self, batch: &SpanBatch) -> Result<Option<Entered>, StoreError> {
        let record = self.log.as_ref().map(|log| log.check().map(|()| (log, record_of(batch)))).transpose()?;
        let mut state = self.state.write();
        if !state.live.is_empty() && self.is_full(&state.live) {
            if !state.sealed.is_empty() {
                return Ok(None);
            }
            self.seal(&mut state);
        }
        let ticket = record.map(|(log, record)| log.enqueue(record));
        state.live.push(batch);
        state.since.get_or_insert_with(Instant::now);
        let kept = state.kept.subscribe();
        let at_once = self.role == Role::Archive && self.log.is_none();
        if (at_once || self.is_full(&state.live)) && state.sealed.is_empty() {
            self.seal(&mut state);
        }
        Ok(Some(Entered { ticket, kept }))
    }

    /// Waits for room, but not for ever.
    async fn entered(&self, batch: &SpanBatch) -> Result<Entered, StoreError> {
        self.writes.store(true, Ordering::Relaxed);
        let full = || StoreError {
            retry_after: Some(COME_AGAIN),
            ..StoreError::new(ErrorKind::Overloaded, "keep spans: blocks are not written as fast as spans come")
        };
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if self.stop.is_cancelled() {
                return Err(closed());
            }
            let room = self.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            if let Some(entered) = self.enter(batch)? {
                self.metrics.spans.inc_by(batch.len() as u64);
                return Ok(entered);
            }
            self.metrics.waits.inc();
            tokio::time::timeout_at(deadline, room).await.map_err(|_| full())?;
        }
    }

    /// Reads the log again. Blocks are cut on the way when there is more than a head takes.
    pub(super) async fn replay(self: &Arc<Self>, mut replay: Replay) -> Result<(), StoreError> {
        let started = Instant::now();
        let (mut spans, mut last) = (0, None);
        loop {
            // A few thousand records between two looks at who else waits.
            let next = tokio::task::spawn_blocking(move || {
                let some: Vec<Result<Replayed, StoreError>> = replay.by_ref().take(64).collect();
                (some, replay)
            });
            let (some, rest) = next.await.map_err(super::panicked)?;
            replay = rest;
            if some.is_empty() {
                break;
            }
            for replayed in some {
                let Replayed { segment, record } = replayed?;
                if last.is_some_and(|last| last != segment) {
                    self.seal_replayed(last).await;
                }
                last = Some(segment);
                match SpanBatch::parse(record) {
                    Ok(batch) => {
                        spans += batch.len();
                        let mut state = self.state.write();
                        state.live.push(&batch);
                        state.since.get_or_insert_with(Instant::now);
                    }
                    // Its sum matched: it was written so.
                    Err(e) => tracing::error!(error = %e, segment, "a record of the log is no OTLP; it is left out"),
                }
            }
        }
        self.state.write().replaying = false;
        let damaged = replay.damaged_bytes();
        if damaged > 0 {
            tracing::error!(bytes = damaged, "the log is damaged: spans of so many bytes could not be read again");
            self.metrics.damaged_log_bytes.inc_by(damaged);
        }
        if spans > 0 {
            tracing::info!(spans, milliseconds = started.elapsed().as_millis() as u64, "read the log again");
        }
        Ok(())
    }

    /// Between two segments: a full head is sealed with the segments that it has.
    async fn seal_replayed(&self, segment: Option<u64>) {
        loop {
            let room = self.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            {
                let mut state = self.state.write();
                if state.live.is_empty() || !self.is_full(&state.live) {
                    return;
                }
                if state.sealed.is_empty() {
                    state.seal(segment);
                    self.wake.notify_one();
                    return;
                }
            }
            room.await;
        }
    }

    /// Without a log: seals what there is and waits until it is in blocks.
    pub(super) async fn drained(&self) {
        loop {
            let room = self.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            {
                let mut state = self.state.write();
                if state.sealed.is_empty() {
                    if state.live.is_empty() {
                        return;
                    }
                    self.seal(&mut state);
                }
            }
            room.await;
        }
    }
}

/// The batch's sound spans, as the log keeps them.
fn record_of(batch: &SpanBatch) -> Bytes {
    if batch.is_whole() {
        return batch.bytes().clone();
    }
    let mut record = Vec::with_capacity(batch.bytes().len());
    write_subset(batch, &(0..batch.len() as u32).collect::<Vec<_>>(), &mut record);
    record.into()
}

/// Text that is not UTF-8 would make files that others cannot read; the pipeline mends it before, an archived trace may have it. `None` when
/// there is nothing to mend.
fn mended(batch: &SpanBatch) -> Result<Option<SpanBatch>, StoreError> {
    if batch.bad_strings() == 0 {
        return Ok(None);
    }
    let again = SpanBatch::parse(record_of(batch)).and_then(repair);
    let (mended, _) = again.map_err(|e| StoreError::new(ErrorKind::Invalid, "mend text that is not UTF-8").caused_by(e))?;
    Ok(Some(mended))
}

fn closed() -> StoreError {
    StoreError::new(ErrorKind::Unavailable, "keep spans: the store has been closed")
}

async fn until(mut kept: watch::Receiver<bool>, stop: &CancellationToken) -> Result<(), StoreError> {
    tokio::select! {
        biased;
        kept = kept.wait_for(|kept| *kept) => kept.map(drop).map_err(|_| closed()),
        () = stop.cancelled() => Err(closed()),
    }
}

#[async_trait]
impl SpanWriter for ParquetStore {
    async fn write(&self, batch: &SpanBatch) -> Result<Written, StoreError> {
        if batch.is_empty() {
            return Ok(Written::default());
        }
        let mended = mended(batch)?;
        let entered = self.inner.entered(mended.as_ref().unwrap_or(batch)).await?;
        match entered.ticket {
            Some(ticket) => ticket.kept().await?,
            None => until(entered.kept, &self.inner.stop).await?,
        }
        Ok(Written::all(batch))
    }

    async fn hand_over(&self, batch: &SpanBatch) -> Result<(Written, Later), StoreError> {
        if batch.is_empty() {
            return Ok((Written::default(), Later::done()));
        }
        let mended = mended(batch)?;
        let entered = self.inner.entered(mended.as_ref().unwrap_or(batch)).await?;
        let later = match entered.ticket {
            Some(ticket) => {
                ticket.kept().await?;
                Later::done()
            }
            None => {
                let stop = self.inner.stop.clone();
                Later::when(async move {
                    if until(entered.kept, &stop).await.is_err() {
                        std::future::pending::<()>().await;
                    }
                })
            }
        };
        Ok((Written::all(batch), later))
    }

    /// Without a log: waits until all that came is in blocks.
    async fn flush(&self) -> Result<(), StoreError> {
        if self.inner.log.is_none() {
            self.inner.drained().await;
        }
        Ok(())
    }
}
