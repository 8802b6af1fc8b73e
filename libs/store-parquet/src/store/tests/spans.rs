//! Spans with a number each, and what a store is asked to prove that it has them.

use super::*;
use crate::samples::text_attribute;
use skua_model::wire::{put_bytes, put_message};
use skua_model::{SpanBatch, Trace, TraceId, Value};
use skua_store::{Found, SpanReader, TraceQuery};
use std::collections::HashMap;

/// Nanoseconds since 1970 of the first span.
pub(super) const EPOCH: u64 = 1_764_000_000_000_000_000;
const SERVICES: u32 = 3;

/// Cases of a property test: so many, or what `PROPTEST_CASES` says.
pub(super) fn cases(default: u32) -> u32 {
    let given = proptest::prelude::ProptestConfig::default().cases;
    if given == 256 { default } else { given }
}

/// A span that was made: its number tells all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    pub number: u32,
    pub trace: u8,
}

impl Sent {
    pub fn service(self) -> String {
        format!("service-{}", self.number % SERVICES)
    }

    pub fn id(self) -> TraceId {
        TraceId([self.trace + 1; 16])
    }

    fn name(self) -> String {
        format!("operation-{}", self.number % 7)
    }

    fn start(self) -> u64 {
        EPOCH + u64::from(self.number) * 1_000_000
    }

    fn put(self, out: &mut Vec<u8>) {
        put_message(out, 2, |span| {
            put_bytes(span, 1, &self.id().0);
            put_bytes(span, 2, &[&[1; 4][..], &self.number.to_be_bytes()].concat());
            put_bytes(span, 5, self.name().as_bytes());
            for (tag, time) in [(0x39, self.start()), (0x41, self.start() + 1000)] {
                span.push(tag);
                span.extend_from_slice(&time.to_le_bytes());
            }
            text_attribute(span, 9, b"number", self.number.to_string().as_bytes());
            text_attribute(span, 9, b"text", "x".repeat(self.number as usize * 7 % 200).as_bytes());
        });
    }
}

/// A batch of these, a resource for each service.
pub(super) fn batch_of(spans: &[Sent]) -> SpanBatch {
    let mut out = Vec::new();
    for service in 0..SERVICES {
        let own: Vec<&Sent> = spans.iter().filter(|span| span.number % SERVICES == service).collect();
        if let Some(first) = own.first() {
            put_message(&mut out, 1, |resource| {
                put_message(resource, 1, |r| text_attribute(r, 1, b"service.name", first.service().as_bytes()));
                put_message(resource, 2, |scope| own.iter().for_each(|span| span.put(scope)));
            });
        }
    }
    SpanBatch::parse(out).expect("a batch")
}

/// The numbers of a trace's spans. Each was sent, is what was sent, and is there once.
pub(super) fn numbers_of(trace: &Trace, sent: &[Sent]) -> Vec<u32> {
    let mut numbers = Vec::new();
    for span in &trace.spans {
        let tag = |key: &str| match span.tags.iter().find(|tag| tag.key == key).map(|tag| &tag.value) {
            Some(Value::String(text)) => text.clone(),
            other => panic!("{key} of {span:?} is {other:?}"),
        };
        let number: u32 = tag("number").parse().expect("a number");
        let sent = sent.get(number as usize).unwrap_or_else(|| panic!("{number} was never sent"));
        assert_eq!((span.trace_id, span.operation_name.clone()), (sent.id(), sent.name()), "{number}");
        assert_eq!((span.start_time, span.duration, span.process.service_name.clone()), (sent.start(), 1000, sent.service()));
        assert_eq!(tag("text").len(), number as usize * 7 % 200, "{number}");
        numbers.push(number);
    }
    let all = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), all, "a span is there twice");
    numbers
}

/// The spans of all traces, by trace; of a store that nothing fails.
pub(super) async fn traces_of(store: &ParquetStore, sent: &[Sent]) -> HashMap<u8, Vec<u32>> {
    let mut found = HashMap::new();
    for trace in sent.iter().map(|span| span.trace).collect::<std::collections::BTreeSet<_>>() {
        match store.trace(TraceId([trace + 1; 16])).await {
            Ok(whole) => _ = found.insert(trace, numbers_of(&whole, sent)),
            Err(e) if e.kind == ErrorKind::NotFound && e.message == "trace not found" => {}
            Err(e) => panic!("trace {trace}: {e}"),
        }
    }
    found
}

/// Searches for one span by its service and its number.
pub(super) async fn search_for(store: &ParquetStore, span: Sent) -> Result<Found, StoreError> {
    let query = TraceQuery {
        service: span.service(),
        operation: String::new(),
        tags: vec![("number".to_owned(), span.number.to_string())],
        start_min: 0,
        start_max: u64::MAX / 2000,
        duration_min: 0,
        duration_max: 0,
        limit: 20,
    };
    store.find(&query).await
}
