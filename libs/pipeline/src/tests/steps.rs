//! What a pipeline does to a batch on its way, and that it does nothing when there is nothing to do.

use super::*;
use crate::{Downsampling, Observer};
use skua_model::{Over, SpanLimit};

/// A trace id as random as clients make them: the hash of ids in a row is much alike.
fn id(i: u128) -> u128 {
    i.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
}

/// Spans of that many traces, `each` of each.
fn traces(traces: u128, each: usize) -> SpanBatch {
    let spans: Vec<_> = (1..=traces).flat_map(|i| std::iter::repeat_n((id(i), &b"s"[..], NOW, NOW + 1), each)).collect();
    batch(&spans)
}

/// Scenario: everything is on, and a batch with which nothing is wrong. Guarantee: the writer gets the very buffer that came.
#[tokio::test]
async fn what_needs_nothing_is_not_copied() {
    let everything = |registry: &mut Registry| Options {
        downsampling: Downsampling::new(0.999_999, "", registry),
        span_limit: Some(SpanLimit { max_bytes: 1_000, over: Over::Trim }),
        tags: vec![("service.name".into(), "theirs stays".into())],
        span_size_metrics: true,
        observers: vec![Arc::new(Seen::default())],
        max_in_flight_spans: Some(100),
        ..Options::default()
    };
    for b in [bench_with(9, &[], |_| Options::default()), bench_with(9, &[], everything)] {
        let batch = batch(&[SOUND, SOUND]);
        let at = batch.bytes().as_ptr() as usize;
        b.pipeline.deliver(batch, Transport::Otlp).await.unwrap();
        assert_eq!(*b.writer.buffers.lock(), [at]);
        b.balances(2);
    }
}

#[tokio::test]
async fn traces_stay_whole_or_go_whole() {
    let b = bench_with(9, &[], |registry| Options { downsampling: Downsampling::new(0.5, "", registry), ..Options::default() });
    let delivered = b.pipeline.deliver(traces(40, 3), Transport::Otlp).await.unwrap();
    assert_eq!(delivered.refused, 0, "the sender did nothing wrong");
    let kept: Vec<_> = b.writer.given.lock()[0].spans().iter().map(|s| s.trace_id).collect();
    assert!(kept.chunk_by(|a, b| a == b).all(|trace| trace.len() == 3));
    let kept = kept.len() as u64;
    assert!((30..90).contains(&kept), "{kept}");
    assert_eq!((b.ledger("sampled-out", ""), b.ledger("stored", "")), (120 - kept, kept));
    let counter = |name: &str| b.metric(&format!("jaeger_downsampling_writer_spans_{name}_total"));
    assert_eq!((counter("accepted"), counter("dropped")), (kept, 120 - kept));
    b.balances(120);
}

/// Scenario: nothing of a batch is left. Guarantee: the sender has its OK, the writer is not troubled.
#[tokio::test]
async fn a_batch_that_is_sampled_away_is_not_written() {
    let b = bench_with(0, &[], |registry| Options { downsampling: Downsampling::new(0.0, "", registry), ..Options::default() });
    b.pipeline.deliver(traces(3, 1), Transport::Otlp).await.unwrap();
    assert_eq!((b.ledger("sampled-out", ""), b.writer.begun.load(Ordering::SeqCst)), (3, 0));
    assert_eq!(b.pipeline.in_flight_bytes(), 0);
    b.balances(3);
}

#[tokio::test]
async fn long_spans_are_trimmed_or_refused() {
    let long = [b'n'; 3_000];
    for (over, stored, refused, trimmed) in [(Over::Trim, 2, 0, 1), (Over::Refuse, 1, 1, 0)] {
        let span_limit = Some(SpanLimit { max_bytes: 1_000, over });
        let b = bench_with(9, &[], |_| Options { span_limit, ..Options::default() });
        let delivered = b.pipeline.deliver(batch(&[SOUND, (2, &long, NOW, NOW + 1)]), Transport::Otlp).await.unwrap();
        assert_eq!((b.ledger("stored", ""), b.ledger("refused", "too-large")), (stored, refused));
        assert_eq!(b.metric("skua_repaired_total{what=\"trimmed\"}"), trimmed);
        let why = if refused > 0 { "1 span refused: a span is larger than the limit for one span" } else { "" };
        assert_eq!((delivered.refused, &delivered.why[..]), (refused, why));
        assert!(b.writer.given.lock()[0].spans().iter().all(|s| s.body_size() <= 1_000));
        b.balances(2);
    }
}

#[tokio::test]
async fn tags_are_added() {
    let tags = vec![("zone".to_owned(), "a".to_owned())];
    let b = bench_with(9, &[], |_| Options { tags, ..Options::default() });
    b.pipeline.deliver(batch(&[SOUND]), Transport::Otlp).await.unwrap();
    let given = b.writer.given.lock();
    let process = skua_model::Process::from_view(&given[0].process(0));
    assert_eq!((&process.service_name[..], &process.tags[..]), ("shop", &[skua_model::Tag::string("zone", "a")][..]));
    b.balances(1);
}

