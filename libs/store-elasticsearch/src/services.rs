//! Which pairs of service and operation are stored already.

use foldhash::HashMap;
use parking_lot::Mutex;
use std::time::{Duration, Instant};
use twox_hash::XxHash3_128;

/// Names an index, a service and an operation.
pub(crate) type ServiceKey = u128;

/// Half of the pairs that are remembered at most, as Jaeger: 100 000.
const HALF: usize = 50_000;

/// A bounded memory of pairs that were stored. Forgetting one only means to store it again, under the same `_id`.
pub(crate) struct ServiceCache {
    ttl: Duration,
    halves: Mutex<Halves>,
}

/// New pairs go to `young`; when it is full it becomes `old`, and what was in `old` is forgotten.
#[derive(Default)]
struct Halves {
    young: HashMap<ServiceKey, Instant>,
    old: HashMap<ServiceKey, Instant>,
}

impl ServiceCache {
    /// `ttl` 0 means 12 h.
    pub fn new(ttl: Duration) -> Self {
        let ttl = if ttl.is_zero() { Duration::from_secs(12 * 3600) } else { ttl };
        Self { ttl, halves: Mutex::default() }
    }

    /// True when the pair was stored less than the time to live ago.
    pub fn knows(&self, key: ServiceKey) -> bool {
        let halves = self.halves.lock();
        let stored = halves.young.get(&key).or_else(|| halves.old.get(&key));
        stored.is_some_and(|at| at.elapsed() < self.ttl)
    }

    /// The pair is stored now.
    pub fn stored(&self, key: ServiceKey) {
        let mut halves = self.halves.lock();
        if halves.young.len() >= HALF {
            halves.old = std::mem::take(&mut halves.young);
        }
        halves.young.insert(key, Instant::now());
    }
}

/// Stands for a text in a [`key`].
pub(crate) fn seed(text: &[u8]) -> u64 {
    XxHash3_128::oneshot(text) as u64
}

/// `index` and `service` are seeds.
#[inline]
pub(crate) fn key(index: u64, service: u64, operation: &[u8]) -> ServiceKey {
    XxHash3_128::oneshot_with_seed(index.rotate_left(32) ^ service, operation)
}

/// Jaeger's `_id` of a service document: FNV-1a 64 over both names, without a separator; hex without leading zeros.
pub(crate) fn id(service: &[u8], operation: &[u8]) -> u64 {
    let bytes = service.iter().chain(operation);
    bytes.fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From Jaeger 1.76: `service` + `operation`.
    #[test]
    fn id_is_fnv() {
        assert_eq!(id(b"", b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(id(b"foo", b"bar"), 0x8594_4171_f739_67e8);
        assert_eq!(id(b"foob", b"ar"), id(b"foo", b"bar"));
    }

    #[test]
    fn forgets_the_oldest_and_the_expired() {
        let cache = ServiceCache::new(Duration::ZERO);
        for key in 0..=2 * HALF as u128 {
            cache.stored(key);
        }
        assert!(!cache.knows(0) && cache.knows(HALF as u128) && cache.knows(2 * HALF as u128));
        let cache = ServiceCache::new(Duration::from_nanos(1));
        cache.stored(1);
        std::thread::sleep(Duration::from_millis(1));
        assert!(!cache.knows(1));
    }
}
