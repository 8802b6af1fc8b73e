//! Searches against a model that looks at every span.

use super::crash::{config, open_over};
use super::spans::{EPOCH, cases};
use super::*;
use crate::log::sim::SimFiles;
use crate::rebuild::tests::field;
use crate::samples::text_attribute;
use object_store::memory::InMemory;
use proptest::prelude::*;
use proptest::sample::Index;
use regex::Regex;
use skua_model::wire::{put_bytes, put_message};
use skua_model::{AnyValue, SpanBatch, Value, for_each_tag, repair};
use skua_store::{SpanReader, SpanWriter, TraceQuery};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// A span of the model.
#[derive(Debug)]
struct Row {
    trace: [u8; 16],
    /// Nanoseconds.
    start: u64,
    duration: u64,
    service: String,
    name: String,
    /// Of the span, its process and its logs, as text.
    tags: Vec<(String, String)>,
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn rows(batch: &SpanBatch) -> Vec<Row> {
    let row = |entry| {
        let view = batch.view(entry);
        let mut tags = Vec::new();
        let mut meet = |key: &[u8], value: AnyValue<'_>| {
            let text = match value {
                AnyValue::String(text) => lossy(text),
                other => Value::from_any(other).as_text().into_owned(),
            };
            tags.push((lossy(key), text));
        };
        for_each_tag(&view, &mut meet);
        batch.process(batch.resource_of(entry)).attributes().iter().for_each(|kv| meet(kv.key, kv.value));
        view.events().for_each(|event| event.for_each_field(&mut meet));
        Row {
            trace: view.trace_id,
            start: view.start,
            duration: view.duration(),
            service: lossy(batch.service(batch.resource_of(entry))),
            name: lossy(view.name),
            tags,
        }
    };
    batch.spans().iter().map(row).collect()
}

fn has(row: &Row, query: &TraceQuery) -> bool {
    let is = |text: &str, wanted: &str| match wanted.strip_prefix("=~") {
        Some(pattern) => Regex::new(&format!("(?s)^(?:{pattern})$")).expect("a pattern").is_match(text),
        None => text == wanted,
    };
    let micros = |nanoseconds: u64| nanoseconds / 1000;
    (query.service.is_empty() || query.service == row.service)
        && (query.operation.is_empty() || query.operation == row.name)
        && (query.start_min..=query.start_max).contains(&micros(row.start))
        && micros(row.duration) >= query.duration_min
        && (query.duration_max == 0 || micros(row.duration) <= query.duration_max)
        && query.tags.iter().all(|(key, wanted)| row.tags.iter().any(|(k, text)| k == key && is(text, wanted)))
}

/// Traces with the start of their latest span that matches.
fn model(rows: &[Row], query: &TraceQuery) -> BTreeMap<[u8; 16], u64> {
    let mut best = BTreeMap::new();
    for row in rows.iter().filter(|row| has(row, query)) {
        let start = best.entry(row.trace).or_insert(row.start);
        *start = row.start.max(*start);
    }
    best
}

/// What a store finds is what the model finds; traces of equal start come in any order.
async fn compare(store: &ParquetStore, rows: &[Row], query: &TraceQuery, what: &str) {
    let best = model(rows, query);
    let mut starts: Vec<u64> = best.values().copied().collect();
    starts.sort_unstable_by_key(|start| Reverse(*start));
    starts.truncate(query.limit as usize);
    let found = store.find(query).await.unwrap_or_else(|e| panic!("{what}: {query:?}: {e}"));
    assert_eq!(found.partial, Vec::<String>::new(), "{what}: {query:?}");
    let ids: Vec<[u8; 16]> = found.traces.iter().map(|trace| trace.spans[0].trace_id.0).collect();
    let of: Vec<Option<u64>> = ids.iter().map(|id| best.get(id).copied()).collect();
    assert_eq!(of, starts.into_iter().map(Some).collect::<Vec<_>>(), "{what}: {query:?}");
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len(), "{what}: a trace is there twice");
}

/// Jaeger's flags have 32 bits; what is more is kept, but the span is then searched as one of OTLP.
fn sound(field: &[u8]) -> bool {
    !matches!(field, [0xc8, 0x3e, flags @ ..] if flags.len() > 4)
}

/// Batches: a service, a scope, a zone of the process, and spans of a trace, an offset in time, a duration, and fields.
type Spec = (u8, u8, u8, Vec<(u8, u64, u64, u8, Vec<Vec<u8>>)>);

fn specs() -> impl Strategy<Value = Vec<Spec>> {
    let time = prop_oneof![0_u64..20, 0_u64..20_000, 0_u64..2_000_000_000];
    let duration = prop_oneof![Just(0_u64), 0_u64..5000, 1_000_000_u64..9_000_000, Just(u64::MAX), Just(u64::MAX - 999)];
    let span =
        (1_u8..8, time, duration, 0_u8..6, prop::collection::vec(field().prop_filter("flags", |field| sound(field)), 0..8));
    let spans = prop::collection::vec(span, 1..6);
    prop::collection::vec((0_u8..3, 0_u8..3, 0_u8..3, spans), 1..7)
}

