//! Spans that come as datagrams arrive at the collector.

use crate::given::{Collector, client, send, settings, until};
use crate::thrift::{Batch, batch, zipkin};
use skua_codec::thrift::Protocol;

/// Scenario: clients on all three ports, some datagrams at once. Guarantee: every span arrives once, with its service, and is
/// counted as such; the tags of `--agent.tags` are appended to its process' tags.
#[tokio::test]
async fn every_span_arrives_once() {
    let collector = Collector::start().await;
    let tags = vec![("region".to_owned(), "eu".to_owned()), ("host".to_owned(), "h1".to_owned())];
    let agent = { crate::given::Settings { tags: tags.clone(), ..settings(collector.address) } }.start();
    let client = client();
    let mut want = Vec::new();
    for i in 0..200 {
        let (port, protocol) = match i % 3 {
            0 => (agent.compact, Protocol::Compact),
            1 => (agent.binary, Protocol::Binary),
            _ => (agent.zipkin, Protocol::Compact), // the same handler is on all three
        };
        let names: Vec<_> = (0..i % 5).map(|n| format!("span {i}.{n}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let service = format!("service {}", i % 7);
        let sent = Batch { client_uuid: Some("u"), ..batch(&service, &names) };
        client.send_to(&sent.packet(protocol), port).expect("sent");
        let mut all = vec![("client-uuid".to_owned(), "u".to_owned())];
        all.extend(tags.clone());
        want.extend(names.iter().map(|n| (service.clone(), all.clone(), (*n).to_owned())));
    }
    let spans = want.len() as u64;
    let submitted =
        |what| agent.metric(&format!(r#"jaeger_agent_reporter_{what}_submitted_total{{format="jaeger",protocol="grpc"}}"#));
    until(|| submitted("batches") == 200).await;
    assert_eq!((submitted("spans"), agent.ledger()), (spans, (spans, spans, 0)));
    let mut got = collector.memory.spans.lock().clone();
    got.sort();
    want.sort();
    assert_eq!(got, want);
    assert_eq!(agent.metric(r#"jaeger_agent_connection_status_collector_connected{protocol="grpc"}"#), 1);
    assert_eq!(agent.metric(r#"jaeger_agent_connection_status_collector_reconnects_total{protocol="grpc"}"#), 1);
    let processed = |model, protocol| {
        let labels = format!(r#"{{model="{model}",protocol="{protocol}"}}"#);
        agent.metric(&format!("jaeger_agent_thrift_udp_server_packets_processed_total{labels}"))
    };
    assert_eq!([processed("jaeger", "compact"), processed("jaeger", "binary"), processed("zipkin", "compact")], [67, 67, 66]);
    let requests = collector.memory.requests.lock().len();
    assert!(requests < 200, "datagrams travel together: {requests} requests");
}

/// Scenario: a datagram on an idle agent. Guarantee: nothing is waited for before it is sent, and the process' tags are its own.
#[tokio::test]
async fn one_span_is_sent() {
    let collector = Collector::start().await;
    let agent = settings(collector.address).start();
    send(&agent, "s", &["only"]);
    until(|| collector.count() == 1).await;
    assert_eq!(*collector.memory.spans.lock(), [("s".to_owned(), vec![], "only".to_owned())]);
}

/// Scenario: Zipkin's and Jaeger's datagrams on one port. Guarantee: both arrive, and are counted each under its format.
#[tokio::test]
async fn zipkin_spans_arrive() {
    let collector = Collector::start().await;
    let agent = settings(collector.address).start();
    let client = client();
    for i in 0..10 {
        client.send_to(&zipkin("old", &format!("zipkin {i}")), agent.zipkin).expect("sent");
        client.send_to(&batch("new", &["jaeger"; 2]).packet(Protocol::Compact), agent.zipkin).expect("sent");
    }
    let submitted = |what: &str| {
        let of = |format| format!(r#"jaeger_agent_reporter_{what}_submitted_total{{format="{format}",protocol="grpc"}}"#);
        ["zipkin", "jaeger"].map(|format| agent.metric(&of(format)))
    };
    until(|| submitted("batches") == [10, 10]).await;
    assert_eq!((submitted("spans"), agent.ledger()), ([10, 20], (30, 30, 0)));
    let spans = collector.memory.spans.lock();
    assert_eq!(spans.iter().filter(|(service, _, name)| service == "old" && name.starts_with("zipkin ")).count(), 10);
    assert_eq!(spans.iter().filter(|(service, _, name)| service == "new" && name == "jaeger").count(), 20);
}

/// Scenario: a stop right after datagrams were sent. Guarantee: they are read, decoded and sent before the agent ends; then
/// nothing listens any more.
#[tokio::test]
async fn a_stop_loses_nothing() {
    let collector = Collector::start().await;
    let mut agent = settings(collector.address).start();
    for i in 0..100 {
        send(&agent, "s", &[&format!("span {i}")]);
    }
    agent.end().await.expect("an orderly end");
    assert_eq!((collector.count(), agent.ledger()), (100, (100, 100, 0)));
    assert!(std::net::UdpSocket::bind(agent.compact).is_ok());
}

/// Scenario: a client counts what it lost. Guarantee: the agent tells the difference from one report to the next.
#[tokio::test]
async fn client_stats_are_counted() {
    let collector = Collector::start().await;
    let agent = settings(collector.address).start();
    for (seq_no, stats) in [(10, [5, 0, 0]), (12, [7, 1, 0])] {
        let sent = Batch { client_uuid: Some("u"), seq_no: Some(seq_no), stats: Some(stats), ..batch("s", &["x"]) };
        client().send_to(&sent.packet(Protocol::Compact), agent.compact).expect("sent");
        until(|| agent.metric("jaeger_agent_client_stats_batches_received_total") == (seq_no as u64 - 8) / 2).await;
    }
    assert_eq!(agent.metric("jaeger_agent_client_stats_batches_sent_total"), 2);
    assert_eq!(agent.metric("jaeger_agent_client_stats_connected_clients"), 1);
    let dropped = |cause| agent.metric(&format!(r#"jaeger_agent_client_stats_spans_dropped_total{{cause="{cause}"}}"#));
    assert_eq!(["full-queue", "too-large", "send-failure"].map(dropped), [2, 1, 0]);
}

/// Guarantee: every series of Jaeger's with fixed labels is there from the start.
#[tokio::test]
async fn series_are_there_from_the_start() {
    let agent = settings("127.0.0.1:1").start();
    let text = agent.metrics();
    for port in
        [r#"model="jaeger",protocol="compact""#, r#"model="jaeger",protocol="binary""#, r#"model="zipkin",protocol="compact""#]
    {
        for name in [
            "jaeger_agent_thrift_udp_server_packets_processed_total",
            "jaeger_agent_thrift_udp_server_packets_dropped_total",
            "jaeger_agent_thrift_udp_server_read_errors_total",
            "jaeger_agent_thrift_udp_server_packet_size",
            "jaeger_agent_thrift_udp_server_queue_size",
            "jaeger_agent_thrift_udp_t_processor_handler_errors_total",
            "jaeger_agent_thrift_udp_t_processor_close_time_count",
        ] {
            assert!(text.contains(&format!("\n{name}{{{port}}} 0\n")), "{name} {port} in {text}");
        }
    }
    for name in
        ["batches_submitted_total", "batches_failures_total", "spans_submitted_total", "spans_failures_total", "batch_size"]
    {
        for format in ["jaeger", "zipkin"] {
            assert!(text.contains(&format!("\njaeger_agent_reporter_{name}{{format=\"{format}\",protocol=\"grpc\"}} 0\n")));
        }
    }
    for result in ["ok", "err"] {
        let labels = format!(r#"{{endpoint="sampling",protocol="grpc",result="{result}"}}"#);
        assert!(text.contains(&format!("\njaeger_agent_collector_proxy_total{labels} 0\n")));
    }
    assert!(text.contains("\njaeger_agent_connection_status_collector_connected{protocol=\"grpc\"} 0\n"));
    assert!(text.contains("\nskua_agent_udp_kernel_dropped_total{model=\"jaeger\",port=\""), "{text}");
    for line in text.lines().filter(|l| l.starts_with("# TYPE ")) {
        assert_eq!(text.matches(&format!("{line}\n")).count(), 1, "{line}");
    }
}
