//! Spans into Kafka.

use crate::client::{overloaded, send_error, unavailable};
use crate::config::ProducerConfig;
use crate::dead_letter::DeadLetters;
use crate::delivery::{Delivery, Failures, Outgoing, Room};
use crate::link::{Link, Links};
use crate::metrics::ProducerMetrics;
use crate::oversize::Oversize;
use crate::split::{Message, Plan};
use async_trait::async_trait;
use prometheus_client::registry::Registry;
use rdkafka::error::RDKafkaErrorCode;
use skua_codec::Encoding;
use skua_model::SpanBatch;
use skua_store::{ErrorKind, SpanWriter, StoreError, Written};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// Writes spans to a Kafka topic.
pub struct KafkaWriter {
    inner: Arc<Inner>,
}

struct Inner {
    links: Arc<Links>,
    encoding: Encoding,
    dead_letters: Arc<DeadLetters>,
    metrics: ProducerMetrics,
    /// Bytes handed over and not answered.
    in_flight: Arc<AtomicUsize>,
    /// Requests not yet done with.
    requests: AtomicUsize,
    wake: SyncSender<()>,
}

/// What became of handing a batch to librdkafka.
struct HandedOver {
    delivery: Arc<Delivery>,
    plan: Plan,
    /// Spans too long for a message of their own.
    oversize: Vec<u32>,
}

impl KafkaWriter {
    /// Starts to look for the topic in the background and returns at once; a broker that is down is waited for, without end.
    /// The writer ends with its last reference.
    ///
    /// # Errors
    /// Invalid or Unsupported for settings that cannot work, naming the flag.
    pub fn start(config: ProducerConfig, registry: &mut Registry) -> Result<Arc<Self>, StoreError> {
        let (wake, woken) = sync_channel(1);
        let encoding = config.encoding()?;
        let dead_letters = Arc::new(DeadLetters::new(config.connection()?, config.dead_letter_topic()));
        let (links, admin) = Links::new(config)?;
        let keeper = links.clone();
        thread::Builder::new()
            .name("kafka-topic".to_owned())
            .spawn(move || keeper.keep(admin, woken))
            .map_err(|e| StoreError::new(ErrorKind::Internal, "start a thread").caused_by(e))?;
        let inner = Inner {
            links,
            encoding,
            dead_letters,
            metrics: ProducerMetrics::register(registry),
            in_flight: Arc::default(),
            requests: AtomicUsize::new(0),
            wake,
        };
        Ok(Arc::new(Self { inner: Arc::new(inner) }))
    }

    /// True when the topic is known, so that [`SpanWriter::write`] can work. It stays true when the brokers go away.
    pub fn is_ready(&self) -> bool {
        self.inner.links.current().is_some()
    }

    /// Returns when [`KafkaWriter::is_ready`].
    pub async fn ready(&self) {
        self.inner.links.ready().await;
    }

    /// Partitions of the topic; 0 until it is known.
    pub fn partitions(&self) -> u32 {
        self.inner.links.current().map_or(0, |link| link.partitions())
    }

