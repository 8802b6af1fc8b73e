//! How long roll-ups are kept.

use skua_store::rollups::RollupStore;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
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
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let before = now.saturating_sub(keep).as_micros() as u64;
        tokio::select! {
            () = stop.cancelled() => return,
            deleted = store.delete_rollups(before) => if let Err(error) = deleted {
                tracing::warn!(%error, "failed to delete old roll-ups; trying again in an hour");
            }
        }
    }
}
