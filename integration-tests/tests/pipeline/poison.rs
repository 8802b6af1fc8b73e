//! A message that cannot be decoded is set aside, with what a person needs to find out why, and the rest flows.

use skua_integration_tests::{Elasticsearch, Encoding, Kafka, Pipeline, Result, Sender, Spans, send_all};

const POISON: &[u8] = b"\xff\xfe{ this is no span";

/// Scenario: spans, a message that is none, more spans, all on one partition. Guarantee: the message is in the dead-letter
/// topic, byte for byte, with the reason and where it was; the offset moves past it; every span is stored once.
async fn poison_is_set_aside(encoding: Encoding) -> Result<()> {
    let elasticsearch = Elasticsearch::shared()?;
    let name = format!("poison-{}", encoding.name());
    let pipeline = Pipeline::new(&name, encoding, 1, &Kafka::shared()?, &elasticsearch).await?;
    let collector = pipeline.collector().await?;
    let (sender, spans) = (Sender::http(collector.ports().otlp_http), Spans::new("poison"));

    send_all(&sender, &spans, 0..100, 50).await?;
    let (partition, offset) = pipeline.topic.produce(0, b"key", POISON).await?;
    send_all(&sender, &spans, 100..200, 50).await?;
    let ingester = pipeline.ingester().await?;
    pipeline.stored_exactly(&elasticsearch, &spans, 0..200).await?;

    let letters = pipeline.dead_letters.read_all().await?;
    assert_eq!(letters.len(), 1, "{letters:?}");
    let letter = &letters[0];
    assert_eq!((letter.payload.as_slice(), letter.key.as_slice()), (POISON, b"key".as_slice()));
    let header = |name: &str| letter.headers.get(name).map(String::as_str).unwrap_or_default();
    assert_eq!(header("skua.source.topic"), pipeline.topic.name());
    assert_eq!(header("skua.source.partition"), partition.to_string());
    assert_eq!(header("skua.source.offset"), offset.to_string());
    assert!(!header("skua.reason").is_empty(), "{letter:?}");

    collector.settled_ledger().await?.is_all_stored(200)?;
    let ledger = ingester.settled_ledger().await?;
    assert_eq!((ledger.stored, ledger.dropped_total()), (200, 0), "{ledger:?}");
    Ok(())
}

#[tokio::test]
async fn poison_among_otlp_proto() -> Result<()> {
    poison_is_set_aside(Encoding::OtlpProto).await
}

#[tokio::test]
async fn poison_among_otlp_json() -> Result<()> {
    poison_is_set_aside(Encoding::OtlpJson).await
}

#[tokio::test]
async fn poison_among_jaeger_protobuf() -> Result<()> {
    poison_is_set_aside(Encoding::Protobuf).await
}

#[tokio::test]
async fn poison_among_jaeger_json() -> Result<()> {
    poison_is_set_aside(Encoding::Json).await
}
