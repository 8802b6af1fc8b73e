//! Zipkin's own Kafka sender writes to the topic that an ingester reads: no collector between them.

use skua_integration_tests::checkout::expected;
use skua_integration_tests::{Checkout, Elasticsearch, Encoding, Kafka, Language, Pipeline, Result, Store};

const SERVICE: &str = "shop";
const SPANS: usize = 5;

/// Scenario: brave sends the checkout trace as one message of five spans, and after it a message that is none. Guarantee: every
/// span is stored once and answered with all that it carries; the other message is set aside; the offset moves past both.
async fn spans_of_zipkin_arrive(encoding: Encoding, client: &str, template: &str) -> Result<()> {
    let elasticsearch = Elasticsearch::shared()?;
    let pipeline = Pipeline::new(encoding.name(), encoding, 1, &Kafka::shared()?, &elasticsearch).await?;
    let topic = ["--topic", pipeline.topic.name()];
    let checkout = Checkout::send(Language::Java, client, &pipeline.brokers, SERVICE, &topic).await?;
    assert_eq!(pipeline.topic.count().await?, 1, "all spans are in one message");
    pipeline.topic.produce(0, b"", b"\xff this is no span").await?;

    let ingester = pipeline.ingester().await?;
    pipeline.topic.until_committed(&pipeline.group).await?;
    assert_eq!(elasticsearch.count(&pipeline.prefix).await?, SPANS as u64);
    let (_query_tier, query) = pipeline.query().await?;
    checkout.arrives(&query, SPANS, &expected(template, &[("service", SERVICE)], &["brave"])).await?;
    assert_eq!(pipeline.dead_letters.count().await?, 1);
    let ledger = ingester.settled_ledger().await?;
    assert_eq!((ledger.stored, ledger.dropped_total()), (SPANS as u64, 0), "{ledger:?}");
    Ok(())
}

#[tokio::test]
async fn spans_of_zipkin_arrive_as_thrift() -> Result<()> {
    let template = include_str!("../../clients/expected/kafka-zipkin-thrift.txt");
    spans_of_zipkin_arrive(Encoding::ZipkinThrift, "kafka-thrift", template).await
}

#[tokio::test]
async fn spans_of_zipkin_arrive_as_json() -> Result<()> {
    let template = include_str!("../../clients/expected/zipkin-v2.txt");
    spans_of_zipkin_arrive(Encoding::ZipkinJson, "kafka-json", template).await
}

#[tokio::test]
async fn spans_of_zipkin_arrive_as_protobuf() -> Result<()> {
    let template = include_str!("../../clients/expected/zipkin-v2.txt");
    spans_of_zipkin_arrive(Encoding::ZipkinProto, "kafka-proto", template).await
}
