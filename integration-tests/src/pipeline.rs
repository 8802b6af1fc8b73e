//! The tiers of one test: collector → Kafka → ingester → Elasticsearch → query, on names that no other test uses.

use crate::ports::unique;
use crate::{Elasticsearch, Kafka, Query, Result, Skua, Spans, Topic, ensure, wait};
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
    /// The prefix of the index names.
    pub prefix: String,
    /// The form of the messages.
    pub encoding: Encoding,
    /// Where the topics are, as `host:port`.
    pub brokers: String,
    elasticsearch: String,
}

impl Pipeline {
    /// Makes a topic with `partitions` partitions and a dead-letter topic. `name` says which test this is.
    pub async fn new(
        name: &str,
        encoding: Encoding,
        partitions: i32,
        kafka: &Kafka,
        elasticsearch: &Elasticsearch,
    ) -> Result<Self> {
        let prefix = unique(name);
        Ok(Self {
            topic: Topic::create(kafka.address(), &format!("{prefix}-spans"), partitions).await?,
            dead_letters: Topic::create(kafka.address(), &format!("{prefix}-dead-letters"), 1).await?,
            group: format!("{prefix}-group"),
            encoding,
            brokers: kafka.address().to_owned(),
            elasticsearch: elasticsearch.url().to_owned(),
            prefix,
        })
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
        args.extend(self.elasticsearch_flags());
        args.extend(more.iter().map(|flag| flag.to_string()));
        Skua::start("ingester", &args, &[("SPAN_STORAGE_TYPE", "elasticsearch")]).await
    }

    /// Starts an ingester in the group.
    pub async fn ingester(&self) -> Result<Skua> {
        self.ingester_with(&[]).await
    }

    /// Starts a query tier over the indices.
    pub async fn query(&self) -> Result<(Skua, Query)> {
        let skua = Skua::start("query", &self.elasticsearch_flags(), &[("SPAN_STORAGE_TYPE", "elasticsearch")]).await?;
        let query = Query::new(skua.ports().query_http);
        Ok((skua, query))
    }

    fn elasticsearch_flags(&self) -> Vec<String> {
        vec![
            format!("--es.server-urls={}", self.elasticsearch),
            format!("--es.index-prefix={}", self.prefix),
            "--es.num-replicas=0".to_owned(),
        ]
    }

    /// Waits until the group has committed everything on the topic, then checks that the spans of `range`, and no others, are
    /// in Elasticsearch, each exactly once.
    pub async fn stored_exactly(&self, elasticsearch: &Elasticsearch, spans: &Spans, range: Range<u64>) -> Result<()> {
        self.topic.until_committed(&self.group).await?;
        elasticsearch.spans(&self.prefix).await?.exactly(&spans.keys(range))
    }

    /// Waits until at least `spans` documents are in Elasticsearch.
    pub async fn until_stored(&self, elasticsearch: &Elasticsearch, spans: u64) -> Result<u64> {
        wait::until(format!("{spans} spans in Elasticsearch"), async || {
            let count = elasticsearch.count(&self.prefix).await?;
            ensure(count >= spans, || format!("{count} so far"))?;
            Ok(Some(count))
        })
        .await
    }
}
