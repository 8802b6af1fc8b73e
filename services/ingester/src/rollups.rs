//! Counts what passes: in the order of each partition, from before what is not yet stored, and saved once a minute.

use crate::assemble::Assembled;
use skua_kafka::{Assigned, Chunk, Follower, Progress};
use skua_rollup::count::{Counter, Part, Position};
use skua_rollup::document::Mark;
use skua_rollup::flush::{Flusher, regularly};
use skua_rollup::now_ms;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long after now the time of a partition in which nothing comes stays: senders' clocks and queues are not exact.
const BEHIND: Duration = Duration::from_secs(15);
/// How often it is looked whether what was counted is stored.
const LOOK: Duration = Duration::from_millis(50);
/// What the memory beside a committed offset begins with.
const MEMORY: &str = "skua-rollup/1";

/// Counts the spans of the partitions that this process reads.
pub struct Rollups {
    topic: String,
    counter: Counter,
    flusher: Flusher,
    progress: OnceLock<Progress>,
    /// Partitions and assignments that have something to commit beside their offset.
    remembered: parking_lot::Mutex<HashSet<(i32, u64)>>,
    /// One save at a time.
    saving: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for Rollups {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rollups").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl Rollups {
    /// Of a topic. Give it to the source as its follower, and then the source's progress to [`Rollups::follow`].
    pub fn new(topic: String, counter: Counter, flusher: Flusher) -> Self {
        Self {
            topic,
            counter,
            flusher,
            progress: OnceLock::new(),
            remembered: Default::default(),
            saving: tokio::sync::Mutex::default(),
        }
    }

    /// The source that this follows.
    pub fn follow(&self, progress: Progress) {
        // A second source is not followed.
        let _ = self.progress.set(progress);
    }

    /// Counts a chunk's spans. The caller keeps the order of chunks.
    pub(crate) async fn count(&self, chunk: &Chunk, assembled: &Assembled) {
        let mut assignments: BTreeMap<i32, Option<u64>> = BTreeMap::new();
        let mut parts = Vec::with_capacity(chunk.records().len());
        let mut first = 0;
        for (record, end) in chunk.records().iter().zip(&assembled.ends) {
            let of = assignments.entry(record.partition).or_insert_with(|| chunk.assignment(record.partition));
            if let Some(assignment) = *of {
                let clock = if record.time == 0 { now_ms() } else { record.time };
                let (partition, offset) = (record.partition, record.offset);
                parts.push(Part { partition, assignment, offset, clock, spans: first..*end });
            }
            first = *end;
        }
        self.remember_first(&parts);
        while let Err(needed) = self.counter.count(&assembled.batch, &parts) {
            for (kind, interval) in needed {
                if let Err(error) = self.flusher.learn(&self.counter, kind, interval).await {
                    tracing::error!(%error, interval, kind = kind.name(), "failed to read roll-ups; what they hold may be counted again");
                    self.counter.learn(kind, interval, &BTreeMap::new());
                }
            }
        }
    }

    /// Where nobody has counted before, whoever comes next begins with the first record of this process, until something is saved: its offset
    /// may be committed any time after it is stored.
    fn remember_first(&self, parts: &[Part]) {
        let mut remembered = self.remembered.lock();
        for part in parts {
            if remembered.insert((part.partition, part.assignment))
                && let Some(progress) = self.progress.get()
            {
                let first = Position { offset: part.offset, ..Position::default() };
                progress.remember(part.partition, part.assignment, write(&first));
            }
        }
    }

    /// Saves every `interval` until told to stop; [`Rollups::save`] then saves what is left.
    pub async fn run(self: Arc<Self>, interval: Duration, stop: CancellationToken) {
        regularly(interval, stop, || self.save()).await;
    }

    /// Saves what was counted, once it is stored.
    pub async fn save(&self) {
        let Some(progress) = self.progress.get() else { return };
        let _one = self.saving.lock().await;
        self.let_time_pass(progress);
        let mut snapshot = self.counter.take();
        for (partition, taken) in &snapshot.partitions {
            while !progress.is_stored(*partition, taken.mark.offset) {
                tokio::time::sleep(LOOK).await;
            }
        }
        snapshot.partitions.retain(|partition, taken| progress.assignment(*partition) == Some(taken.assignment));
        match self.flusher.save(&snapshot).await {
            Ok(lost) => {
                for (partition, position) in self.counter.saved(&snapshot).into_iter().filter(|(p, _)| !lost.contains(p)) {
                    if let Some(taken) = snapshot.partitions.get(&partition) {
                        progress.remember(partition, taken.assignment, write(&position));
                    }
                }
                lost.into_iter().for_each(|partition| progress.again(partition));
            }
            Err(error) => {
                tracing::error!(%error, "failed to save roll-ups: what was counted since the last time is missing from them");
                self.counter.dropped(&snapshot);
            }
        }
    }

    /// Where nothing more is to be read, time goes on all the same.
    fn let_time_pass(&self, progress: &Progress) {
        let clock = now_ms().saturating_sub(BEHIND.as_millis() as u64);
        for (partition, next) in self.counter.positions() {
            if progress.end(partition).is_some_and(|end| next >= end) {
                self.counter.tick(partition, clock);
            }
        }
    }
}

impl Follower for Rollups {
    fn assigned(&self, a: &Assigned<'_>) -> Option<i64> {
        let remembered = read(a.memory);
        if remembered.is_some() {
            self.remembered.lock().insert((a.partition, a.assignment));
        }
        let position = remembered.unwrap_or(Position { offset: a.committed.unwrap_or(0), ..Position::default() });
        let source = format!("{}/{}", self.topic, a.partition);
        self.counter.begin(a.partition, a.assignment, source, position, a.end);
        remembered.map(|position| position.offset)
    }

    fn revoked(&self, partition: i32) {
        self.counter.end(partition);
        self.remembered.lock().retain(|(held, _)| *held != partition);
    }
}

fn write(position: &Position) -> String {
    let Position { offset, clock, counted } = position;
    format!("{MEMORY} {offset} {clock} {} {}", counted.offset, counted.epoch)
}

/// `None` for what somebody else wrote.
fn read(memory: &str) -> Option<Position> {
    let mut words = memory.strip_prefix(MEMORY)?.split_ascii_whitespace();
    let (offset, clock) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let counted = Mark { offset: words.next()?.parse().ok()?, epoch: words.next()?.parse().ok()? };
    Some(Position { offset, clock, counted })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_was_written() {
        let position = Position { offset: 7, clock: 1_700_000_000_000, counted: Mark { offset: 12, epoch: 99 } };
        assert_eq!(read(&write(&position)), Some(position));
        assert_eq!(["", "flink", "skua-rollup/1 7 x 1 2", "skua-rollup/1 7"].map(read), [None; 4]);
    }
}
