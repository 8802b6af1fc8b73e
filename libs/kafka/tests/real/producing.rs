//! Spans into Kafka.

use crate::broker::*;
use crate::testing::batch;
use prometheus_client::registry::Registry;
use rdkafka::message::Message;
use skua_codec::Encoding;
use skua_kafka::{ConsumerConfig, KafkaSource, KafkaWriter, Limits, ProducerConfig};
use skua_store::{ErrorKind, SpanWriter};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Scenario: one request in each encoding. Guarantees: when the write returns, every span is on the topic, in its trace's
/// partition, under Jaeger's key.
#[tokio::test(flavor = "multi_thread")]
async fn every_encoding_is_on_the_topic_when_the_write_returns() {
    let Some(broker) = broker() else { return };
    let sketches = sketches(200, 100);
    for encoding in Encoding::ALL {
        let topic = topic(&broker, encoding.name(), None).await;
        let writer = writer(producing(&broker, &topic, encoding)).await;
        assert_eq!(writer.partitions(), 3);
        let written = writer.write(&batch(&sketches)).await.unwrap();
        assert_eq!((written.stored, written.refused.len()), (200, 0));
        // The last acknowledgement wakes us before it gives its room back.
        sleep(Duration::from_millis(50)).await;
        assert_eq!(writer.in_flight_bytes(), 0);
        let messages = everything(&broker, &topic).await;
        assert_eq!(messages.len(), if encoding.is_one_span() { 200 } else { 3 });
        assert_eq!(span_ids(encoding, payloads(&messages)), ids(&sketches));
        for message in &messages {
            for (trace, _) in span_ids(encoding, [message.payload().unwrap()]) {
                let wanted = skua_model::partition::of_trace(&trace.to_be_bytes(), 3) as i32;
                assert_eq!(message.partition(), wanted);
                let key = encoding.is_one_span().then(|| format!("{trace:016x}"));
                assert_eq!(message.key(), key.as_deref().map(str::as_bytes));
            }
        }
    }
}

/// Scenario: a topic that takes 20 000 bytes, as the brokers say when asked. Guarantee: messages are split before they are
/// sent.
#[tokio::test(flavor = "multi_thread")]
async fn splits_for_the_topics_limit() {
    let Some(broker) = broker() else { return };
    for encoding in Encoding::ALL {
        let topic = topic(&broker, "limit", Some(20_000)).await;
        let writer = writer(producing(&broker, &topic, encoding)).await;
        let sketches = sketches(300, 1000);
        let written = writer.write(&batch(&sketches)).await.unwrap();
        assert_eq!((written.stored, written.refused.len()), (300, 0), "{encoding}");
        let messages = everything(&broker, &topic).await;
        assert_eq!(span_ids(encoding, payloads(&messages)), ids(&sketches));
    }
}

/// Scenario: the limit is lowered after we asked; one span is longer than it. Guarantees: what the broker calls too large is
/// sent again in smaller pieces, in the same write; the span is refused with its sizes and is in the dead-letter topic, whole;
/// afterwards the new limit is known.
#[tokio::test(flavor = "multi_thread")]
async fn splits_again_when_the_broker_says_too_large() {
    let Some(broker) = broker() else { return };
    for encoding in Encoding::ALL {
        let topic = topic(&broker, "lowered", None).await;
        let config = producing(&broker, &topic, encoding);
        let dead = config.dead_letter_topic();
        let writer = writer(config).await;
        set_limit(&broker, &topic, 20_000).await;
        let mut sketches = sketches(300, 1000);
        sketches[77].weight = 30_000;
        let written = writer.write(&batch(&sketches)).await.unwrap();
        assert_eq!(written.stored, 299, "{encoding}");
        let refused = &written.refused[0];
        assert_eq!((refused.span, refused.reason), (77, "too-large"));
        assert!(refused.detail.starts_with('3') || refused.detail.starts_with('4'), "{}", refused.detail);
        let messages = everything(&broker, &topic).await;
        let long = sketches.remove(77);
        assert_eq!(span_ids(encoding, payloads(&messages)), ids(&sketches), "{encoding}");
        let letters = everything(&broker, &dead).await;
        assert_eq!(span_ids(encoding, payloads(&letters)), [(long.trace, long.span)]);
        let header = |key| header(&letters[0], key);
        assert_eq!(header("skua.reason").as_deref(), Some("message-too-large"));
        assert_eq!(header("skua.source.topic"), Some(topic));
        assert_eq!(header("skua.trace-id"), Some(format!("{:016x}", long.trace)));
        assert_eq!(header("skua.span-id"), Some(format!("{:016x}", long.span)));
        assert_eq!(header("skua.size"), Some(letters[0].payload().unwrap().len().to_string()));
        assert_eq!(header("skua.truncated"), None);
        sleep(Duration::from_secs(1)).await;
        assert_eq!(writer.write(&batch(&sketches)).await.unwrap().stored, 299, "{encoding}");
    }
}

/// Scenario: a span longer than `max-message-bytes` and than the dead-letter topic takes.
/// Guarantees: its start is kept there; the others arrive; the sender is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_span_too_long_for_anything_is_cut_in_the_dead_letter_topic() {
    let Some(broker) = broker() else { return };
    let dead = topic(&broker, "dead", Some(80_000)).await;
    let topic = topic(&broker, "cut", None).await;
    let config = ProducerConfig {
        max_message_bytes: 100_000,
        dead_letter_topic: dead.clone(),
        ..producing(&broker, &topic, Encoding::OtlpProto)
    };
    let writer = writer(config).await;
    let mut sketches = sketches(300, 1000);
    sketches[10].weight = 200_000;
    let written = writer.write(&batch(&sketches)).await.unwrap();
    assert_eq!((written.stored, written.refused.len()), (299, 1));
    let messages = everything(&broker, &topic).await;
    sketches.remove(10);
    assert_eq!(span_ids(Encoding::OtlpProto, payloads(&messages)), ids(&sketches));
    let letters = everything(&broker, &dead).await;
    assert_eq!((letters.len(), letters[0].payload().unwrap().len()), (1, 64 << 10));
    assert_eq!(header(&letters[0], "skua.truncated").as_deref(), Some("true"));
}

/// Scenario: no broker at all. Guarantees: both sides start, say that Kafka is away, and stop.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_down_is_waited_for() {
    let Some(_) = broker() else { return };
    let writer = KafkaWriter::start(producing("127.0.0.1:1", "t", Encoding::Protobuf), &mut Registry::default()).unwrap();
    let error = writer.write(&batch(&sketches(1, 1))).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.retry_after.is_some() && !writer.is_ready());
    let config = ConsumerConfig { brokers: vec!["127.0.0.1:1".into()], ..Default::default() };
    let (source, _chunks) = KafkaSource::start(config, Limits::default(), &mut Registry::default()).unwrap();
    sleep(Duration::from_millis(500)).await;
    assert!(timeout(Duration::from_secs(15), source.stop()).await.expect("to stop in time"));
}
