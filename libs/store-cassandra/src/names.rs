//! Which names of services and operations are stored already.

use crate::index::rows::Name;
use foldhash::{HashMap, HashMapExt};
use parking_lot::Mutex;
use std::hash::BuildHasher;
use std::time::{Duration, Instant};

/// Half of the names that are remembered at most, as Jaeger: 100 000 operations.
const HALF: usize = 50_000;

/// A bounded memory of names that were stored. Forgetting one only means to store it again.
pub(crate) struct StoredNames {
    ttl: Duration,
    hasher: foldhash::fast::RandomState,
    halves: Mutex<Halves>,
}

/// New names go to `young`; when it is full it becomes `old`, and what was in `old` is forgotten.
struct Halves {
    young: HashMap<u64, Instant>,
    old: HashMap<u64, Instant>,
}

impl StoredNames {
    /// `ttl` 0 remembers nothing.
    pub fn new(ttl: Duration) -> Self {
        let halves = Halves { young: HashMap::new(), old: HashMap::new() };
        Self { ttl, hasher: foldhash::fast::RandomState::default(), halves: Mutex::new(halves) }
    }

    /// Those that are not known to be stored.
    pub fn unknown(&self, names: impl IntoIterator<Item = Name>) -> Vec<Name> {
        let halves = self.halves.lock();
        let is_new = |name: &Name| {
            let hash = self.hasher.hash_one(name);
            let stored = halves.young.get(&hash).or_else(|| halves.old.get(&hash));
            stored.is_none_or(|at| at.elapsed() >= self.ttl)
        };
        names.into_iter().filter(is_new).collect()
    }

    /// They are stored now.
    pub fn stored(&self, names: &[Name]) {
        let now = Instant::now();
        let mut halves = self.halves.lock();
        for name in names {
            if halves.young.len() >= HALF {
                halves.old = std::mem::take(&mut halves.young);
            }
            halves.young.insert(self.hasher.hash_one(name), now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(i: usize) -> Name {
        Name { service: b"s".to_vec(), operation: Some(("", i.to_string().into_bytes())) }
    }

    #[test]
    fn forgets_the_oldest_and_the_expired() {
        let names = StoredNames::new(Duration::from_secs(3600));
        (0..=2 * HALF).for_each(|i| names.stored(&[name(i)]));
        assert_eq!(names.unknown([name(0), name(HALF), name(2 * HALF)]), [name(0)]);
        let names = StoredNames::new(Duration::ZERO);
        names.stored(&[name(1)]);
        assert_eq!(names.unknown([name(1)]), [name(1)]);
    }
}
