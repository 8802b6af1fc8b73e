//! What a day of RED takes in a store: operations with calls in every minute, counted in several partitions and saved every minute, as an
//! ingester does. With `--es`, in a real Elasticsearch, whose index is measured as it is and after a merge.
//!
//! An operation has 1 to 1000 calls a minute, one in twenty failed, most durations within a factor of ten of each other.
#![expect(clippy::print_stdout, reason = "the report is this program's output")]

use prometheus_client::registry::Registry;
use skua_bench::Failure;
use skua_bench::args::Args;
use skua_bench::elastic::Elastic;
use skua_rollup::RollupMetrics;
use skua_rollup::count::{Delta, Position, Snapshot, Taken};
use skua_rollup::document::{Exemplar, Figures, INTERVAL, MINUTE, Mark, SeriesKey, interval_of};
use skua_rollup::flush::{Flusher, Stores};
use skua_store::rollups::{MemoryRollups, RollupKind, RollupStore};
use skua_store_elasticsearch::{Config, ElasticsearchRollups, ElasticsearchStore};
use std::sync::Arc;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "rollupday [--operations 500] [--partitions 12] [--es URL --prefix NAME]";

const FLAGS: &[&str] = &["operations", "partitions", "es", "prefix"];

/// Microseconds since 1970, a midnight.
const START: u64 = 1_769_299_200_000_000;
const DAY: u64 = 1440 * MINUTE;

/// Numbers that look random (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb)
    }

    fn id(&mut self) -> [u8; 8] {
        self.next().to_be_bytes()
    }

    /// A span's, in microseconds, around `scale`.
    fn duration(&mut self, scale: f64) -> u64 {
        let normal = (0..4).map(|_| (self.next() >> 11) as f64 / (1_u64 << 53) as f64 - 0.5).sum::<f64>();
        (scale * 10_f64.powf(normal)) as u64
    }
}

/// A minute's figures of an operation in each partition.
fn minute(numbers: &mut Numbers, key: &SeriesKey, scale: f64, calls: u64, minute: u64, deltas: &mut [Delta<SeriesKey>]) {
    let mut all = vec![Figures::default(); deltas.len()];
    for _ in 0..calls {
        let place = numbers.next() as usize % all.len();
        let (figures, duration) = (&mut all[place], numbers.duration(scale));
        figures.latency.record(duration);
        if figures.exemplar.is_none_or(|e| e.duration < duration) {
            let (mut trace_id, span_id) = ([0; 16], numbers.id());
            trace_id[..8].copy_from_slice(&numbers.id());
            trace_id[8..].copy_from_slice(&numbers.id());
            figures.exemplar = Some(Exemplar { trace_id, span_id, start: minute + numbers.next() % MINUTE, duration });
        }
    }
    for (delta, figures) in deltas.iter_mut().zip(all).filter(|(_, figures)| figures.latency.count() > 0) {
        delta.rows.push((key.clone(), minute, figures));
    }
}

/// What was counted in a minute.
fn snapshot(numbers: &mut Numbers, operations: usize, partitions: usize, at: u64) -> Snapshot {
    let number = ((at - START) / MINUTE + 1) as i64;
    let taken = |partition: i32| Taken {
        source: format!("jaeger-spans/{partition}"),
        mark: Mark { offset: number * 100_000, epoch: number as u64 * 4 },
        position: Position::default(),
        known: (number - 1) * 100_000,
        assignment: 1,
    };
    let delta = |partition| Delta { partition, rows: Vec::new(), expected: None };
    let mut deltas: Vec<_> = (0..partitions as i32).map(delta).collect();
    for i in 0..operations {
        let calls = 1 + numbers.next() % 1000;
        for (status, calls) in [(0, calls - calls / 20), (2, calls / 20)] {
            let (service, operation) = (format!("service-{}", i / 50), format!("GET /api/v1/things/{i}"));
            let key = SeriesKey { service, operation, kind: 2, status };
            minute(numbers, &key, 200.0 * (i % 50 + 1) as f64, calls, at, &mut deltas);
        }
    }
    let partitions = (0..partitions as i32).map(|p| (p, taken(p))).collect();
    Snapshot { partitions, red: [(interval_of(at), deltas)].into(), ..Snapshot::default() }
}

/// Bytes of an index on disk.
async fn size(elastic: &mut Elastic, prefix: &str, prepare: &[&str]) -> Result<u64, Failure> {
    for path in prepare {
        elastic.json(http::Method::POST, &format!("/{prefix}*/{path}"), &serde_json::Value::Null).await?;
    }
    let stats = elastic.json(http::Method::GET, &format!("/{prefix}*/_stats/store"), &serde_json::Value::Null).await?;
    stats["_all"]["primaries"]["store"]["size_in_bytes"].as_u64().ok_or_else(|| "the index has no size".into())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let args = Args::parse(std::env::args().skip(1), FLAGS, USAGE)?;
    let (operations, partitions) = (args.value("operations", 500_usize)?, args.value("partitions", 12_usize)?);
    let mut registry = Registry::default();
    let prefix = args.text("prefix").unwrap_or("bench-rollup-day");
    let rollups: Arc<dyn RollupStore> = match args.text("es") {
        Some(url) => {
            let config = Config {
                server_urls: vec![url.to_owned()],
                index_prefix: prefix.to_owned(),
                num_replicas: 0,
                ..Config::default()
            };
            Arc::new(ElasticsearchRollups::new(ElasticsearchStore::connect(config, &mut registry).await?))
        }
        None => Arc::new(MemoryRollups::new(0)),
    };
    let flusher = Flusher::new(Stores { rollups: rollups.clone(), dependencies: None }, RollupMetrics::register(&mut registry));
    let (mut numbers, mut saves) = (Numbers(7), 0);
    for at in (START..START + DAY).step_by(MINUTE as usize) {
        let lost = flusher.save(&snapshot(&mut numbers, operations, partitions, at)).await?;
        if !lost.is_empty() {
            return Err("another has counted the same".into());
        }
        saves += 1;
    }
    let documents = rollups.rollups(RollupKind::Red, START, START + DAY).await?;
    let bytes: usize = documents.iter().map(|(_, body)| body.len()).sum();
    let mut report = serde_json::json!({
        "operations": operations,
        "series": 2 * operations,
        "partitions": partitions,
        "saves": saves,
        "documents": documents.len(),
        "of_documents": DAY / INTERVAL,
        "document_bytes": bytes,
    });
    if let Some(url) = args.text("es") {
        let mut elastic = Elastic::connect(url).await?;
        report["index_bytes"] = size(&mut elastic, prefix, &["_refresh", "_flush"]).await?.into();
        let merge = "_forcemerge?only_expunge_deletes=false&max_num_segments=1";
        report["merged_bytes"] = size(&mut elastic, prefix, &[merge, "_flush"]).await?.into();
    }
    println!("{report}");
    Ok(())
}
