//! The pipeline over a writer that fails on command.

use crate::{Acknowledge, CollectorMetrics, Ledger, Options, Pipeline, Transport};
use async_trait::async_trait;
use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use skua_model::SpanBatch;
use skua_model::wire::{put_bytes, put_message, put_varint};
use skua_store::{ErrorKind, RefusedSpan, SpanWriter, StoreError, Written};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Does what it is told with each batch; waits for `gate` first.
struct Told {
    gate: Semaphore,
    answers: Mutex<Vec<Result<u64, ErrorKind>>>,
    given: Mutex<Vec<SpanBatch>>,
}

#[async_trait]
impl SpanWriter for Told {
    async fn write(&self, batch: &SpanBatch) -> Result<Written, StoreError> {
        self.gate.acquire().await.expect("open").forget();
        self.given.lock().push(SpanBatch::parse(batch.bytes().clone()).expect("what was sound"));
        match self.answers.lock().pop() {
            Some(Err(kind)) => Err(StoreError::new(kind, "told to fail")),
            Some(Ok(refused)) => {
                let refuse = |span| RefusedSpan { span, reason: "too-large", detail: "told to refuse".into() };
                let refused: Vec<_> = (0..refused as u32).map(refuse).collect();
                Ok(Written { stored: batch.len() as u64 - refused.len() as u64, refused })
            }
            None => Ok(Written::all(batch)),
        }
    }
}

struct Bench {
    writer: Arc<Told>,
    pipeline: Arc<Pipeline>,
    registry: Registry,
}

fn bench(acknowledge: Acknowledge, open: usize, answers: &[Result<u64, ErrorKind>]) -> Bench {
    let mut registry = Registry::default();
    let answers = Mutex::new(answers.iter().rev().cloned().collect());
    let writer = Arc::new(Told { gate: Semaphore::new(open), answers, given: Mutex::default() });
    let ledger = Ledger::new("collector", &mut registry);
    let metrics = CollectorMetrics::new("here", &mut registry);
    let options = Options { acknowledge, max_in_flight_bytes: 200 };
    Bench { pipeline: Pipeline::new(writer.clone(), ledger, metrics, options), writer, registry }
}

impl Bench {
    fn metric(&self, line: &str) -> u64 {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).expect("text");
        let value = text.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(' ')).unwrap_or("0");
        value.parse().expect("a number")
    }

    fn ledger(&self, outcome: &str, reason: &str) -> u64 {
        self.metric(&format!("skua_spans_total{{tier=\"collector\",outcome=\"{outcome}\",reason=\"{reason}\"}}"))
    }

    fn in_flight(&self) -> u64 {
        self.metric("skua_spans_in_flight{tier=\"collector\"}")
    }
}

/// One resource with these spans: (trace id, name, start, end).
fn batch(spans: &[(u128, &[u8], u64, u64)]) -> SpanBatch {
    let mut out = Vec::new();
    put_message(&mut out, 1, |out| {
        put_message(out, 2, |out| {
            for (trace_id, name, start, end) in spans {
                put_message(out, 2, |out| {
                    put_bytes(out, 1, &trace_id.to_be_bytes());
                    put_bytes(out, 2, &7_u64.to_be_bytes());
                    put_bytes(out, 5, name);
                    for (number, time) in [(7_u64, start), (8, end)] {
                        put_varint(out, number << 3 | 1);
                        out.extend(time.to_le_bytes());
                    }
                });
            }
        });
    });
    SpanBatch::parse(out).expect("OTLP")
}

const SOUND: (u128, &[u8], u64, u64) = (1, b"sound", 10, 20);

#[tokio::test]
async fn a_stored_batch_is_counted_once() {
    let b = bench(Acknowledge::Stored, 9, &[]);
    let delivered = b.pipeline.deliver(batch(&[SOUND, SOUND]), Transport::Otlp).await.unwrap();
    assert_eq!((delivered.refused, delivered.why.as_str()), (0, ""));
    assert_eq!((b.ledger("received", ""), b.ledger("stored", ""), b.in_flight()), (2, 2, 0));
    let saved = "jaeger_collector_spans_saved_by_svc_total{debug=\"false\",result=\"ok\",svc=\"missing-service-name\"}";
    assert_eq!(b.metric(saved), 2);
}

#[tokio::test]
async fn spans_without_an_id_are_refused_and_the_rest_goes_on() {
    let b = bench(Acknowledge::Stored, 9, &[]);
    let delivered = b.pipeline.deliver(batch(&[SOUND, (0, b"lost", 1, 2)]), Transport::Otlp).await.unwrap();
    assert_eq!(delivered.refused, 1);
    assert_eq!(delivered.why, "1 span refused: the trace id is absent or all zero");
    assert_eq!((b.ledger("refused", "zero-trace-id"), b.ledger("stored", "")), (1, 1));
}

