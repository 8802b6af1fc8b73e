//! Numbers that no other process has: not for secrets.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// Any number.
pub(crate) fn number() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Somewhere between half of this time and all of it, so that processes that met once do not meet again.
pub(crate) fn jittered(time: Duration) -> Duration {
    let half = time / 2;
    half + Duration::from_nanos(number() % (half.as_nanos() as u64).max(1))
}
