//! Calls are counted from traces.

use super::*;
use crate::SpanWriter;
use crate::memory::MemoryConfig;
use skua_model::wire::{put_bytes, put_message, put_uint, put_varint};

const SECOND: u64 = 1_000_000;

/// A span of trace, id and parent (0: none), of a service, with OTLP's kind, that starts at a second.
fn put(out: &mut Vec<u8>, trace: u128, ids: (u64, u64), service: &str, kind: u64, second: u64) {
    put_message(out, 1, |out| {
        put_message(out, 1, |out| {
            put_message(out, 1, |out| {
                put_bytes(out, 1, b"service.name");
                put_message(out, 2, |out| put_bytes(out, 1, service.as_bytes()));
            });
        });
        put_message(out, 2, |out| {
            put_message(out, 2, |out| {
                put_bytes(out, 1, &trace.to_be_bytes());
                put_bytes(out, 2, &ids.0.to_be_bytes());
                if ids.1 != 0 {
                    put_bytes(out, 4, &ids.1.to_be_bytes());
                }
                put_bytes(out, 5, b"op");
                put_uint(out, 6, kind);
                put_varint(out, 7 << 3 | 1);
                out.extend_from_slice(&(second * SECOND * 1000).to_le_bytes());
            });
        });
    });
}

async fn calls(store: &MemoryStore, start: u64, end: u64) -> Vec<(String, String, u64)> {
    let links = store.dependencies(start * SECOND, end * SECOND).await.unwrap();
    assert!(links.iter().all(|l| l.source == DEFAULT_SOURCE));
    links.into_iter().map(|l| (l.parent, l.child, l.call_count)).collect()
}

fn call(parent: &str, child: &str, count: u64) -> (String, String, u64) {
    (parent.to_owned(), child.to_owned(), count)
}

/// Scenario: two traces; a parent that is missing, calls within a service, a client and a server that share an id, spans in
/// batches of their own. Guarantees: calls between services are counted, of whole traces that have a span in the time.
#[tokio::test]
async fn calls_are_counted_from_traces() {
    let store = MemoryStore::new(MemoryConfig::default());
    let mut spans = Vec::new();
    put(&mut spans, 1, (1, 0), "front", 0, 10);
    put(&mut spans, 1, (2, 1), "front", 0, 11);
    put(&mut spans, 1, (3, 2), "back", 0, 12);
    put(&mut spans, 1, (4, 2), "back", 0, 13);
    put(&mut spans, 1, (5, 99), "lost", 0, 14);
    store.write(&SpanBatch::parse(spans).unwrap()).await.unwrap();
    let mut spans = Vec::new();
    put(&mut spans, 2, (8, 7), "leaf", 0, 24);
    put(&mut spans, 2, (7, 6), "back", 2, 23);
    put(&mut spans, 2, (7, 6), "front", 3, 22);
    put(&mut spans, 2, (6, 0), "front", 0, 21);
    for _ in 0..2 {
        store.write(&SpanBatch::parse(spans.clone()).unwrap()).await.unwrap();
    }
    let (first, second) = ([call("front", "back", 2)], [call("back", "leaf", 1), call("front", "back", 1)]);
    assert_eq!(calls(&store, 0, 20).await, first);
    assert_eq!(calls(&store, 14, 15).await, first, "one span of the trace is enough");
    assert_eq!(calls(&store, 15, 21).await, [], "the end is not part of it");
    assert_eq!(calls(&store, 20, 30).await, second);
    assert_eq!(calls(&store, 0, 100).await, [call("back", "leaf", 1), call("front", "back", 3)]);
    store
        .write_dependencies(
            50 * SECOND,
            &[DependencyLink { parent: "front".to_owned(), child: "back".to_owned(), call_count: 40, source: String::new() }],
        )
        .await
        .unwrap();
    assert_eq!(calls(&store, 0, 100).await.len(), 3, "what was written stands beside it");
}

/// Scenario: more links than are held. Guarantees: the oldest lists go, and a list that would never fit is refused.
#[tokio::test]
async fn written_links_are_bounded() {
    let store = MemoryStore::new(MemoryConfig::default());
    let link = |i: usize| DependencyLink { parent: "a".to_owned(), child: i.to_string(), call_count: 1, source: String::new() };
    let links: Vec<DependencyLink> = (0..=MOST_LINKS).map(link).collect();
    for at in 1..=5 {
        store.write_dependencies(at, &links[..30_000]).await.unwrap();
    }
    assert_eq!(store.dependencies(0, 3).await.unwrap().len(), 0);
    assert_eq!(store.dependencies(3, 6).await.unwrap().len(), 90_000);
    store.write_dependencies(5, &links[..1]).await.unwrap();
    assert_eq!(store.dependencies(0, 6).await.unwrap().len(), 60_001);
    assert_eq!(store.write_dependencies(6, &links).await.unwrap_err().kind, ErrorKind::Invalid);
}
