//! The broker under test, and what lies on it.

use crate::testing::Sketch;
use prometheus_client::registry::Registry;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message, OwnedMessage};
use rdkafka::{Offset, TopicPartitionList};
use skua_codec::Encoding;
use skua_kafka::{KafkaWriter, ProducerConfig};
use skua_model::SpanBatch;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::timeout;

pub const LONG: Duration = Duration::from_secs(40);

/// The broker, or `None` with a word about it.
#[expect(clippy::disallowed_methods, reason = "the switch of these tests")]
pub fn broker() -> Option<String> {
    let broker = std::env::var("SKUA_TEST_KAFKA").ok();
    if broker.is_none() {
        eprintln!("skipped: SKUA_TEST_KAFKA is not set");
    }
    broker
}

pub fn admin(broker: &str) -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", broker).create().unwrap()
}

/// A new topic of three partitions.
pub async fn topic(broker: &str, name: &str, max_message_bytes: Option<u64>) -> String {
    let name = format!("{name}-{}", SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos());
    let limit = max_message_bytes.map(|n| n.to_string());
    let mut new = NewTopic::new(&name, 3, TopicReplication::Fixed(1));
    if let Some(limit) = &limit {
        new = new.set("max.message.bytes", limit);
    }
    admin(broker).create_topics([&new], &AdminOptions::new()).await.unwrap()[0].clone().unwrap();
    name
}

pub async fn set_limit(broker: &str, topic: &str, limit: u64) {
    let limit = limit.to_string();
    let change = AlterConfig::new(ResourceSpecifier::Topic(topic)).set("max.message.bytes", &limit);
    admin(broker).alter_configs([&change], &AdminOptions::new()).await.unwrap().remove(0).unwrap();
}

pub fn producing(broker: &str, topic: &str, encoding: Encoding) -> ProducerConfig {
    ProducerConfig { brokers: vec![broker.into()], topic: topic.into(), encoding: encoding.name().into(), ..Default::default() }
}

pub async fn writer(config: ProducerConfig) -> Arc<KafkaWriter> {
    let writer = KafkaWriter::start(config, &mut Registry::default()).unwrap();
    timeout(LONG, writer.ready()).await.expect("the topic in time");
    writer
}

/// Everything on a topic, by partition and offset.
pub async fn everything(broker: &str, topic: &str) -> Vec<OwnedMessage> {
    let (broker, topic) = (broker.to_owned(), topic.to_owned());
    tokio::task::spawn_blocking(move || {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", broker)
            .set("group.id", "reader")
            .set("enable.auto.commit", "false")
            .create()
            .unwrap();
        let metadata = consumer.fetch_metadata(Some(&topic), LONG).unwrap();
        let (mut list, mut left) = (TopicPartitionList::new(), 0);
        for p in metadata.topics()[0].partitions() {
            let (low, high) = consumer.fetch_watermarks(&topic, p.id(), LONG).unwrap();
            left += high - low;
            list.add_partition_offset(&topic, p.id(), Offset::Beginning).unwrap();
        }
        consumer.assign(&list).unwrap();
        let mut all = Vec::new();
        while left > 0 {
            let message = consumer.poll(LONG).expect("a message in time").unwrap();
            all.push(message.detach());
            left -= 1;
        }
        all.sort_by_key(|m| (m.partition(), m.offset()));
        all
    })
    .await
    .unwrap()
}

/// Trace and span id of everything on a topic.
pub fn span_ids(encoding: Encoding, payloads: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Vec<(u128, u64)> {
    let mut ids = Vec::new();
    for payload in payloads {
        let mut otlp = Vec::new();
        skua_codec::decode_message(encoding, payload.as_ref(), &mut otlp).unwrap();
        let batch = SpanBatch::parse(otlp).unwrap();
        ids.extend(batch.spans().iter().map(|s| {
            let view = batch.view(s);
            (u128::from_be_bytes(view.trace_id), u64::from_be_bytes(view.span_id))
        }));
    }
    ids.sort_unstable();
    ids
}

pub fn sketches(n: u64, weight: usize) -> Vec<Sketch> {
    (1..=n).map(|i| Sketch { resource: (i / 50) as u8, trace: u128::from(i % 17 + 1), span: i, weight }).collect()
}

pub fn ids(sketches: &[Sketch]) -> Vec<(u128, u64)> {
    let mut ids: Vec<_> = sketches.iter().map(|s| (s.trace, s.span)).collect();
    ids.sort_unstable();
    ids
}

pub fn payloads(messages: &[OwnedMessage]) -> Vec<&[u8]> {
    messages.iter().map(|m| m.payload().unwrap()).collect()
}

pub fn header(message: &OwnedMessage, key: &str) -> Option<String> {
    let headers = message.headers()?;
    let value = headers.iter().find(|h| h.key == key)?.value?;
    Some(String::from_utf8(value.to_vec()).unwrap())
}
