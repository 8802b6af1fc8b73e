//! Spans kept in Parquet: in a directory by one process, in a bucket by several.

use skua_integration_tests::query::span_keys;
use skua_integration_tests::skua::run;
use skua_integration_tests::{
    Encoding, Error, Kafka, Load, ParquetBucket, Pipeline, Query, Result, Sender, Skua, Spans, ensure, send_all, wait,
};
use std::ops::Range;
use std::path::Path;

const SPANS_IN_TRACE: u64 = skua_integration_tests::spans::SPANS_IN_TRACE;

/// Every trace of these spans is answered whole, with each span once.
async fn are_answered(query: &Query, spans: &Spans, range: Range<u64>) -> Result<()> {
    for first in range.step_by(SPANS_IN_TRACE as usize) {
        let mut wanted: Vec<_> = spans.keys(first..first + SPANS_IN_TRACE).into_iter().collect();
        wanted.sort();
        let id = &wanted[0].trace;
        let trace = query.trace(id).await?.ok_or_else(|| Error::new(format!("spans {first} and on: there is no trace {id}")))?;
        let found = span_keys(&trace);
        ensure(found == wanted, || format!("trace {id}: {found:?} instead of {wanted:?}"))?;
    }
    Ok(())
}

async fn all_in_one(path: &Path) -> Result<(Skua, Query)> {
    let flags = [format!("--parquet.path={}", path.display()), "--parquet.block-spans=1000".to_owned()];
    let skua = Skua::start("all-in-one", &flags, &[]).await?;
    let query = Query::new(skua.ports().query_http);
    Ok((skua, query))
}

/// Scenario: `all-in-one` is killed under load, started again, sent more, stopped, and started again. Guarantee: every acknowledged span is answered, once, each time; the
/// commands that look into its blocks work beside it and find them sound.
#[tokio::test]
async fn a_directory_keeps_what_was_acknowledged() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("spans");
    let spans = Spans::new("parquet");
    let (mut skua, _) = all_in_one(&path).await?;
    let load = Load::start(Sender::grpc(skua.ports().otlp_grpc)?, spans.clone(), 100, 50_000);
    wait::until("some blocks to be full", async || Ok((load.sent() >= 3500).then_some(()))).await?;
    assert!(load.is_running(), "killed too late to show anything");
    skua.kill9()?;
    wait::until("the load to fail", async || Ok((!load.is_running()).then_some(()))).await?;
    let killed = load.sent();

    let (mut skua, query) = all_in_one(&path).await?;
    are_answered(&query, &spans, 0..killed).await?;
    let place = format!("--parquet.path={}", path.display());
    for command in ["inspect", "verify"] {
        let printed = run(&["parquet".to_owned(), command.to_owned(), place.clone()]).await?;
        assert!(printed.contains(" blocks, "), "{printed}");
    }

    let more = Spans::new("more");
    send_all(&Sender::grpc(skua.ports().otlp_grpc)?, &more, 0..1200, 100).await?;
    are_answered(&query, &more, 0..1200).await?;
    skua.terminate_cleanly().await?;
    let (mut skua, query) = all_in_one(&path).await?;
    are_answered(&query, &spans, 0..killed).await?;
    are_answered(&query, &more, 0..1200).await?;
    assert_eq!(query.services().await?, ["more", "parquet"]);
    skua.terminate_cleanly().await
}

/// Scenario: two ingesters write what comes from Kafka to a bucket; one is killed in the middle; two query services read. Guarantee: every
/// acknowledged span is answered, once, by both.
#[tokio::test]
async fn a_bucket_keeps_what_was_acknowledged() -> Result<()> {
    let store = ParquetBucket::make("pipeline").await?;
    let pipeline = Pipeline::new("parquet", Encoding::OtlpProto, 4, &Kafka::shared()?, &store).await?;
    let collector = pipeline.collector().await?;
    let (sender, spans) = (Sender::grpc(collector.ports().otlp_grpc)?, Spans::new("parquet"));
    let (mut killed, other) = (pipeline.ingester().await?, pipeline.ingester().await?);
    wait::until("both ingesters to have partitions", async || {
        for ingester in [&killed, &other] {
            let held = ingester.metrics().await?.sum("jaeger_ingester_sarama_consumer_partitions_held", &[]);
            ensure(held == 2.0, || format!("{held} partitions"))?;
        }
        Ok(Some(()))
    })
    .await?;
    let load = Load::start(sender, spans.clone(), 100, 100_000);
    killed.until_stored(500).await?;
    other.until_stored(500).await?;
    assert!(load.is_running(), "killed too late to show anything");
    killed.kill9()?;
    let then = load.sent();
    wait::until("more spans after the kill", async || Ok((load.sent() > then + 3000).then_some(()))).await?;
    let total = load.stop().await?;
    pipeline.stored_exactly(&store, &spans, 0..total).await?;
    collector.settled_ledger().await?.is_all_stored(total)?;
    let ledger = other.settled_ledger().await?;
    ledger.is_all_stored(ledger.received)?;
    assert_eq!(pipeline.dead_letters.count().await?, 0);

    let ((_one, first), (_two, second)) = (pipeline.query().await?, pipeline.query().await?);
    for query in [first, second] {
        are_answered(&query, &spans, 0..total).await?;
    }
    let flags = store.place(&pipeline.prefix);
    let printed = run(&[&["parquet".to_owned(), "verify".to_owned()][..], &flags].concat()).await?;
    assert!(printed.contains(" 0 blocks with problems"), "{printed}");
    Ok(())
}
