//! Jaeger's Kafka flags as data, and what librdkafka is told for them.

use crate::auth::{Authentication, Kerberos, Plaintext, Tls};
use rdkafka::ClientConfig;
use serde::Deserialize;
use skua_codec::{Encoding, InputEncoding};
use skua_store::{ErrorKind, StoreError};
use std::time::Duration;

/// The flags `kafka.producer.*`. Their defaults are Jaeger's, except `required-acks`: an acknowledged span is on all in-sync
/// replicas.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct ProducerConfig {
    /// `host:port` of some brokers; the others are found through them.
    pub brokers: Vec<String>,
    /// Where spans go.
    pub topic: String,
    /// `protobuf`, `json`, `otlp-proto` or `otlp-json`.
    pub encoding: String,
    /// `all`: idempotent, acknowledged by all in-sync replicas; `local`: by the leader; `noack`: by nobody.
    pub required_acks: String,
    /// `none`, `gzip`, `snappy`, `lz4` or `zstd`.
    pub compression: String,
    /// 0 is the codec's own default.
    pub compression_level: i64,
    /// How long a message waits for others to share its request to the broker.
    pub batch_linger: Duration,
    /// Bytes of one request to the broker and partition; 0 is librdkafka's default, 1 000 000.
    pub batch_size: u64,
    /// Accepted as in Jaeger; librdkafka has no such setting.
    pub batch_min_messages: u64,
    /// Messages of one request to the broker and partition; 0 is librdkafka's default, 10 000.
    pub batch_max_messages: u64,
    /// Bytes of the longest message. What the topic says, when it can be asked, counts if it is less.
    pub max_message_bytes: u64,
    /// Empty: the topic's name with `-dead-letter`.
    pub dead_letter_topic: String,
    /// What the broker calls us in its logs and quotas.
    pub client_id: String,
    /// `none`, `plaintext` (SASL), `tls` or `kerberos`.
    pub authentication: String,
    /// User and password for SASL.
    pub plaintext: Plaintext,
    /// Certificates.
    pub tls: Tls,
    /// Not supported; here so that it can be said.
    pub kerberos: Kerberos,
    /// Bytes handed to librdkafka and not yet answered; more are refused as overload.
    #[serde(skip)]
    pub max_in_flight_bytes: usize,
    /// How long a message may wait for its acknowledgement before the request fails.
    #[serde(skip)]
    pub message_timeout: Duration,
}

impl Default for ProducerConfig {
    fn default() -> Self {
        Self {
            brokers: vec!["127.0.0.1:9092".to_owned()],
            topic: "jaeger-spans".to_owned(),
            encoding: "protobuf".to_owned(),
            required_acks: "all".to_owned(),
            compression: "none".to_owned(),
            compression_level: 0,
            batch_linger: Duration::ZERO,
            batch_size: 0,
            batch_min_messages: 0,
            batch_max_messages: 0,
            max_message_bytes: 1_000_000,
            dead_letter_topic: String::new(),
            client_id: "jaeger-collector".to_owned(),
            authentication: "none".to_owned(),
            plaintext: Plaintext::default(),
            tls: Tls::default(),
            kerberos: Kerberos::default(),
            max_in_flight_bytes: 32 << 20,
            message_timeout: Duration::from_secs(30),
        }
    }
}

/// The flags `kafka.consumer.*`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct ConsumerConfig {
    /// `host:port` of some brokers; the others are found through them.
    pub brokers: Vec<String>,
    /// Where spans come from.
    pub topic: String,
    /// The consumer group; its members share the partitions.
    pub group_id: String,
    /// What the broker calls us in its logs and quotas.
    pub client_id: String,
    /// `protobuf`, `json`, `otlp-proto` or `otlp-json`.
    pub encoding: String,
    /// Where a group without a committed offset starts: `earliest` or `latest`.
    pub initial_offset: String,
    /// Our rack, so that the nearest replica is read; empty for none.
    pub rack_id: String,
    /// Bytes asked for per partition and fetch. A longer message is still read.
    pub fetch_max_message_bytes: u64,
    /// Empty: the topic's name with `-dead-letter`.
    pub dead_letter_topic: String,
    /// `none`, `plaintext` (SASL), `tls` or `kerberos`.
    pub authentication: String,
    /// User and password for SASL.
    pub plaintext: Plaintext,
    /// Certificates.
    pub tls: Tls,
    /// Not supported; here so that it can be said.
    pub kerberos: Kerberos,
}