fn batches(specs: &[Spec]) -> Vec<SpanBatch> {
    let mut number = 0_u8;
    let mut batch = |(service, scope, zone, spans): &Spec| {
        let mut out = Vec::new();
        put_message(&mut out, 1, |resource| {
            put_message(resource, 1, |r| {
                text_attribute(r, 1, b"service.name", &[b's', b'0' + service]);
                if *zone > 0 {
                    text_attribute(r, 1, b"a", &[b'z', b'0' + zone]);
                }
            });
            put_message(resource, 2, |scoped| {
                if *scope > 0 {
                    put_message(scoped, 1, |s| {
                        put_bytes(s, 1, b"library");
                        put_bytes(s, 2, &[b'0' + scope]);
                    });
                }
                for (trace, offset, duration, extra, fields) in spans {
                    number += 1;
                    put_message(scoped, 2, |span| {
                        put_bytes(span, 1, &[*trace; 16]);
                        put_bytes(span, 2, &[number; 8]);
                        match extra {
                            0 => text_attribute(span, 9, b"long", &[b'x'; 3000]),
                            1 => text_attribute(span, 9, b"long", "é=~.*\n".repeat(*trace as usize).as_bytes()),
                            2 => put_message(span, 15, |s| s.extend_from_slice(&[0x12, 1, b'm', 0x18, 2])),
                            3 => put_bytes(span, 3, b"k=v"),
                            _ => {}
                        }
                        fields.iter().for_each(|field| span.extend_from_slice(field));
                        put_bytes(span, 5, &[b'o', b'0' + trace % 3]);
                        let start = EPOCH + offset;
                        for (tag, time) in [(0x39, start), (0x41, start.wrapping_add(*duration))] {
                            span.push(tag);
                            span.extend_from_slice(&time.to_le_bytes());
                        }
                    });
                }
            });
        });
        repair(SpanBatch::parse(out).expect("a batch")).expect("a batch").0
    };
    specs.iter().map(&mut batch).collect()
}

/// How a tag that a span has is asked for.
#[derive(Debug, Clone, Copy)]
enum How {
    Exactly,
    Quoted,
    Anything,
    Beginning,
    OtherKey,
    Never,
}

#[derive(Debug, Clone)]
struct Ask {
    service: Option<u8>,
    operation: Option<u8>,
    tags: Vec<(Index, How)>,
    start: Option<(u64, u64)>,
    duration: Option<(u64, u64)>,
    limit: i32,
}

fn ask() -> impl Strategy<Value = Ask> {
    let how = prop_oneof![
        5 => Just(How::Exactly), 1 => Just(How::Quoted), 1 => Just(How::Anything), 1 => Just(How::Beginning),
        1 => Just(How::OtherKey), 1 => Just(How::Never),
    ];
    let tags = prop_oneof![2 => Just(1_usize), 1 => Just(0), 1 => Just(2)]
        .prop_flat_map(move |count| prop::collection::vec((any::<Index>(), how.clone()), count));
    let bound = || prop_oneof![0_u64..20, 0_u64..2_000_000];
    let range = || (bound(), bound()).prop_map(|(a, b)| (a.min(b), a.max(b)));
    (
        prop::option::weighted(0.3, 0_u8..4),
        prop::option::weighted(0.3, 0_u8..4),
        tags,
        prop::option::weighted(0.3, range()),
        prop::option::weighted(0.2, range()),
        prop_oneof![Just(100), 1_i32..4],
    )
        .prop_map(|(service, operation, tags, start, duration, limit)| Ask {
            service,
            operation,
            tags,
            start,
            duration,
            limit,
        })
}

/// Keys that Jaeger derives, and some that nothing has.
const KEYS: [&str; 10] = [
    "span.kind",
    "error",
    "otel.status_code",
    "otel.status_description",
    "otel.scope.name",
    "otel.scope.version",
    "w3c.tracestate",
    "event",
    "a",
    "nothing",
];

