//! Whether a tier serves: the body and the status of the admin port's `/`.

use crate::time::{go_duration, rfc3339};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Instant, SystemTime};

const STARTING: u8 = 0;
const READY: u8 = 1;
const DRAINING: u8 = 2;

/// Shared by the tier, which sets it, and the admin port, which shows it.
#[derive(Debug, Clone)]
pub struct Health(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: AtomicU8,
    ready_since: parking_lot::Mutex<Option<(SystemTime, Instant)>>,
}

impl Default for Health {
    fn default() -> Self {
        Self(Arc::new(Inner { state: AtomicU8::new(STARTING), ready_since: parking_lot::Mutex::new(None) }))
    }
}

impl Health {
    /// The tier serves. Ignored once it drains.
    pub fn ready(&self) {
        if self.0.state.compare_exchange(STARTING, READY, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            *self.0.ready_since.lock() = Some((SystemTime::now(), Instant::now()));
            tracing::info!("ready");
        }
    }

    /// The tier is about to stop: from now on load balancers should look elsewhere.
    pub fn draining(&self) {
        self.0.state.store(DRAINING, Ordering::Release);
    }

    /// True between [`Health::ready`] and [`Health::draining`].
    pub fn is_ready(&self) -> bool {
        self.0.state.load(Ordering::Acquire) == READY
    }

    /// HTTP status and body with Jaeger's fields: 200 `Server available`, 503 while starting and draining.
    pub fn report(&self) -> (u16, String) {
        let since = *self.0.ready_since.lock();
        match since.filter(|_| self.is_ready()) {
            Some((at, instant)) => {
                let uptime = go_duration(instant.elapsed());
                let body = json!({"status": "Server available", "upSince": rfc3339(at), "uptime": uptime});
                (200, body.to_string())
            }
            None => {
                let body = json!({"status": "Server not available", "upSince": "0001-01-01T00:00:00Z", "uptime": ""});
                (503, body.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_ready_tier_is_available() {
        let health = Health::default();
        assert_eq!(health.report().0, 503);
        health.ready();
        let (status, body) = health.report();
        assert!(status == 200 && body.contains("\"status\":\"Server available\""), "{body}");
        health.draining();
        health.ready();
        assert_eq!(health.report().0, 503);
    }
}
