//! What answers from roll-ups cost: CPU time of the graph of a day and of the Monitor tab's figures of two, unpacking included, over a
//! store that is a map. `answers [EDGES=200] [OPERATIONS=1000] [RUNS=20]`; each has calls in every minute.
#![expect(clippy::print_stdout, reason = "the report is this program's output")]

use async_trait::async_trait;
use bytes::Bytes;
use skua_rollup::document::{Connection, Document, Exemplar, Figures, INTERVAL, Key, LinkKey, MINUTE, SeriesKey};
use skua_rollup::read::{GraphQuery, RollupReader};
use skua_store::StoreError;
use skua_store::rollups::{Rollup, RollupKind, RollupStore, Version};
use skua_store::span_metrics::{MetricsQuery, MetricsReader};
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

const START: u64 = 1_769_299_200_000_000;
const HOUR: u64 = 60 * MINUTE;

#[derive(Default)]
struct Map(BTreeMap<(RollupKind, u64), Bytes>);

#[async_trait]
impl RollupStore for Map {
    async fn rollup(&self, kind: RollupKind, interval: u64) -> Result<Option<Rollup>, StoreError> {
        Ok(self.0.get(&(kind, interval)).map(|body| Rollup { version: Version(0, 0), body: body.clone() }))
    }

    /// Nothing is saved here.
    async fn save_rollup(&self, _: RollupKind, _: u64, _: Bytes, _: Option<Version>) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn rollups(&self, kind: RollupKind, from: u64, until: u64) -> Result<Vec<(u64, Bytes)>, StoreError> {
        let found = self.0.range((kind, from)..(kind, until));
        Ok(found.map(|((_, interval), body)| (*interval, body.clone())).collect())
    }

    async fn delete_rollups(&self, _: u64) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Numbers that look random (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb)
    }

    /// A minute's calls: up to 1000, around `scale` microseconds, most within a factor of ten.
    fn figures(&mut self, scale: f64, minute: u64) -> Figures {
        let mut figures = Figures::default();
        for _ in 0..=self.next() % 1000 {
            let normal = (0..4).map(|_| (self.next() >> 11) as f64 / (1_u64 << 53) as f64 - 0.5).sum::<f64>();
            figures.latency.record((scale * 10_f64.powf(normal)) as u64);
        }
        figures.errors = self.next() % 3;
        let mut trace_id = [0; 16];
        trace_id[..8].copy_from_slice(&self.next().to_be_bytes());
        trace_id[8..].copy_from_slice(&self.next().to_be_bytes());
        let (span_id, duration) = (self.next().to_be_bytes(), (scale * 10.0) as u64 + self.next() % 1000);
        figures.exemplar = Some(Exemplar { trace_id, span_id, start: minute + self.next() % MINUTE, duration });
        figures
    }
}

/// Fills the documents of so many hours.
fn fill<K: Key>(map: &mut Map, hours: u64, keys: &[K]) -> Result<usize, StoreError> {
    let (mut numbers, mut bytes) = (Numbers(7), 0);
    for interval in (START..START + hours * HOUR).step_by(INTERVAL as usize) {
        let mut document = Document::default();
        for (i, key) in keys.iter().enumerate() {
            for minute in (interval..interval + INTERVAL).step_by(MINUTE as usize) {
                document.add(key, minute, &numbers.figures(200.0 * (i % 50 + 1) as f64, minute));
            }
        }
        let body = document.encode(interval)?;
        bytes += body.len();
        map.0.insert((K::KIND, interval), body);
    }
    Ok(bytes)
}

/// CPU time of this thread so far, in milliseconds (Linux).
fn cpu() -> Result<f64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split(' ').next().unwrap_or_default().parse::<f64>()? / 1e6)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<u64> = std::env::args().skip(1).map(|text| text.parse()).collect::<Result<_, _>>()?;
    let argument = |at: usize, default| arguments.get(at).copied().unwrap_or(default);
    let (edges, operations, runs) = (argument(0, 200), argument(1, 1000), argument(2, 20).max(1));
    let mut map = Map::default();
    let link = |i| LinkKey {
        parent: format!("service-{}", i % 40),
        child: format!("service-{}", i * 7 % 61),
        connection: Connection::ALL[(i % 4) as usize],
    };
    let links: Vec<_> = (0..edges).map(link).collect();
    let series = |i| SeriesKey {
        service: format!("service-{}", i / 50),
        operation: format!("GET /api/v1/things/{i}"),
        kind: 2,
        status: if i % 10 == 0 { 2 } else { 0 },
    };
    let red: Vec<_> = (0..operations).map(series).collect();
    println!("documents of links: {} bytes a day", fill(&mut map, 24, &links)?);
    println!("documents of RED: {} bytes in 48 hours", fill(&mut map, 48, &red)?);
    let reader = RollupReader::new(Arc::new(map));

    let (end, step, rate_per) = (START + 24 * HOUR, 60_000, 600_000);
    let query = GraphQuery { start: START, end, now: end, ..GraphQuery::default() };
    let before = cpu()?;
    let mut shown = 0;
    for _ in 0..runs {
        shown = reader.graph(&query).await?.edges.len();
    }
    println!("graph of 24 hours, {shown} edges: {:.1} ms of CPU", (cpu()? - before) / runs as f64);

    let before = cpu()?;
    for _ in 0..runs {
        reader.dependencies(START, end).await?;
    }
    println!("dependencies of 24 hours: {:.1} ms of CPU", (cpu()? - before) / runs as f64);

    for hours in [1, 48] {
        let query = MetricsQuery {
            services: vec!["service-0".to_owned()],
            group_by_operation: true,
            span_kinds: vec!["server"],
            end: START + 48 * HOUR,
            lookback: (hours * HOUR / 1000) as i64,
            step,
            rate_per,
        };
        let before = cpu()?;
        let mut points = 0;
        for _ in 0..runs {
            points = reader.latencies(0.95, &query).await?.metrics.iter().map(|m| m.points.len()).sum();
        }
        println!("latencies of {hours} hours, {points} points: {:.1} ms of CPU", (cpu()? - before) / runs as f64);
    }
    Ok(())
}
