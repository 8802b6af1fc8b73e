//! Where a message or span goes that nobody can take.

use crate::client::{Acks, Producer, create, send_error};
use crate::config::{ConsumerConfig, ProducerConfig};
use crate::delivery::{Delivery, Failures, Outgoing};
use parking_lot::Mutex;
use rdkafka::ClientConfig;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{Header, OwnedHeaders};
use skua_model::{SpanId, TraceId};
use skua_store::{ErrorKind, StoreError};
use std::sync::Arc;

/// Bytes that are kept of a payload that the dead-letter topic does not take whole; the last try keeps none.
const KEPT: [usize; 2] = [64 << 10, 0];
/// Bytes of a detail.
const DETAIL: usize = 2048;
/// The longest message the producer passes on. What the topic takes is the topic's setting.
const LONGEST: usize = 100_000_000;

/// A producer for the dead-letter topic, made when first needed.
pub struct DeadLetters {
    conf: ClientConfig,
    topic: String,
    producer: Mutex<Option<Arc<Producer>>>,
}

/// One dead letter. Each field but key and payload becomes a header.
#[derive(Debug, Clone, Copy)]
pub struct DeadLetter<'a> {
    /// `skua.reason`: short, of a fixed set.
    pub reason: &'a str,
    /// `skua.detail`: for the operator; cut at 2048 bytes.
    pub detail: &'a str,
    /// `skua.source.topic`: where it came from, or should have gone.
    pub topic: &'a str,
    /// `skua.source.partition` and `skua.source.offset`, when it was read from Kafka.
    pub source: Option<(i32, i64)>,
    /// `skua.trace-id` and `skua.span-id`, when it is one known span.
    pub span: Option<(TraceId, SpanId)>,
    /// The message's own key; empty for none.
    pub key: &'a [u8],
    /// The message as it was, or the span alone in the topic's encoding. `skua.size` is its length; what is longer than the
    /// dead-letter topic takes is cut to 64 KiB and has the header `skua.truncated`.
    pub payload: &'a [u8],
}

impl DeadLetters {
    /// For what the ingester cannot read or store.
    ///
    /// # Errors
    /// Invalid or Unsupported for settings that cannot work, naming the flag.
    pub fn of_consumer(config: &ConsumerConfig) -> Result<Self, StoreError> {
        Ok(Self::new(config.connection()?, config.dead_letter_topic()))
    }

    /// For what the collector cannot send.
    ///
    /// # Errors
    /// As [`DeadLetters::of_consumer`].
    pub fn of_producer(config: &ProducerConfig) -> Result<Self, StoreError> {
        Ok(Self::new(config.connection()?, config.dead_letter_topic()))
    }

    pub(crate) fn new(mut conf: ClientConfig, topic: String) -> Self {
        conf.set("acks", "all")
            .set("enable.idempotence", "true")
            .set("linger.ms", "0")
            .set("compression.type", "gzip") // every broker and every client has it
            .set("message.max.bytes", LONGEST.to_string())
            .set("message.timeout.ms", "30000")
            .set("queue.buffering.max.kbytes", (2 * LONGEST / 1024).to_string());
        Self { conf, topic, producer: Mutex::new(None) }
    }

    /// The topic.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Returns when the dead-letter topic has the letter, on all in-sync replicas.
    ///
    /// # Errors
    /// Unavailable or Overloaded: try again later. Invalid: the topic takes not even the headers.
    pub async fn send(&self, letter: DeadLetter<'_>) -> Result<(), StoreError> {
        let producer = self.producer()?;
        let whole = letter.payload.len().min(LONGEST - (64 << 10));
        let mut failed = RDKafkaErrorCode::MessageSizeTooLarge;
        for kept in std::iter::once(whole).chain(KEPT.into_iter().filter(|kept| *kept < whole)) {
            let delivery = Delivery::new(None);
            let message = Outgoing {
                topic: &self.topic,
                partition: None,
                key: letter.key,
                payload: &letter.payload[..kept],
                headers: Some(headers(&letter, kept < letter.payload.len())),
            };
            failed = match delivery.send(&producer, message) {
                Err(code) => code,
                Ok(()) => match delivery.wait().await {
                    Failures { other: Some(code), .. } => code,
                    Failures { too_large, .. } if !too_large.is_empty() => RDKafkaErrorCode::MessageSizeTooLarge,
                    _ => return Ok(()),
                },
            };
            if failed != RDKafkaErrorCode::MessageSizeTooLarge {
                break;
            }
        }
        if failed == RDKafkaErrorCode::Fatal {
            *self.producer.lock() = None;
        }
        Err(match failed {
            RDKafkaErrorCode::MessageSizeTooLarge => {
                StoreError::new(ErrorKind::Invalid, format!("send to Kafka topic {}: it takes no headers", self.topic))
            }
            code => send_error(&self.topic, code),
        })
    }

    fn producer(&self) -> Result<Arc<Producer>, StoreError> {
        let mut producer = self.producer.lock();
        if let Some(producer) = &*producer {
            return Ok(producer.clone());
        }
        let made: Arc<Producer> = Arc::new(create(&self.conf, Acks)?);
        *producer = Some(made.clone());
        Ok(made)
    }
}

/// The start of a text, at most [`DETAIL`] bytes of it.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(DETAIL);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn headers(letter: &DeadLetter<'_>, truncated: bool) -> OwnedHeaders {
    let detail = cut(letter.detail);
    let put = |headers: OwnedHeaders, key: &str, value: &str| headers.insert(Header { key, value: Some(value) });
    let mut headers = put(OwnedHeaders::new_with_capacity(8), "skua.reason", letter.reason);
    headers = put(headers, "skua.detail", detail);
    headers = put(headers, "skua.source.topic", letter.topic);
    if let Some((partition, offset)) = letter.source {
        headers = put(headers, "skua.source.partition", &partition.to_string());
        headers = put(headers, "skua.source.offset", &offset.to_string());
    }
    if let Some((trace_id, span_id)) = letter.span {
        headers = put(headers, "skua.trace-id", &trace_id.to_string());
        headers = put(headers, "skua.span-id", &span_id.to_string());
    }
    headers = put(headers, "skua.size", &letter.payload.len().to_string());
    if truncated { put(headers, "skua.truncated", "true") } else { headers }
}
