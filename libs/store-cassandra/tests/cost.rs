//! What a search costs beside the reads that it needs: `bench/run.sh cassandra-search`.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, reason = "a measurement")]

use futures::stream::{FuturesUnordered, StreamExt};
use prometheus_client::registry::Registry;
use scylla::client::session_builder::SessionBuilder;
use skua_bench::spans::{Config, generate};
use skua_model::{Process, Span, SpanBatch};
use skua_store::{SpanReader, SpanWriter, TraceQuery};
use skua_store_cassandra::{CassandraStore, SchemaConfig};
use std::sync::Arc;
use std::time::{Duration, Instant};

const SEARCHES: usize = 300;

/// Spans that are made and written at a time, in a window of their own of the last hour.
const PART: usize = 50_000;

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Searches of a service with two tags and a least duration, each made of one span, over the hour in which all spans lie; and beside each
/// the raw reads without which nobody can answer it: the rows of both tags, and the traces that were found, with the same page size and
/// as many side by side.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn a_search_beside_its_reads() {
    let server = std::env::var("SKUA_TEST_CASSANDRA").unwrap();
    let spans: usize = std::env::var("SPANS").map_or(1_000_000, |n| n.parse().unwrap());
    let keyspace = format!("cost_{}", std::process::id());
    let config = skua_store_cassandra::Config {
        servers: vec![server.clone()],
        keyspace: keyspace.clone(),
        schema: SchemaConfig { create: true, ..SchemaConfig::default() },
        timeout: Duration::from_secs(60),
        ..skua_store_cassandra::Config::default()
    };
    let store = CassandraStore::new(config, "cassandra", "primary", &mut Registry::default()).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64;
    let parts = spans.div_ceil(PART);
    let (started, mut samples) = (Instant::now(), Vec::new());
    for part in 0..parts {
        let window = Duration::from_secs(3600) / parts as u32;
        let load = generate(&Config {
            seed: part as u64 + 1,
            spans: PART.min(spans),
            batch: 200,
            now: now - window.as_nanos() as u64 * (parts - 1 - part) as u64,
            window,
            one_trace: false,
        });
        let mut writing = FuturesUnordered::new();
        for request in &load.requests {
            let batch = SpanBatch::parse(request.clone()).unwrap();
            let entry = &batch.spans()[part % batch.len()];
            let process = Arc::new(Process::from_view(&batch.process(batch.resource_of(entry))));
            samples.push(Span::from_view(&batch.view(entry), process));
            let store = &store;
            writing.push(async move {
                while let Err(e) = store.write(&batch).await {
                    assert!(e.is_retryable(), "{e}");
                }
            });
            if writing.len() == 4 {
                writing.next().await;
            }
        }
        while writing.next().await.is_some() {}
    }
    println!("{} spans written in {:.0} s", parts * PART.min(spans), started.elapsed().as_secs_f64());

    let session = SessionBuilder::new().known_node(&server).build().await.unwrap();
    let rows = format!(
        "SELECT start_time, trace_id FROM {keyspace}.tag_index WHERE service_name = ? AND tag_key = ? AND tag_value = ? AND start_time >= ? AND start_time <= ?"
    );
    let trace = format!(
        "SELECT trace_id, span_id, parent_id, operation_name, flags, start_time, duration, tags, logs, refs, process FROM {keyspace}.traces WHERE trace_id = ?"
    );
    let mut rows = session.prepare(rows).await.unwrap();
    rows.set_page_size(100);
    let trace = session.prepare(trace).await.unwrap();
    let (mut searches, mut raws, mut found) = (Vec::new(), Vec::new(), 0);
    for (i, span) in samples.iter().step_by((samples.len() / SEARCHES).max(1)).enumerate() {
        let tag = |i: usize| &span.tags[i % span.tags.len()];
        let text = |t: &skua_model::Tag| (t.key.clone(), t.value.as_text().into_owned());
        let query = TraceQuery {
            service: span.process.service_name.clone(),
            operation: String::new(),
            tags: vec![text(tag(i)), text(tag(i * 7 + 3))],
            start_min: now / 1000 - 3_600_000_000,
            start_max: now / 1000,
            duration_min: (span.duration / 2000).max(1),
            duration_max: 0,
            limit: 20,
        };
        let started = Instant::now();
        let answer = store.find(&query).await.unwrap();
        searches.push(started.elapsed());
        found += answer.traces.len();

        let started = Instant::now();
        let read = query.tags.iter().map(|(key, value)| {
            let values = (&query.service, key, value, query.start_min as i64, query.start_max as i64);
            session.execute_single_page(&rows, values, scylla::response::PagingState::start())
        });
        let read = futures::future::try_join_all(read).await.unwrap();
        let ids = answer.traces.iter().map(|t| t.spans[0].trace_id.0.to_vec());
        let traces = futures::stream::iter(ids).map(|id| session.execute_unpaged(&trace, (id,))).buffer_unordered(16);
        let traces: Vec<_> = traces.collect().await;
        raws.push(started.elapsed());
        drop((read, traces));
    }
    let (search, raw) = (median(searches), median(raws));
    println!(
        "service + two tags + duration, {} searches, {:.1} traces each: p50 {:.2} ms, raw reads p50 {:.2} ms, ratio {:.2}",
        SEARCHES,
        found as f64 / SEARCHES as f64,
        search.as_secs_f64() * 1e3,
        raw.as_secs_f64() * 1e3,
        search.as_secs_f64() / raw.as_secs_f64()
    );
}
