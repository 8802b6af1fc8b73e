//! Spans on their way to the store: bounded, mended where no store could take them, and counted.

use parking_lot::Mutex;
use skua_model::{SpanBatch, repair};
use skua_pipeline::Ledger;
use skua_store::{ErrorKind, SpanWriter, StoreError, Written};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Where spans go in.
pub struct Intake {
    writer: Arc<dyn SpanWriter>,
    ledger: Arc<Ledger>,
    /// A permit for each byte that may be under way.
    room: Arc<Semaphore>,
    capacity: u32,
    complained: Mutex<Option<Instant>>,
}

/// What became of a batch that the store took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Spans that were refused for good.
    pub refused: u64,
    /// Why, for the client.
    pub why: String,
}

/// Pause between two complaints about refused spans.
const QUIET: Duration = Duration::from_secs(1);

impl Intake {
    /// Writes to `writer`; `max_in_flight_bytes` of messages may be under way.
    pub fn new(writer: Arc<dyn SpanWriter>, ledger: Arc<Ledger>, max_in_flight_bytes: usize) -> Arc<Self> {
        let capacity = u32::try_from(max_in_flight_bytes.clamp(1, Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        let room = Arc::new(Semaphore::new(capacity as usize));
        Arc::new(Self { writer, ledger, room, capacity, complained: Mutex::default() })
    }

    /// Room for a message, if there is some. A message that is larger than all of it takes all of it.
    pub(crate) fn try_room(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        self.room.clone().try_acquire_many_owned(self.permits(bytes)).ok()
    }

    /// Room for a message, as soon as there is some. Nothing else may be held while waiting.
    pub(crate) async fn room(&self, bytes: usize) -> Result<OwnedSemaphorePermit, StoreError> {
        let room = self.room.clone().acquire_many_owned(self.permits(bytes)).await;
        room.map_err(|e| StoreError::new(ErrorKind::Internal, "the room for spans is closed").caused_by(e))
    }

    /// Room for a message that nobody holds back.
    pub(crate) fn room_now(&self, bytes: usize) -> Result<OwnedSemaphorePermit, StoreError> {
        let full = || StoreError::new(ErrorKind::Overloaded, "too many spans wait to be stored; send them again later");
        self.try_room(bytes).ok_or_else(full)
    }

    fn permits(&self, bytes: usize) -> u32 {
        u32::try_from(bytes).unwrap_or(u32::MAX).min(self.capacity)
    }

    /// Counts a message that holds no span that could be read.
    pub(crate) fn undecodable(&self) {
        self.ledger.received(1).refused("undecodable", 1);
    }

    /// Stores a batch. That goes on when the caller stops waiting, so that every span is counted under what became of it.
    ///
    /// # Errors
    /// As [`SpanWriter::write`].
    pub(crate) async fn store(self: &Arc<Self>, batch: SpanBatch, room: OwnedSemaphorePermit) -> Result<Kept, StoreError> {
        let (intake, batch) = (self.clone(), batch);
        let stored = tokio::spawn(async move {
            let kept = intake.write(batch).await;
            drop(room);
            kept
        });
        let kept = stored.await.map_err(|e| StoreError::new(ErrorKind::Internal, "the delivery failed").caused_by(e))?;
        match &kept {
            Ok(kept) if kept.refused > 0 && self.may_complain() => {
                tracing::warn!(spans = kept.refused, why = %kept.why, "spans were refused");
            }
            Err(e) if self.may_complain() => tracing::warn!(error = %e, "the store did not take a batch"),
            _ => {}
        }
        kept
    }

    async fn write(&self, batch: SpanBatch) -> Result<Kept, StoreError> {
        let unsound = *batch.refused();
        let mut open = self.ledger.received(batch.len() as u64 + unsound.total());
        unsound.iter().for_each(|(why, n)| open.refused(why.as_str(), n));
        let mut kept = Kept { refused: unsound.total(), why: unsound.to_string() };
        if batch.is_empty() {
            return Ok(kept);
        }
        let written = match repair(batch) {
            Ok((batch, _)) => self.writer.write(&batch).await,
            Err(e) => Err(StoreError::new(ErrorKind::Invalid, e.to_string())),
        };
        match written {
            Ok(Written { stored, refused }) => {
                open.stored(stored);
                refused.iter().for_each(|r| open.refused(r.reason, 1));
                if let Some(first) = refused.first() {
                    let and = if kept.why.is_empty() { "" } else { "; " };
                    kept.why.push_str(&format!("{and}{} refused by the store: {}", refused.len(), first.detail));
                    kept.refused += refused.len() as u64;
                }
                Ok(kept)
            }
            Err(e) => {
                let left = open.open();
                open.refused(reason(e.kind), left);
                Err(e)
            }
        }
    }

    fn may_complain(&self) -> bool {
        let mut last = self.complained.lock();
        let may = last.is_none_or(|last| last.elapsed() >= QUIET);
        if may {
            *last = Some(Instant::now());
        }
        may
    }

    /// Returns when nothing is under way any more and the writer has kept what it was given.
    ///
    /// # Errors
    /// What the writer's flush returned.
    pub(crate) async fn drain(&self) -> Result<(), StoreError> {
        drop(self.room.acquire_many(self.capacity).await);
        self.writer.flush().await
    }
}

/// The metric label of a failed write.
fn reason(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Unavailable => "unavailable",
        ErrorKind::Overloaded => "overloaded",
        ErrorKind::Timeout => "timeout",
        ErrorKind::Unsupported => "unsupported",
        ErrorKind::Invalid => "invalid",
        ErrorKind::NotFound | ErrorKind::Internal => "internal",
    }
}
