//! Who calculates.

use super::{Clock, Options};
use skua_store::sampling::Lease;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The name of the lease, as Jaeger has it.
pub const RESOURCE: &str = "sampling_store_leader";

/// Takes the lease when it can and keeps it.
pub struct Election {
    lease: Arc<dyn Lease>,
    owner: String,
    leader_interval: Duration,
    follower_interval: Duration,
    /// Microseconds since 1970 when the lease runs out; 0 for a follower.
    until: AtomicU64,
}

impl Election {
    /// A follower.
    pub fn new(lease: Arc<dyn Lease>, owner: String, options: &Options) -> Self {
        Self {
            lease,
            owner,
            leader_interval: options.leader_lease_refresh_interval,
            follower_interval: options.follower_lease_refresh_interval,
            until: AtomicU64::new(0),
        }
    }

    /// Whether the lease is here at this time (microseconds since 1970). While the store is away a leader stays leader until
    /// the lease has run out, and no longer: another may have it then.
    pub fn is_leader(&self, now: u64) -> bool {
        now < self.until.load(Relaxed)
    }

    /// Tries to get or keep the lease, and says how long to wait before the next time.
    pub async fn campaign(&self, now: u64) -> Duration {
        let was = self.is_leader(now);
        match self.lease.acquire(RESOURCE, &self.owner, self.follower_interval, now).await {
            Ok(true) => self.until.store(now.saturating_add(self.follower_interval.as_micros() as u64), Relaxed),
            Ok(false) => self.until.store(0, Relaxed),
            Err(error) => tracing::error!(%error, was_leader = was, "failed to ask for the lease of adaptive sampling"),
        }
        let is = self.is_leader(now);
        if is != was {
            tracing::info!(owner = self.owner, leader = is, "the leader of adaptive sampling changed");
        }
        if is { self.leader_interval } else { self.follower_interval }
    }

    /// Campaigns until `stop`, then gives the lease back.
    pub async fn run(self: Arc<Self>, clock: Arc<dyn Clock>, stop: CancellationToken) {
        let campaigning = async {
            loop {
                let pause = self.campaign(clock.now()).await;
                tokio::time::sleep(pause).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = campaigning => {}
        }
        // A campaign that was cut short may have got it.
        self.until.store(0, Relaxed);
        if let Err(error) = self.lease.forfeit(RESOURCE, &self.owner).await {
            tracing::warn!(%error, "failed to give back the lease of adaptive sampling; it runs out by itself");
        }
    }
}
