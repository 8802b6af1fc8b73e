//! Ingesters come and go while spans flow.

use skua_integration_tests::{Elasticsearch, Encoding, Kafka, Load, Pipeline, Result, Sender, Spans};

/// Scenario: under load, a second ingester joins the group and takes over partitions, then the first is asked to end and the
/// second takes the rest. Guarantee: nothing is lost and nothing is stored twice.
#[tokio::test]
async fn second_ingester_joins_and_the_first_leaves_under_load() -> Result<()> {
    const MOST: u64 = 300_000;
    let elasticsearch = Elasticsearch::shared()?;
    let pipeline = Pipeline::new("rebalance", Encoding::OtlpProto, 4, &Kafka::shared()?, &elasticsearch).await?;
    let collector = pipeline.collector().await?;
    let spans = Spans::new("rebalance");
    let load = Load::start(Sender::grpc(collector.ports().otlp_grpc)?, spans.clone(), 100, MOST);

    let mut first = pipeline.ingester().await?;
    first.until_stored(2_000).await?;
    let second = pipeline.ingester().await?;
    second.until_stored(2_000).await?;
    first.terminate_cleanly().await?;
    let after = second.ledger().await?.stored;
    second.until_stored(after + 2_000).await?;
    assert!(load.is_running(), "the load ended before the scenario did");
    let sent = load.stop().await?;

    pipeline.stored_exactly(&elasticsearch, &spans, 0..sent).await?;
    collector.settled_ledger().await?.is_all_stored(sent)?;
    let ledger = second.settled_ledger().await?;
    ledger.is_all_stored(ledger.received)?;
    assert_eq!(pipeline.dead_letters.count().await?, 0);
    Ok(())
}
