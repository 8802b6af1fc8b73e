//! What counting roll-ups costs, alone in a process: CPU time a span and memory, of a stream as an ingester reads it from Kafka.
//!
//! Time is that of the stream: its seconds pass as fast as the spans can be made. CPU is that of the counting alone, and of the saves
//! apart; memory is the highest resident memory above what making the spans took before anything was counted.
#![expect(clippy::print_stdout, reason = "the report is this program's output")]

use prometheus_client::encoding::text::encode as exposition;
use prometheus_client::registry::Registry;
use skua_bench::Failure;
use skua_bench::args::Args;
use skua_bench::messages::{Encoding, encode};
use skua_bench::spans::{Config, generate};
use skua_bench::usage::{Usage, mib, micros_per, round, thread_cpu};
use skua_model::{BatchBuilder, SpanBatch};
use skua_rollup::RollupMetrics;
use skua_rollup::count::{Counter, Options, Part, Position};
use skua_rollup::flush::{Flusher, Stores};
use skua_store::rollups::MemoryRollups;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str =
    "rollupcost [--rate 20000] [--for 6m] [--window 2m] [--window-bytes 67108864] [--partitions 12] [--batch 200]";

const FLAGS: &[&str] = &["rate", "for", "window", "window-bytes", "partitions", "batch"];

/// Bytes of a chunk, as an ingester reads them.
const CHUNK_BYTES: usize = 1 << 20;
/// A trace of the generator is not longer; spans come this long after the trace began.
const LATE: Duration = Duration::from_secs(10);
/// Seconds of stream before which nothing is counted.
const WARM: u64 = 60;

/// Spans a second, as Kafka has them.
struct Stream {
    rate: usize,
    batch: usize,
    /// Of the next record, by partition.
    offsets: Vec<i64>,
    /// Milliseconds since 1970.
    clock: u64,
    second: u64,
}

impl Stream {
    /// The chunks of the next second.
    fn second(&mut self) -> Result<Vec<(SpanBatch, Vec<Part>)>, Failure> {
        self.second += 1;
        self.clock += 1000;
        let window = LATE + Duration::from_secs(1);
        let config = Config { seed: self.second, window, now: self.clock * 1_000_000, ..Config::new(self.rate, self.batch) };
        let requests = encode(generate(&config), Encoding::OtlpProto, self.offsets.len() as u32)?;
        let (mut chunks, mut builder, mut parts, mut bytes) = (Vec::new(), BatchBuilder::default(), Vec::new(), 0);
        for message in requests.into_iter().flatten() {
            let offset = &mut self.offsets[message.partition as usize];
            let spans = builder.push(&message.value)?;
            bytes += message.value.len();
            let (partition, clock) = (message.partition, self.clock);
            parts.push(Part { partition, assignment: 1, offset: *offset, clock, spans });
            *offset += 1;
            if bytes >= CHUNK_BYTES {
                chunks.push((std::mem::take(&mut builder).finish(), std::mem::take(&mut parts)));
                bytes = 0;
            }
        }
        chunks.push((builder.finish(), parts));
        Ok(chunks)
    }
}

fn main() -> Result<(), Failure> {
    let args = Args::parse(std::env::args().skip(1), FLAGS, USAGE)?;
    let lasts = args.duration("for", Duration::from_secs(360))?;
    let window = args.duration("window", Duration::from_secs(120))?;
    let (partitions, rate) = (args.value("partitions", 12_usize)?, args.value("rate", 20_000)?);
    let clock = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64;
    let batch = args.value("batch", 200)?;
    let mut stream = Stream { rate, batch, offsets: vec![0; partitions], clock, second: 0 };
    for _ in 0..WARM {
        stream.second()?;
    }
    let baseline = Usage::own()?;

    let mut registry = Registry::default();
    let metrics = RollupMetrics::register(&mut registry);
    let options = Options { window, window_bytes: args.value("window-bytes", 64 << 20)?, max_series: 10_000 };
    let counter = Counter::new(options, metrics.clone());
    let rollups = Arc::new(MemoryRollups::new(0));
    let flusher = Flusher::new(Stores { rollups, dependencies: None }, metrics);
    for (partition, offset) in stream.offsets.iter().enumerate() {
        let from = Position { offset: *offset, ..Position::default() };
        counter.begin(partition as i32, 1, format!("bench/{partition}"), from, *offset);
    }
    let (mut spans, mut counting, mut saving, mut window_bytes) = (0, Duration::ZERO, Duration::ZERO, 0);
    for second in 1..=lasts.as_secs() {
        for (batch, parts) in stream.second()? {
            let before = thread_cpu()?;
            counter.count(&batch, &parts).map_err(|needed| format!("{} documents have to be learned", needed.len()))?;
            counting += thread_cpu()? - before;
            spans += batch.len();
        }
        window_bytes = window_bytes.max(counter.window_bytes());
        if second % 60 == 0 {
            let before = thread_cpu()?;
            let snapshot = counter.take();
            let lost = futures::executor::block_on(flusher.save(&snapshot))?;
            counter.saved(&snapshot);
            saving += thread_cpu()? - before;
            if !lost.is_empty() {
                return Err("another has counted the same".into());
            }
        }
    }
    let after = Usage::own()?;
    let mut text = String::new();
    exposition(&mut text, &registry)?;
    let number = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|n| n.trim().parse::<u64>().ok())
    };
    let joins = "skua_rollup_unjoined_spans_total";
    let report = serde_json::json!({
        "spans": spans,
        "spans_per_s": rate,
        "partitions": partitions,
        "cpu_us_per_span": micros_per(counting + saving, spans),
        "counting_us_per_span": micros_per(counting, spans),
        "saving_us_per_span": micros_per(saving, spans),
        "peak_mib": mib(after.peak_kib.saturating_sub(baseline.peak_kib)),
        "window_mib": round(window_bytes as f64 / 1_048_576.0, 1),
        "counted": number("skua_rollup_spans_total{outcome=\"counted\"}"),
        "series": number("skua_rollup_series"),
        "links": number("skua_rollup_links"),
        "unjoined": number(&format!("{joins}{{outcome=\"expired\"}}")),
        "evicted": number(&format!("{joins}{{outcome=\"evicted\"}}")),
    });
    println!("{report}");
    Ok(())
}
