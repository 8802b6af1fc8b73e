//! Records out of Kafka.

use crate::broker::*;
use crate::testing::{Sketch, batch};
use prometheus_client::registry::Registry;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use skua_codec::Encoding;
use skua_kafka::{Chunk, ConsumerConfig, KafkaSource, KafkaWriter, Limits};
use skua_store::SpanWriter;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::Receiver;
use tokio::time::{sleep, timeout};

pub fn consuming(broker: &str, topic: &str) -> ConsumerConfig {
    ConsumerConfig {
        brokers: vec![broker.into()],
        topic: topic.into(),
        group_id: format!("group-{topic}"),
        encoding: "protobuf".into(),
        ..Default::default()
    }
}

pub fn small() -> Limits {
    Limits { chunk_records: 10, linger: Duration::from_millis(50), drain: Duration::from_secs(3), ..Limits::default() }
}

/// Offset of each record by partition.
type Read = BTreeMap<i32, Vec<i64>>;

fn note(read: &mut Read, chunk: &Chunk) {
    chunk.records().iter().for_each(|r| read.entry(r.partition).or_default().push(r.offset));
}

pub async fn receive(chunks: &mut Receiver<Chunk>) -> Chunk {
    timeout(LONG, chunks.recv()).await.expect("a chunk in time").expect("a source that goes on")
}

/// The committed position of each partition, none as 0.
async fn committed(broker: &str, topic: &str) -> BTreeMap<i32, i64> {
    let (broker, topic) = (broker.to_owned(), topic.to_owned());
    let read = move || {
        let consumer: BaseConsumer =
            ClientConfig::new().set("bootstrap.servers", broker).set("group.id", format!("group-{topic}")).create().unwrap();
        let mut list = TopicPartitionList::new();
        list.add_partition_range(&topic, 0, 2);
        let list = consumer.committed_offsets(list, LONG).unwrap();
        list.elements().iter().map(|e| (e.partition(), if let Offset::Offset(n) = e.offset() { n } else { 0 })).collect()
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}

pub async fn filled(broker: &str, name: &str, spans: u64) -> (String, Arc<KafkaWriter>, Vec<Sketch>) {
    let topic = topic(broker, name, None).await;
    let writer = writer(producing(broker, &topic, Encoding::Protobuf)).await;
    let sketches = sketches(spans, 100);
    writer.write(&batch(&sketches)).await.unwrap();
    (topic, writer, sketches)
}

/// Scenario: spans are there before the group is; then it stops, and starts again. Guarantees: it starts at the earliest
/// offset, gets every span once, and what it acknowledged it does not get again.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_group_starts_at_the_beginning_and_goes_on_where_it_was() {
    let Some(broker) = broker() else { return };
    let (topic, writer, sketches) = filled(&broker, "earliest", 300).await;
    let mut registry = Registry::default();
    let (source, mut chunks) = KafkaSource::start(consuming(&broker, &topic), small(), &mut registry).unwrap();
    let mut got = Vec::new();
    while got.len() < 300 {
        let chunk = receive(&mut chunks).await;
        assert!(chunk.records().len() <= 10 + 64 && chunk.topic() == topic);
        got.extend(chunk.records().iter().map(|r| chunk.payload(r).to_vec()));
        chunk.ack();
    }
    assert_eq!(span_ids(Encoding::Protobuf, &got), ids(&sketches));
    assert_eq!(source.partitions(), [0, 1, 2]);
    sleep(Duration::from_millis(6000)).await;
    assert_eq!(committed(&broker, &topic).await.values().sum::<i64>(), 300);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    for wanted in ["sarama_consumer_partitions_held 3", "offset_lag{", "offset_commits_total{", "last_committed_offset{"] {
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
    assert!(source.stop().await);
    assert!(timeout(LONG, chunks.recv()).await.unwrap().is_none());
    assert_eq!(committed(&broker, &topic).await.values().sum::<i64>(), 300);
    writer.write(&batch(&sketches[..20])).await.unwrap();
    let (source, mut chunks) = KafkaSource::start(consuming(&broker, &topic), small(), &mut Registry::default()).unwrap();
    let mut left = 20;
    while left > 0 {
        let chunk = receive(&mut chunks).await;
        left -= chunk.records().len();
        chunk.ack();
    }
    assert!(source.stop().await);
}

/// Scenario: chunks are acknowledged in the wrong order, one never; then the process is gone. Guarantees: the committed
/// position is that of the oldest record that is not done, and the next process gets all from there.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_contiguous_prefix_is_committed() {
    let Some(broker) = broker() else { return };
    let (topic, _writer, _) = filled(&broker, "prefix", 300).await;
    let (source, mut chunks) = KafkaSource::start(consuming(&broker, &topic), small(), &mut Registry::default()).unwrap();
    let (mut held, mut n) = (Vec::new(), 0);
    while n < 300 {
        let chunk = receive(&mut chunks).await;
        n += chunk.records().len();
        held.push(chunk);
    }
    let open = held.remove(held.len() / 2);
    let mut wanted: BTreeMap<i32, i64> = BTreeMap::new();
    let mut all = Read::new();
    held.iter().for_each(|chunk| note(&mut all, chunk));
    note(&mut all, &open);
    for (partition, offsets) in &all {
        let first_open = open.records().iter().filter(|r| r.partition == *partition).map(|r| r.offset).min();
        wanted.insert(*partition, first_open.unwrap_or(offsets.len() as i64));
    }
    held.into_iter().rev().for_each(Chunk::ack);
    assert!(!source.stop().await, "a chunk is open");
    assert_eq!(committed(&broker, &topic).await, wanted);
    drop(open);
    let (source, mut chunks) = KafkaSource::start(consuming(&broker, &topic), small(), &mut Registry::default()).unwrap();
    let mut again = Read::new();
    let left: i64 = 300 - wanted.values().sum::<i64>();
    while again.values().map(Vec::len).sum::<usize>() < left as usize {
        let chunk = receive(&mut chunks).await;
        note(&mut again, &chunk);
        chunk.ack();
    }
    assert!(again.iter().all(|(partition, offsets)| offsets[0] == wanted[partition]), "{again:?} {wanted:?}");
    assert!(source.stop().await);
}

