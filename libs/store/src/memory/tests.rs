//! The memory store's own promises: the suite, its bounds, and its lists.

use super::*;
use crate::conformance::{self, Abilities};
use skua_model::SpanId;
use skua_model::wire::{put_bytes, put_message};

/// One span of `size` bytes in its name.
pub(super) fn batch(spans: &[(u128, u64, &str)], size: usize) -> SpanBatch {
    let mut out = Vec::new();
    for (trace, span, service) in spans {
        put_message(&mut out, 1, |out| {
            put_message(out, 1, |out| {
                put_message(out, 1, |out| {
                    put_bytes(out, 1, b"service.name");
                    put_message(out, 2, |out| put_bytes(out, 1, service.as_bytes()));
                });
            });
            put_message(out, 2, |out| {
                put_message(out, 2, |out| {
                    put_bytes(out, 1, &trace.to_be_bytes());
                    put_bytes(out, 2, &span.to_be_bytes());
                    put_bytes(out, 5, &vec![b'n'; size]);
                });
            });
        });
    }
    SpanBatch::parse(out).unwrap()
}

pub(super) fn store(max_traces: u64, max_bytes: u64) -> MemoryStore {
    MemoryStore::new(MemoryConfig { max_traces, max_bytes })
}

async fn services(store: &MemoryStore) -> Vec<String> {
    store.services().await.unwrap()
}

#[tokio::test]
async fn passes_the_suite() {
    let store = store(0, 0);
    let abilities = Abilities { warnings: true, long_values: true, any_service: true, patterns: false, repeated_keys: true };
    conformance::run(abilities, &store, &store, &|| Box::pin(async {})).await;
}

#[tokio::test]
async fn passes_the_suite_of_dependencies() {
    let store = store(0, 0);
    conformance::dependencies::run(&store, &store, &|| Box::pin(async {})).await;
}

/// Scenario: more traces than the bound. Guarantees: the oldest goes whole, with its services, and is counted.
#[tokio::test]
async fn the_oldest_trace_goes_first() {
    let store = store(2, 0);
    store.write(&batch(&[(1, 1, "a"), (1, 2, "a"), (2, 1, "b")], 1)).await.unwrap();
    assert_eq!((services(&store).await, store.evicted()), (vec!["a".to_owned(), "b".to_owned()], (0, 0)));
    store.write(&batch(&[(3, 1, "c")], 1)).await.unwrap();
    assert_eq!((services(&store).await, store.evicted()), (vec!["b".to_owned(), "c".to_owned()], (1, 2)));
    assert!(store.trace(TraceId(1_u128.to_be_bytes())).await.is_err());
    assert_eq!(store.operations("a", "").await.unwrap(), []);
    assert_eq!((store.traces(), store.spans()), (2, 2));
}

/// Scenario: many spans through a small store. Guarantees: the bytes stay under the bound, and what is counted is about what
/// the spans take.
#[tokio::test]
async fn bytes_are_bounded() {
    let store = store(0, 100_000);
    for i in 1..=1_000_u64 {
        store.write(&batch(&[(u128::from(i), 1, "a"), (u128::from(i), 2, "a")], 300)).await.unwrap();
        assert!(store.bytes() <= 100_000, "{i}: {}", store.bytes());
    }
    assert!(store.traces() > 70 && store.traces() < 130, "{}", store.traces());
    assert_eq!(store.traces() + store.evicted().0, 1_000);
    assert_eq!(store.spans() + store.evicted().1, 2_000);
}

/// Scenario: one trace larger than the store. Guarantees: its spans are refused by number, the others are kept.
#[tokio::test]
async fn a_trace_larger_than_the_store_is_refused() {
    let store = store(0, 10_000);
    store.write(&batch(&[(1, 1, "a")], 100)).await.unwrap();
    let large = batch(&[(2, 1, "b")], 20_000);
    let written = store.write(&large).await.unwrap();
    assert_eq!(
        (written.stored, written.refused.len(), written.refused[0].span, written.refused[0].reason),
        (0, 1, 0, "too-large")
    );
    assert_eq!(services(&store).await, ["a"]);
}

/// Scenario: empty again after evictions. Guarantees: nothing is left over in the counts.
#[tokio::test]
async fn names_and_bytes_are_given_back() {
    let store = store(1, 0);
    for i in 1..=50_u64 {
        store.write(&batch(&[(u128::from(i), i, &format!("service-{i}"))], 50)).await.unwrap();
    }
    let one = MemoryStore::new(MemoryConfig::default());
    one.write(&batch(&[(50, 50, "service-50")], 50)).await.unwrap();
    assert_eq!(services(&store).await, ["service-50"]);
    assert!(store.bytes() < one.bytes() + 1_000, "{} {}", store.bytes(), one.bytes());
}

/// Scenario: spans of one start. Guarantees: they are read in order of span id.
#[tokio::test]
async fn order_is_stable() {
    let store = store(0, 0);
    store.write(&batch(&[(1, 3, "a"), (1, 1, "b"), (1, 2, "a")], 1)).await.unwrap();
    let trace = store.trace(TraceId(1_u128.to_be_bytes())).await.unwrap();
    let ids: Vec<SpanId> = trace.spans.iter().map(|s| s.span_id).collect();
    assert_eq!(ids, [1_u64, 2, 3].map(|i| SpanId(i.to_be_bytes())));
}

/// Scenario: a scrape. Guarantees: what is held and what went is shown.
#[tokio::test]
async fn metrics_are_shown() {
    let store = store(1, 0);
    let mut registry = Registry::default();
    store.register(&mut registry);
    store.write(&batch(&[(1, 1, "a"), (2, 1, "a")], 1)).await.unwrap();
    let mut out = String::new();
    prometheus_client::encoding::text::encode(&mut out, &registry).unwrap();
    for line in ["traces 1\n", "spans 1\n", "evicted_traces_total 1\n", "evicted_spans_total 1\n"] {
        assert!(out.contains(&format!("jaeger_storage_memory_{line}")), "{out}");
    }
}
