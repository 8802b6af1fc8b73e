//! What becomes of a batch when the writer fails, hangs or is full.

use super::*;

#[tokio::test]
async fn a_stored_batch_is_counted_once() {
    let b = bench(Acknowledge::Stored, 9, &[]);
    let delivered = b.pipeline.deliver(batch(&[SOUND, SOUND]), Transport::Otlp).await.unwrap();
    assert_eq!((delivered.refused, delivered.why.as_str()), (0, ""));
    assert_eq!((b.ledger("received", ""), b.ledger("stored", ""), b.in_flight()), (2, 2, 0));
    let saved = "jaeger_collector_spans_saved_by_svc_total{debug=\"false\",result=\"ok\",svc=\"shop\"}";
    assert_eq!(b.metric(saved), 2);
}

#[tokio::test]
async fn spans_without_an_id_are_refused_and_the_rest_goes_on() {
    let b = bench(Acknowledge::Stored, 9, &[]);
    let delivered = b.pipeline.deliver(batch(&[SOUND, (0, b"lost", NOW, NOW + 1)]), Transport::Otlp).await.unwrap();
    assert_eq!(delivered.refused, 1);
    assert_eq!(delivered.why, "1 span refused: the trace id is absent or all zero");
    assert_eq!((b.ledger("refused", "zero-trace-id"), b.ledger("stored", "")), (1, 1));
}

#[tokio::test]
async fn what_can_be_mended_is_mended_and_counted() {
    let b = bench(Acknowledge::Stored, 9, &[]);
    b.pipeline.deliver(batch(&[(1, b"bad \xff", NOW, NOW + 5), (1, b"backward", NOW, NOW)]), Transport::Otlp).await.unwrap();
    let given = b.writer.given.lock();
    let views: Vec<_> = given[0].spans().iter().map(|s| given[0].view(s)).collect();
    assert_eq!(views[0].name, "bad \u{fffd}".as_bytes());
    assert_eq!((views[1].end, views[1].warnings().count()), (NOW + 1, 1));
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

/// Scenario: spans that came by UDP, one of them without an id; a store that fails once, then one that stays away. Guarantee: the
/// store is tried again, because nobody sends them again, and what is lost is counted as dropped.
#[tokio::test(start_paused = true)]
async fn spans_that_nobody_is_told_of_are_dropped_and_not_refused() {
    let b = bench(Acknowledge::Stored, 99, &[Err(ErrorKind::Unavailable)]);
    b.pipeline.deliver(batch(&[SOUND, (0, b"lost", NOW, NOW + 1)]), Transport::JaegerUdp).await.unwrap();
    assert_eq!((b.ledger("stored", ""), b.ledger("dropped", "zero-trace-id"), b.in_flight()), (1, 1, 0));

    let b = bench(Acknowledge::Stored, 99, &[Err(ErrorKind::Unavailable); 9]);
    b.pipeline.deliver(batch(&[SOUND]), Transport::JaegerUdp).await.unwrap_err();
    assert_eq!((b.ledger("dropped", "unavailable"), b.ledger("refused", "unavailable"), b.in_flight()), (1, 0, 0));
    assert_eq!(b.metric("jaeger_collector_spans_dropped_total{host=\"here\"}"), 1);
}

/// Scenario: `--collector.queue-size=4` and a store that hangs. Guarantee: spans beyond it are refused; a batch larger than all of it
/// is taken when it is alone.
#[tokio::test]
async fn spans_under_way_can_be_bounded() {
    let options =
        |_: &mut Registry| Options { acknowledge: Acknowledge::Queued, max_in_flight_spans: Some(4), ..Options::default() };
    let b = bench_with(0, &[], options);
    b.pipeline.deliver(batch(&[SOUND; 3]), Transport::Otlp).await.unwrap();
    let e = b.pipeline.deliver(batch(&[SOUND; 2]), Transport::Otlp).await.unwrap_err();
    assert_eq!((e.kind, e.retry_after.is_some()), (ErrorKind::Overloaded, true));
    b.pipeline.deliver(batch(&[SOUND]), Transport::Otlp).await.unwrap();
    b.writer.gate.add_permits(9);
    b.pipeline.drain().await.unwrap();
    b.pipeline.deliver(batch(&[SOUND; 7]), Transport::Otlp).await.unwrap();
    b.pipeline.drain().await.unwrap();
    assert_eq!((b.ledger("refused", "queue-full"), b.ledger("stored", "")), (2, 11));
    b.balances(13);
}

/// Scenario: `--collector.ack=queued --collector.num-workers=1` and three batches at once. Guarantee: they are written one after the
/// other. With `stored`, where each sender waits for its own, the bound has no meaning.
#[tokio::test]
async fn workers_bound_the_writes_of_queued_batches() {
    for (acknowledge, begun) in [(Acknowledge::Queued, 1), (Acknowledge::Stored, 3)] {
        let b = bench_with(0, &[], |_| Options { acknowledge, workers: Some(1), ..Options::default() });
        let senders: Vec<_> = (0..3)
            .map(|_| {
                let pipeline = b.pipeline.clone();
                tokio::spawn(async move { pipeline.deliver(batch(&[SOUND]), Transport::Otlp).await })
            })
            .collect();
        for _ in 0..100 {
            tokio::task::yield_now().await; // one thread: everything that can go on has gone on
        }
        assert_eq!(b.writer.begun.load(Ordering::SeqCst), begun, "{acknowledge:?}");
        b.writer.gate.add_permits(3);
        for sender in senders {
            sender.await.unwrap().unwrap();
        }
        b.pipeline.drain().await.unwrap();
        assert_eq!(b.writer.begun.load(Ordering::SeqCst), 3);
        b.balances(3);
    }
}
