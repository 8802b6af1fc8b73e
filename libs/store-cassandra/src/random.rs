//! Numbers that no other process has: not for secrets.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Any number.
pub(crate) fn number() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A number from 0 on.
pub(crate) fn below(end: i32) -> i32 {
    (number() % end.unsigned_abs() as u64) as i32
}
