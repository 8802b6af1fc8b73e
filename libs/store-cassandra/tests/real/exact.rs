//! The bench's spans: how many rows they become, and that searches find exactly what they should.

use crate::given::{config, keyspace, server, store};
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use skua_bench::spans::{Config, generate};
use skua_model::{Process, Span, SpanBatch, TraceId, Value};
use skua_store::{SpanReader, SpanWriter, TraceQuery};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

const SPANS: usize = 3_000;

/// Batches as an ingester gets them, and their spans by trace.
fn load() -> (Vec<SpanBatch>, HashMap<TraceId, Vec<Span>>) {
    let load = generate(&Config::new(SPANS, 200));
    let batches: Vec<SpanBatch> = load.requests.iter().map(|r| SpanBatch::parse(r.clone()).unwrap()).collect();
    let mut traces: HashMap<TraceId, Vec<Span>> = HashMap::new();
    for batch in &batches {
        for entry in batch.spans() {
            let process = Arc::new(Process::from_view(&batch.process(batch.resource_of(entry))));
            let span = Span::from_view(&batch.view(entry), process);
            traces.entry(span.trace_id).or_default().push(span);
        }
    }
    (batches, traces)
}

fn tags(span: &Span) -> BTreeSet<(&str, String)> {
    let of_logs = span.logs.iter().flat_map(|log| &log.fields);
    let all = span.tags.iter().chain(&span.process.tags).chain(of_logs);
    all.map(|t| (t.key.as_str(), t.value.as_text().into_owned())).collect()
}

/// By Jaeger's rules each row has a key of its own; names are written once.
fn jaegers_rows(traces: &HashMap<TraceId, Vec<Span>>) -> BTreeMap<&'static str, u64> {
    let mut rows = BTreeMap::new();
    for span in traces.values().flatten() {
        let indexed = |(key, value): &&(&str, String)| key.len() < 256 && value.len() < 256 && !value.starts_with('{');
        let binary = |t: &skua_model::Tag| matches!(t.value, Value::Binary(_));
        assert!(!span.tags.iter().any(binary), "the bench has no binary tags, which Jaeger does not index");
        for table in ["traces", "service_name_index", "service_operation_index"] {
            *rows.entry(table).or_default() += 1;
        }
        *rows.entry("duration_index").or_default() += 2;
        *rows.entry("tag_index").or_default() += tags(span).iter().filter(indexed).count() as u64;
    }
    rows
}

async fn count(session: &Session, keyspace: &str, table: &str) -> u64 {
    let count = session.query_unpaged(format!("SELECT COUNT(*) FROM {keyspace}.{table}"), ()).await.unwrap();
    let (count,) = count.into_rows_result().unwrap().single_row::<(i64,)>().unwrap();
    count as u64
}

fn matches(span: &Span, q: &TraceQuery) -> bool {
    let longest = if q.duration_max == 0 { u64::MAX } else { q.duration_max };
    let tags = tags(span);
    span.process.service_name == q.service
        && (q.operation.is_empty() || span.operation_name == q.operation)
        && (q.start_min..=q.start_max).contains(&(span.start_time / 1000))
        && (q.duration_min..=longest).contains(&(span.duration / 1000))
        && q.tags.iter().all(|(k, v)| tags.contains(&(k.as_str(), v.clone())))
}

/// The traces of the latest matching spans, latest first; those of one microsecond in any order.
fn expected(traces: &HashMap<TraceId, Vec<Span>>, q: &TraceQuery) -> Vec<(u64, TraceId)> {
    let latest = |spans: &Vec<Span>| spans.iter().filter(|s| matches(s, q)).map(|s| s.start_time / 1000).max();
    let mut found: Vec<(u64, TraceId)> = traces.iter().filter_map(|(id, spans)| Some((latest(spans)?, *id))).collect();
    found.sort_by(|a, b| b.cmp(a));
    found
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % end as u64) as usize
    }
}

