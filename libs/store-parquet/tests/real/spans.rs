//! Spans on a server that speaks S3: a process that writes, another that reads.

use crate::given::{config, made, server};
use async_trait::async_trait;
use prometheus_client::registry::Registry;
use skua_bench::spans::{Config as BenchConfig, generate, trace_id};
use skua_model::{SpanBatch, TraceId};
use skua_store::conformance::{self, Abilities, Settled};
use skua_store::{SpanReader as _, SpanWriter, StoreError, TraceQuery, Written};
use skua_store_parquet::{Bucket, Config, ParquetStore, Role};
use std::sync::Arc;
use std::time::Duration;

async fn open(server: &str, bucket: &str, change: impl FnOnce(Config) -> Config) -> (Arc<ParquetStore>, Bucket) {
    let settings = Config { path: format!("s3://{bucket}/a/prefix"), s3: config(server), ..Config::default() };
    let settings = change(Config { poll_interval: Duration::ZERO, block_age: Duration::from_secs(3600), ..settings });
    let bucket = Bucket::open(&settings.path, &settings.s3).unwrap();
    let store = ParquetStore::open(settings, bucket.clone(), Role::Primary, &mut Registry::default()).await.unwrap();
    (store, bucket)
}

/// Hands over, as an ingester does: a write that waits for its block would wait for the block's age.
struct HandsOver(Arc<ParquetStore>);

#[async_trait]
impl SpanWriter for HandsOver {
    async fn write(&self, batch: &SpanBatch) -> Result<Written, StoreError> {
        Ok(self.0.hand_over(batch).await?.0)
    }
}

/// Scenario: the conformance suite; one store writes blocks, another reads them by the manifest. Guarantee: every case holds.
#[tokio::test(flavor = "multi_thread")]
async fn spans_pass_the_suite() {
    let Some(server) = server() else { return };
    let bucket = made(&server, "spans").await;
    let (writer, _) = open(&server, &bucket, |config| config).await;
    let (reader, _) = open(&server, &bucket, |config| config).await;
    let abilities = Abilities { warnings: true, long_values: true, any_service: true, patterns: false, repeated_keys: true };
    let settle = || {
        let writer = writer.clone();
        Box::pin(async move { writer.flush().await.unwrap() }) as Settled<'_>
    };
    conformance::run(abilities, &HandsOver(writer.clone()), &*reader, &settle).await;
}

/// Scenario: blocks of many spans, whose sidecars a reader holds; a trace is asked for, then a search. Guarantee: a trace costs at most 4 requests, a
/// search at most 20, whatever is in the blocks.
#[tokio::test(flavor = "multi_thread")]
async fn few_requests_answer() {
    const BLOCKS: u64 = 5;
    let Some(server) = server() else { return };
    let bucket = made(&server, "requests").await;
    let (writer, _) = open(&server, &bucket, |config| config).await;
    for seed in 1..=BLOCKS {
        let load = generate(&BenchConfig { seed, ..BenchConfig::new(30_000, 2000) });
        for request in load.requests {
            drop(writer.hand_over(&SpanBatch::parse(request).unwrap()).await.unwrap());
        }
        writer.flush().await.unwrap();
    }
    // It has the manifest, and does not look for another.
    let (reader, requests) = open(&server, &bucket, |config| Config { poll_interval: Duration::from_secs(3600), ..config }).await;
    let services = reader.services().await.unwrap();
    assert_eq!(services.len(), 20);
    for (seed, number) in [(1, 17), (3, 900), (5, 0)] {
        let before = requests.requests();
        let trace = reader.trace(TraceId(trace_id(seed, number))).await.unwrap();
        let taken = requests.requests() - before;
        println!("a trace of {} spans: {taken} requests", trace.spans.len());
        assert!(taken <= 4, "{taken} requests for a trace");
    }
    let all = TraceQuery {
        service: String::new(),
        operation: String::new(),
        tags: Vec::new(),
        start_min: 0,
        start_max: u64::MAX / 1000,
        duration_min: 0,
        duration_max: 0,
        limit: 20,
    };
    let tags = vec![("http.response.status_code".to_owned(), "500".to_owned())];
    for query in [
        TraceQuery { service: "checkout".to_owned(), ..all.clone() },
        TraceQuery { tags, ..all.clone() },
        TraceQuery { duration_min: 100_000, ..all.clone() },
        TraceQuery { service: "checkout".to_owned(), tags: vec![("no such".to_owned(), "tag".to_owned())], ..all },
    ] {
        let before = requests.requests();
        let found = reader.find(&query).await.unwrap();
        let taken = requests.requests() - before;
        println!("{} traces of {query:?}: {taken} requests", found.traces.len());
        assert!(taken <= 20, "{taken} requests for {query:?}");
        assert_eq!(found.partial, Vec::<String>::new());
    }
}
