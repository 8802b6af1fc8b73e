//! `timeuuid`: RFC 9562's version 1, in the order in which Cassandra compares: by time, then by the bytes after it as signed numbers.

use crate::random;
use uuid::Uuid;

/// 100 ns between 1582-10-15 and 1970-01-01.
const EPOCH: u64 = 0x01b2_1dd2_1381_4000;

/// A random one of a time in microseconds since 1970.
pub(super) fn unique(at: u64) -> Uuid {
    let low = random::number() & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000;
    Uuid::from_u64_pair(high(at, 0), low)
}

/// The last of a time: all of that time and of those before are less or equal.
pub(super) fn last_of(at: u64) -> Uuid {
    Uuid::from_u64_pair(high(at, 9), 0x7f7f_7f7f_7f7f_7f7f)
}

/// Time low, time mid, version and time high.
fn high(at: u64, tenths: u64) -> u64 {
    let time = EPOCH + at * 10 + tenths;
    (time & 0xffff_ffff) << 32 | (time >> 32 & 0xffff) << 16 | 0x1000 | (time >> 48 & 0x0fff)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From Python: `uuid.UUID(fields=…)` of 2026-01-02T03:04:05.000006Z.
    #[test]
    fn the_time_is_in_it() {
        let at = 1_767_323_045_000_006;
        let (seconds, nanos) = unique(at).get_timestamp().map(|t| t.to_unix()).unwrap();
        assert_eq!((seconds, nanos), (1_767_323_045, 6_000));
        assert_eq!(unique(at).get_version_num(), 1);
        let (seconds, nanos) = last_of(at).get_timestamp().map(|t| t.to_unix()).unwrap();
        assert_eq!((seconds, nanos), (1_767_323_045, 6_900));
    }
}