/// A search that some of the conditions of a span make, for all times or some.
fn query(span: &Span, dice: &mut Dice) -> TraceQuery {
    let (start, duration) = (span.start_time / 1000, span.duration / 1000);
    let all = (0, u64::MAX >> 12);
    let (start_min, start_max) = match dice.below(5) {
        0 => (start, start),
        1 => (start.saturating_sub(dice.below(2_000_000) as u64), start + dice.below(2_000_000) as u64),
        2 => (start.saturating_sub(60_000_000), start + 1),
        3 => (start + 1, start + 30_000_000),
        _ => all,
    };
    let (duration_min, duration_max) = match dice.below(6) {
        0 => (duration.max(1), 0),
        1 => (duration / 2, duration + 1),
        2 => (0, duration.max(1)),
        _ => (0, 0),
    };
    let tags: Vec<(&str, String)> = tags(span).into_iter().collect();
    let tags = (0..dice.below(4)).map(|_| &tags[dice.below(tags.len())]).map(|(k, v)| (k.to_string(), v.clone())).collect();
    TraceQuery {
        service: span.process.service_name.clone(),
        operation: if dice.below(3) == 0 { span.operation_name.clone() } else { String::new() },
        tags,
        start_min,
        start_max,
        duration_min,
        duration_max,
        limit: [1, 3, 20, 1000][dice.below(4)],
    }
}

/// Scenario: the bench's spans, in batches of 200 as an ingester writes them, and 300 searches by some conditions of one of them.
/// Guarantees: at most two thirds of the rows that Jaeger writes for the same spans; each search finds the newest matching traces,
/// all of them and no others, and each trace is whole.
#[tokio::test]
async fn few_rows_and_exact_searches() {
    let Some(server) = server() else { return };
    let (batches, traces) = load();
    let keyspace = keyspace("exact");
    let store = store(config(&server, &keyspace)).await;
    for batch in &batches {
        assert_eq!(store.write(batch).await.unwrap().stored, batch.len() as u64);
    }

    let session = SessionBuilder::new().known_node(&server).build().await.unwrap();
    let (mut ours, mut jaegers) = (0, 0);
    for (table, rows) in jaegers_rows(&traces) {
        let written = count(&session, &keyspace, table).await;
        println!("{table}: {:.2} rows a span, Jaeger {:.2}", written as f64 / SPANS as f64, rows as f64 / SPANS as f64);
        (ours, jaegers) = (ours + written, jaegers + rows);
    }
    println!("all: {ours} of {jaegers} rows, {:.3}", ours as f64 / jaegers as f64);
    assert_eq!(count(&session, &keyspace, "traces").await, SPANS as u64);
    assert!(ours * 3 <= jaegers * 2, "{ours} of {jaegers} rows");

    let mut all: Vec<&Span> = traces.values().flatten().collect();
    all.sort_by_key(|s| (s.trace_id, s.span_id));
    let mut dice = Dice(1);
    for _ in 0..300 {
        let q = query(all[dice.below(all.len())], &mut dice);
        let found = store.find(&q).await.unwrap();
        let want = expected(&traces, &q);
        let first = &want[..want.len().min(q.limit as usize)];
        let times = |ids: &[TraceId]| -> Vec<Option<u64>> {
            ids.iter().map(|id| want.iter().find(|(_, w)| w == id).map(|(at, _)| *at)).collect()
        };
        let ids: Vec<TraceId> = found.traces.iter().map(|t| t.spans[0].trace_id).collect();
        assert!(found.partial.is_empty(), "{q:?}: {:?}", found.partial);
        assert_eq!(times(&ids), first.iter().map(|(at, _)| Some(*at)).collect::<Vec<_>>(), "{q:?}");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{q:?}: a trace comes once");
        found.traces.iter().for_each(|t| assert_eq!(t.spans.len(), traces[&t.spans[0].trace_id].len(), "{q:?}: whole"));
    }
}
