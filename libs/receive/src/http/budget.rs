//! A bound on the bytes of all bodies that are being read, so that many large ones at a time cannot fill the memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Bytes that bodies under way may take together, compressed and decompressed. Clones share it: give one to all receivers of a
/// process. It is taken as bytes come, not as they are announced; a body for which there is none left is answered 503.
#[derive(Debug, Clone)]
pub struct Budget(Arc<AtomicUsize>);

impl Budget {
    /// `bytes` should be several times the largest body, which needs room for what came and for what it unpacks to.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    /// Nothing at first.
    pub(super) fn share(&self) -> Share<'_> {
        Share { budget: self, taken: 0 }
    }

    #[cfg(test)]
    pub(crate) fn left(&self) -> usize {
        self.0.load(Relaxed)
    }
}

impl Default for Budget {
    /// 128 MiB.
    fn default() -> Self {
        Self::new(128 << 20)
    }
}

/// What one body has taken; given back when it is dropped.
pub(super) struct Share<'a> {
    budget: &'a Budget,
    taken: usize,
}

impl Share<'_> {
    /// Whether there were `bytes` left.
    pub fn take(&mut self, bytes: usize) -> bool {
        let taken = self.budget.0.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(bytes)).is_ok();
        if taken {
            self.taken += bytes;
        }
        taken
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.budget.0.fetch_add(self.taken, Relaxed);
    }
}
