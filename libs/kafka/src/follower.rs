//! Somebody who has to see more of a partition than what is not yet stored.

use crate::offsets::Offsets;
use crate::rebalance::Group;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaResult;
use rdkafka::{Offset, TopicPartitionList};
use std::time::Duration;

/// How long the brokers may take to tell of offsets while partitions are assigned, and how often they are asked.
const ASK: Duration = Duration::from_secs(10);
const TRIES: usize = 3;

/// Asks the brokers, again if they do not answer.
fn patiently<T>(mut ask: impl FnMut() -> KafkaResult<T>) -> KafkaResult<T> {
    let mut answer = ask();
    for _ in 1..TRIES {
        if let Err(error) = &answer {
            tracing::warn!(%error, "failed to ask for offsets; asking again");
            answer = ask();
        }
    }
    answer
}

/// A partition that is ours from now on.
#[derive(Debug, Clone, Copy)]
pub struct Assigned<'a> {
    /// Its number.
    pub partition: i32,
    /// Tells this assignment from others of the same partition, as [`Chunk::assignment`](crate::Chunk::assignment) does.
    pub assignment: u64,
    /// Everything before it is stored; `None` if nobody has committed.
    pub committed: Option<i64>,
    /// What was committed with it, by [`KafkaSource::remember`](crate::KafkaSource::remember); may be empty or not ours.
    pub memory: &'a str,
    /// The number that the next record gets.
    pub end: i64,
}

/// Is told of partitions as they come and go, on the consumer's thread.
pub trait Follower: std::fmt::Debug + Send + Sync {
    /// A partition comes. Returns where reading begins if that is before the committed offset: records up to there come
    /// [again](crate::Record::again).
    fn assigned(&self, assigned: &Assigned<'_>) -> Option<i64>;

    /// A partition goes.
    fn revoked(&self, partition: i32);
}

impl Group {
    /// Where to read each of these partitions from, and what the follower has to know. Those that the brokers say nothing of are read from
    /// the committed offset.
    pub(crate) fn begin(&self, consumer: &BaseConsumer<Self>, partitions: &[i32]) -> Vec<(i32, i64)> {
        let Some(follower) = &self.shared.follower else {
            partitions.iter().for_each(|partition| _ = self.shared.offsets.lock().assign(*partition, None));
            return Vec::new();
        };
        let topic = &self.shared.topic;
        let mut asked = TopicPartitionList::new();
        partitions.iter().for_each(|partition| _ = asked.add_partition(topic, *partition));
        let committed = patiently(|| consumer.committed_offsets(asked.clone(), ASK));
        if let Err(error) = &committed {
            tracing::error!(topic, %error, "failed to ask for committed offsets; what was not counted before is missing from roll-ups");
        }
        let mut from = Vec::new();
        for partition in partitions {
            let of = committed.as_ref().ok().and_then(|list| list.find_partition(topic, *partition));
            let offset = of.as_ref().and_then(|e| if let Offset::Offset(offset) = e.offset() { Some(offset) } else { None });
            let memory = of.as_ref().map_or("", |e| e.metadata());
            let ends = patiently(|| consumer.fetch_watermarks(topic, *partition, ASK));
            let (low, end) = ends.unwrap_or_else(|error| {
                tracing::error!(topic, partition, %error, "failed to ask for the ends of a partition; what was not counted before is missing");
                (i64::MAX, offset.unwrap_or(0))
            });
            // What the brokers said when the partition was ours before.
            self.shared.ends.lock().remove(partition);
            let assignment = {
                let mut offsets = self.shared.offsets.lock();
                let assignment = offsets.assign(*partition, offset);
                offsets.remember(*partition, memory.to_owned());
                assignment
            };
            let assigned = Assigned { partition: *partition, assignment, committed: offset, memory, end };
            let first = follower.assigned(&assigned);
            if let Some(offset) = offset.filter(|offset| low <= *offset) {
                from.push((*partition, first.unwrap_or(offset).clamp(low, offset)));
            }
        }
        from
    }

    /// Reads partitions again from where a follower wants them.
    pub(crate) fn begin_again(&self, consumer: &BaseConsumer<Self>, partitions: &[i32]) {
        let held: Vec<i32> = partitions.iter().copied().filter(|p| self.shared.offsets.lock().is_held(*p)).collect();
        if held.is_empty() {
            return;
        }
        self.builder.lock().forget(|partition| held.contains(&partition));
        let mut from = self.begin(consumer, &held);
        // Nobody has committed these: from their beginning.
        for partition in held.iter().filter(|held| !from.iter().any(|(p, _)| p == *held)).copied().collect::<Vec<_>>() {
            let ends = consumer.fetch_watermarks(&self.shared.topic, partition, ASK);
            from.extend(ends.ok().map(|(low, _)| (partition, low)));
        }
        tracing::info!(topic = self.shared.topic, ?from, "partitions are read again");
        if let Err(error) = consumer.seek_partitions(self.list(&from), Duration::from_secs(5)) {
            tracing::error!(topic = self.shared.topic, %error, "failed to read again");
        }
    }
}

impl Offsets {
    /// Whether the partition is ours.
    fn is_held(&self, partition: i32) -> bool {
        self.held().any(|(held, _)| held == partition)
    }
}
