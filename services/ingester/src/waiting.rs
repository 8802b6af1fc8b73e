//! Chunks that the store has taken over and not yet kept: a store that gathers spans for long holds up no worker.

use skua_store::{Later, SpanWriter};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Pause after a flush that failed.
const PAUSE: Duration = Duration::from_millis(500);

/// What waits for a store.
#[derive(Debug)]
pub(crate) struct Waiting {
    tasks: TaskTracker,
    /// Batches that a store has taken over so far and that were not kept at once.
    taken: watch::Sender<u64>,
    give_up: CancellationToken,
}

impl Waiting {
    /// When `give_up` is cancelled, nothing is waited for any more.
    pub fn new(give_up: CancellationToken) -> Self {
        Self { tasks: TaskTracker::new(), taken: watch::Sender::new(0), give_up }
    }

    /// Calls `then` when the store has kept it; drops it when that is given up.
    pub fn hold(&self, later: Later, then: impl FnOnce() + Send + 'static) {
        if later.is_done() {
            return then();
        }
        let give_up = self.give_up.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                biased;
                () = later.kept() => then(),
                () = give_up.cancelled() => {}
            }
        });
        self.taken.send_modify(|taken| *taken += 1);
    }

    /// Waits until nothing waits any more. Nothing may be added afterwards.
    pub async fn ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Has the store keep what it gathers, and what it is given then, for as long as `draining` says so, and from `stop` on. Never ends.
    pub async fn flush(&self, writer: &dyn SpanWriter, mut draining: watch::Receiver<bool>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => {}
                () = becomes(&mut draining, true) => {}
            }
            let before = *self.taken.borrow();
            if before > 0
                && let Err(error) = writer.flush().await
            {
                tracing::warn!(%error, "the store did not keep what it gathers; trying again");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            let mut taken = self.taken.subscribe();
            tokio::select! {
                // The sender is borrowed: it cannot have gone.
                _ = taken.wait_for(|taken| *taken != before) => {}
                () = becomes(&mut draining, false), if !stop.is_cancelled() => {}
                () = stop.cancelled(), if !stop.is_cancelled() => {}
            }
        }
    }
}

/// Waits until a value becomes this; for ever when nobody changes it any more.
async fn becomes(value: &mut watch::Receiver<bool>, this: bool) {
    if value.wait_for(|now| *now == this).await.is_err() {
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests;
