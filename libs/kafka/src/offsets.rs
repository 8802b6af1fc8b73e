//! Which offsets are done. Pure: no Kafka, no clock.

use std::collections::{HashMap, VecDeque};

/// What is under way of each partition that is ours, in the order in which it was handed out.
#[derive(Debug, Default)]
pub(crate) struct Offsets {
    partitions: HashMap<i32, Partition>,
    epochs: u64,
}

#[derive(Debug)]
struct Partition {
    /// Of this assignment (or rewind): what was handed out in an earlier one no longer counts.
    epoch: u64,
    under_way: VecDeque<Range>,
    /// Everything before this offset is done, as far as we have seen the partition.
    done: Option<i64>,
    /// The last position that a commit was asked for.
    asked: Option<i64>,
    given_up: bool,
    /// Of this assignment; a rewind does not change it.
    assignment: u64,
    /// Records before it were stored before the partition came.
    committed: i64,
    /// To be committed beside the position.
    memory: String,
}

/// The records of one chunk and partition.
#[derive(Debug)]
struct Range {
    chunk: u64,
    first: i64,
    /// One more than the last offset.
    end: i64,
    done: bool,
}

impl Offsets {
    /// The partition is ours from now on; everything before `committed` is stored. Returns the number of the assignment.
    pub fn assign(&mut self, partition: i32, committed: Option<i64>) -> u64 {
        self.epochs += 1;
        let new = Partition {
            epoch: self.epochs,
            under_way: VecDeque::new(),
            done: None,
            asked: committed,
            given_up: false,
            assignment: self.epochs,
            committed: committed.unwrap_or(i64::MIN),
            memory: String::new(),
        };
        self.partitions.insert(partition, new);
        self.epochs
    }

    /// The number of the assignment; `None` if the partition is not ours.
    pub fn assignment(&self, partition: i32) -> Option<u64> {
        self.partitions.get(&partition).map(|p| p.assignment)
    }

    /// Whether a record was stored before the partition came.
    pub fn is_again(&self, partition: i32, offset: i64) -> bool {
        self.partitions.get(&partition).is_some_and(|p| offset < p.committed)
    }

    /// What is committed beside the partition's position, from the next commit on.
    pub fn remember(&mut self, partition: i32, memory: String) {
        if let Some(p) = self.partitions.get_mut(&partition).filter(|p| p.memory != memory) {
            p.memory = memory;
            if p.done >= p.asked {
                p.asked = None;
            }
        }
    }

    /// What is to be committed beside the partition's position.
    pub fn memory(&self, partition: i32) -> &str {
        self.partitions.get(&partition).map_or("", |p| &p.memory)
    }

    /// Whether everything before an offset that was handed out is done. True if the partition is not ours.
    pub fn is_done(&self, partition: i32, before: i64) -> bool {
        self.partitions.get(&partition).is_none_or(|p| p.under_way.front().is_none_or(|range| range.first >= before))
    }

    /// The partition is ours no longer. False if it was not.
    pub fn revoke(&mut self, partition: i32) -> bool {
        self.partitions.remove(&partition).is_some()
    }

