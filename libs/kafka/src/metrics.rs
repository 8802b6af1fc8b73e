//! The counters of both sides, under Jaeger's names where Jaeger has them.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Written {
    kind: &'static str,
    role: &'static str,
    status: &'static str,
}

/// What the producer counts.
#[derive(Debug)]
pub(crate) struct ProducerMetrics {
    /// Spans that Kafka has.
    pub success: Counter,
    /// Spans that it has not, as far as we know.
    pub failure: Counter,
    /// Requests refused because too many bytes waited.
    pub overloads: Counter,
    /// Messages sent again because the broker called them, or what they were sent with, too large.
    pub resplits: Counter,
}

impl ProducerMetrics {
    pub fn register(registry: &mut Registry) -> Self {
        let written = Family::<Written, Counter>::default();
        let status = |status| written.get_or_create_owned(&Written { kind: "kafka", role: "primary", status });
        let metrics = Self {
            success: status("success"),
            failure: status("failure"),
            overloads: Counter::default(),
            resplits: Counter::default(),
        };
        registry.register("jaeger_storage_kafka_spans_written", "Spans given to Kafka, by what became of them", written);
        let help = "Requests refused because too many bytes waited for acknowledgement";
        registry.register("skua_kafka_producer_overloads", help, metrics.overloads.clone());
        let help = "Messages sent again, alone or split, because the broker called their batch too large";
        registry.register("skua_kafka_producer_resplits", help, metrics.resplits.clone());
        metrics
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Place {
    topic: String,
    partition: i32,
}

/// What the consumer counts. The rows of a partition stay when it leaves, as in Jaeger.
#[derive(Debug, Default)]
pub(crate) struct ConsumerMetrics {
    topic: String,
    messages: Family<Place, Counter>,
    errors: Family<Place, Counter>,
    current_offset: Family<Place, Gauge>,
    lag: Family<Place, Gauge>,
    started: Family<Place, Counter>,
    closed: Family<Place, Counter>,
    commits: Family<Place, Counter>,
    committed: Family<Place, Gauge>,
    /// Partitions that are ours.
    pub held: Gauge,
    /// Bytes handed out and not acknowledged.
    pub in_flight: Gauge<u64, AtomicU64>,
    /// 1 while the partitions are paused because too much is in flight.
    pub paused: Gauge,
    /// Commits that the broker refused.
    pub commit_errors: Counter,
    /// Partitions read again because a chunk was dropped without acknowledgement.
    pub rewinds: Counter,
}

impl ConsumerMetrics {
    pub fn register(topic: &str, registry: &mut Registry) -> Self {
        let m = Self { topic: topic.to_owned(), ..Self::default() };
        let consumer = registry.sub_registry_with_prefix("jaeger_ingester_sarama_consumer");
        consumer.register("messages", "Messages read", m.messages.clone());
        consumer.register("errors", "Errors of the consumer", m.errors.clone());
        consumer.register("current_offset", "Offset of the last message read", m.current_offset.clone());
        consumer.register("offset_lag", "Messages in the partition after the last one read", m.lag.clone());
        consumer.register("partition_start", "Times the partition became ours", m.started.clone());
        consumer.register("partition_close", "Times the partition ceased to be ours", m.closed.clone());
        consumer.register("partitions_held", "Partitions that are ours", m.held.clone());
        let ingester = registry.sub_registry_with_prefix("jaeger_ingester");
        ingester.register("offset_commits", "Offsets committed", m.commits.clone());
        ingester.register("last_committed_offset", "Last offset committed", m.committed.clone());
        let ours = registry.sub_registry_with_prefix("skua_ingester");
        ours.register("in_flight_bytes", "Bytes handed out and not yet stored", m.in_flight.clone());
        ours.register("paused", "1 while reading is paused because too much is in flight", m.paused.clone());
        ours.register("commit_errors", "Commits that the broker refused", m.commit_errors.clone());
        ours.register("rewinds", "Partitions read again because a chunk was given up", m.rewinds.clone());
        m
    }

    fn place(&self, partition: i32) -> Place {
        Place { topic: self.topic.clone(), partition }
    }

    pub fn read(&self, partition: i32, messages: u64, last: i64) {
        let place = self.place(partition);
        self.messages.get_or_create(&place).inc_by(messages);
        self.current_offset.get_or_create(&place).set(last);
    }

    pub fn error(&self, partition: i32) {
        self.errors.get_or_create(&self.place(partition)).inc();
    }

    /// `high` is the offset that the next message will get. Jaeger's lag is to the last message read.
    pub fn high_water(&self, partition: i32, high: i64, next: i64) {
        self.lag.get_or_create(&self.place(partition)).set((high - next).max(0));
    }

    pub fn started(&self, partition: i32) {
        self.started.get_or_create(&self.place(partition)).inc();
        self.held.inc();
    }

    pub fn closed(&self, partition: i32) {
        self.closed.get_or_create(&self.place(partition)).inc();
        self.held.dec();
    }

    /// `next` is the committed position: one more than the last offset that is done.
    pub fn committed(&self, partition: i32, next: i64) {
        let place = self.place(partition);
        self.commits.get_or_create(&place).inc();
        self.committed.get_or_create(&place).set(next - 1);
    }
}
