//! Records out of Kafka: one thread that polls, and a bounded channel of chunks.

use crate::chunk::Chunk;
use crate::client::create;
use crate::config::{ConsumerConfig, Limits};
use crate::follower::Follower;
use crate::metrics::ConsumerMetrics;
use crate::rebalance::{Group, Shared};
use parking_lot::{Condvar, Mutex};
use prometheus_client::registry::Registry;
use rdkafka::Message as _;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use skua_store::{ErrorKind, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot, watch};

/// Chunks that may wait in the channel. Their bytes are bounded by [`Limits::max_in_flight_bytes`].
const CHANNEL: usize = 64;
/// How often librdkafka is given the positions to commit, which it does every second.
const STORE: Duration = Duration::from_millis(500);
/// The longest poll, and so the longest wait for a stop.
const POLL: Duration = Duration::from_millis(250);
/// How long a full source waits before it pauses its partitions. Pausing throws away what was fetched ahead: with half a second
/// here, a store that takes a second for a chunk had every byte fetched twice.
const BEFORE_PAUSE: Duration = Duration::from_secs(5);
/// Messages after which the clock is read again.
const CLOCK: u32 = 64;
/// How long the last commit and the farewell to the group may take.
const LEAVE: Duration = Duration::from_secs(10);
/// How often the lag of paused partitions is asked for.
const PAUSED_LAG: Duration = Duration::from_secs(10);

/// A member of the consumer group.
///
/// It never leaves the group on its own: with nothing to read or a store that does not answer it goes on polling, so that the
/// brokers see it alive.
pub struct KafkaSource {
    shared: Arc<Shared>,
    ended: oneshot::Receiver<bool>,
}

impl KafkaSource {
    /// Joins the group in the background and returns at once; a broker or topic that is not there is waited for, without end.
    /// The receiver ends after [`KafkaSource::stop`], or when the source is dropped.
    ///
    /// # Errors
    /// Invalid or Unsupported for settings that cannot work, naming the flag.
    pub fn start(
        config: ConsumerConfig,
        limits: Limits,
        registry: &mut Registry,
    ) -> Result<(Self, mpsc::Receiver<Chunk>), StoreError> {
        Self::start_with(config, limits, None, registry)
    }

    /// [`KafkaSource::start`] with somebody who is told of partitions and may want to see more of them.
    ///
    /// # Errors
    /// As [`KafkaSource::start`].
    pub fn start_with(
        config: ConsumerConfig,
        limits: Limits,
        follower: Option<Arc<dyn Follower>>,
        registry: &mut Registry,
    ) -> Result<(Self, mpsc::Receiver<Chunk>), StoreError> {
        let (sender, chunks) = mpsc::channel(CHANNEL);
        let (tell, ended) = oneshot::channel();
        let shared = Arc::new(Shared {
            metrics: ConsumerMetrics::register(&config.topic, registry),
            topic: config.topic.clone(),
            limits,
            offsets: Mutex::default(),
            changed: Condvar::new(),
            in_flight: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            follower,
            again: Mutex::default(),
            ends: Mutex::default(),
            draining: watch::Sender::new(false),
        });
        let group = Group {
            shared: shared.clone(),
            builder: Mutex::default(),
            sender: Mutex::new(Some(sender)),
            paused: AtomicBool::new(false),
            closing: AtomicBool::new(false),
        };
        config.encoding()?;
        let consumer: BaseConsumer<Group> = create(&config.consumer()?, group)?;
        consumer.subscribe(&[&config.topic]).map_err(|e| {
            StoreError::new(ErrorKind::Invalid, format!("subscribe to Kafka topic {}", config.topic)).caused_by(e)
        })?;
        let poller = Poller { consumer, shared: shared.clone(), now: Instant::now(), ticks: 0 };
        thread::Builder::new()
            .name("kafka-consumer".to_owned())
            .spawn(move || {
                // Nobody listens after the source was dropped.
                let _ = tell.send(poller.run());
            })
            .map_err(|e| StoreError::new(ErrorKind::Internal, "start a thread").caused_by(e))?;
        Ok((Self { shared, ended }, chunks))
    }

