//! Rows without a server: what is written is read, and a batch becomes the rows that it should.

use crate::config::Index;
use crate::cql::{Raw, Reader};
use crate::decode::SpanReader;
use crate::index::layout::CELL;
use crate::index::plan::plan;
use crate::index::rows::{NONE, Plan, Rows, Table};
use crate::index::text::TagFilter;
use crate::write::requests::Requests;
use foldhash::HashMap;
use skua_bench::spans::{Config, generate};
use skua_model::{Process, Span, SpanBatch};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

fn batch(spans: usize) -> SpanBatch {
    let load = generate(&Config { now: 1_767_323_045_000_000_000, ..Config::new(spans, spans) });
    SpanBatch::parse(load.requests.concat()).unwrap()
}

fn planned(batch: &SpanBatch, index: &Index) -> Plan {
    plan(batch, &TagFilter::new(index).unwrap())
}

fn owned(batch: &SpanBatch) -> Vec<Span> {
    let process = |s| Arc::new(Process::from_view(&batch.process(batch.resource_of(s))));
    batch.spans().iter().map(|s| Span::from_view(&batch.view(s), process(s))).collect()
}

fn cells(row: &[u8]) -> Vec<&[u8]> {
    let (mut reader, mut cells) = (Reader::fields(row), Vec::new());
    while let Ok(cell) = reader.next() {
        cells.push(cell);
        if cells.iter().map(|c: &&[u8]| c.len() + 4).sum::<usize>() >= row.len() {
            break;
        }
    }
    cells
}

/// The rows of `traces`, and the spans that they are of.
fn traces(batch: &SpanBatch) -> (Vec<Vec<u8>>, Vec<u32>) {
    let plan = planned(batch, &Index::default());
    let (mut rows, mut spans) = (Vec::new(), Vec::new());
    for request in Requests::new(batch, &plan, HashMap::default()).filter(|r| r.table == Table::Traces) {
        rows.extend((0..request.rows.len()).map(|i| request.rows.row(i).to_vec()));
        spans.extend(request.spans);
    }
    (rows, spans)
}

/// Scenario: the bench's spans, as rows and back. Guarantee: they are as they were, but for parts of a microsecond.
#[test]
fn a_row_holds_the_whole_span() {
    let batch = batch(500);
    let spans = owned(&batch);
    let (rows, numbers) = traces(&batch);
    assert_eq!(rows.len(), spans.len());
    let mut reader = SpanReader::default();
    for (row, number) in rows.iter().zip(&numbers) {
        let c = cells(row);
        assert_eq!(c.len(), 12);
        // All but span_hash, in the order in which they are read.
        let places = [0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11];
        let row = Raw(places.map(|place| Some(c[place])));
        let mut want = spans[*number as usize].clone();
        want.start_time -= want.start_time % 1000;
        want.duration -= want.duration % 1000;
        want.logs.iter_mut().for_each(|log| log.timestamp -= log.timestamp % 1000);
        assert_eq!(reader.span(&row).unwrap(), want);
    }
}

/// The starts of each trace.
type Starts = BTreeMap<Vec<u8>, BTreeSet<u64>>;

/// The partitions of each table, and what is in each.
fn postings(plan: &Plan) -> BTreeMap<(Table, Vec<Vec<u8>>), Starts> {
    let mut all: BTreeMap<_, Starts> = BTreeMap::new();
    for partition in &plan.partitions {
        let mut rows = Rows::default();
        assert_eq!(plan.put(partition, &mut rows, partition.first(), partition.len()), NONE);
        for i in 0..rows.len() {
            let c = cells(rows.row(i));
            let (key, start, trace) = match partition.table {
                Table::Duration => (3, 4, 5),
                Table::Tag => (3, 3, 4),
                _ => (2, 2, 3),
            };
            let key = c[..key].iter().map(|c| c.to_vec()).collect();
            let start = u64::from_be_bytes(c[start].try_into().unwrap());
            let traces = all.entry((partition.table, key)).or_default();
            assert!(traces.entry(c[trace].to_vec()).or_default().insert(start), "no row is written twice");
        }
    }
    all
}

