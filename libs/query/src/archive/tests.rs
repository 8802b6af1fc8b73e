//! What is archived, and what is found there.

use super::*;
use crate::{Stores, adjust};
use async_trait::async_trait;
use skua_model::wire::{put_bytes, put_message, put_uint, put_varint};
use skua_model::{SpanId, Trace};
use skua_store::memory::{MemoryConfig, MemoryStore};
use skua_store::{RefusedSpan, Written};
use std::time::Duration;

const ID: TraceId = TraceId([7; 16]);

fn memory() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(MemoryConfig::default()))
}

fn over(spans: &Arc<MemoryStore>, archive: Option<Archive>) -> QueryService {
    let stores = Stores { spans: spans.clone(), dependencies: spans.clone(), archive, metrics: None, rollups: None };
    QueryService::new(stores, Duration::ZERO)
}

/// Spans of OTLP, as SDKs send them: of two services in turn, with a scope, a kind and a status, parents that are not there.
async fn filled(count: u64) -> Arc<MemoryStore> {
    let mut out = Vec::new();
    for i in 1..=count {
        put_message(&mut out, 1, |out| {
            put_message(out, 1, |out| {
                put_message(out, 1, |out| {
                    put_bytes(out, 1, b"service.name");
                    put_message(out, 2, |out| put_bytes(out, 1, if i % 2 == 0 { b"even" } else { b"odd!" }));
                });
            });
            put_message(out, 2, |out| {
                put_message(out, 1, |out| put_bytes(out, 1, b"a scope"));
                put_message(out, 2, |out| {
                    put_bytes(out, 1, &ID.0);
                    put_bytes(out, 2, &i.to_be_bytes());
                    put_bytes(out, 4, &(i + 7).to_be_bytes());
                    put_bytes(out, 5, b"op");
                    put_uint(out, 6, 1 + i % 5);
                    for (field, time) in [(7, 1_000_000_000 + i), (8, 2_000_000_000 + i)] {
                        put_varint(out, field << 3 | 1);
                        out.extend_from_slice(&time.to_le_bytes());
                    }
                    put_message(out, 15, |out| put_uint(out, 3, 2));
                });
            });
        });
    }
    let store = memory();
    store.write(&SpanBatch::parse(out).unwrap()).await.unwrap();
    store
}

/// Scenario: a trace of several batches is archived, twice, and then leaves the store. Guarantees: it is read from the archive as
/// it was stored, once, and mended as if it came from the store.
#[tokio::test]
async fn a_trace_is_archived_as_it_was_stored() {
    let (store, archive) = (filled(2_500).await, memory());
    let kept = || Some(Archive { reader: archive.clone(), writer: archive.clone() });
    let query = over(&store, kept());
    assert_eq!(query.trace(ID, true).await.unwrap(), store.trace(ID).await.unwrap());
    for _ in 0..2 {
        query.archive(ID).await.unwrap();
    }
    let stored = store.trace(ID).await.unwrap();
    assert_eq!(stored.spans.len(), 2_500);
    assert!(archive.trace(ID).await.unwrap() == stored, "word for word");
    let later = over(&memory(), kept());
    assert!(later.trace(ID, true).await.unwrap() == stored);
    let mut mended = stored.clone();
    adjust::adjust(&mut mended, Duration::ZERO);
    assert!(later.trace(ID, false).await.unwrap() == mended);
    assert_eq!(later.by_ids(&[ID, TraceId([9; 16])], true).await.unwrap().missing, [TraceId([9; 16])]);
    later.archive(ID).await.unwrap();
    assert_eq!(archive.spans(), 2_500, "what is only in the archive stays as it is");
}

#[tokio::test]
async fn what_cannot_be_archived_says_why() {
    let store = filled(1).await;
    let absent = over(&store, Some(Archive { reader: memory(), writer: memory() })).archive(TraceId([9; 16])).await.unwrap_err();
    assert_eq!((absent.kind, absent.message.as_str()), (ErrorKind::NotFound, "trace not found"));
    let none = over(&store, None);
    assert!(!none.can_archive());
    let e = none.archive(ID).await.unwrap_err();
    assert_eq!((e.kind, e.message.as_str()), (ErrorKind::Unsupported, "archive span storage was not configured"));
    let refusing = over(&store, Some(Archive { reader: memory(), writer: Arc::new(Refusing) }));
    let e = refusing.archive(ID).await.unwrap_err();
    assert_eq!(e.kind, ErrorKind::Internal);
    assert!(e.message.ends_with("refused 1 spans of trace 07070707070707070707070707070707: too-large: of 9 bytes"), "{e}");
}

/// Keeps what it takes over when it is flushed.
#[derive(Default)]
struct Gathering(std::sync::Mutex<Vec<tokio::sync::oneshot::Sender<()>>>);

#[async_trait]
impl SpanWriter for Gathering {
    async fn write(&self, _: &SpanBatch) -> Result<Written, StoreError> {
        std::future::pending().await
    }

    async fn hand_over(&self, batch: &SpanBatch) -> Result<(Written, Later), StoreError> {
        let (keep, kept) = tokio::sync::oneshot::channel();
        self.0.lock().unwrap().push(keep);
        Ok((Written::all(batch), Later::when(async move { kept.await.unwrap() })))
    }

    async fn flush(&self) -> Result<(), StoreError> {
        self.0.lock().unwrap().drain(..).for_each(|keep| keep.send(()).unwrap());
        Ok(())
    }
}

/// Scenario: an archive that gathers, as one in a bucket does. Guarantee: it keeps all pieces of the trace before the answer, at once.
#[tokio::test]
async fn an_archive_that_gathers_keeps_it_at_once() {
    let gathering = Arc::new(Gathering::default());
    let query = over(&filled(2_500).await, Some(Archive { reader: memory(), writer: gathering.clone() }));
    query.archive(ID).await.unwrap();
    assert!(gathering.0.lock().unwrap().is_empty());
}

/// Takes no span.
struct Refusing;

#[async_trait]
impl SpanWriter for Refusing {
    async fn write(&self, _: &SpanBatch) -> Result<Written, StoreError> {
        let refused = vec![RefusedSpan { span: 0, reason: "too-large", detail: "of 9 bytes".to_owned() }];
        Ok(Written { stored: 0, refused })
    }
}

/// Scenario: an id that two services share, as Zipkin's do. Guarantees: both spans are archived.
#[test]
fn spans_that_share_an_id_stay_two() {
    let span = |start_time| Span { trace_id: ID, span_id: SpanId([1; 8]), start_time, ..Span::default() };
    let trace = Trace { spans: vec![span(1), span(2)] };
    assert_eq!(batch(&trace.spans).unwrap().len(), 2);
}