    /// Stops reading, waits at most [`Limits::drain`] for what was handed out, commits and leaves the group. Keep receiving
    /// and acknowledging chunks meanwhile. True when all of them were acknowledged.
    pub async fn stop(mut self) -> bool {
        self.shared.stopping.store(true, Ordering::Relaxed);
        self.shared.changed.notify_all();
        let limit = self.shared.limits.drain + LEAVE;
        match tokio::time::timeout(limit, &mut self.ended).await {
            Ok(drained) => drained.unwrap_or(false),
            Err(_) => {
                tracing::warn!(topic = self.shared.topic, "the group's coordinator does not answer; leaving without it");
                false
            }
        }
    }

    /// Partitions that are ours now.
    pub fn partitions(&self) -> Vec<i32> {
        let mut held: Vec<i32> = self.shared.offsets.lock().held().map(|(partition, _)| partition).collect();
        held.sort_unstable();
        held
    }

    /// What tells how far the source is.
    pub fn progress(&self) -> Progress {
        Progress { shared: self.shared.clone() }
    }

    /// True while the source waits for the acknowledgement of what it has handed out, because partitions leave or it was told to stop: what
    /// gathers for long should be stored now.
    pub fn draining(&self) -> watch::Receiver<bool> {
        self.shared.draining.subscribe()
    }

    /// Bytes of chunks that were handed out and neither acknowledged nor handed over.
    pub fn in_flight_bytes(&self) -> usize {
        self.shared.in_flight.load(Ordering::Relaxed)
    }
}

/// How far a source is, for its follower.
#[derive(Clone)]
pub struct Progress {
    shared: Arc<Shared>,
}

impl Progress {
    /// Whether everything of a partition that was handed out and is before an offset is stored or dead-lettered. True if the partition
    /// is not ours.
    pub fn is_stored(&self, partition: i32, before: i64) -> bool {
        self.shared.offsets.lock().is_done(partition, before)
    }

    /// The assignment of a partition; `None` if it is not ours.
    pub fn assignment(&self, partition: i32) -> Option<u64> {
        self.shared.offsets.lock().assignment(partition)
    }

    /// The number that the next record of a partition gets, as the brokers said some seconds ago.
    pub fn end(&self, partition: i32) -> Option<i64> {
        self.shared.ends.lock().get(&partition).copied()
    }

    /// Commits this beside the position of a partition from now on, at most 4096 bytes. Without effect if the partition is not ours by
    /// this assignment.
    pub fn remember(&self, partition: i32, assignment: u64, memory: String) {
        let mut offsets = self.shared.offsets.lock();
        if offsets.assignment(partition) == Some(assignment) {
            offsets.remember(partition, memory);
        }
    }

    /// Has a partition read again from where the follower wants it, as if it came anew.
    pub fn again(&self, partition: i32) {
        self.shared.again.lock().push(partition);
    }
}

impl Drop for KafkaSource {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        self.shared.changed.notify_all();
    }
}

/// The consumer's thread.
struct Poller {
    consumer: BaseConsumer<Group>,
    shared: Arc<Shared>,
    /// The time, not older than [`CLOCK`] messages.
    now: Instant,
    ticks: u32,
}

impl Poller {
    fn group(&self) -> &Group {
        self.consumer.context()
    }

    /// Reads until it is told to stop. True when everything handed out was acknowledged.
    fn run(mut self) -> bool {
        let (mut stored, mut asked) = (self.now, self.now);
        while !self.shared.stopping.load(Ordering::Relaxed) {
            let paused = self.make_room();
            let wait = self.wait();
            match self.consumer.poll(wait) {
                Some(Ok(message)) => {
                    take(self.group(), &message, self.now);
                    self.ticks += 1;
                }
                Some(Err(error)) => {
                    if self.failed(&error) {
                        break;
                    }
                }
                None => self.ticks = CLOCK,
            }
            if self.ticks >= CLOCK {
                self.ticks = 0;
                self.now = Instant::now();
                self.shared.metrics.in_flight.set(self.shared.in_flight.load(Ordering::Relaxed) as u64);
            }
            if self.is_due() {
                self.group().hand_out();
            }
            if self.now - stored >= STORE {
                stored = self.now;
                self.rewind();
                let again = std::mem::take(&mut *self.shared.again.lock());
                self.group().begin_again(&self.consumer, &again);
                self.group().store_positions(&self.consumer);
            }
            if paused && self.now - asked >= PAUSED_LAG {
                self.ask_for_lag();
                asked = Instant::now();
            }
        }
        self.finish()
    }

