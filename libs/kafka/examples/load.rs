//! CPU per span of both sides, against a broker:
//! `load HOST:PORT TOPIC produce ENCODING SENDERS SPANS [key=value of kafka.producer …]` and `load HOST:PORT TOPIC consume ENCODING SPANS`.
//! A request is 200 spans of about 470 bytes; each sender waits for its answer. Without the cost of receiving or storing them.

#[path = "../src/testing.rs"]
mod testing;

use prometheus_client::registry::Registry;
use skua_codec::Encoding;
use skua_kafka::{ConsumerConfig, KafkaSource, KafkaWriter, Limits, ProducerConfig};
use skua_model::SpanBatch;
use skua_store::SpanWriter;
use std::fs::{read_dir, read_to_string};
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use testing::{Sketch, batch};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Nanoseconds that each living thread has run.
fn cpu() -> Vec<(String, u64)> {
    let tasks = read_dir("/proc/self/task").into_iter().flatten().flatten();
    let mut all: Vec<_> = tasks
        .filter_map(|t| {
            let name = read_to_string(t.path().join("comm")).ok()?.trim().to_owned();
            let ran = read_to_string(t.path().join("schedstat")).ok()?.split(' ').next()?.parse().ok()?;
            Some((name, ran))
        })
        .collect();
    all.sort();
    all
}

fn report(what: &str, spans: u64, before: &[(String, u64)], start: Instant) {
    let wall = start.elapsed();
    let after = cpu();
    let total = |all: &[(String, u64)]| all.iter().map(|(_, n)| n).sum::<u64>();
    let used = total(&after) - total(before);
    let peak = read_to_string("/proc/self/status").unwrap_or_default();
    let peak = peak.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or("?").trim().to_owned();
    let micros = |n: u64| n as f64 / 1e3 / spans as f64;
    let threads: Vec<String> =
        after.iter().filter(|(_, n)| micros(*n) > 0.01).map(|(name, n)| format!("{name} {:.2}", micros(*n))).collect();
    let line = format!(
        "{what}: {:.2} us a span, {:.0} spans/s, peak {peak}; {}\n",
        micros(used),
        spans as f64 / wall.as_secs_f64(),
        threads.join(", "),
    );
    let _ = std::io::stdout().write_all(line.as_bytes());
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime
        .block_on(async {
            match args[2].as_str() {
                "produce" => tokio::spawn(produce(args)).await,
                _ => tokio::spawn(consume(args)).await,
            }
        })
        .expect("to run");
}

async fn produce(args: Vec<String>) {
    let mut config = ProducerConfig {
        brokers: vec![args[0].clone()],
        topic: args[1].clone(),
        encoding: args[3].clone(),
        ..ProducerConfig::default()
    };
    for (key, value) in args[6..].iter().filter_map(|a| a.split_once('=')) {
        match key {
            "linger-us" => config.batch_linger = Duration::from_micros(value.parse().expect("a number")),
            "compression" => config.compression = value.to_owned(),
            "acks" => config.required_acks = value.to_owned(),
            _ => {}
        }
    }
    let (senders, spans): (u64, u64) = (args[4].parse().expect("senders"), args[5].parse().expect("spans"));
    let writer = KafkaWriter::start(config, &mut Registry::default()).expect("a writer");
    writer.ready().await;
    let left = Arc::new(AtomicU64::new(spans / 200));
    let run = |left: Arc<AtomicU64>| {
        let tasks: Vec<_> = (0..senders)
            .map(|sender| {
                let (writer, left) = (writer.clone(), left.clone());
                let span = |i: u64| Sketch {
                    resource: (i / 50) as u8,
                    trace: u128::from(sender * 1000 + i / 10 + 1) << 64 | 7,
                    span: i + 1,
                    weight: 380,
                };
                let request = batch(&(0..200).map(span).collect::<Vec<_>>()).bytes().clone();
                tokio::spawn(async move {
                    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok() {
                        let batch = SpanBatch::parse(request.clone()).expect("spans");
                        while writer.write(&batch).await.is_err() {
                            tokio::time::sleep(Duration::from_millis(1)).await;
                        }
                    }
                })
            })
            .collect();
        futures_join(tasks)
    };
    run(Arc::new(AtomicU64::new(senders * 4))).await;
    let (before, start) = (cpu(), Instant::now());
    run(left).await;
    writer.flush().await.expect("to flush");
    report(&args[3..].join(" "), spans, &before, start);
}

async fn futures_join(tasks: Vec<tokio::task::JoinHandle<()>>) {
    for task in tasks {
        task.await.expect("a sender");
    }
}

async fn consume(args: Vec<String>) {
    let config = ConsumerConfig {
        brokers: vec![args[0].clone()],
        topic: args[1].clone(),
        group_id: format!("load-{}", std::process::id()),
        encoding: args[3].clone(),
        ..ConsumerConfig::default()
    };
    let encoding = Encoding::ALL.into_iter().find(|e| e.name() == args[3]).expect("an encoding");
    let wanted: u64 = args[4].parse().expect("spans");
    let (source, mut chunks) = KafkaSource::start(config, Limits::default(), &mut Registry::default()).expect("a source");
    let (mut got, mut records, mut n) = (0, 0, 0);
    let (mut before, mut start) = (cpu(), Instant::now());
    while got < wanted {
        let chunk = chunks.recv().await.expect("a chunk");
        if n == 0 {
            (before, start) = (cpu(), Instant::now());
        }
        n += 1;
        records += chunk.records().len() as u64;
        got += if encoding.is_one_span() {
            chunk.records().len() as u64
        } else {
            let count = |r| SpanBatch::parse(chunk.payload_bytes(r)).expect("spans").len() as u64;
            chunk.records().iter().map(count).sum()
        };
        chunk.ack();
    }
    report(&format!("consume {encoding}, {records} records, {n} chunks"), got, &before, start);
    source.stop().await;
}
