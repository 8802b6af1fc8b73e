//! Makes, empties out and counts Kafka topics for the benchmarks.
//!
//! `count` reads a whole topic and says how many spans it truly holds, and how many of them are different.
#![expect(clippy::print_stdout, reason = "the report is this program's output")]

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};
use skua_bench::Failure;
use skua_bench::args::Args;
use skua_bench::messages::Encoding;
use skua_model::SpanBatch;
use skua_model::wire::messages;
use std::collections::HashSet;
use std::time::{Duration, Instant};

const USAGE: &str = "topic create|delete|count --brokers HOST:PORT --topic NAME [--partitions 3]
    [--encoding otlp-proto|protobuf] [--timeout 60s]";

const WAIT: Duration = Duration::from_secs(20);

fn main() -> Result<(), Failure> {
    let args = Args::parse(std::env::args().skip(1), &["brokers", "topic", "partitions", "encoding", "timeout"], USAGE)?;
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", args.required("brokers")?);
    let topic = args.required("topic")?;
    match args.words.first().map(String::as_str) {
        Some("create") => create(&client, topic, args.value("partitions", 3)?),
        Some("delete") => delete(&client, topic),
        Some("count") => {
            let encoding = args.text("encoding").unwrap_or("otlp-proto").parse()?;
            count(client, topic, encoding, args.duration("timeout", Duration::from_secs(60))?)
        }
        _ => Err(format!("usage: {USAGE}").into()),
    }
}

fn create(client: &ClientConfig, topic: &str, partitions: i32) -> Result<(), Failure> {
    let admin: AdminClient<DefaultClientContext> = client.create()?;
    let new = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
    let options = AdminOptions::new().operation_timeout(Some(WAIT));
    let made = wait(admin.create_topics([&new], &options))??;
    made.into_iter().collect::<Result<Vec<_>, _>>().map_err(|(name, e)| format!("failed to create topic {name}: {e}"))?;
    Ok(())
}

fn delete(client: &ClientConfig, topic: &str) -> Result<(), Failure> {
    let admin: AdminClient<DefaultClientContext> = client.create()?;
    let options = AdminOptions::new().operation_timeout(Some(WAIT));
    let gone = wait(admin.delete_topics(&[topic], &options))??;
    gone.into_iter().collect::<Result<Vec<_>, _>>().map_err(|(name, e)| format!("failed to delete topic {name}: {e}"))?;
    Ok(())
}

fn wait<F: Future>(future: F) -> std::io::Result<F::Output> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future))
}

/// What a topic holds.
#[derive(Default)]
struct Found {
    messages: u64,
    bytes: u64,
    spans: u64,
    unread: u64,
    ids: HashSet<Vec<u8>>,
}

fn count(mut client: ClientConfig, topic: &str, encoding: Encoding, timeout: Duration) -> Result<(), Failure> {
    client.set("group.id", "skua-bench-count").set("enable.auto.commit", "false");
    let consumer: BaseConsumer = client.create()?;
    let metadata = consumer.fetch_metadata(Some(topic), WAIT)?;
    let (mut from, mut left) = (TopicPartitionList::new(), Vec::new());
    for partition in metadata.topics().iter().flat_map(|t| t.partitions()).map(|p| p.id()) {
        let (low, high) = consumer.fetch_watermarks(topic, partition, WAIT)?;
        if low < high {
            from.add_partition_offset(topic, partition, Offset::Offset(low))?;
            left.push((partition, high));
        }
    }
    consumer.assign(&from)?;
    let (mut found, end) = (Found::default(), Instant::now() + timeout);
    while !left.is_empty() {
        if Instant::now() > end {
            return Err(format!("failed to read topic {topic} to its end in {} s", timeout.as_secs()).into());
        }
        let Some(message) = consumer.poll(Duration::from_millis(200)) else { continue };
        let message = message?;
        found.add(message.payload().unwrap_or_default(), encoding);
        left.retain(|(p, high)| *p != message.partition() || message.offset() + 1 < *high);
    }
    println!(
        "{}",
        serde_json::json!({
            "messages": found.messages,
            "bytes": found.bytes,
            "spans": found.spans,
            "distinct": found.ids.len(),
            "unreadable_messages": found.unread,
        })
    );
    Ok(())
}

impl Found {
    fn add(&mut self, payload: &[u8], encoding: Encoding) {
        /// `jaeger.api_v2.Span.span_id`
        const SPAN_ID: u32 = 2 << 3 | 2;
        self.messages += 1;
        self.bytes += payload.len() as u64;
        match encoding {
            Encoding::OtlpProto => match SpanBatch::parse(payload.to_vec()) {
                Ok(batch) => {
                    self.spans += batch.len() as u64;
                    self.ids.extend(batch.spans().iter().map(|s| batch.view(s).span_id.to_vec()));
                }
                Err(_) => self.unread += 1,
            },
            Encoding::Protobuf => match messages(payload, SPAN_ID).next() {
                Some(id) => {
                    self.spans += 1;
                    self.ids.insert(id.to_vec());
                }
                None => self.unread += 1,
            },
        }
    }
}
