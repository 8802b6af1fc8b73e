//! Partitions come and go: what both the consumer's thread and its callbacks know.

use crate::chunk::{Builder, Chunk};
use crate::client::log;
use crate::config::Limits;
use crate::follower::Follower;
use crate::metrics::ConsumerMetrics;
use crate::offsets::Offsets;
use parking_lot::{Condvar, Mutex};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::statistics::Statistics;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, Offset, TopicPartitionList};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::Sender;
use tokio::sync::watch;

/// What chunks share with the consumer's thread.
#[derive(Debug)]
pub(crate) struct Shared {
    pub topic: String,
    pub limits: Limits,
    pub metrics: ConsumerMetrics,
    pub offsets: Mutex<Offsets>,
    /// A chunk was acknowledged or dropped.
    pub changed: Condvar,
    /// Bytes of chunks not yet acknowledged.
    pub in_flight: AtomicUsize,
    pub stopping: AtomicBool,
    /// Who is told of partitions.
    pub follower: Option<Arc<dyn Follower>>,
    /// Partitions to be read again from where the follower wants them.
    pub again: Mutex<Vec<i32>>,
    /// The number that the next record of a partition gets, as the brokers said last.
    pub ends: Mutex<HashMap<i32, i64>>,
    /// True while chunks that were handed out are waited for.
    pub draining: watch::Sender<bool>,
}

impl Shared {
    /// Waits until nothing is under way of the partitions that `of` names. False when the deadline came first.
    pub fn drain(&self, of: impl Fn(i32) -> bool, deadline: Instant) -> bool {
        self.draining.send_replace(true);
        let mut offsets = self.offsets.lock();
        let mut in_time = true;
        while in_time && !offsets.drained(&of) {
            in_time = !self.changed.wait_until(&mut offsets, deadline).timed_out();
        }
        self.draining.send_replace(false);
        offsets.drained(&of)
    }

    /// Waits until there is room in flight, but not longer than `limit`. True if there is.
    pub fn wait_for_room(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let mut offsets = self.offsets.lock();
        while !self.has_room() {
            if self.stopping.load(Ordering::Relaxed) || self.changed.wait_until(&mut offsets, deadline).timed_out() {
                return self.has_room();
            }
        }
        true
    }

    pub fn has_room(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) < self.limits.max_in_flight_bytes
    }
}

/// The consumer's callbacks; they run inside its poll, on its thread.
pub(crate) struct Group {
    pub shared: Arc<Shared>,
    pub builder: Mutex<Builder>,
    /// `None` once the source stops.
    pub sender: Mutex<Option<Sender<Chunk>>>,
    /// The assignment is paused, and what is added to it has to be.
    pub paused: AtomicBool,
    /// Nothing is waited for any more.
    pub closing: AtomicBool,
}

impl Group {
    /// Hands out what was collected. False if nobody takes it now.
    pub fn hand_out(&self) -> bool {
        let mut builder = self.builder.lock();
        if builder.is_empty() {
            return true;
        }
        match &*self.sender.lock() {
            // We are the only sender, so a place that is free stays free.
            Some(sender) if sender.capacity() > 0 => sender.try_send(builder.cut(&self.shared)).is_ok(),
            _ => false,
        }
    }

    /// Gives librdkafka the positions up to which everything is done. It commits them with its next commit: within a second,
    /// or as soon as the partition leaves.
    pub fn store_positions(&self, consumer: &BaseConsumer<Self>) {
        let positions = self.shared.offsets.lock().take_done();
        if positions.is_empty() {
            return;
        }
        if let Err(error) = consumer.store_offsets(&self.commits(&positions)) {
            let mut offsets = self.shared.offsets.lock();
            positions.iter().for_each(|(partition, _)| offsets.commit_failed(*partition));
            tracing::warn!(topic = self.shared.topic, %error, "positions were not taken for commit; trying again");
        }
    }

    /// Positions as librdkafka wants them.
    pub fn list(&self, positions: &[(i32, i64)]) -> TopicPartitionList {
        let mut list = TopicPartitionList::with_capacity(positions.len());
        for (partition, offset) in positions {
            // It fails only for offsets that have no number.
            let _ = list.add_partition_offset(&self.shared.topic, *partition, Offset::Offset(*offset));
        }
        list
    }