    /// Partitions that are ours, with the offset after the last one handed out, if any was.
    pub fn held(&self) -> impl Iterator<Item = (i32, Option<i64>)> + '_ {
        self.partitions.iter().map(|(n, p)| (*n, p.under_way.back().map(|r| r.end).or(p.done)))
    }

    /// Records `first..end` of a partition are handed out with this chunk. Returns the epoch to give back; `None` if the
    /// partition is not ours.
    pub fn begin(&mut self, partition: i32, chunk: u64, first: i64, end: i64) -> Option<u64> {
        let p = self.partitions.get_mut(&partition)?;
        p.under_way.push_back(Range { chunk, first, end, done: false });
        Some(p.epoch)
    }

    /// The chunk's records of this partition are stored or dead-lettered. Without effect if the partition has left since.
    pub fn done(&mut self, partition: i32, epoch: u64, chunk: u64) {
        let Some(p) = self.partitions.get_mut(&partition).filter(|p| p.epoch == epoch) else { return };
        // Chunks are numbered in the order in which they were handed out.
        if let Ok(at) = p.under_way.binary_search_by_key(&chunk, |r| r.chunk) {
            p.under_way[at].done = true;
        }
        while let Some(end) = p.under_way.front().filter(|r| r.done).map(|r| r.end) {
            p.under_way.pop_front();
            p.done = Some(end);
        }
    }

    /// The chunk was dropped without being done: its records have to be read again.
    pub fn give_up(&mut self, partition: i32, epoch: u64) {
        if let Some(p) = self.partitions.get_mut(&partition).filter(|p| p.epoch == epoch) {
            p.given_up = true;
        }
    }

    /// Partitions to read again, and from where. They have a new epoch afterwards and nothing under way.
    pub fn rewinds(&mut self) -> Vec<(i32, i64)> {
        let mut rewinds = Vec::new();
        for (n, p) in self.partitions.iter_mut().filter(|(_, p)| p.given_up) {
            p.given_up = false;
            if let Some(first) = p.under_way.front().map(|r| r.first) {
                self.epochs += 1;
                p.epoch = self.epochs;
                p.under_way.clear();
                rewinds.push((*n, first));
            }
        }
        rewinds
    }

    /// True when nothing is under way of the partitions that `of` names.
    pub fn drained(&self, of: impl Fn(i32) -> bool) -> bool {
        self.partitions.iter().all(|(n, p)| !of(*n) || p.under_way.is_empty())
    }

    /// Positions to commit that no commit was asked for yet; from now on it was.
    pub fn take_done(&mut self) -> Vec<(i32, i64)> {
        let changed = self.partitions.iter_mut().filter(|(_, p)| p.done > p.asked);
        changed
            .filter_map(|(n, p)| {
                p.asked = p.done;
                p.done.map(|done| (*n, done))
            })
            .collect()
    }

    /// The position was not taken: it is to be committed again.
    pub fn commit_failed(&mut self, partition: i32) {
        if let Some(p) = self.partitions.get_mut(&partition) {
            p.asked = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(offsets: &mut Offsets) -> Vec<(i32, i64)> {
        offsets.take_done()
    }

    #[test]
    fn commits_the_contiguous_prefix_only() {
        let mut offsets = Offsets::default();
        offsets.assign(0, None);
        let epoch = offsets.begin(0, 1, 10, 20).unwrap();
        offsets.begin(0, 2, 20, 25);
        offsets.begin(0, 3, 30, 31); // A gap: compacted or aborted records.
        offsets.done(0, epoch, 3);
        offsets.done(0, epoch, 2);
        assert_eq!(all(&mut offsets), []);
        offsets.done(0, epoch, 1);
        assert_eq!(all(&mut offsets), [(0, 31)]);
        assert_eq!(all(&mut offsets), [], "once");
        offsets.commit_failed(0);
        assert_eq!(all(&mut offsets), [(0, 31)], "again after a failure");
    }

    #[test]
    fn what_left_and_came_back_is_another_assignment() {
        let mut offsets = Offsets::default();
        offsets.assign(0, None);
        let old = offsets.begin(0, 1, 0, 10).unwrap();
        assert!(offsets.revoke(0) && !offsets.revoke(0));
        offsets.done(0, old, 1);
        assert_eq!(offsets.begin(0, 2, 0, 10), None);
        offsets.assign(0, None);
        let new = offsets.begin(0, 3, 0, 5).unwrap();
        offsets.done(0, old, 3);
        assert_eq!(all(&mut offsets), []);
        offsets.done(0, new, 3);
        assert_eq!(all(&mut offsets), [(0, 5)]);
    }

    #[test]
    fn a_dropped_chunk_is_read_again_from_its_first_record() {
        let mut offsets = Offsets::default();
        offsets.assign(0, None);
        let epoch = offsets.begin(0, 1, 0, 10).unwrap();
        offsets.begin(0, 2, 10, 20);
        offsets.begin(0, 3, 20, 30);
        offsets.done(0, epoch, 1);
        offsets.done(0, epoch, 3);
        offsets.give_up(0, epoch);
        assert_eq!(offsets.rewinds(), [(0, 10)]);
        assert_eq!(offsets.rewinds(), []);
        offsets.done(0, epoch, 2);
        assert_eq!(all(&mut offsets), [(0, 10)]);
        let again = offsets.begin(0, 4, 10, 30).unwrap();
        offsets.done(0, again, 4);
        assert_eq!(all(&mut offsets), [(0, 30)]);
    }

    proptest! {
        /// Scenario: chunks over three partitions, done in any order, with commits in between.
        /// Guarantees: a position is committed only when every record before it is done, positions only grow, and in the end
        /// all is committed.
        #[test]
        fn no_commit_goes_ahead_of_the_work(
            chunks in prop::collection::vec((0..3_i32, 1..5_i64), 1..40),
            order in any::<prop::sample::Index>(),
            seed in any::<u64>(),
        ) {
            let mut offsets = Offsets::default();
            (0..3).for_each(|p| _ = offsets.assign(p, None));
            let mut next = [0_i64; 3];
            let mut open = Vec::new();
            for (chunk, (partition, n)) in (1..).zip(&chunks) {
                let first = next[*partition as usize];
                next[*partition as usize] += n;
                let epoch = offsets.begin(*partition, chunk, first, first + n).unwrap();
                open.push((*partition, epoch, chunk, first));
            }
            let mut committed = [0_i64; 3];
            let mut state = seed | 1;
            let mut at = order.index(open.len());
            while !open.is_empty() {
                let (partition, epoch, chunk, _) = open.swap_remove(at % open.len());
                offsets.done(partition, epoch, chunk);
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
                at = (state >> 33) as usize;
                if at.is_multiple_of(3) || open.is_empty() {
                    for (p, position) in all(&mut offsets) {
                        prop_assert!(position > committed[p as usize]);
                        prop_assert!(open.iter().all(|(q, _, _, first)| *q != p || *first >= position));
                        committed[p as usize] = position;
                    }
                }
            }
            prop_assert_eq!(committed, next);
            prop_assert!(offsets.drained(|_| true));
        }
    }
}
