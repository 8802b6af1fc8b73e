//! An archive and its store share their bounds.

use super::super::tests::{batch, store};
use super::*;
use crate::{SpanReader, SpanWriter};
use prometheus_client::registry::Registry;
use skua_model::TraceId;

fn id(n: u128) -> TraceId {
    TraceId(n.to_be_bytes())
}

/// Scenario: a full store, traces of which are archived, and then many more spans to both. Guarantees: an archived trace outlives the
/// store's; together they stay within the bound; the archive takes no more than its half, the first one goes first, and is counted.
#[tokio::test]
async fn both_stay_within_the_bounds() {
    let primary = Arc::new(store(0, 100_000));
    let archive = MemoryStore::archive_of(&primary);
    for i in 1..=300 {
        primary.write(&batch(&[(i, 1, "a")], 300)).await.unwrap();
    }
    archive.write(&batch(&[(1, 1, "a")], 300)).await.unwrap();
    for i in 301..=600 {
        primary.write(&batch(&[(i, 1, "a")], 300)).await.unwrap();
        assert!(primary.bytes() + archive.bytes() <= 100_000);
    }
    assert!(archive.trace(id(1)).await.is_ok() && primary.trace(id(1)).await.is_err());
    assert_eq!(archive.evicted(), (0, 0));
    for i in 1..=300 {
        archive.write(&batch(&[(i, 1, "a")], 300)).await.unwrap();
        assert!(archive.bytes() <= 50_000 && primary.bytes() + archive.bytes() <= 100_000, "{i}");
    }
    assert!(archive.trace(id(1)).await.is_err() && archive.trace(id(300)).await.is_ok() && primary.traces() > 10);
    assert_eq!(archive.traces() + archive.evicted().0, 300);

    let mut registry = Registry::default();
    archive.register(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    assert!(text.contains(&format!("jaeger_storage_memory_archive_traces {}\n", archive.traces())), "{text}");
}

/// Scenario: a bound of traces, and a trace larger than the archive may be. Guarantees: archived traces count; the large one is refused.
#[tokio::test]
async fn archived_traces_count() {
    let primary = Arc::new(store(4, 10_000));
    let archive = MemoryStore::archive_of(&primary);
    for i in 1..=4 {
        primary.write(&batch(&[(i, 1, "a")], 1)).await.unwrap();
    }
    for i in [4, 3, 2] {
        archive.write(&batch(&[(i, 1, "a")], 1)).await.unwrap();
    }
    assert_eq!((primary.traces(), archive.traces()), (2, 2));
    let written = archive.write(&batch(&[(9, 1, "b")], 7_000)).await.unwrap();
    assert_eq!((written.stored, written.refused[0].reason), (0, "too-large"));
}

/// Scenario: no bounds. Guarantees: none for the archive either.
#[tokio::test]
async fn no_bounds() {
    let primary = Arc::new(store(0, 0));
    let archive = MemoryStore::archive_of(&primary);
    for i in 1..=10 {
        archive.write(&batch(&[(i, 1, "a")], 10_000)).await.unwrap();
    }
    assert_eq!((archive.traces(), primary.room_for_bytes(), primary.room_for_traces()), (10, None, None));
}
