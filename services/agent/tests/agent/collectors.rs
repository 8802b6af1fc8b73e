//! Collectors that die, come late, or have no room.

use crate::given::{Collector, send, settings, until};
use skua_receive::{Rejection, RejectionKind};
use std::time::Duration;
use tokio::net::TcpListener;

/// Scenario: two collectors, of which one dies. Guarantee: both had spans while they lived; afterwards all go to the other, and
/// none is lost.
#[tokio::test]
async fn spans_go_to_the_collector_that_lives() {
    let (first, second) = (Collector::start().await, Collector::start().await);
    let agent = settings(format!("{},{}", first.address, second.address)).start();
    for i in 0..10_u64 {
        send(&agent, "s", &["x"]);
        until(|| agent.ledger().1 == i + 1).await;
    }
    let of_first = first.count();
    assert!(of_first > 0 && second.count() > 0, "in turn");
    first.end().await;
    for i in 10..30_u64 {
        send(&agent, "s", &["x"]);
        until(|| agent.ledger().1 == i + 1).await;
    }
    assert_eq!((of_first + second.count(), agent.ledger()), (30, (30, 30, 0)));
}

/// Scenario: the agent is there before the collector. Guarantee: it starts, and spans arrive when the collector comes.
#[tokio::test]
async fn a_collector_may_come_late() {
    let (reserved, address) = Collector::reserve();
    let agent = settings(address).start();
    send(&agent, "s", &["early"]);
    until(|| agent.ledger().0 == 1).await;
    let collector = Collector::on(reserved.listen(16).expect("it listens")).await;
    until(|| agent.ledger() == (1, 1, 0)).await;
    assert_eq!(collector.count(), 1);
}

/// Scenario: the collector comes back on its address after a restart. Guarantee: the agent connects again.
#[tokio::test]
async fn a_collector_may_be_restarted() {
    let collector = Collector::start().await;
    let (agent, address) = (settings(collector.address).start(), collector.address);
    send(&agent, "s", &["before"]);
    until(|| agent.ledger().1 == 1).await;
    collector.end().await;
    let collector = Collector::on(TcpListener::bind(address).await.expect("the same port")).await;
    send(&agent, "s", &["after"]);
    until(|| agent.ledger() == (2, 2, 0)).await;
    assert_eq!(collector.count(), 1);
    until(|| agent.metric(r#"jaeger_agent_connection_status_collector_reconnects_total{protocol="grpc"}"#) == 2).await;
}

fn rejection(kind: RejectionKind) -> Rejection {
    Rejection { kind, message: "not now".into(), retry_after: Some(Duration::from_millis(1)) }
}

/// Scenario: a collector has no room, three times. Guarantee: the batch is sent again and arrives. A fourth time it is given up,
/// and its spans are counted as dropped.
#[tokio::test]
async fn a_full_collector_is_asked_again() {
    let collector = Collector::start().await;
    let agent = settings(collector.address).start();
    *collector.memory.rejections.lock() = vec![rejection(RejectionKind::Full); 3];
    send(&agent, "s", &["patient"]);
    until(|| collector.count() == 1).await;
    *collector.memory.rejections.lock() = vec![rejection(RejectionKind::Full); 4];
    send(&agent, "s", &["given", "up"]);
    until(|| agent.ledger() == (3, 1, 2)).await;
    assert_eq!(agent.metric(r#"skua_spans_total{tier="agent",outcome="dropped",reason="overloaded"}"#), 2);
    let reporter = |name| agent.metric(&format!(r#"jaeger_agent_reporter_{name}_total{{format="jaeger",protocol="grpc"}}"#));
    let names = ["batches_submitted", "batches_failures", "spans_submitted", "spans_failures"];
    until(|| names.map(reporter) == [1, 1, 1, 2]).await;
    assert_eq!(collector.operations(), ["patient"]);
}

/// Scenario: a collector refuses a batch for good. Guarantee: it is not sent again.
#[tokio::test]
async fn a_refusal_is_final() {
    let collector = Collector::start().await;
    let agent = settings(collector.address).start();
    *collector.memory.rejections.lock() = vec![rejection(RejectionKind::Invalid)];
    send(&agent, "s", &["x"]);
    until(|| agent.ledger() == (1, 0, 1)).await;
    assert_eq!(agent.metric(r#"skua_spans_total{tier="agent",outcome="dropped",reason="invalid"}"#), 1);
    assert_eq!(collector.count(), 0);
}

/// Scenario: one of two collectors has no room. Guarantee: the batch goes to the other without a pause.
#[tokio::test]
async fn another_collector_may_have_room() {
    let (full, other) = (Collector::start().await, Collector::start().await);
    let long = Rejection { retry_after: Some(Duration::from_secs(3600)), ..rejection(RejectionKind::Full) };
    *full.memory.rejections.lock() = vec![long; 100];
    let agent = settings(format!("{},{}", full.address, other.address)).start();
    for i in 0..4 {
        send(&agent, "s", &["x"]);
        until(|| other.count() == i + 1).await;
    }
    assert_eq!(full.count(), 0);
}

/// Scenario: a collector takes its time, and there is one worker. Guarantee: what comes in the meantime is on its way too, and arrives.
#[tokio::test]
async fn a_slow_collector_holds_up_nobody() {
    let collector = Collector::start().await;
    let mut settings = settings(collector.address);
    settings.config.processor.jaeger_compact.workers = 1;
    let agent = settings.start();
    let busy = collector.memory.busy.write().await;
    for i in 0..20 {
        send(&agent, "s", &["x"]);
        until(|| agent.ledger() == (i + 1, 0, 0)).await;
    }
    drop(busy);
    until(|| agent.ledger() == (20, 20, 0)).await;
    assert_eq!(collector.count(), 20);
}

/// Scenario: a name with the scheme `dns:///`, whose addresses are of both families. Guarantee: the one that answers is found.
#[tokio::test]
async fn names_are_looked_up() {
    let collector = Collector::start().await;
    let agent = settings(format!("dns:///localhost:{}", collector.address.port())).start();
    for i in 0..4_u64 {
        send(&agent, "s", &["x"]);
        until(|| agent.ledger() == (i + 1, i + 1, 0)).await;
    }
}

/// Scenario: no collector, and a stop. Guarantee: the agent ends within its drain time, and says that spans were lost.
#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let mut settings = settings("127.0.0.1:1");
    settings.drain = Duration::from_millis(50);
    let mut agent = settings.start();
    send(&agent, "s", &["lost"]);
    until(|| agent.ledger().0 == 1).await;
    let error = agent.end().await.expect_err("spans are left").to_string();
    assert!(error.contains("within 50ms"), "{error}");
    until(|| agent.ledger() == (1, 0, 1)).await;
}