/// Scenario: the bench's spans. Guarantee: what the layout promises: each span has in each of its partitions a row of its trace that
/// is as late as it, or up to a cell later.
#[test]
fn each_span_has_a_row_in_each_partition() {
    let batch = batch(1000);
    let all = postings(&planned(&batch, &Index::default()));
    let hour = |us: u64| us / 3_600_000_000;
    for span in owned(&batch) {
        let (at, trace) = (span.start_time / 1000, span.trace_id.0.to_vec());
        let has = |table, key: &[&[u8]]| {
            let key: Vec<Vec<u8>> = key.iter().map(|k| k.to_vec()).collect();
            let starts = all.get(&(table, key.clone())).and_then(|traces| traces.get(&trace));
            let covered = starts.is_some_and(|starts| starts.range(at..=at + CELL).next().is_some());
            assert!(covered, "{table:?} {key:?} of {at}: {starts:?}");
        };
        let (service, operation) = (span.process.service_name.as_bytes(), span.operation_name.as_bytes());
        let of_logs = span.logs.iter().flat_map(|l| &l.fields);
        for tag in span.tags.iter().chain(&span.process.tags).chain(of_logs) {
            has(Table::Tag, &[service, tag.key.as_bytes(), tag.value.as_text().as_bytes()]);
        }
        has(Table::ServiceOperation, &[service, operation]);
        has(Table::Tag, &[service, b"$$skua.service", hour(at).to_string().as_bytes()]);
        has(Table::Tag, &[service, b"$$skua.operation", format!("{} {}", hour(at), span.operation_name).as_bytes()]);
        let bucket = crate::index::layout::duration_bucket(span.start_time).to_be_bytes();
        has(Table::Duration, &[service, b"", &bucket]);
        has(Table::Duration, &[service, operation, &bucket]);
    }
}

/// Scenario: a batch, once and then twice over. Guarantee: the second time adds no row of `traces`, for two at one time would leave
/// lists with every item twice; and the hash of a span is the same.
#[test]
fn a_span_that_comes_twice_is_one_row() {
    let once = batch(100);
    let twice = SpanBatch::parse([once.bytes().clone(), once.bytes().clone()].concat()).unwrap();
    let (a, b) = (planned(&once, &Index::default()), planned(&twice, &Index::default()));
    assert_eq!(postings(&a), postings(&b));
    let (once, twice) = (traces(&once).0, traces(&twice).0);
    assert_eq!(once.len(), 100);
    assert!(once == twice);
}

/// Guarantee: the flags of Jaeger leave out what they say, and nothing else.
#[test]
fn filters_leave_out_tags() {
    let batch = batch(200);
    let keys = |index: &Index| -> BTreeSet<String> {
        let all = postings(&planned(&batch, index));
        let tags =
            all.into_keys().filter(|(table, _)| *table == Table::Tag).map(|(_, key)| String::from_utf8(key[1].clone()).unwrap());
        tags.filter(|key| !key.starts_with("$$skua")).collect()
    };
    let all = keys(&Index::default());
    assert!(all.contains("host.name") && all.contains("span.kind") && all.contains("exception.type"), "{all:?}");
    let without = |gone: &str, index: Index| {
        let left = keys(&index);
        assert!(!left.contains(gone) && left.len() > 3 && left.is_subset(&all), "{gone}: {left:?}");
    };
    without("host.name", Index { process_tags: false, ..Index::default() });
    without("span.kind", Index { tags: false, ..Index::default() });
    without("exception.type", Index { logs: false, ..Index::default() });
    without("span.kind", Index { tag_blacklist: vec!["span.kind".to_owned(), " event".to_owned()], ..Index::default() });
    let only = Index { tag_whitelist: vec!["span.kind".to_owned(), "host.name".to_owned()], ..Index::default() };
    assert_eq!(keys(&only).into_iter().collect::<Vec<_>>(), ["host.name", "span.kind"]);
    let filter = TagFilter::new(&only).unwrap();
    assert!(filter.is_complete_for("span.kind", "x") && !filter.is_complete_for("event", "x"));
    assert!(!filter.is_complete_for("span.kind", &"x".repeat(256)) && !filter.is_complete_for("span.kind", "{\"a\": 1}"));
}
