//! The pipeline over a writer that fails on command.

mod delivery;
mod labels;
mod steps;

use crate::{Acknowledge, CollectorMetrics, Ledger, Options, Pipeline, Transport};
use async_trait::async_trait;
use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use skua_model::otlp::JAEGER_FLAGS;
use skua_model::wire::{put_bytes, put_message, put_varint};
use skua_model::{SpanBatch, write_subset};
use skua_store::{ErrorKind, RefusedSpan, SpanWriter, StoreError, Written};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};
use tokio::sync::Semaphore;

/// Does what it is told with each batch; waits for `gate` first.
struct Told {
    /// Writes that have begun.
    begun: AtomicUsize,
    /// Where the bytes of each batch lay.
    buffers: Mutex<Vec<usize>>,
    gate: Semaphore,
    answers: Mutex<Vec<Result<u64, ErrorKind>>>,
    given: Mutex<Vec<SpanBatch>>,
}

#[async_trait]
impl SpanWriter for Told {
    async fn write(&self, batch: &SpanBatch) -> Result<Written, StoreError> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.expect("open").forget();
        let (mut written, all) = (Vec::new(), (0..batch.len() as u32).collect::<Vec<_>>());
        write_subset(batch, &all, &mut written); // what is in the index, and no more
        self.given.lock().push(SpanBatch::parse(written).expect("what was sound"));
        self.buffers.lock().push(batch.bytes().as_ptr() as usize);
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
    bench_with(open, answers, |_| Options { acknowledge, max_in_flight_bytes: 200, ..Options::default() })
}

/// The clock stands at [`NOW`].
fn bench_with(open: usize, answers: &[Result<u64, ErrorKind>], options: impl FnOnce(&mut Registry) -> Options) -> Bench {
    let mut registry = Registry::default();
    let answers = Mutex::new(answers.iter().rev().cloned().collect());
    let writer = Arc::new(Told {
        begun: AtomicUsize::new(0),
        buffers: Mutex::default(),
        gate: Semaphore::new(open),
        answers,
        given: Mutex::default(),
    });
    let ledger = Ledger::new("collector", &mut registry);
    let metrics = CollectorMetrics::new("here", &mut registry);
    let options = Options { clock: || UNIX_EPOCH + Duration::from_nanos(NOW), ..options(&mut registry) };
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

    /// Every span has one fate.
    fn balances(&self, received: u64) {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).expect("text");
        let spans = text.lines().filter(|l| l.starts_with("skua_spans_total{"));
        let (came, went): (Vec<_>, Vec<_>) = spans.partition(|l| l.contains("outcome=\"received\""));
        let sum = |lines: Vec<&str>| {
            lines.iter().map(|l| l.rsplit(' ').next().unwrap_or("").parse::<u64>().expect("a number")).sum::<u64>()
        };
        assert_eq!((sum(came), sum(went), self.in_flight()), (received, received, 0), "{text}");
    }

    fn in_flight(&self) -> u64 {
        self.metric("skua_spans_in_flight{tier=\"collector\"}")
    }
}

/// One resource of the service `shop` with these spans: (trace id, name, start, end).
fn batch(spans: &[(u128, &[u8], u64, u64)]) -> SpanBatch {
    let mut out = Vec::new();
    put_message(&mut out, 1, |out| {
        put_message(out, 1, |out| put_message(out, 1, |out| put_text(out, "service.name", "shop")));
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

fn put_text(out: &mut Vec<u8>, key: &str, value: &str) {
    put_bytes(out, 1, key.as_bytes());
    put_message(out, 2, |out| put_bytes(out, 1, value.as_bytes()));
}

const NOW: u64 = 1_700_000_000_000_000_000;

const SOUND: (u128, &[u8], u64, u64) = (1, b"sound", NOW, NOW + 10);
