use super::*;
use crate::count::Options;
use crate::count::tests::of_ids;
use crate::count::tests::oracle::oracle;
use crate::count::tests::world::{World, batch};
use crate::flush::Stores;
use crate::metrics::RollupMetrics;
use bytes::Bytes;
use prometheus_client::registry::Registry;
use skua_store::memory::{MemoryConfig, MemoryStore};
use skua_store::rollups::{Rollup, RollupKind, RollupStore, Version};
use tokio::sync::Semaphore;

/// A store that takes its time.
struct Slow {
    inner: Arc<dyn RollupStore>,
    asked: Semaphore,
    may: Semaphore,
}

#[async_trait]
impl RollupStore for Slow {
    async fn rollup(&self, kind: RollupKind, interval: u64) -> Result<Option<Rollup>, StoreError> {
        self.asked.add_permits(1);
        let _one = self.may.acquire().await.expect("open");
        self.inner.rollup(kind, interval).await
    }

    async fn save_rollup(&self, kind: RollupKind, at: u64, body: Bytes, was: Option<Version>) -> Result<bool, StoreError> {
        self.inner.save_rollup(kind, at, body, was).await
    }

    async fn rollups(&self, kind: RollupKind, from: u64, until: u64) -> Result<Vec<(u64, Bytes)>, StoreError> {
        self.inner.rollups(kind, from, until).await
    }

    async fn delete_rollups(&self, before: u64) -> Result<(), StoreError> {
        self.inner.delete_rollups(before).await
    }
}

/// Scenario: a process is told to stop while it saves, and the store takes its time. Guarantee: what that save has taken is in the documents,
/// as is what was counted after.
#[tokio::test]
async fn a_save_is_not_given_up_when_the_process_stops() {
    let world = World::new(0);
    let metrics = RollupMetrics::register(&mut Registry::default());
    let slow = Arc::new(Slow { inner: world.stores().rollups, asked: Semaphore::new(0), may: Semaphore::new(0) });
    let flusher = Flusher::new(Stores { rollups: slow.clone(), dependencies: None }, metrics.clone());
    let options = Options { window: Duration::from_secs(120), window_bytes: 1 << 30, max_series: 100 };
    let here = Here::new("test", Counter::new(options, metrics), flusher);
    let writer = here.counting(Arc::new(MemoryStore::new(MemoryConfig { max_traces: 0, max_bytes: 0 })));
    let spans = [of_ids(1, 1, false), of_ids(2, 1, false)];

    writer.write(&batch(&spans[..1])).await.expect("written");
    let stop = CancellationToken::new();
    let running = tokio::spawn(here.clone().run(Duration::from_millis(1), stop.clone()));
    slow.asked.acquire().await.expect("open").forget();
    stop.cancel();
    writer.write(&batch(&spans[1..])).await.expect("written");
    let last = tokio::spawn(async move { here.save().await });
    slow.may.add_permits(Semaphore::MAX_PERMITS);
    running.await.expect("ended");
    last.await.expect("saved");
    assert_eq!(world.red(), oracle(&spans).0);
}