/// Scenario: a chunk is dropped. Guarantee: its records come again, in a process that goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_chunk_comes_again() {
    let Some(broker) = broker() else { return };
    let (topic, _writer, _) = filled(&broker, "dropped", 100).await;
    let (source, mut chunks) = KafkaSource::start(consuming(&broker, &topic), small(), &mut Registry::default()).unwrap();
    let (mut seen, mut dropped): (HashMap<(i32, i64), u32>, _) = (HashMap::new(), Vec::new());
    while let Ok(Some(chunk)) = timeout(Duration::from_secs(5), chunks.recv()).await {
        let records: Vec<_> = chunk.records().iter().map(|r| (r.partition, r.offset)).collect();
        if dropped.is_empty() {
            dropped = records;
            drop(chunk);
            continue;
        }
        records.into_iter().for_each(|r| *seen.entry(r).or_default() += 1);
        chunk.ack();
    }
    assert_eq!(seen.len(), 100);
    assert_eq!(committed(&broker, &topic).await.values().sum::<i64>(), 100);
    assert!(source.stop().await);
}

/// Scenario: a second member joins while the first reads, then leaves; acknowledgements are slow. Guarantees: together they get
/// every record, none twice (each lets go of a partition only when its chunks are done), and both hold partitions at some time.
#[tokio::test(flavor = "multi_thread")]
async fn two_members_share_without_loss_or_repetition() {
    let Some(broker) = broker() else { return };
    let (topic, writer, sketches) = filled(&broker, "shared", 500).await;
    let seen: Arc<parking_lot::Mutex<HashMap<(i32, i64), u32>>> = Arc::default();
    let start = || {
        let (source, mut chunks) = KafkaSource::start(consuming(&broker, &topic), small(), &mut Registry::default()).unwrap();
        let seen = seen.clone();
        let reader = tokio::spawn(async move {
            let mut n = 0;
            while let Some(chunk) = chunks.recv().await {
                sleep(Duration::from_millis(20)).await;
                n += chunk.records().len();
                chunk.records().iter().for_each(|r| *seen.lock().entry((r.partition, r.offset)).or_default() += 1);
                chunk.ack();
            }
            n
        });
        (source, reader)
    };
    let feeder = tokio::spawn(async move {
        for _ in 0..100 {
            writer.write(&batch(&sketches[..100])).await.unwrap();
            sleep(Duration::from_millis(100)).await;
        }
    });
    let (first, first_reader) = start();
    sleep(Duration::from_secs(3)).await;
    let (second, second_reader) = start();
    let end = Instant::now() + LONG;
    while second.partitions().is_empty() || first.partitions().len() + second.partitions().len() != 3 {
        assert!(Instant::now() < end, "{:?} {:?}", first.partitions(), second.partitions());
        sleep(Duration::from_millis(100)).await;
    }
    sleep(Duration::from_secs(2)).await;
    assert!(second.stop().await);
    assert!(second_reader.await.unwrap() > 0);
    feeder.await.unwrap();
    while seen.lock().len() < 10_500 {
        assert!(Instant::now() < end + LONG, "{} records", seen.lock().len());
        sleep(Duration::from_millis(100)).await;
    }
    assert!(first.stop().await);
    first_reader.await.unwrap();
    assert!(seen.lock().values().all(|n| *n == 1), "records came twice");
    assert_eq!(committed(&broker, &topic).await.values().sum::<i64>(), 10_500);
}