    /// Positions to commit, each with what is remembered beside it.
    fn commits(&self, positions: &[(i32, i64)]) -> TopicPartitionList {
        let (list, offsets) = (self.list(positions), self.shared.offsets.lock());
        for mut element in list.elements() {
            let memory = offsets.memory(element.partition());
            if !memory.is_empty() {
                element.set_metadata(memory);
            }
        }
        list
    }

    /// Partitions come: `list` is told where to read them from.
    fn assigned(&self, consumer: &BaseConsumer<Self>, list: &mut TopicPartitionList) {
        let partitions = partitions(list);
        tracing::info!(topic = self.shared.topic, ?partitions, "partitions assigned");
        for (partition, first) in self.begin(consumer, &partitions) {
            // It fails only for a partition that is not in the list.
            let _ = list.set_partition_offset(&self.shared.topic, partition, Offset::Offset(first));
        }
        partitions.into_iter().for_each(|partition| self.shared.metrics.started(partition));
    }

    fn revoked(&self, consumer: &BaseConsumer<Self>, list: &TopicPartitionList) {
        let partitions = partitions(list);
        let ours = |partition: i32| partitions.contains(&partition);
        let lost = consumer.assignment_lost();
        if !lost && !self.closing.load(Ordering::Relaxed) {
            if !self.hand_out() {
                self.builder.lock().forget(ours);
            }
            let drained = self.shared.drain(ours, Instant::now() + self.shared.limits.drain);
            self.store_positions(consumer);
            if !drained {
                tracing::warn!(
                    topic = self.shared.topic,
                    ?partitions,
                    "partitions leave before everything read of them is stored"
                );
            }
        }
        tracing::info!(topic = self.shared.topic, ?partitions, lost, "partitions revoked");
        self.builder.lock().forget(ours);
        for partition in partitions {
            if let Some(follower) = &self.shared.follower {
                follower.revoked(partition);
            }
            if self.shared.offsets.lock().revoke(partition) {
                self.shared.metrics.closed(partition);
            }
        }
    }
}

fn partitions(list: &TopicPartitionList) -> Vec<i32> {
    list.elements().iter().map(|e| e.partition()).collect()
}

impl ClientContext for Group {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "kafka", %error, reason, "client error");
    }

    fn stats(&self, statistics: Statistics) {
        let Some(topic) = statistics.topics.get(&self.shared.topic) else { return };
        let offsets = self.shared.offsets.lock();
        for (partition, next) in offsets.held() {
            if let Some(known) = topic.partitions.get(&partition).filter(|p| p.hi_offset >= 0) {
                let next = next.unwrap_or(known.next_offset.max(known.lo_offset).max(0));
                self.shared.metrics.high_water(partition, known.hi_offset, next);
                self.shared.ends.lock().insert(partition, known.hi_offset);
            }
        }
    }
}

impl ConsumerContext for Group {
    /// As librdkafka's binding does it, but for the offsets that new partitions are read from.
    fn rebalance(&self, consumer: &BaseConsumer<Self>, what: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let incremental = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
        let done = match what {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                self.assigned(consumer, list);
                if incremental { consumer.incremental_assign(list) } else { consumer.assign(list) }
            }
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS => {
                self.revoked(consumer, list);
                if incremental { consumer.incremental_unassign(list) } else { consumer.unassign() }
            }
            other => {
                let error = KafkaError::Rebalance(other.into());
                tracing::warn!(topic = self.shared.topic, %error, "rebalance failed");
                if incremental { consumer.incremental_unassign(list) } else { consumer.unassign() }
            }
        };
        if let Err(error) = done {
            tracing::error!(topic = self.shared.topic, %error, "partitions were not taken or let go");
        }
        if what == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS
            && self.paused.load(Ordering::Relaxed)
            && let Err(error) = consumer.pause(list)
        {
            tracing::warn!(topic = self.shared.topic, %error, "new partitions were not paused");
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, list: &TopicPartitionList) {
        for e in list.elements() {
            match (&result, e.error(), e.offset()) {
                (Ok(()), Ok(()), Offset::Offset(next)) => self.shared.metrics.committed(e.partition(), next),
                (Ok(()), Ok(()), _) => {}
                (result, error, _) => {
                    // librdkafka still has the position and commits it again.
                    self.shared.metrics.commit_errors.inc();
                    tracing::warn!(
                        topic = self.shared.topic,
                        partition = e.partition(),
                        ?result,
                        ?error,
                        "offset was not committed"
                    );
                }
            }
        }
    }
}
