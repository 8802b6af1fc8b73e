//! The store goes away for a while: Kafka keeps the spans.

use skua_integration_tests::{Elasticsearch, Encoding, Kafka, Pipeline, Result, Sender, Spans, ensure, send_all, wait};
use std::time::Duration;

/// Scenario: Elasticsearch is stopped for 20 s while spans come in, and started again. Guarantee: the collector goes on
/// acknowledging, the ingester commits nothing that is not stored, and afterwards each span is there exactly once.
#[tokio::test]
async fn elasticsearch_stopped_for_20_s_and_started_again() -> Result<()> {
    const BEFORE: u64 = 2_000;
    const TOTAL: u64 = 12_000;
    let mut elasticsearch = Elasticsearch::start_private().await?;
    let pipeline = Pipeline::new("outage", Encoding::OtlpProto, 3, &Kafka::shared()?, &elasticsearch).await?;
    let collector = pipeline.collector().await?;
    let ingester = pipeline.ingester().await?;
    let (sender, spans) = (Sender::grpc(collector.ports().otlp_grpc)?, Spans::new("outage"));

    send_all(&sender, &spans, 0..BEFORE, 100).await?;
    pipeline.stored_exactly(&elasticsearch, &spans, 0..BEFORE).await?;
    let committed = pipeline.topic.committed(&pipeline.group).await?;

    elasticsearch.server()?.stop().await?;
    send_all(&sender, &spans, BEFORE..TOTAL, 100).await?;
    wait::holds_for(Duration::from_secs(20), async || {
        let now = pipeline.topic.committed(&pipeline.group).await?;
        ensure(now == committed, || format!("committed {now:?}, after {committed:?}, while nothing could be stored"))?;
        ingester.ledger().await.map(drop)
    })
    .await?;
    elasticsearch.server()?.start_again().await?;

    pipeline.stored_exactly(&elasticsearch, &spans, 0..TOTAL).await?;
    collector.settled_ledger().await?.is_all_stored(TOTAL)?;
    ingester.settled_ledger().await?.is_all_stored(TOTAL)?;
    assert_eq!(pipeline.dead_letters.count().await?, 0, "an outage of the store is no fault of the spans");
    Ok(())
}
