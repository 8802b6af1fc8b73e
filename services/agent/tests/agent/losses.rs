//! What is lost is counted, and costs nothing but itself.

use crate::given::{Collector, client, send, settings, until};
use crate::thrift::{Batch, batch};
use skua_codec::thrift::Protocol;

const COMPACT: &str = r#"{model="jaeger",protocol="compact"}"#;

fn udp(name: &str) -> String {
    format!("jaeger_agent_thrift_udp_{name}_total{COMPACT}")
}

/// Scenario: rubbish and a span without a trace id between sound datagrams. Guarantee: the others arrive; rubbish is a handler
/// error, the span is dropped under its reason.
#[tokio::test]
async fn a_bad_datagram_costs_itself() {
    let collector = Collector::start().await;
    let agent = settings(collector.address).start();
    send(&agent, "s", &["before"]);
    let whole = batch("s", &["cut"]).packet(Protocol::Compact);
    let zero = Batch { trace_id: 0, ..batch("s", &["zero"]) }.packet(Protocol::Compact);
    for packet in [&b"rubbish"[..], &[], &whole[..whole.len() / 2], &zero] {
        client().send_to(packet, agent.compact).expect("sent");
    }
    send(&agent, "s", &["after"]);
    until(|| agent.ledger() == (3, 2, 1)).await;
    let mut operations = collector.operations();
    operations.sort();
    assert_eq!(operations, ["after", "before"]);
    assert_eq!(agent.metric(&udp("t_processor_handler_errors")), 3);
    assert_eq!(agent.metric(r#"skua_spans_total{tier="agent",outcome="dropped",reason="zero-trace-id"}"#), 1);
    assert_eq!(agent.metric(&udp("server_packets_processed")), 6);
}

/// Scenario: a datagram over `server-max-packet-size`. Guarantee: a read error, counted under its own reason too.
#[tokio::test]
async fn a_long_datagram_is_counted() {
    let collector = Collector::start().await;
    let mut settings = settings(collector.address);
    settings.config.processor.jaeger_compact.server_max_packet_size = 200;
    let agent = settings.start();
    send(&agent, "s", &["long"; 50]);
    send(&agent, "s", &["short"]);
    until(|| collector.count() == 1).await;
    assert_eq!(collector.operations(), ["short"]);
    assert_eq!(agent.metric(&udp("server_read_errors")), 1);
    let ours = r#"skua_agent_udp_dropped_total{model="jaeger",protocol="compact",reason="too-long"}"#;
    assert_eq!((agent.metric(ours), agent.metric(&udp("t_processor_handler_errors"))), (1, 0));
}

/// Scenario: no collector, and more than may wait. Guarantee: what may wait is bounded; beyond it the queue fills, then drops and
/// counts datagrams. When the collector comes, all that waited arrives.
#[tokio::test]
async fn a_full_queue_drops_and_counts() {
    let (reserved, address) = Collector::reserve();
    let mut settings = settings(address);
    settings.config.max_waiting_bytes = 1_000;
    settings.config.processor.jaeger_compact.server_queue_size = 10;
    let agent = settings.start();
    send(&agent, "s", &["first"]);
    until(|| agent.ledger().0 == 1).await; // it takes all of the room
    for _ in 0..50 {
        send(&agent, "s", &["x"]);
    }
    until(|| agent.metric(&udp("server_packets_processed")) + agent.metric(&udp("server_packets_dropped")) == 51).await;
    let queued = agent.metric(&udp("server_packets_processed"));
    assert_eq!(queued, 11);
    let ours = r#"skua_agent_udp_dropped_total{model="jaeger",protocol="compact",reason="queue-full"}"#;
    assert_eq!(agent.metric(ours), 51 - queued);
    let collector = Collector::on(reserved.listen(16).expect("it listens")).await;
    until(|| collector.count() as u64 == queued).await;
    until(|| agent.ledger() == (queued, queued, 0)).await;
}
