//! Times as protobuf has them. A store counts in microseconds, the wire in nanoseconds: the end of a span of time is the last
//! nanosecond of its microsecond.

use prost_types::{Duration, Timestamp};

/// A time that opens a span of time. Microseconds since 1970.
pub(crate) fn from(us: u64) -> Timestamp {
    at(us, 0)
}

/// A time that closes one, itself included. Microseconds since 1970.
pub(crate) fn to(us: u64) -> Timestamp {
    at(us, 999)
}

fn at(us: u64, ns: i32) -> Timestamp {
    // The last second of the year 9999, beyond which protobuf has no time.
    const LAST: u64 = 253_402_300_799;
    Timestamp { seconds: (us / 1_000_000).min(LAST) as i64, nanos: (us % 1_000_000) as i32 * 1000 + ns }
}

/// The least duration that matches; `None` for 0, which is no bound. Microseconds.
pub(crate) fn at_least(us: u64) -> Option<Duration> {
    (us > 0).then(|| lasting(us, 0))
}

/// The greatest duration that matches; `None` for 0, which is no bound. Microseconds.
pub(crate) fn at_most(us: u64) -> Option<Duration> {
    (us > 0).then(|| lasting(us, 999))
}

fn lasting(us: u64, ns: i32) -> Duration {
    // Ten thousand years, the longest of protobuf.
    const LONGEST: u64 = 315_576_000_000;
    Duration { seconds: (us / 1_000_000).min(LONGEST) as i64, nanos: (us % 1_000_000) as i32 * 1000 + ns }
}