/// Scenario: a client whose clock was never set. Guarantee: its span is stored as it is, with a warning, and counted.
#[tokio::test]
async fn impossible_times_are_kept_and_counted() {
    let b = bench_with(9, &[], |_| Options::default());
    let spans = [SOUND, (1, &b"unset"[..], 5, 6), (1, &b"future"[..], NOW, NOW + 25 * 3_600_000_000_000)];
    b.pipeline.deliver(batch(&spans), Transport::Otlp).await.unwrap();
    assert_eq!(b.metric("skua_repaired_total{what=\"timestamps\"}"), 2);
    let given = b.writer.given.lock();
    let views: Vec<_> = given[0].spans().iter().map(|s| given[0].view(s)).collect();
    assert_eq!(views.iter().map(|v| v.warnings().count()).collect::<Vec<_>>(), [0, 1, 1]);
    assert_eq!((views[1].start, views[1].end), (5, 6));
    b.balances(3);
}

#[derive(Default)]
struct Seen(Mutex<Vec<usize>>);

impl Observer for Seen {
    fn observe(&self, batch: &SpanBatch) {
        assert_eq!((batch.bad_strings(), batch.backward_spans(), batch.nameless_resources()), (0, 0, 0), "sanitized");
        self.0.lock().push(batch.len());
    }
}

/// Scenario: adaptive sampling counts what comes in while most of it is sampled away. Guarantee: it sees each accepted batch once,
/// whole and sanitized; it does not see one that there is no room for.
#[tokio::test]
async fn observers_see_accepted_batches_whole() {
    let seen = Arc::new(Seen::default());
    let observers: Vec<Arc<dyn Observer>> = vec![seen.clone()];
    let b = bench_with(0, &[], |registry| Options {
        observers,
        downsampling: Downsampling::new(0.5, "", registry),
        acknowledge: Acknowledge::Queued,
        max_in_flight_spans: Some(9),
        ..Options::default()
    });
    b.pipeline.deliver(traces(8, 1), Transport::Otlp).await.unwrap();
    b.pipeline.deliver(traces(8, 1), Transport::Otlp).await.unwrap_err();
    b.writer.gate.add_permits(9);
    b.pipeline.drain().await.unwrap();
    b.pipeline.deliver(batch(&[(3, b"bad \xff", NOW, NOW)]), Transport::Otlp).await.unwrap();
    b.pipeline.drain().await.unwrap();
    assert_eq!(*seen.0.lock(), [8, 1]);
    b.balances(17);
}

#[tokio::test]
async fn span_bytes_are_summed_up_when_asked_for() {
    for (span_size_metrics, times) in [(true, 2), (false, 0)] {
        let b = bench_with(9, &[], |_| Options { span_size_metrics, ..Options::default() });
        let size: usize = batch(&[SOUND, SOUND]).spans().iter().map(|s| s.body_size()).sum();
        for _ in 0..2 {
            b.pipeline.deliver(batch(&[SOUND, SOUND]), Transport::Otlp).await.unwrap();
        }
        assert_eq!(b.metric("jaeger_collector_spans_bytes{host=\"here\"}"), times * size as u64);
    }
}

/// Scenario: all rules on at once, batches of all kinds, a writer that fails now and then. Guarantee: the ledger is equal to the span.
#[tokio::test]
async fn the_ledger_is_equal_whatever_happens() {
    let answers = [Ok(0), Err(ErrorKind::Unavailable), Ok(1), Err(ErrorKind::Invalid), Ok(0), Ok(1)];
    for over in [Over::Trim, Over::Refuse] {
        let b = bench_with(99, &answers, |registry| Options {
            downsampling: Downsampling::new(0.6, "salt", registry),
            span_limit: Some(SpanLimit { max_bytes: 400, over }),
            tags: vec![("zone".into(), "a".into())],
            max_in_flight_spans: Some(30),
            ..Options::default()
        });
        let mut received = 0;
        for round in 0..12_u128 {
            let long = vec![b'n'; 300 * round as usize];
            let spans: Vec<_> = (0..round)
                .map(|i| match (round + i) % 5 {
                    0 => (0, &b"no id"[..], NOW, NOW + 1),
                    1 => (id(round * 20 + i), &b"bad \xff"[..], NOW, NOW + 1),
                    2 => (id(round * 20 + i), &b"backward"[..], NOW, 3),
                    3 => (id(round * 20 + i), &long[..], NOW, NOW + 1),
                    _ => (id(round * 20 + i), &b"sound"[..], NOW, NOW + 1),
                })
                .collect();
            received += spans.len() as u64;
            let _ = b.pipeline.deliver(batch(&spans), Transport::JaegerHttp).await;
            b.balances(received);
        }
        assert!(
            b.ledger("refused", "too-large") > 0 && b.ledger("sampled-out", "") > 0 && b.ledger("refused", "unavailable") > 0
        );
    }
}
