//! When a collector cannot pass spans on, it says so, and goes on as soon as it can.

use skua_integration_tests::{Answer, Error, Kafka, Ledger, Result, Sender, Skua, Spans, Topic, ports};

const TOPIC: &str = "spans";
const BATCH: u64 = 100;

/// Scenario: a collector starts while there is no broker; clients send, at first a few and then many at once; then the
/// broker comes. Guarantee: the collector starts, tells every client to come back later (by gRPC status, by HTTP 503 with
/// Retry-After), keeps nothing that it has refused from its ledger, and accepts once the broker is there.
#[tokio::test]
async fn kafka_unreachable_then_there() -> Result<()> {
    let port = ports::free_port()?;
    let args = [
        format!("--kafka.producer.brokers=127.0.0.1:{port}"),
        format!("--kafka.producer.topic={TOPIC}"),
        "--kafka.producer.encoding=otlp-proto".to_owned(),
    ];
    let mut collector = Skua::launch("collector", &args, &[("SPAN_STORAGE_TYPE", "kafka")])?;
    collector.listening(collector.ports().otlp_grpc).await?;
    collector.listening(collector.ports().otlp_http).await?;
    let (grpc, http) = (Sender::grpc(collector.ports().otlp_grpc)?, Sender::http(collector.ports().otlp_http));
    let spans = Spans::new("overload");

    is_told_to_come_back(&grpc, &spans, 0).await?;
    is_told_to_come_back(&http, &spans, 1).await?;
    let crowd: Vec<_> = (2..202).map(|n| tokio::spawn(client(if n % 2 == 0 { &grpc } else { &http }, &spans, n))).collect();
    for client in crowd {
        client.await??;
    }
    let ledger = collector.settled_ledger().await?;
    let expected = Ledger { received: ledger.refused_total(), refused: ledger.refused.clone(), ..Ledger::default() };
    assert_eq!(ledger, expected, "without a broker, what comes in is refused");

    let kafka = Kafka::start_private_on(port).await?;
    grpc.deliver(&spans.request(0..BATCH)).await?;
    http.deliver(&spans.request(BATCH..2 * BATCH)).await?;
    collector.healthy().await?;
    let ledger = collector.settled_ledger().await?;
    assert_eq!((ledger.stored, ledger.dropped_total()), (2 * BATCH, 0), "{ledger:?}");
    assert!(Topic::find(kafka.address(), TOPIC).await?.count().await? >= 2);
    collector.terminate_cleanly().await
}

fn client(sender: &Sender, spans: &Spans, number: u64) -> impl Future<Output = Result<()>> + Send + 'static {
    let (sender, spans) = (sender.clone(), spans.clone());
    async move { is_told_to_come_back(&sender, &spans, number).await }
}

/// Sends one batch that must be refused in a way that makes an SDK try again later.
async fn is_told_to_come_back(sender: &Sender, spans: &Spans, number: u64) -> Result<()> {
    let answer = sender.send(&spans.request(number * BATCH..(number + 1) * BATCH)).await;
    let Answer::Refused(refusal) = &answer else { return Err(Error::new(format!("{sender}: {answer:?}"))) };
    let codes: &[&str] = match sender {
        Sender::Grpc(_) => &["Unavailable", "ResourceExhausted"],
        Sender::Http(..) => &["503"],
    };
    assert!(codes.contains(&refusal.code.as_str()) && refusal.retry_after.is_some(), "{sender}: {refusal:?}");
    Ok(())
}
