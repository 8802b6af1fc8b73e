use super::*;
use async_trait::async_trait;
use parking_lot::Mutex;
use skua_model::SpanBatch;
use skua_store::{StoreError, Written};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::oneshot;

/// A store that gathers until it is flushed.
#[derive(Default)]
struct Gathering {
    gathered: Mutex<Vec<oneshot::Sender<()>>>,
    /// Flushes that fail from now on.
    failing: AtomicU64,
}

#[async_trait]
impl SpanWriter for Gathering {
    async fn write(&self, batch: &SpanBatch) -> Result<Written, StoreError> {
        let (written, later) = self.hand_over(batch).await?;
        later.kept().await;
        Ok(written)
    }

    async fn hand_over(&self, batch: &SpanBatch) -> Result<(Written, Later), StoreError> {
        let (keep, kept) = oneshot::channel();
        self.gathered.lock().push(keep);
        let kept = async move {
            if kept.await.is_err() {
                std::future::pending().await
            }
        };
        Ok((Written::all(batch), Later::when(kept)))
    }

    async fn flush(&self) -> Result<(), StoreError> {
        if self.failing.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            return Err(StoreError::new(skua_store::ErrorKind::Unavailable, "reach the store"));
        }
        // Nobody listens to what was given up.
        self.gathered.lock().drain(..).for_each(|keep| _ = keep.send(()));
        Ok(())
    }
}

struct Bench {
    waiting: Arc<Waiting>,
    store: Arc<Gathering>,
    kept: watch::Sender<u64>,
    draining: watch::Sender<bool>,
    stop: CancellationToken,
    give_up: CancellationToken,
}

impl Bench {
    fn new() -> Self {
        let (give_up, stop) = (CancellationToken::new(), CancellationToken::new());
        let (waiting, store) = (Arc::new(Waiting::new(give_up.clone())), Arc::new(Gathering::default()));
        let draining = watch::Sender::new(false);
        let (flusher, writer, told, stopped) = (waiting.clone(), store.clone(), draining.subscribe(), stop.clone());
        tokio::spawn(async move { flusher.flush(&*writer, told, stopped).await });
        Self { waiting, store, kept: watch::Sender::new(0), draining, stop, give_up }
    }

    /// A chunk that the store takes over.
    async fn hand_over(&self) {
        let (_, later) = self.store.hand_over(&SpanBatch::default()).await.expect("taken");
        let kept = self.kept.clone();
        self.waiting.hold(later, move || kept.send_modify(|kept| *kept += 1));
    }

    async fn kept(&self, chunks: u64) {
        self.kept.subscribe().wait_for(|kept| *kept == chunks).await.expect("a sender");
    }

    /// Lets every task run as far as it can.
    async fn settle(&self) {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }
}

/// Scenario: a store gathers three chunks. Guarantee: none is acknowledged before it keeps them, all are after, and nothing is left.
#[tokio::test]
async fn nothing_is_acknowledged_before_the_store_keeps_it() {
    let bench = Bench::new();
    for _ in 0..3 {
        bench.hand_over().await;
    }
    bench.settle().await;
    assert_eq!(*bench.kept.borrow(), 0);
    bench.store.flush().await.expect("kept");
    bench.kept(3).await;
    bench.waiting.ended().await;
}

#[tokio::test]
async fn what_is_kept_at_once_is_acknowledged_at_once() {
    let bench = Bench::new();
    let kept = bench.kept.clone();
    bench.waiting.hold(Later::done(), move || kept.send_modify(|kept| *kept += 1));
    assert_eq!(*bench.kept.borrow(), 1);
}

/// Scenario: partitions leave while chunks wait, and one more is taken over meanwhile; later others come. Guarantee: the store is flushed for
/// all that came until the end of the drain, and gathers again after it.
#[tokio::test]
async fn partitions_that_leave_flush_the_store() {
    let bench = Bench::new();
    bench.hand_over().await;
    bench.settle().await;
    assert_eq!(*bench.kept.borrow(), 0);
    bench.draining.send_replace(true);
    bench.kept(1).await;
    bench.hand_over().await;
    bench.kept(2).await;
    bench.draining.send_replace(false);
    bench.settle().await;
    bench.hand_over().await;
    bench.settle().await;
    assert_eq!(*bench.kept.borrow(), 2);
}

/// Scenario: a stop, and a store that is away at first. Guarantee: it is asked again, until everything is kept.
#[tokio::test(start_paused = true)]
async fn a_stop_flushes_until_everything_is_kept() {
    let bench = Bench::new();
    bench.store.failing.store(2, Ordering::Relaxed);
    bench.hand_over().await;
    bench.hand_over().await;
    bench.stop.cancel();
    bench.waiting.ended().await;
    assert_eq!(*bench.kept.borrow(), 2);
}

/// Scenario: the time for a stop is over. Guarantee: what is not kept is not acknowledged, and nobody waits for it.
#[tokio::test]
async fn what_is_given_up_is_not_acknowledged() {
    let bench = Bench::new();
    bench.hand_over().await;
    bench.give_up.cancel();
    bench.waiting.ended().await;
    assert_eq!(*bench.kept.borrow(), 0);
}