impl Default for ConsumerConfig {
    fn default() -> Self {
        Self {
            brokers: vec!["127.0.0.1:9092".to_owned()],
            topic: "jaeger-spans".to_owned(),
            group_id: "jaeger-ingester".to_owned(),
            client_id: "jaeger-ingester".to_owned(),
            encoding: "protobuf".to_owned(),
            initial_offset: "earliest".to_owned(),
            rack_id: String::new(),
            fetch_max_message_bytes: 1 << 20,
            dead_letter_topic: String::new(),
            authentication: "none".to_owned(),
            plaintext: Plaintext::default(),
            tls: Tls::default(),
            kerberos: Kerberos::default(),
        }
    }
}

/// What bounds a [`KafkaSource`](crate::KafkaSource).
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of chunks that were handed out and neither acknowledged nor [handed over](crate::Chunk::hand_over). At this much the partitions are paused. One chunk more is
    /// possible.
    pub max_in_flight_bytes: usize,
    /// A chunk is handed out when its payloads have this many bytes. One message more is possible.
    pub chunk_bytes: usize,
    /// A chunk is handed out when it has this many records.
    pub chunk_records: usize,
    /// A chunk is handed out this long after its first record.
    pub linger: Duration,
    /// How long a revoked partition, or the whole source on stop, waits for its chunks to be acknowledged.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_in_flight_bytes: 16 << 20,
            chunk_bytes: 1 << 20,
            chunk_records: 4096,
            linger: Duration::from_millis(200),
            drain: Duration::from_secs(10),
        }
    }
}

impl ProducerConfig {
    /// The encoding.
    ///
    /// # Errors
    /// Invalid, naming the flag, for a word that is none.
    pub fn encoding(&self) -> Result<Encoding, StoreError> {
        self.encoding.parse().map_err(|_| wrong("kafka.producer.encoding", ENCODINGS, &self.encoding))
    }

    /// Where what cannot be sent goes.
    pub fn dead_letter_topic(&self) -> String {
        dead_letter_topic(&self.dead_letter_topic, &self.topic)
    }

    /// What librdkafka needs to find the brokers and be let in.
    pub(crate) fn connection(&self) -> Result<ClientConfig, StoreError> {
        let auth = Authentication { method: &self.authentication, plaintext: &self.plaintext, tls: &self.tls };
        connection("kafka.producer", &self.brokers, &self.client_id, &auth)
    }

    /// The settings of a producer for the topic.
    pub(crate) fn producer(&self) -> Result<ClientConfig, StoreError> {
        let mut conf = self.connection()?;
        match self.required_acks.as_str() {
            "all" => conf.set("acks", "all").set("enable.idempotence", "true"),
            "local" => conf.set("acks", "1"),
            "noack" => conf.set("acks", "0"),
            other => return Err(wrong("kafka.producer.required-acks", "noack, local or all", other)),
        };
        match self.compression.as_str() {
            codec @ ("none" | "gzip" | "snappy" | "lz4" | "zstd") => conf.set("compression.type", codec),
            other => return Err(wrong("kafka.producer.compression", "none, gzip, snappy, lz4 or zstd", other)),
        };
        if self.compression_level != 0 {
            conf.set("compression.level", self.compression_level.to_string());
        }
        if self.batch_max_messages > 0 {
            conf.set("batch.num.messages", self.batch_max_messages.to_string());
        }
        if !(1000..=1_000_000_000).contains(&self.max_message_bytes) {
            let wanted = "a number of bytes between 1000 and 1000000000";
            return Err(wrong("kafka.producer.max-message-bytes", wanted, &self.max_message_bytes.to_string()));
        }
        conf.set("linger.ms", (self.batch_linger.as_secs_f64() * 1e3).to_string())
            .set("message.max.bytes", self.max_message_bytes.to_string())
            .set("message.timeout.ms", self.message_timeout.as_millis().to_string())
            // Twice our own bound, which counts what a request will become before it is encoded.
            .set("queue.buffering.max.kbytes", (self.max_in_flight_bytes / 512).max(1).to_string())
            .set("queue.buffering.max.messages", "0");
        Ok(conf)
    }
}

