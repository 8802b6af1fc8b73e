//! The store goes away for a while: Kafka keeps the spans.

use skua_integration_tests::{
    Cassandra, Elasticsearch, Encoding, Kafka, Pipeline, Result, Sender, Skua, Spans, Store, ensure, send_all, wait,
};
use std::ops::Range;
use std::time::Duration;

const BEFORE: u64 = 2_000;
const TOTAL: u64 = 12_000;

/// A pipeline whose store goes away.
struct Scenario<S> {
    store: S,
    pipeline: Pipeline,
    collector: Skua,
    ingester: Skua,
    sender: Sender,
    spans: Spans,
}

impl<S: Store> Scenario<S> {
    /// Everything is there, and the spans of `0..BEFORE` are stored. `flags` are further ones of the ingester.
    async fn start(store: S, flags: &[&str]) -> Result<Self> {
        let name = format!("outage-{}", store.storage_type());
        let pipeline = Pipeline::new(&name, Encoding::OtlpProto, 3, &Kafka::shared()?, &store).await?;
        let (collector, ingester) = (pipeline.collector().await?, pipeline.ingester_with(flags).await?);
        let (sender, spans) = (Sender::grpc(collector.ports().otlp_grpc)?, Spans::new("outage"));
        send_all(&sender, &spans, 0..BEFORE, 100).await?;
        pipeline.stored_exactly(&store, &spans, 0..BEFORE).await?;
        Ok(Self { store, pipeline, collector, ingester, sender, spans })
    }

    /// Sends spans while the store is away: the collector acknowledges them, and for this time the ingester commits nothing.
    async fn goes_on_without(&self, range: Range<u64>, time: Duration) -> Result<()> {
        let (pipeline, ingester) = (&self.pipeline, &self.ingester);
        let committed = pipeline.topic.committed(&pipeline.group).await?;
        send_all(&self.sender, &self.spans, range, 100).await?;
        wait::holds_for(time, async || {
            let now = pipeline.topic.committed(&pipeline.group).await?;
            ensure(now == committed, || format!("committed {now:?}, after {committed:?}, while nothing could be stored"))?;
            ingester.ledger().await.map(drop)
        })
        .await
    }

    /// The store is back: each span is there once, and none was set aside.
    async fn ends_well(&self, total: u64) -> Result<()> {
        self.pipeline.stored_exactly(&self.store, &self.spans, 0..total).await?;
        self.collector.settled_ledger().await?.is_all_stored(total)?;
        self.ingester.settled_ledger().await?.is_all_stored(total)?;
        assert_eq!(self.pipeline.dead_letters.count().await?, 0, "an outage of the store is no fault of the spans");
        Ok(())
    }
}

/// Scenario: the store is stopped for 20 s while spans come in, and started again. Guarantee: the collector goes on
/// acknowledging, the ingester commits nothing that is not stored, and afterwards each span is there exactly once.
async fn stopped_for_20_s_and_started_again<S: Store>(store: S, flags: &[&str]) -> Result<Scenario<S>> {
    let mut scenario = Scenario::start(store, flags).await?;
    scenario.store.server()?.stop().await?;
    scenario.goes_on_without(BEFORE..TOTAL, Duration::from_secs(20)).await?;
    scenario.store.server()?.start_again().await?;
    scenario.ends_well(TOTAL).await?;
    Ok(scenario)
}

#[tokio::test]
async fn elasticsearch_stopped_for_20_s_and_started_again() -> Result<()> {
    stopped_for_20_s_and_started_again(Elasticsearch::start_private().await?, &[]).await.map(drop)
}

/// Scenario: after that, Cassandra hangs for longer than a request may take, and goes on with the requests that it already
/// had. Guarantee: the same.
#[tokio::test]
async fn cassandra_stopped_for_20_s_and_started_again_then_hangs() -> Result<()> {
    let mut scenario = stopped_for_20_s_and_started_again(Cassandra::start_private().await?, &["--cassandra.timeout=5s"]).await?;
    scenario.store.server()?.freeze()?;
    scenario.goes_on_without(TOTAL..TOTAL + BEFORE, Duration::from_secs(15)).await?;
    scenario.store.server()?.thaw()?;
    scenario.ends_well(TOTAL + BEFORE).await
}
