//! How long roll-ups are kept.

use crate::now_ms;
use skua_store::rollups::RollupStore;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often it is looked what is too old.
const LOOK: Duration = Duration::from_secs(3600);

/// Deletes what is older than `keep`, once an hour, until told to stop. Every process may do it.
pub async fn run(store: Arc<dyn RollupStore>, keep: Duration, stop: CancellationToken) {
    let mut timer = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = timer.tick() => {}
        }
        let before = now_ms().saturating_sub(keep.as_millis() as u64) * 1000;
        tokio::select! {
            () = stop.cancelled() => return,
            deleted = store.delete_rollups(before) => if let Err(error) = deleted {
                tracing::warn!(%error, "failed to delete old roll-ups; trying again in an hour");
            }
        }
    }
}
