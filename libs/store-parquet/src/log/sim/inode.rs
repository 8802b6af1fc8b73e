//! The bytes of one file: what a process sees, and what is on the disk for sure.

use std::ops::Range;

/// Bytes that reach the disk or do not, together.
const SECTOR: usize = 512;

/// A file without its name.
#[derive(Debug, Default)]
pub(super) struct Inode {
    pub seen: Vec<u8>,
    /// What the disk has since the last good sync.
    disk: Vec<u8>,
    /// What was appended and cut since, in order.
    changes: Vec<Change>,
    /// Places whose bytes a failed sync may have lost, though a later one said well.
    lost: Vec<Range<usize>>,
}

#[derive(Debug)]
enum Change {
    Append(Vec<u8>),
    Cut(usize),
}

impl Inode {
    pub fn of(bytes: &[u8]) -> Self {
        Self { seen: bytes.to_vec(), disk: bytes.to_vec(), ..Self::default() }
    }

    pub fn append(&mut self, bytes: &[u8]) {
        self.seen.extend_from_slice(bytes);
        self.changes.push(Change::Append(bytes.to_vec()));
    }

    pub fn cut(&mut self, len: usize) {
        self.seen.resize(len, 0);
        self.changes.push(Change::Cut(len));
        for lost in &mut self.lost {
            lost.end = lost.end.min(len);
        }
    }

    /// All is on the disk; after a failure what came since the last success may not be, for ever.
    pub fn sync(&mut self, fails: bool) {
        if fails {
            self.lost.push(self.sure()..self.seen.len());
            return;
        }
        self.changes.clear();
        self.disk.clone_from(&self.seen);
    }

    /// Bytes at the beginning that nothing has touched since the last good sync.
    fn sure(&self) -> usize {
        let cuts = self.changes.iter().filter_map(|c| if let Change::Cut(n) = c { Some(*n) } else { None });
        cuts.fold(self.disk.len(), usize::min)
    }

    /// What is there when the power comes back.
    pub fn crash(&mut self, chance: &mut Chance) {
        let sure = self.sure();
        let mut bytes = std::mem::take(&mut self.disk);
        let changes = std::mem::take(&mut self.changes);
        let grew = !changes.is_empty();
        let done = chance.below(changes.len() + 1);
        for (n, change) in changes.into_iter().take(done + 1).enumerate() {
            match change {
                Change::Append(new) if n < done => bytes.extend_from_slice(&new),
                // The one that was under way: some of it.
                Change::Append(new) => bytes.extend_from_slice(&new[..chance.below(new.len() + 1)]),
                Change::Cut(len) if n < done => bytes.truncate(len),
                Change::Cut(_) => (),
            }
        }
        // Sectors are written in any order; the length may be there before the bytes.
        if chance.one_in(2) {
            self.lost.push(sure..bytes.len());
        }
        if grew && chance.one_in(4) {
            bytes.resize(bytes.len() + chance.below(3 * SECTOR), 0);
        }
        for lost in std::mem::take(&mut self.lost) {
            let mut at = lost.start;
            while at < lost.end.min(bytes.len()) {
                let end = ((at / SECTOR + 1) * SECTOR).min(lost.end).min(bytes.len());
                match chance.below(3) {
                    0 => bytes[at..end].fill(0),
                    1 => bytes[at..end].iter_mut().for_each(|b| *b = chance.next() as u8),
                    _ => (),
                }
                at = end;
            }
        }
        *self = Self { seen: bytes.clone(), disk: bytes, ..Self::default() };
    }
}

/// Numbers that look random, the same for the same seed.
#[derive(Debug)]
pub(super) struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// SplitMix64.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Less than `n`, which is not 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}
