//! Times and durations of requests.

use prost_types::{Duration, Timestamp};

/// 0001-01-01, seconds since 1970: what Go sends for a time that is not set.
const UNSET: i64 = -62_135_596_800;

/// The last microsecond that a span can start in.
pub(super) const LAST: u64 = u64::MAX / 1000;

/// Microseconds since 1970, within what a span can have; `None` for a time that is not set.
pub(super) fn micros(time: Option<Timestamp>) -> Option<u64> {
    let time = time.filter(|t| *t != Timestamp { seconds: UNSET, nanos: 0 })?;
    let micros = i128::from(time.seconds) * 1_000_000 + i128::from(time.nanos / 1000);
    Some(u64::try_from(micros.clamp(0, i128::from(LAST))).unwrap_or(LAST))
}

/// Nanoseconds, negative ones too; 0 for a duration that is not set.
pub(super) fn nanos(duration: Option<Duration>) -> i128 {
    duration.map_or(0, |d| i128::from(d.seconds) * 1_000_000_000 + i128::from(d.nanos))
}

/// The bounds of a search in whole microseconds, 0 for none; `None` where no span can be that short.
pub(super) fn durations(min: Option<Duration>, max: Option<Duration>) -> Option<(u64, u64)> {
    let micros = |ns: i128| u64::try_from((ns / 1000).clamp(0, i128::from(LAST))).unwrap_or(LAST);
    let max = match nanos(max) {
        0 => 0,
        ..0 => return None,
        ns => micros(ns).max(1), // under a microsecond is not "no bound"
    };
    Some((micros(nanos(min)), max))
}
