//! A map that keeps the order in which its keys came.

use super::json::Text;
use std::collections::HashMap;

/// So many keys are compared one by one, more are hashed.
const FEW: usize = 32;

/// Keys and values. The last value of a key counts, in the place of the first.
pub(super) struct Unique<'a, V> {
    list: Vec<(Text<'a>, V)>,
    /// A bit for each key: most have no other key's bit, and are then no duplicates.
    seen: u64,
    /// There may be duplicates.
    doubtful: bool,
}

impl<V> Default for Unique<'_, V> {
    fn default() -> Self {
        Self { list: Vec::new(), seen: 0, doubtful: false }
    }
}

impl<'a, V> Unique<'a, V> {
    pub fn clear(&mut self) {
        self.list.clear();
        (self.seen, self.doubtful) = (0, false);
    }

    #[inline]
    pub fn push(&mut self, key: Text<'a>, value: V) {
        let middle = key.get(key.len() / 2).copied().unwrap_or_default();
        let last = key.last().copied().unwrap_or_default();
        let mixed = key.len().wrapping_mul(0x9e37) + usize::from(middle) * 0x85eb + usize::from(last) * 0xc2b3;
        let bit = 1 << (mixed >> 4 & 63);
        if self.seen & bit != 0 {
            let from = if self.list.len() > FEW { self.list.len() - 1 } else { 0 };
            if let Some(same) = self.list[from..].iter_mut().find(|(k, _)| *k == key) {
                same.1 = value;
                return;
            }
            self.doubtful |= from > 0;
        }
        self.seen |= bit;
        self.list.push((key, value));
    }

    /// After the last [`Unique::push`].
    pub fn settle(&mut self) {
        if !std::mem::take(&mut self.doubtful) {
            return;
        }
        let mut places: HashMap<Text<'a>, usize> = HashMap::with_capacity(self.list.len());
        let mut kept: Vec<(Text<'a>, V)> = Vec::with_capacity(self.list.len());
        for (key, value) in self.list.drain(..) {
            match places.get(&key) {
                Some(at) => kept[*at].1 = value,
                None => {
                    places.insert(key.clone(), kept.len());
                    kept.push((key, value));
                }
            }
        }
        self.list = kept;
    }

    pub fn iter(&self) -> impl Iterator<Item = &(Text<'a>, V)> {
        self.list.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    /// Few and many keys, each three times.
    #[test]
    fn the_last_value_in_the_first_place() {
        for count in [1, 7, 32, 33, 500] {
            let keys: Vec<String> = (0..count).map(|n| format!("key {n}")).collect();
            let mut map = Unique::default();
            for round in 0..3 {
                keys.iter().enumerate().for_each(|(n, key)| map.push(Cow::Borrowed(key.as_bytes()), (round, n)));
            }
            map.settle();
            let got: Vec<_> = map.iter().map(|(key, value)| (key.to_vec(), *value)).collect();
            let want: Vec<_> = keys.iter().enumerate().map(|(n, key)| (key.clone().into_bytes(), (2, n))).collect();
            assert_eq!(got, want);
        }
    }
}