impl ConsumerConfig {
    /// The encoding.
    ///
    /// # Errors
    /// Invalid, naming the flag, for a word that is none.
    pub fn encoding(&self) -> Result<InputEncoding, StoreError> {
        let wanted = format!("{ENCODINGS}, zipkin-thrift, zipkin-json or zipkin-proto");
        self.encoding.parse().map_err(|_| wrong("kafka.consumer.encoding", &wanted, &self.encoding))
    }

    /// Where what cannot be read or stored goes.
    pub fn dead_letter_topic(&self) -> String {
        dead_letter_topic(&self.dead_letter_topic, &self.topic)
    }

    /// What librdkafka needs to find the brokers and be let in.
    pub(crate) fn connection(&self) -> Result<ClientConfig, StoreError> {
        let auth = Authentication { method: &self.authentication, plaintext: &self.plaintext, tls: &self.tls };
        connection("kafka.consumer", &self.brokers, &self.client_id, &auth)
    }

    /// The settings of a member of the group.
    pub(crate) fn consumer(&self) -> Result<ClientConfig, StoreError> {
        let mut conf = self.connection()?;
        match self.initial_offset.as_str() {
            start @ ("earliest" | "latest") => conf.set("auto.offset.reset", start),
            other => return Err(wrong("kafka.consumer.initial-offset", "earliest or latest", other)),
        };
        if !self.rack_id.is_empty() {
            conf.set("client.rack", &self.rack_id);
        }
        conf.set("group.id", &self.group_id)
            // librdkafka commits, each second and when partitions leave, but only the positions that we give it.
            .set("enable.auto.offset.store", "false")
            .set("enable.auto.commit", "true")
            .set("auto.commit.interval.ms", "1000")
            .set("partition.assignment.strategy", "cooperative-sticky")
            // A killed ingester's partitions wait this long for another; Kafka's default is 45 s.
            .set("session.timeout.ms", "15000")
            .set("allow.auto.create.topics", "true")
            .set("topic.metadata.refresh.interval.ms", "60000")
            .set("fetch.message.max.bytes", self.fetch_max_message_bytes.to_string())
            .set("fetch.max.bytes", FETCH_BYTES.to_string())
            // The broker collects this much, or waits this long: fewer and larger answers.
            .set("fetch.min.bytes", "65536")
            .set("fetch.wait.max.ms", "100")
            // 16 MiB for all partitions together, and asked again soon after there is room.
            .set("queued.max.messages.kbytes", "16384")
            .set("fetch.queue.backoff.ms", "20")
            .set("statistics.interval.ms", "5000");
        Ok(conf)
    }
}

/// What is written, and read too.
const ENCODINGS: &str = "protobuf, json, otlp-proto or otlp-json";

/// Bytes of one answer to a fetch, over all partitions of a broker. A longer first message still comes.
const FETCH_BYTES: u64 = 8 << 20;

fn connection(prefix: &str, brokers: &[String], client_id: &str, auth: &Authentication<'_>) -> Result<ClientConfig, StoreError> {
    if brokers.is_empty() {
        return Err(wrong(&format!("{prefix}.brokers"), "at least one address", ""));
    }
    let mut conf = ClientConfig::new();
    conf.set("bootstrap.servers", brokers.join(","))
        .set("client.id", client_id)
        .set("socket.keepalive.enable", "true")
        .set("reconnect.backoff.max.ms", "5000");
    auth.apply(prefix, &mut conf)?;
    Ok(conf)
}

fn dead_letter_topic(given: &str, topic: &str) -> String {
    if given.is_empty() { format!("{topic}-dead-letter") } else { given.to_owned() }
}

/// A flag that wants something else than it was given.
pub(crate) fn wrong(flag: &str, wanted: &str, given: &str) -> StoreError {
    StoreError::new(ErrorKind::Invalid, format!("start: {flag} wants {wanted}, not \"{given}\""))
}
