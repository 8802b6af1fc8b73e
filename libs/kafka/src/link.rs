//! The producer that is in use now, and the thread that finds out what the topic is like and replaces it when it must.

use crate::client::{Acks, Producer, create, log};
use crate::config::ProducerConfig;
use parking_lot::{Mutex, RwLock};
use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{ClientConfig, ClientContext};
use skua_store::{ErrorKind, StoreError};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;
use tokio::sync::watch;

/// How often a known topic is asked about again.
const REFRESH: Duration = Duration::from_secs(300);
/// How long one question to the brokers may take.
const ASK: Duration = Duration::from_secs(5);
/// The least linger of an idempotent producer when a broker leads one partition; librdkafka's own default.
const LONE_LINGER: Duration = Duration::from_millis(5);
/// What a record batch and a record need around key and value, and then some.
const OVERHEAD: usize = 256;

/// A producer made for what was known of the topic.
pub(crate) struct Link {
    pub producer: Producer,
    /// The same, but one message a request to the broker: what it then calls too large is too large.
    alone: Mutex<Option<Arc<Producer>>>,
    conf: ClientConfig,
    partitions: AtomicU32,
    /// The longest record batch the topic takes, if it said so.
    limit: Option<u64>,
    /// Bytes of key and payload that a message of several spans stays under.
    pub max_payload: usize,
    broken: AtomicBool,
}

impl Link {
    fn new(config: &ProducerConfig, layout: Layout, limit: Option<u64>) -> Result<Self, StoreError> {
        let most = limit.unwrap_or(u64::MAX).min(config.max_message_bytes);
        let mut conf = config.producer()?;
        // A request to the broker is one record batch, and the topic's limit is on the batch.
        let batch = if config.batch_size > 0 { config.batch_size } else { 1_000_000 };
        conf.set("batch.size", batch.min(most).max(1).to_string());
        layout.tame(config, &mut conf);
        Ok(Self {
            producer: create(&conf, Acks)?,
            alone: Mutex::new(None),
            conf,
            partitions: AtomicU32::new(layout.partitions),
            limit,
            max_payload: usize::try_from(most).unwrap_or(usize::MAX).saturating_sub(OVERHEAD).max(1),
            broken: AtomicBool::new(false),
        })
    }

    /// Partitions of the topic; at least one.
    pub fn partitions(&self) -> u32 {
        self.partitions.load(Ordering::Relaxed)
    }

    /// The producer that sends each message alone; made when first needed.
    pub fn alone(&self) -> Result<Arc<Producer>, StoreError> {
        let mut alone = self.alone.lock();
        if let Some(producer) = &*alone {
            return Ok(producer.clone());
        }
        let mut conf = self.conf.clone();
        conf.set("batch.num.messages", "1").set("linger.ms", "0");
        let producer: Arc<Producer> = Arc::new(create(&conf, Acks)?);
        *alone = Some(producer.clone());
        Ok(producer)
    }

    /// This producer cannot send any more (a fatal error of librdkafka).
    pub fn give_up(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }
}

/// Where the current [`Link`] is found.
pub(crate) struct Links {
    pub config: ProducerConfig,
    current: RwLock<Option<Arc<Link>>>,
    ready: watch::Sender<bool>,
}

impl Links {
    /// Checks the settings; waits for no broker. The client is for [`Links::keep`].
    pub fn new(config: ProducerConfig) -> Result<(Arc<Self>, AdminClient<Quiet>), StoreError> {
        config.producer()?.create_native_config().map_err(|e| {
            StoreError::new(ErrorKind::Invalid, format!("start: librdkafka refuses a setting of kafka.producer: {e}"))
                .caused_by(e)
        })?;
        let admin = create(&config.connection()?, Quiet)?;
        Ok((Arc::new(Self { config, current: RwLock::new(None), ready: watch::Sender::new(false) }), admin))
    }

    /// `None` until the topic is known.
    pub fn current(&self) -> Option<Arc<Link>> {
        self.current.read().clone()
    }

    /// Returns when the topic is known.
    pub async fn ready(&self) {
        // It fails when the sender is gone, and `self` has the sender.
        let _ = self.ready.subscribe().wait_for(|ready| *ready).await;
    }