#[tokio::test]
async fn what_can_be_mended_is_mended_and_counted() {
    let b = bench(Acknowledge::Stored, 9, &[]);
    b.pipeline.deliver(batch(&[(1, b"bad \xff", 10, 20), (1, b"backward", 10, 10)]), Transport::Otlp).await.unwrap();
    let given = b.writer.given.lock();
    let views: Vec<_> = given[0].spans().iter().map(|s| given[0].view(s)).collect();
    assert_eq!(views[0].name, "bad \u{fffd}".as_bytes());
    assert_eq!((views[1].end, views[1].warnings().count()), (11, 1));
    let mended = ["strings", "durations"].map(|what| b.metric(&format!("skua_repaired_total{{what=\"{what}\"}}")));
    assert_eq!(mended, [1, 1]);
}

#[tokio::test]
async fn what_the_store_refuses_the_sender_is_told() {
    let b = bench(Acknowledge::Stored, 9, &[Ok(1)]);
    let delivered = b.pipeline.deliver(batch(&[SOUND, SOUND]), Transport::Otlp).await.unwrap();
    assert_eq!((delivered.refused, delivered.why.as_str()), (1, "1 span refused by the store: told to refuse"));
    assert_eq!((b.ledger("refused", "too-large"), b.ledger("stored", ""), b.in_flight()), (1, 1, 0));
}

#[tokio::test]
async fn a_store_that_is_away_is_the_senders_to_retry() {
    let b = bench(Acknowledge::Stored, 9, &[Err(ErrorKind::Unavailable)]);
    let e = b.pipeline.deliver(batch(&[SOUND]), Transport::Otlp).await.unwrap_err();
    assert!(e.is_retryable());
    assert_eq!((b.ledger("refused", "unavailable"), b.in_flight()), (1, 0));
}

/// Scenario: the store hangs and requests keep coming. Guarantee: what does not fit is refused at once, with a time to come back.
#[tokio::test]
async fn a_full_pipeline_says_so() {
    let b = bench(Acknowledge::Stored, 0, &[]);
    let big: Vec<_> = vec![SOUND; 3];
    let (pipeline, first) = (b.pipeline.clone(), batch(&big));
    let waiting = tokio::spawn(async move { pipeline.deliver(first, Transport::Otlp).await });
    while b.pipeline.in_flight_bytes() == 0 {
        tokio::task::yield_now().await;
    }
    let e = b.pipeline.deliver(batch(&big), Transport::Otlp).await.unwrap_err();
    assert_eq!(e.kind, ErrorKind::Overloaded);
    assert!(e.retry_after.is_some());
    assert_eq!((b.ledger("refused", "queue-full"), b.in_flight()), (3, 3));
    b.writer.gate.add_permits(1);
    waiting.await.unwrap().unwrap();
    b.pipeline.drain().await.unwrap();
    assert_eq!((b.ledger("stored", ""), b.in_flight()), (3, 0));
}

/// Scenario: the client hangs up while its request is under way. Guarantee: the spans go on and are counted as what they became.
#[tokio::test]
async fn a_sender_that_goes_away_does_not_undo_its_spans() {
    let b = bench(Acknowledge::Stored, 0, &[]);
    let (pipeline, spans) = (b.pipeline.clone(), batch(&[SOUND]));
    let waiting = tokio::spawn(async move { pipeline.deliver(spans, Transport::Otlp).await });
    while b.pipeline.in_flight_bytes() == 0 {
        tokio::task::yield_now().await;
    }
    waiting.abort();
    b.writer.gate.add_permits(1);
    b.pipeline.drain().await.unwrap();
    assert_eq!((b.ledger("stored", ""), b.ledger("dropped", "abandoned")), (1, 0));
}

/// Scenario: `--collector.ack=queued` and a store that stays away. Guarantee: the sender has its OK, and the loss is counted.
#[tokio::test(start_paused = true)]
async fn queued_spans_that_are_lost_are_counted_as_dropped() {
    let b = bench(Acknowledge::Queued, 99, &[Err(ErrorKind::Unavailable); 9]);
    b.pipeline.deliver(batch(&[SOUND]), Transport::Otlp).await.unwrap();
    b.pipeline.drain().await.unwrap();
    assert_eq!((b.ledger("dropped", "unavailable"), b.ledger("stored", ""), b.in_flight()), (1, 0, 0));
    assert_eq!(b.metric("jaeger_collector_spans_dropped_total{host=\"here\"}"), 1);
}
