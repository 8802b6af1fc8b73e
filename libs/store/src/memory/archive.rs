//! A second store in memory, for traces that somebody wants kept: it has its own order, and its part of the first one's bounds.

use super::{MemoryConfig, MemoryStore, State};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What an archive holds.
#[derive(Debug, Default)]
pub(super) struct Archived {
    traces: AtomicU64,
    bytes: AtomicU64,
}

impl MemoryStore {
    /// An archive beside a store: both together stay within the store's bounds, of which the archive takes half at most. What it
    /// holds, the store has less room for. When it is full, the trace that was archived first goes first. One archive a store.
    pub fn archive_of(primary: &Arc<Self>) -> Self {
        let half = |bound: u64| if bound == 0 { 0 } else { (bound / 2).max(1) };
        let MemoryConfig { max_traces, max_bytes } = primary.config;
        let config = MemoryConfig { max_traces: half(max_traces), max_bytes: half(max_bytes) };
        Self { primary: Some(primary.clone()), ..Self::new(config) }
    }

    /// Traces at most; `None`: no bound.
    pub(super) fn room_for_traces(&self) -> Option<u64> {
        room(self.config.max_traces, &self.archived.traces)
    }

    /// Bytes at most; `None`: no bound.
    pub(super) fn room_for_bytes(&self) -> Option<u64> {
        room(self.config.max_bytes, &self.archived.bytes)
    }

    /// Of an archive that has changed: the store beside it makes room.
    pub(super) fn tell_primary(&self, state: &State) {
        let Some(primary) = &self.primary else { return };
        primary.archived.traces.store(state.traces.len() as u64, Ordering::Relaxed);
        // An empty table has its size too, and a store without archived traces all of its room.
        let bytes = if state.traces.is_empty() { 0 } else { state.total_bytes() as u64 };
        primary.archived.bytes.store(bytes, Ordering::Relaxed);
        let mut state = primary.state.write();
        primary.evict(&mut state);
        primary.show(&state);
    }
}

fn room(bound: u64, archived: &AtomicU64) -> Option<u64> {
    (bound > 0).then(|| bound.saturating_sub(archived.load(Ordering::Relaxed)))
}

#[cfg(test)]
mod tests;