    /// Keeps the link up to date until the other end of `wake` is gone; a message on it is a reason to look at once.
    pub fn keep(self: Arc<Self>, admin: AdminClient<Quiet>, wake: Receiver<()>) {
        let mut wait = Duration::from_millis(250);
        let mut admin = Some(admin);
        loop {
            let next = match self.refresh(&mut admin) {
                Ok(()) => {
                    admin = None;
                    wait = Duration::from_millis(250);
                    REFRESH
                }
                Err(error) => {
                    let topic = &self.config.topic;
                    tracing::warn!(topic, brokers = ?self.config.brokers, %error, "Kafka does not answer; trying again");
                    wait = (wait * 2).min(Duration::from_secs(15));
                    wait
                }
            };
            match wake.recv_timeout(next) {
                Ok(()) => thread::sleep(Duration::from_millis(100)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            while wake.try_recv().is_ok() {}
        }
    }

    fn refresh(&self, admin: &mut Option<AdminClient<Quiet>>) -> Result<(), StoreError> {
        let conf = self.config.connection()?;
        let admin = match admin {
            Some(admin) => admin,
            None => admin.insert(create(&conf, Quiet)?),
        };
        let topic = self.config.topic.as_str();
        let layout = layout(admin, topic).map_err(|e| crate::client::unavailable(format!("ask Kafka for topic {topic}: {e}")))?;
        let limit = limit(admin, topic);
        let old = self.current();
        if let Some(link) = &old
            && link.limit == limit
            && !link.broken.load(Ordering::Relaxed)
        {
            link.partitions.store(layout.partitions, Ordering::Relaxed);
            return Ok(());
        }
        let link = Link::new(&self.config, layout, limit)?;
        tracing::info!(
            topic,
            partitions = layout.partitions,
            max_message_bytes = link.max_payload + OVERHEAD,
            "Kafka topic is known"
        );
        *self.current.write() = Some(Arc::new(link));
        self.ready.send_replace(true);
        // Closing a producer waits for its threads: not on a thread that serves requests.
        while let Some(old) = &old
            && Arc::strong_count(old) > 1
        {
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

/// How the topic lies on the brokers.
#[derive(Debug, Clone, Copy)]
struct Layout {
    /// At least one.
    partitions: u32,
    /// Partitions of the broker that leads the fewest of those that lead any.
    fewest: usize,
}

impl Layout {
    /// Keeps librdkafka's broker threads asleep while they wait for the broker.
    ///
    /// An idempotent producer has at most five messages of a partition in flight, or one request with more. While further
    /// messages of it wait and their linger is over, the thread polls without a pause (librdkafka 2.12): 1 to 4 us a span, up
    /// to a core a broker. It sleeps when a finished request waits for its turn on the connection. So fewer requests are let
    /// onto a connection than it has partitions: 0.2 to 0.6 us. With one partition a broker only a linger helps.
    fn tame(self, config: &ProducerConfig, conf: &mut ClientConfig) {
        if config.required_acks != "all" {
            return;
        }
        conf.set("max.in.flight.requests.per.connection", self.fewest.saturating_sub(1).clamp(1, 5).to_string());
        if self.fewest == 1 && config.batch_linger < LONE_LINGER {
            conf.set("linger.ms", LONE_LINGER.as_millis().to_string());
        }
    }
}

/// Asks for the topic. A broker that may creates it when it is asked.
fn layout(admin: &AdminClient<Quiet>, topic: &str) -> Result<Layout, KafkaError> {
    let metadata = admin.inner().fetch_metadata(Some(topic), ASK)?;
    let topic = metadata.topics().first().ok_or(KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopic))?;
    if let Some(error) = topic.error() {
        return Err(KafkaError::MetadataFetch(error.into()));
    }
    let mut led: HashMap<i32, usize> = HashMap::new();
    topic.partitions().iter().for_each(|p| *led.entry(p.leader()).or_default() += 1);
    let fewest = led.values().copied().min().ok_or(KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownPartition))?;
    Ok(Layout { partitions: topic.partitions().len() as u32, fewest })
}

/// The topic's `max.message.bytes`; `None` when the broker does not let us ask.
fn limit(admin: &AdminClient<Quiet>, topic: &str) -> Option<u64> {
    let topic = ResourceSpecifier::Topic(topic);
    let asked = admin.describe_configs([&topic], &AdminOptions::new().request_timeout(Some(ASK)));
    let runtime = tokio::runtime::Builder::new_current_thread().build().ok()?;
    let answer = runtime.block_on(asked).ok()?.into_iter().next()?.ok()?;
    answer.get("max.message.bytes")?.value.as_ref()?.parse().ok()
}

/// Callbacks of the client that asks.
pub(crate) struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "kafka", %error, reason, "client error");
    }
}