    /// Pauses the partitions when too much is in flight and resumes them when there is room. True while they are paused.
    fn make_room(&self) -> bool {
        let (group, channel) = (self.group(), self.group().sender.lock().as_ref().map_or(0, mpsc::Sender::capacity));
        let paused = group.paused.load(Ordering::Relaxed);
        let room = channel > 0 && (self.shared.has_room() || (!paused && self.shared.wait_for_room(BEFORE_PAUSE)));
        if room != paused {
            return paused;
        }
        let done =
            self.consumer.assignment().and_then(|all| if room { self.consumer.resume(&all) } else { self.consumer.pause(&all) });
        match done {
            Ok(()) => {
                group.paused.store(!room, Ordering::Relaxed);
                self.shared.metrics.paused.set(i64::from(!room));
                tracing::info!(topic = self.shared.topic, paused = !room, "reading paused or resumed: bound on bytes in flight");
                !room
            }
            Err(error) => {
                tracing::warn!(topic = self.shared.topic, %error, "partitions were not paused or resumed");
                thread::sleep(Duration::from_millis(50));
                paused
            }
        }
    }

    /// How long a poll may take: until the chunk that is being filled is due.
    fn wait(&self) -> Duration {
        let limits = &self.shared.limits;
        let since = self.group().builder.lock().since;
        let linger = since.map_or(POLL, |since| limits.linger.saturating_sub(self.now - since).max(Duration::from_millis(1)));
        if self.group().paused.load(Ordering::Relaxed) { Duration::from_millis(50) } else { linger.min(POLL) }
    }

    fn is_due(&self) -> bool {
        let (limits, builder) = (&self.shared.limits, self.group().builder.lock());
        builder.bytes() >= limits.chunk_bytes
            || builder.records() >= limits.chunk_records
            || builder.since.is_some_and(|since| self.now.saturating_duration_since(since) >= limits.linger)
    }

    /// True for an error that no polling cures.
    fn failed(&self, error: &KafkaError) -> bool {
        self.shared.metrics.error(-1);
        let fatal = matches!(error, KafkaError::MessageConsumptionFatal(_));
        tracing::warn!(topic = self.shared.topic, fatal, %error, "failed to read from Kafka");
        fatal
    }

    /// Reads again what was handed out in chunks that were dropped.
    fn rewind(&self) {
        let rewinds = self.shared.offsets.lock().rewinds();
        if rewinds.is_empty() {
            return;
        }
        self.group().builder.lock().forget(|partition| rewinds.iter().any(|(p, _)| *p == partition));
        self.shared.metrics.rewinds.inc_by(rewinds.len() as u64);
        tracing::warn!(topic = self.shared.topic, ?rewinds, "chunks were given up; reading again");
        if let Err(error) = self.consumer.seek_partitions(self.group().list(&rewinds), Duration::from_secs(5)) {
            tracing::error!(topic = self.shared.topic, %error, "failed to read again; the records come after the next rebalance");
        }
    }

    /// Paused partitions are not fetched, so nothing else tells how far behind they are.
    fn ask_for_lag(&self) {
        let held: Vec<_> = self.shared.offsets.lock().held().collect();
        for (partition, next) in held {
            if let (Some(next), Ok((_, high))) =
                (next, self.consumer.fetch_watermarks(&self.shared.topic, partition, Duration::from_secs(1)))
            {
                self.shared.metrics.high_water(partition, high, next);
            }
        }
    }

    fn finish(self) -> bool {
        let group = self.group();
        let deadline = Instant::now() + self.shared.limits.drain;
        while !group.hand_out() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        group.builder.lock().forget(|_| true);
        group.sender.lock().take();
        let drained = self.shared.drain(|_| true, deadline);
        group.store_positions(&self.consumer);
        group.closing.store(true, Ordering::Relaxed);
        drained
    }
}

fn take(group: &Group, message: &BorrowedMessage<'_>, now: Instant) {
    let mut builder = group.builder.lock();
    if builder.is_empty() {
        builder.since = Some(now);
    }
    let (key, payload) = (message.key().unwrap_or_default(), message.payload().unwrap_or_default());
    let time = message.timestamp().to_millis().and_then(|ms| u64::try_from(ms).ok()).unwrap_or(0);
    let at = (message.partition(), message.offset());
    let again = group.shared.follower.is_some() && group.shared.offsets.lock().is_again(at.0, at.1);
    builder.push(at, time, again, key, payload);
}