/// Scenario: the store does not answer. Guarantees: what is in memory stays bounded, the member keeps its partitions, and goes
/// on when chunks are acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn too_much_in_flight_pauses_and_resumes() {
    let Some(broker) = broker() else { return };
    let (topic, _writer, _) = filled(&broker, "paused", 2000).await;
    let limits = Limits { max_in_flight_bytes: 50_000, ..small() };
    let mut registry = Registry::default();
    let (source, mut chunks) = KafkaSource::start(consuming(&broker, &topic), limits, &mut registry).unwrap();
    let (mut held, mut n) = (Vec::new(), 0);
    while let Ok(Some(chunk)) = timeout(Duration::from_secs(8), chunks.recv()).await {
        n += chunk.records().len();
        held.push(chunk);
    }
    let bytes = source.in_flight_bytes();
    assert!((50_000..100_000).contains(&bytes) && n < 1000, "{bytes} bytes, {n} records");
    assert_eq!(source.partitions().len(), 3);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    assert!(text.contains("skua_ingester_paused 1"));
    held.into_iter().for_each(Chunk::ack);
    while n < 2000 {
        let chunk = receive(&mut chunks).await;
        n += chunk.records().len();
        chunk.ack();
    }
    assert_eq!(n, 2000);
    assert!(source.stop().await);
    assert_eq!(committed(&broker, &topic).await.values().sum::<i64>(), 2000);
}

/// Scenario: whoever takes chunks hands them over, acknowledges none until the source drains, and then all. Guarantees: their bytes make room at
/// once, so that more is read than the bound; nothing is committed before; a stop says that it waits, and commits all.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_handed_over_makes_room_and_is_committed_later() {
    let Some(broker) = broker() else { return };
    let (topic, _writer, _) = filled(&broker, "handed", 2000).await;
    let limits = Limits { max_in_flight_bytes: 50_000, ..small() };
    let (source, mut chunks) = KafkaSource::start(consuming(&broker, &topic), limits, &mut Registry::default()).unwrap();
    let (mut held, mut n) = (Vec::new(), 0);
    while n < 2000 {
        let chunk = receive(&mut chunks).await;
        n += chunk.records().len();
        held.push(chunk.hand_over());
    }
    assert_eq!((n, source.in_flight_bytes()), (2000, 0));
    assert_eq!(committed(&broker, &topic).await.values().sum::<i64>(), 0);
    let mut draining = source.draining();
    assert!(!*draining.borrow());
    let stopped = tokio::spawn(source.stop());
    timeout(LONG, draining.wait_for(|draining| *draining)).await.unwrap().unwrap();
    held.into_iter().rev().for_each(skua_kafka::HandedOver::ack);
    assert!(stopped.await.unwrap());
    assert_eq!(committed(&broker, &topic).await.values().sum::<i64>(), 2000);
}