fn query(ask: &Ask, rows: &[Row]) -> TraceQuery {
    let all: Vec<&(String, String)> = rows.iter().flat_map(|row| &row.tags).collect();
    let tag = |(index, how): &(Index, How)| {
        let (key, value) = if all.is_empty() { ("none".to_owned(), String::new()) } else { (*index.get(&all)).clone() };
        match how {
            How::Exactly => (key, value),
            How::Quoted => (key, format!("=~{}", regex::escape(&value))),
            How::Anything => (key, "=~.*".to_owned()),
            How::Beginning => (key, format!("=~{}.*", regex::escape(&value.chars().take(1).collect::<String>()))),
            How::OtherKey => (index.get(&KEYS).to_string(), if value.len() % 2 == 0 { "=~.+".to_owned() } else { value }),
            How::Never => (key, format!("{value}!")),
        }
    };
    let epoch = EPOCH / 1000;
    let (start_min, start_max) = ask.start.map_or((0, epoch * 2), |(from, to)| (epoch + from, epoch + to));
    let (duration_min, duration_max) = ask.duration.unwrap_or_default();
    TraceQuery {
        service: ask.service.map_or(String::new(), |n| format!("s{n}")),
        operation: ask.operation.map_or(String::new(), |n| format!("o{n}")),
        tags: ask.tags.iter().map(tag).collect(),
        start_min,
        start_max,
        duration_min,
        duration_max,
        limit: ask.limit,
    }
}

/// A store in memory.
async fn memory(config: Config) -> Arc<ParquetStore> {
    open_over(config, Bucket::over(Arc::new(InMemory::new())), Some(SimFiles::default())).await.expect("it opens")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(60), max_shrink_iters: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Scenario: spans of any fields, and searches of any conditions: names, tags of every kind, derived ones, of processes and of logs,
    /// patterns, times, durations and limits; the spans in a head, in a block, in many blocks and a head, and in joined ones. Guarantee: a store
    /// finds what a model finds that looks at every span: all conditions on one span, in the order of the latest span that matches.
    #[test]
    fn finds_what_a_model_finds(specs in specs(), asks in prop::collection::vec(ask(), 30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let batches = batches(&specs);
            let rows: Vec<Row> = batches.iter().flat_map(rows).collect();
            let any = Ask { service: None, operation: None, tags: Vec::new(), start: None, duration: None, limit: 100 };
            let anything = |key: &&str| TraceQuery { tags: vec![((*key).to_owned(), "=~.*".to_owned())], ..query(&any, &rows) };
            let queries: Vec<TraceQuery> =
                asks.iter().map(|ask| query(ask, &rows)).chain(KEYS.iter().map(anything)).collect();
            let (head, block) = (memory(Config { block_spans: 1000, ..config() }).await, memory(Config { block_spans: 1000, ..config() }).await);
            let mixed = memory(Config { block_spans: 300, head_bytes: 1, ..config() }).await;
            for batch in &batches {
                for store in [&head, &block, &mixed] {
                    store.write(batch).await.expect("it is kept");
                }
            }
            block.inner.drained().await;
            for query in &queries {
                compare(&head, &rows, query, "a head").await;
                compare(&block, &rows, query, "a block").await;
                compare(&mixed, &rows, query, "both").await;
            }
            mixed.inner.drained().await;
            mixed.inner.maintain_once(false).await.expect("it is joined");
            for query in &queries {
                compare(&mixed, &rows, query, "joined").await;
            }
        });
    }
}

/// Scenario: a block of three pages, and a head that is as large. Guarantee: as before, with small limits and times within pages.
#[tokio::test]
async fn in_several_pages() {
    let start = 1_764_000_000_000_000;
    let load = skua_bench::spans::generate(&skua_bench::spans::Config {
        now: start * 1000,
        ..skua_bench::spans::Config::new(20_000, 200)
    });
    let batches: Vec<SpanBatch> = load.requests.into_iter().map(|request| SpanBatch::parse(request).expect("a batch")).collect();
    let rows: Vec<Row> = batches.iter().flat_map(rows).collect();
    let (head, block) =
        (memory(Config { block_spans: 100_000, ..config() }).await, memory(Config { block_spans: 100_000, ..config() }).await);
    for batch in &batches {
        head.write(batch).await.expect("it is kept");
        block.write(batch).await.expect("it is kept");
    }
    block.inner.drained().await;
    let mut number = 7_usize;
    let mut next = |n: usize| {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (number >> 33) % n
    };
    for turn in 0..60 {
        let row = &rows[next(rows.len())];
        let tags = (0..turn % 3).filter(|_| !row.tags.is_empty()).map(|_| row.tags[next(row.tags.len())].clone()).collect();
        let micros = row.start / 1000;
        let query = TraceQuery {
            service: if turn % 4 == 0 { String::new() } else { row.service.clone() },
            operation: if turn % 5 < 3 { String::new() } else { row.name.clone() },
            tags,
            start_min: if turn % 7 == 0 { micros - next(1_000_000) as u64 } else { 0 },
            start_max: if turn % 7 < 3 { micros + next(1_000_000) as u64 } else { start * 2 },
            duration_min: if turn % 6 == 0 { row.duration / 1000 } else { 0 },
            duration_max: 0,
            limit: [1, 5, 20, 3000][turn % 4],
        };
        compare(&head, &rows, &query, "a head").await;
        compare(&block, &rows, &query, "a block").await;
    }
}
