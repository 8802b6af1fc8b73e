//! A tier is killed with SIGKILL and another takes over: nothing acknowledged is missing, nothing is stored twice.

use skua_integration_tests::{
    Answer, Cassandra, Elasticsearch, Encoding, Error, Kafka, Pipeline, Result, Sender, Spans, Store, ensure, send_all, wait,
};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

const BATCH: u64 = 500;

/// Scenario: 100,000 spans are on their way; the ingester is killed after about 30,000, and another is started. Guarantee: it
/// stores the rest, each span is there exactly once, and the ledgers of those that live balance.
async fn ingester_killed_in_the_middle(store: impl Store) -> Result<()> {
    const TOTAL: u64 = 100_000;
    let name = format!("crash-ingester-{}", store.storage_type());
    let pipeline = Pipeline::new(&name, Encoding::OtlpProto, 4, &Kafka::shared()?, &store).await?;
    let collector = pipeline.collector().await?;
    let spans = Spans::new("crash");
    let (sender, row) = (Sender::grpc(collector.ports().otlp_grpc)?, spans.clone());
    let sending = tokio::spawn(async move { send_all(&sender, &row, 0..TOTAL, BATCH).await });

    let mut killed = pipeline.ingester().await?;
    killed.until_stored(30_000).await?;
    killed.kill9()?;
    let stored = store.count(&pipeline.prefix).await?;
    assert!(stored < TOTAL, "killed too late to show anything: all {stored} spans were stored");

    let ingester = pipeline.ingester().await?;
    sending.await??;
    pipeline.stored_exactly(&store, &spans, 0..TOTAL).await?;

    collector.settled_ledger().await?.is_all_stored(TOTAL)?;
    let ledger = ingester.settled_ledger().await?;
    ledger.is_all_stored(ledger.received)?;
    assert_eq!(pipeline.dead_letters.count().await?, 0);
    Ok(())
}

#[tokio::test]
async fn ingester_killed_in_the_middle_of_100_000_spans() -> Result<()> {
    ingester_killed_in_the_middle(Elasticsearch::shared()?).await
}

#[tokio::test]
async fn ingester_killed_in_the_middle_of_100_000_spans_to_cassandra() -> Result<()> {
    ingester_killed_in_the_middle(Cassandra::shared()?).await
}

/// Scenario: Elasticsearch hangs while the ingester has spans in its hands; the ingester is killed; Elasticsearch goes on,
/// with the requests that it already had. Guarantee: what was not stored was not committed either, so another ingester
/// reads it again, and what Elasticsearch had taken after all is not there twice.
#[tokio::test]
async fn ingester_killed_while_the_store_hangs() -> Result<()> {
    const BEFORE: u64 = 2_000;
    const TOTAL: u64 = 12_000;
    let mut elasticsearch = Elasticsearch::start_private().await?;
    let pipeline = Pipeline::new("crash-hang", Encoding::OtlpProto, 2, &Kafka::shared()?, &elasticsearch).await?;
    let collector = pipeline.collector().await?;
    let mut killed = pipeline.ingester().await?;
    let (sender, spans) = (Sender::grpc(collector.ports().otlp_grpc)?, Spans::new("crash"));
    send_all(&sender, &spans, 0..BEFORE, BATCH).await?;
    pipeline.stored_exactly(&elasticsearch, &spans, 0..BEFORE).await?;
    let committed = pipeline.topic.committed(&pipeline.group).await?;

    elasticsearch.server()?.freeze()?;
    send_all(&sender, &spans, BEFORE..TOTAL, BATCH).await?;
    killed.until_received(BEFORE + 1).await?;
    wait::holds_for(Duration::from_secs(3), async || {
        let now = pipeline.topic.committed(&pipeline.group).await?;
        ensure(now == committed, || format!("committed {now:?}, after {committed:?}, while nothing could be stored"))
    })
    .await?;
    killed.kill9()?;
    elasticsearch.server()?.thaw()?;

    let ingester = pipeline.ingester().await?;
    pipeline.stored_exactly(&elasticsearch, &spans, 0..TOTAL).await?;
    collector.settled_ledger().await?.is_all_stored(TOTAL)?;
    ingester.settled_ledger().await?.is_all_stored(TOTAL - BEFORE)
}

/// Scenario: four clients send; the collector is killed under them, and they send what was not acknowledged to a new one, as
/// an SDK does. Guarantee: what the dead collector had acknowledged is stored although nobody sends it again, and what was
/// sent twice is stored once.
#[tokio::test]
async fn collector_killed_between_batches() -> Result<()> {
    const TOTAL: u64 = 40_000;
    const BATCH: u64 = 200;
    let elasticsearch = Elasticsearch::shared()?;
    let pipeline = Pipeline::new("crash-collector", Encoding::OtlpProto, 4, &Kafka::shared()?, &elasticsearch).await?;
    let ingester = pipeline.ingester().await?;
    let mut first = pipeline.collector().await?;
    let spans = Spans::new("crash");

    let batches: VecDeque<u64> = (0..TOTAL / BATCH).collect();
    let work = Rc::new(Work { waiting: RefCell::new(batches), port: first.ports().otlp_grpc.into(), acknowledged: 0.into() });
    let clients = tokio::task::LocalSet::new();
    let handles: Vec<_> = (0..4).map(|_| clients.spawn_local(send_from(work.clone(), spans.clone(), BATCH))).collect();
    let second = clients
        .run_until(async {
            wait::until("a quarter to be acknowledged", async || Ok((work.acknowledged() >= TOTAL / 4).then_some(()))).await?;
            first.kill9()?;
            assert!(work.acknowledged() < TOTAL, "killed too late to show anything");
            let second = pipeline.collector().await?;
            *work.port.borrow_mut() = second.ports().otlp_grpc;
            for handle in handles {
                handle.await??;
            }
            Ok::<_, Error>(second)
        })
        .await?;
    assert_eq!(work.acknowledged(), TOTAL);
    pipeline.stored_exactly(&elasticsearch, &spans, 0..TOTAL).await?;

    let ledger = second.settled_ledger().await?;
    ledger.is_all_stored(ledger.received)?;
    // A batch that was on Kafka, but not yet acknowledged, when the collector died was sent twice: it may come in twice.
    let ledger = ingester.settled_ledger().await?;
    ledger.is_all_stored(ledger.received)?;
    assert!(ledger.received >= TOTAL, "{ledger:?}");
    Ok(())
}

/// What the clients share: the batches that are not acknowledged, and where the collector is now.
struct Work {
    waiting: RefCell<VecDeque<u64>>,
    port: RefCell<u16>,
    acknowledged: RefCell<u64>,
}

impl Work {
    fn acknowledged(&self) -> u64 {
        *self.acknowledged.borrow()
    }
}

async fn send_from(work: Rc<Work>, spans: Spans, batch: u64) -> Result<()> {
    let mut connected: Option<(u16, Sender)> = None;
    loop {
        let Some(number) = work.waiting.borrow_mut().pop_front() else { return Ok(()) };
        let request = spans.request(number * batch..(number + 1) * batch);
        wait::until("a batch to be acknowledged", async || {
            let port = *work.port.borrow();
            if connected.as_ref().is_none_or(|(known, _)| *known != port) {
                connected = Some((port, Sender::grpc(port)?));
            }
            let Some((_, sender)) = &connected else { return Ok(None) };
            match sender.send(&request).await {
                Answer::Accepted => Ok(Some(())),
                other => Err(Error::new(format!("{other:?}"))),
            }
        })
        .await?;
        *work.acknowledged.borrow_mut() += batch;
    }
}
