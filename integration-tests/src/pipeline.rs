//! The tiers of one test: collector → Kafka → ingester → store → query, on names that no other test uses.

use crate::ports::unique;
use crate::{Kafka, Query, Result, Skua, Spans, Store, Topic};
use std::ops::Range;

/// The form of the messages on the topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// A batch of OTLP, as protobuf.
    OtlpProto,
    /// A batch of OTLP, as JSON.
    OtlpJson,
    /// One Jaeger span, as protobuf.
    Protobuf,
    /// One Jaeger span, as JSON.
    Json,
    /// Zipkin spans, as Thrift in the binary protocol; only an ingester reads it.
    ZipkinThrift,
    /// Zipkin spans of version 2, as JSON; only an ingester reads it.
    ZipkinJson,
    /// Zipkin spans of version 2, as protobuf; only an ingester reads it.
    ZipkinProto,
}

impl Encoding {
    /// The value of the flag.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::OtlpProto => "otlp-proto",
            Encoding::OtlpJson => "otlp-json",
            Encoding::Protobuf => "protobuf",
            Encoding::Json => "json",
            Encoding::ZipkinThrift => "zipkin-thrift",
            Encoding::ZipkinJson => "zipkin-json",
            Encoding::ZipkinProto => "zipkin-proto",
        }
    }
}

/// Where the spans of one test go.
pub struct Pipeline {
    /// The topic between the collector and the ingester.
    pub topic: Topic,
    /// Where the ingester puts what it cannot read.
    pub dead_letters: Topic,
    /// The ingester's consumer group.
    pub group: String,
    /// The name of all this in the store: the prefix of the index names, or the keyspace.
    pub prefix: String,
    /// The form of the messages.
    pub encoding: Encoding,
    /// Where the topics are, as `host:port`.
    pub brokers: String,
    storage_type: &'static str,
    store_flags: Vec<String>,
}

impl Pipeline {
    /// Makes a topic with `partitions` partitions and a dead-letter topic. `name` says which test this is.
    pub async fn new(name: &str, encoding: Encoding, partitions: i32, kafka: &Kafka, store: &impl Store) -> Result<Self> {
        // A keyspace has no minus sign in its name.
        let prefix = unique(name).replace('-', "_");
        Ok(Self {
            topic: Topic::create(kafka.address(), &format!("{prefix}-spans"), partitions).await?,
            dead_letters: Topic::create(kafka.address(), &format!("{prefix}-dead-letters"), 1).await?,
            group: format!("{prefix}-group"),
            encoding,
            brokers: kafka.address().to_owned(),
            storage_type: store.storage_type(),
            store_flags: store.flags(&prefix),
            prefix,
        })
    }

    /// The value of `SPAN_STORAGE_TYPE`.
    pub fn storage_type(&self) -> &'static str {
        self.storage_type
    }

    /// The flags that name the store.
    pub fn store_flags(&self) -> &[String] {
        &self.store_flags
    }

    /// Starts a collector that writes to the topic.
    pub async fn collector(&self) -> Result<Skua> {
        let args = [
            format!("--kafka.producer.brokers={}", self.brokers),
            format!("--kafka.producer.topic={}", self.topic.name()),
            format!("--kafka.producer.encoding={}", self.encoding.name()),
        ];
        Skua::start("collector", &args, &[("SPAN_STORAGE_TYPE", "kafka")]).await
    }

    /// Starts an ingester in the group; `more` are further flags.
    pub async fn ingester_with(&self, more: &[&str]) -> Result<Skua> {
        let mut args = vec![
            format!("--kafka.consumer.brokers={}", self.brokers),
            format!("--kafka.consumer.topic={}", self.topic.name()),
            format!("--kafka.consumer.group-id={}", self.group),
            format!("--kafka.consumer.encoding={}", self.encoding.name()),
            format!("--ingester.dead-letter-topic={}", self.dead_letters.name()),
        ];
        args.extend(self.store_flags.iter().cloned());
        args.extend(more.iter().map(|flag| flag.to_string()));
        Skua::start("ingester", &args, &[("SPAN_STORAGE_TYPE", self.storage_type)]).await
    }

    /// Starts an ingester in the group.
    pub async fn ingester(&self) -> Result<Skua> {
        self.ingester_with(&[]).await
    }

    /// Starts a query tier over the store.
    pub async fn query(&self) -> Result<(Skua, Query)> {
        let skua = Skua::start("query", &self.store_flags, &[("SPAN_STORAGE_TYPE", self.storage_type)]).await?;
        let query = Query::new(skua.ports().query_http);
        Ok((skua, query))
    }

    /// Waits until the group has committed everything on the topic, then checks that the spans of `range`, and no others, are
    /// in the store, each exactly once.
    pub async fn stored_exactly(&self, store: &impl Store, spans: &Spans, range: Range<u64>) -> Result<()> {
        self.topic.until_committed(&self.group).await?;
        store.spans(&self.prefix).await?.exactly(&spans.keys(range))
    }
}