    /// Bytes handed to librdkafka and not yet answered.
    pub fn in_flight_bytes(&self) -> usize {
        self.inner.in_flight.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl SpanWriter for KafkaWriter {
    /// Returns when every span is acknowledged by Kafka or, too large for it, is in the dead-letter topic.
    ///
    /// # Errors
    /// Unavailable before the topic is known, and when the brokers did not answer in time; Overloaded when too much waits.
    async fn write(&self, batch: &SpanBatch) -> Result<Written, StoreError> {
        if batch.is_empty() {
            return Ok(Written::default());
        }
        let config = &self.inner.links.config;
        let Some(link) = self.inner.links.current() else {
            let message =
                format!("send to Kafka: brokers {} have not told about topic {}", config.brokers.join(","), config.topic);
            return Err(unavailable(message));
        };
        let _under_way = UnderWay::new(&self.inner);
        let handed = self.inner.hand_over(&link, batch).inspect_err(|_| self.inner.failed(batch))?;
        self.inner.finish(&link, batch, handed).await.inspect_err(|_| self.inner.failed(batch))
    }

    /// Returns when no request is under way any more, or after the message timeout and a little.
    async fn flush(&self) -> Result<(), StoreError> {
        let limit = self.inner.links.config.message_timeout + Duration::from_secs(5);
        let wait = async {
            while self.inner.requests.load(Ordering::Acquire) > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(limit, wait)
            .await
            .map_err(|_| StoreError::new(ErrorKind::Timeout, "flush: Kafka has not acknowledged every message"))
    }
}

/// Counts a request for as long as it lives.
struct UnderWay<'a>(&'a Inner);

impl<'a> UnderWay<'a> {
    fn new(inner: &'a Inner) -> Self {
        inner.requests.fetch_add(1, Ordering::Relaxed);
        Self(inner)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Ordering::Release);
    }
}

impl Inner {
    /// Gives every message of the batch to librdkafka's queue.
    fn hand_over(&self, link: &Link, batch: &SpanBatch) -> Result<HandedOver, StoreError> {
        let config = &self.links.config;
        let plan = Plan { encoding: self.encoding, partitions: link.partitions(), max: link.max_payload };
        let room = Room::take(&self.in_flight, plan.expected_bytes(batch), config.max_in_flight_bytes);
        let Some(room) = room else {
            self.metrics.overloads.inc();
            return Err(overloaded(&config.topic));
        };
        let delivery = Delivery::new(Some(room));
        let mut oversize = Vec::new();
        plan.messages(batch, |Message { partition, key, payload, spans }| {
            let message = Outgoing { topic: &config.topic, partition: Some(partition as i32), key, payload, headers: None };
            match delivery.send(&link.producer, message) {
                Ok(()) => Ok(()),
                Err(RDKafkaErrorCode::MessageSizeTooLarge) if spans.len() == 1 => {
                    oversize.push(spans[0]);
                    Ok(())
                }
                Err(code) => {
                    self.look_at(link, Some(code));
                    Err(send_error(&config.topic, code))
                }
            }
        })?;
        Ok(HandedOver { delivery, plan, oversize })
    }

    /// Waits for the acknowledgements and sees to what came back as too large.
    async fn finish(&self, link: &Link, batch: &SpanBatch, handed: HandedOver) -> Result<Written, StoreError> {
        let HandedOver { delivery, plan, oversize } = handed;
        let Failures { too_large, other } = delivery.wait().await;
        drop(delivery);
        if let Some(code) = other {
            self.look_at(link, Some(code));
            return Err(send_error(&self.links.config.topic, code));
        }
        let mut written = Written::all(batch);
        if !too_large.is_empty() || !oversize.is_empty() {
            if !too_large.is_empty() {
                self.look_at(link, None);
            }
            self.metrics.resplits.inc_by(too_large.len() as u64);
            let work = Oversize { link, plan, batch, config: &self.links.config, dead_letters: &self.dead_letters };
            written.refused = Box::pin(work.deliver(too_large, oversize)).await?;
            written.stored -= written.refused.len() as u64;
        }
        self.metrics.success.inc_by(written.stored);
        self.metrics.failure.inc_by(written.refused.len() as u64);
        Ok(written)
    }

    /// Has the topic looked at again, and the producer replaced when it is broken.
    fn look_at(&self, link: &Link, code: Option<RDKafkaErrorCode>) {
        match code {
            Some(RDKafkaErrorCode::Fatal) => link.give_up(),
            Some(RDKafkaErrorCode::UnknownPartition | RDKafkaErrorCode::UnknownTopicOrPartition) | None => {}
            Some(_) => return,
        }
        let _ = self.wake.try_send(());
    }

    fn failed(&self, batch: &SpanBatch) {
        self.metrics.failure.inc_by(batch.len() as u64);
    }
}
