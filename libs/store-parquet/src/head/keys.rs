//! Keys that a search must look for in the rest of spans.

use std::collections::BTreeSet;

/// Keys kept at most.
pub(super) const MOST: usize = 1000;

/// A set of keys.
#[derive(Debug, Default)]
pub(super) struct Keys {
    keys: BTreeSet<Vec<u8>>,
    more: bool,
}

impl Keys {
    pub fn add(&mut self, key: &[u8]) {
        if self.keys.contains(key) {
        } else if self.keys.len() < MOST {
            self.keys.insert(key.to_vec());
        } else {
            self.more = true;
        }
    }

    /// The keys, sorted, and whether there are more.
    pub fn all(&self) -> (&BTreeSet<Vec<u8>>, bool) {
        (&self.keys, self.more)
    }

    /// Bytes on the heap, about.
    pub fn bytes(&self) -> usize {
        64 * self.keys.len()
    }
}
