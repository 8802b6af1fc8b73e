//! For one process that is all of the installation.

use super::{Rollup, RollupKind, RollupStore, Version};
use crate::{ErrorKind, StoreError};
use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;

/// What a document takes beside its body, in bytes.
const OVERHEAD: u64 = 128;

/// Holds documents in memory, within a bound: when it is passed, those of the oldest intervals go first, but never the one that was
/// saved last.
#[derive(Debug)]
pub struct MemoryRollups {
    /// Bytes; 0 means no bound.
    most: u64,
    state: Mutex<State>,
    documents: Gauge,
    bytes: Gauge,
    evicted: Counter,
}

#[derive(Debug, Default)]
struct State {
    /// In the order in which they go.
    documents: BTreeMap<(u64, RollupKind), Held>,
    bytes: u64,
    /// Of the document that was saved last: no two have the same, even if one was deleted in between.
    last: u64,
}

#[derive(Debug)]
struct Held {
    version: Version,
    body: Bytes,
}

impl Held {
    fn size(&self) -> u64 {
        size(&self.body)
    }
}

fn size(body: &Bytes) -> u64 {
    body.len() as u64 + OVERHEAD
}

impl MemoryRollups {
    /// Holds at most so many bytes, within a few percent; 0 means no bound but what
    /// [`delete_rollups`](RollupStore::delete_rollups) deletes.
    pub fn new(most_bytes: u64) -> Self {
        Self {
            most: most_bytes,
            state: Mutex::default(),
            documents: Gauge::default(),
            bytes: Gauge::default(),
            evicted: Counter::default(),
        }
    }

    /// Shows what is held and what had to go: `skua_rollup_memory_{documents,bytes}` and
    /// `skua_rollup_memory_evicted_documents_total`.
    pub fn register(&self, registry: &mut Registry) {
        let memory = registry.sub_registry_with_prefix("skua_rollup_memory");
        memory.register("documents", "Roll-ups held in memory", self.documents.clone());
        memory.register("bytes", "Bytes that the held roll-ups take", self.bytes.clone());
        memory.register("evicted_documents", "Roll-ups that made room for newer ones", self.evicted.clone());
    }

    /// Documents that made room for newer ones so far.
    pub fn evicted(&self) -> u64 {
        self.evicted.get()
    }

    fn has_room(&self, bytes: u64) -> bool {
        self.most == 0 || bytes <= self.most
    }

    /// Removes the oldest documents until the bound is kept, but not `saved`.
    fn evict(&self, state: &mut State, saved: (u64, RollupKind)) {
        while !self.has_room(state.bytes)
            && let Some(oldest) = state.documents.keys().find(|key| **key != saved).copied()
        {
            state.remove(oldest);
            self.evicted.inc();
        }
    }

    fn show(&self, state: &State) {
        self.documents.set(state.documents.len() as i64);
        self.bytes.set(state.bytes as i64);
    }
}

impl State {
    fn remove(&mut self, key: (u64, RollupKind)) {
        self.bytes -= self.documents.remove(&key).map_or(0, |held| held.size());
    }
}

#[async_trait]
impl RollupStore for MemoryRollups {
    async fn rollup(&self, kind: RollupKind, interval: u64) -> Result<Option<Rollup>, StoreError> {
        let state = self.state.lock();
        let rollup = |held: &Held| Rollup { version: held.version, body: held.body.clone() };
        Ok(state.documents.get(&(interval, kind)).map(rollup))
    }

    /// A document that would alone pass the bound is `Invalid`.
    async fn save_rollup(&self, kind: RollupKind, interval: u64, body: Bytes, was: Option<Version>) -> Result<bool, StoreError> {
        if !self.has_room(size(&body)) {
            let message = format!("save a roll-up of {} bytes: the memory for all of them is {} bytes", body.len(), self.most);
            return Err(StoreError::new(ErrorKind::Invalid, message));
        }
        let (mut state, key) = (self.state.lock(), (interval, kind));
        if state.documents.get(&key).map(|held| held.version) != was {
            return Ok(false);
        }
        state.remove(key);
        state.last += 1;
        let held = Held { version: Version(state.last, 0), body };
        state.bytes += held.size();
        state.documents.insert(key, held);
        self.evict(&mut state, key);
        self.show(&state);
        Ok(true)
    }

    async fn rollups(&self, kind: RollupKind, from: u64, until: u64) -> Result<Vec<(u64, Bytes)>, StoreError> {
        let state = self.state.lock();
        let within = state.documents.range((from, RollupKind::Red)..).take_while(|((interval, _), _)| *interval < until);
        let of_kind = within.filter(|((_, of), _)| *of == kind);
        Ok(of_kind.map(|((interval, _), held)| (*interval, held.body.clone())).collect())
    }

    /// To the interval.
    async fn delete_rollups(&self, before: u64) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        while let Some(oldest) = state.documents.keys().next().copied().filter(|(interval, _)| *interval < before) {
            state.remove(oldest);
        }
        self.show(&state);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;
    use crate::rollups::INTERVAL;

    #[tokio::test]
    async fn passes_the_suite() {
        conformance::rollups::run(&MemoryRollups::new(0)).await;
    }

    /// Scenario: documents for ever, some of them replaced. Guarantees: the bound is kept, the oldest go first, are counted, and one
    /// that never fits is refused; what is saved is there.
    #[tokio::test]
    async fn the_oldest_go_first() {
        let store = MemoryRollups::new(10 * (1000 + OVERHEAD));
        let save = async |interval, bytes| {
            let was = store.rollup(RollupKind::Red, interval).await.unwrap().map(|rollup| rollup.version);
            store.save_rollup(RollupKind::Red, interval, vec![0; bytes].into(), was).await
        };
        for i in 1..=50 {
            assert!(save(i * INTERVAL, 1).await.unwrap());
            assert!(save(i * INTERVAL, 1000).await.unwrap());
        }
        let held = store.rollups(RollupKind::Red, 0, u64::MAX).await.unwrap();
        assert_eq!(held.iter().map(|(interval, _)| interval / INTERVAL).collect::<Vec<_>>(), (41..=50).collect::<Vec<_>>());
        assert_eq!((store.evicted(), store.bytes.get(), store.documents.get()), (40, store.most as i64, 10));
        assert!(save(INTERVAL, 1000).await.unwrap(), "older than all");
        assert!(store.rollup(RollupKind::Red, INTERVAL).await.unwrap().is_some());
        let e = save(99 * INTERVAL, store.most as usize).await.unwrap_err();
        assert!(e.kind == ErrorKind::Invalid && e.message.contains("the memory for all of them"), "{e}");
        store.delete_rollups(u64::MAX).await.unwrap();
        assert_eq!((store.bytes.get(), store.documents.get()), (0, 0));
    }
}
