//! How much may be under way.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// Room for batches: in bytes, and in spans when that is bounded too.
pub(crate) struct Room {
    bytes: Bound,
    spans: Option<Bound>,
}

/// A batch's place, until it is dropped.
pub(crate) struct Place {
    _bytes: OwnedSemaphorePermit,
    _spans: Option<OwnedSemaphorePermit>,
}

impl Room {
    pub fn new(bytes: usize, spans: Option<u64>) -> Self {
        let spans = spans.filter(|n| *n > 0).map(|n| Bound::new(usize::try_from(n).unwrap_or(usize::MAX)));
        Self { bytes: Bound::new(bytes), spans }
    }

    /// A batch larger than all of the room gets all of it.
    pub fn take(&self, bytes: usize, spans: usize) -> Option<Place> {
        let bytes = self.bytes.take(bytes)?;
        let spans = match &self.spans {
            Some(bound) => Some(bound.take(spans)?),
            None => None,
        };
        Some(Place { _bytes: bytes, _spans: spans })
    }

    /// Bytes that may be under way.
    pub fn capacity(&self) -> usize {
        self.bytes.capacity
    }

    /// Bytes under way.
    pub fn taken(&self) -> usize {
        self.bytes.capacity.saturating_sub(self.bytes.free.available_permits())
    }

    /// Waits until nothing is under way.
    pub async fn empty(&self) {
        let (mut left, mut held): (usize, Vec<SemaphorePermit<'_>>) = (self.bytes.capacity, Vec::new());
        while left > 0 {
            let some = u32::try_from(left).unwrap_or(u32::MAX);
            let Ok(permits) = self.bytes.free.acquire_many(some).await else { return }; // it is never closed
            held.push(permits);
            left -= some as usize;
        }
    }
}

struct Bound {
    capacity: usize,
    free: Arc<Semaphore>,
}

impl Bound {
    fn new(capacity: usize) -> Self {
        let capacity = capacity.clamp(1, Semaphore::MAX_PERMITS);
        Self { capacity, free: Arc::new(Semaphore::new(capacity)) }
    }

    fn take(&self, n: usize) -> Option<OwnedSemaphorePermit> {
        let n = u32::try_from(n.clamp(1, self.capacity)).unwrap_or(u32::MAX);
        self.free.clone().try_acquire_many_owned(n).ok()
    }
}
