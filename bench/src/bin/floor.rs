//! librdkafka alone: produces what the collector would, made before the clock starts, and reports its own CPU.
//!
//! `--senders` requests are on their way at a time, as from that many clients who wait for their answers.
#![expect(clippy::print_stdout, reason = "the report is this program's output")]

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};
use skua_bench::Failure;
use skua_bench::args::Args;
use skua_bench::messages::{Encoding, encode};
use skua_bench::spans::{Config, generate};
use skua_bench::usage::{Usage, mib, micros_per, round};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "floor --brokers HOST:PORT --topic NAME [--encoding otlp-proto|protobuf] [--spans 400000] [--batch 200]
    [--senders 4] [--linger 5ms] [--compression none] [--seed 1]";

const FLAGS: &[&str] = &["brokers", "topic", "encoding", "spans", "batch", "senders", "linger", "compression", "seed"];

/// Counts delivery reports.
#[derive(Clone, Default)]
struct Reports(Arc<[AtomicUsize; 2]>);

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        self.0[usize::from(result.is_err())].fetch_add(1, Ordering::Relaxed);
    }
}

fn main() -> Result<(), Failure> {
    let args = Args::parse(std::env::args().skip(1), FLAGS, USAGE)?;
    let (brokers, topic) = (args.required("brokers")?, args.required("topic")?);
    let encoding: Encoding = args.text("encoding").unwrap_or("otlp-proto").parse()?;
    let (compression, senders) = (args.text("compression").unwrap_or("none"), args.value("senders", 4usize)?);
    let linger = args.duration("linger", Duration::from_millis(5))?;
    let reports = Reports::default();
    let producer: BaseProducer<Reports> = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("acks", "all")
        .set("compression.type", compression)
        .set("linger.ms", linger.as_millis().to_string())
        .set("queue.buffering.max.messages", "1000000")
        .create_with_context(reports.clone())?;
    let metadata = producer.client().fetch_metadata(Some(topic), Duration::from_secs(10))?;
    let partitions = metadata.topics().first().map_or(0, |t| t.partitions().len());
    if partitions == 0 {
        return Err(format!("failed to find topic {topic}").into());
    }

    let mut config = Config::new(args.value("spans", 400_000)?, args.value("batch", 200)?);
    config.seed = args.value("seed", config.seed)?;
    let load = generate(&config);
    let spans = load.spans;
    let requests = encode(load, encoding, partitions as u32)?;
    let (messages, bytes) =
        requests.iter().flatten().fold((0, 0), |(n, bytes), m| (n + 1usize, bytes + m.key.len() + m.value.len()));

    let (before, started) = (Usage::own()?, Instant::now());
    for request in &requests {
        while producer.in_flight_count() as usize > senders.saturating_sub(1) * request.len() {
            producer.poll(Duration::ZERO);
            std::thread::sleep(Duration::from_micros(500)); // a poll that waits spins inside rdkafka
        }
        for m in request {
            let record = BaseRecord::to(topic).partition(m.partition).payload(&m.value);
            let record = if m.key.is_empty() { record } else { record.key(&m.key) };
            producer.send(record).map_err(|(e, _)| e)?;
        }
    }
    while producer.in_flight_count() > 0 {
        producer.poll(Duration::ZERO);
        std::thread::sleep(Duration::from_millis(1));
    }
    let (after, wall) = (Usage::own()?, started.elapsed().as_secs_f64());
    let [delivered, failed] = &*reports.0;
    let report = serde_json::json!({
        "encoding": args.text("encoding").unwrap_or("otlp-proto"),
        "compression": compression,
        "linger_ms": linger.as_millis() as u64,
        "senders": senders,
        "partitions": partitions,
        "spans": spans,
        "messages": messages,
        "delivered": delivered.load(Ordering::Relaxed),
        "failed": failed.load(Ordering::Relaxed),
        "bytes_per_span": round(bytes as f64 / spans.max(1) as f64, 1),
        "cpu_us_per_span": micros_per(after.cpu.saturating_sub(before.cpu), spans),
        "wall_s": round(wall, 3),
        "spans_per_s": round(spans as f64 / wall.max(1e-9), 0),
        "rss_before_mib": mib(before.rss_kib),
        "peak_mib": mib(after.peak_kib),
    });
    println!("{report}");
    Ok(())
}
