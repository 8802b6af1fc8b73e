//! For one process that is all of the installation.

use super::{ByOperation, Lease, SamplingStore, Throughput};
use crate::StoreError;
use async_trait::async_trait;
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// Keeps the last insertions and the latest probabilities in memory.
#[derive(Debug)]
pub struct MemorySampling {
    most: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// In order of insertion.
    throughput: VecDeque<(u64, Vec<Throughput>)>,
    latest: Option<(u64, ByOperation)>,
    leases: HashMap<String, Held>,
}

#[derive(Debug)]
struct Held {
    owner: String,
    expires: u64,
}

impl MemorySampling {
    /// Keeps the last `insertions` of throughput, one at least. A collector inserts once an interval; what is to be read
    /// after a delay must still be there (`skua_sampling::adaptive::Options::insertions`).
    pub fn new(insertions: usize) -> Self {
        Self { most: insertions.max(1), state: Mutex::default() }
    }
}

#[async_trait]
impl SamplingStore for MemorySampling {
    async fn insert_throughput(&self, at: u64, throughput: &[Throughput]) -> Result<(), StoreError> {
        if throughput.is_empty() {
            return Ok(());
        }
        let mut state = self.state.lock();
        if state.throughput.len() >= self.most {
            state.throughput.pop_front();
        }
        state.throughput.push_back((at, throughput.to_vec()));
        Ok(())
    }

    async fn throughput(&self, after: u64, until: u64) -> Result<Vec<Throughput>, StoreError> {
        let state = self.state.lock();
        let within = state.throughput.iter().filter(|(at, _)| *at > after && *at <= until);
        Ok(within.flat_map(|(_, throughput)| throughput).cloned().collect())
    }

    async fn insert_probabilities_and_qps(
        &self,
        at: u64,
        _host: &str,
        probabilities: &ByOperation,
        _qps: &ByOperation,
    ) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        if state.latest.as_ref().is_none_or(|(latest, _)| *latest <= at) {
            state.latest = Some((at, probabilities.clone()));
        }
        Ok(())
    }

    async fn latest_probabilities(&self) -> Result<ByOperation, StoreError> {
        Ok(self.state.lock().latest.as_ref().map(|(_, probabilities)| probabilities.clone()).unwrap_or_default())
    }
}

#[async_trait]
impl Lease for MemorySampling {
    async fn acquire(&self, resource: &str, owner: &str, ttl: Duration, now: u64) -> Result<bool, StoreError> {
        let mut state = self.state.lock();
        if state.leases.get(resource).is_some_and(|held| held.owner != owner && now < held.expires) {
            return Ok(false);
        }
        let held = Held { owner: owner.to_owned(), expires: now.saturating_add(ttl.as_micros() as u64) };
        state.leases.insert(resource.to_owned(), held);
        Ok(true)
    }

    async fn forfeit(&self, resource: &str, owner: &str) -> Result<bool, StoreError> {
        let mut state = self.state.lock();
        let own = state.leases.get(resource).is_some_and(|held| held.owner == owner);
        if own {
            state.leases.remove(resource);
        }
        Ok(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[tokio::test]
    async fn passes_the_suite() {
        let store = MemorySampling::new(1000);
        conformance::sampling::run(&store, &store, &|| Box::pin(async {})).await;
    }

    /// Insertions for ever take no more room than the bound.
    #[tokio::test]
    async fn the_oldest_insertion_goes_first() {
        let store = MemorySampling::new(3);
        for at in 1..=10 {
            let one = Throughput { service: "s".to_owned(), operation: "o".to_owned(), count: at, ..Throughput::default() };
            store.insert_throughput(at, &[one]).await.unwrap();
            store.insert_throughput(at, &[]).await.unwrap();
        }
        let kept: Vec<u64> = store.throughput(0, 10).await.unwrap().iter().map(|t| t.count).collect();
        assert_eq!(kept, [8, 9, 10]);
    }
}
