//! The harness itself: a check that could not fail would prove nothing.

use reqwest::Method;
use serde_json::json;
use skua_integration_tests::metrics::Metrics;
use skua_integration_tests::ports::unique;
use skua_integration_tests::{Cassandra, Elasticsearch, Kafka, Ledger, Result, SpanKey, Spans, Store, Topic};
use std::collections::{BTreeMap, HashSet};

/// Scenario: a topic with messages of known places. Guarantee: they are counted, and read back as they are.
#[tokio::test]
async fn reads_a_topic_as_it_is() -> Result<()> {
    let topic = Topic::create(Kafka::shared()?.address(), &unique("harness"), 2).await?;
    assert_eq!((topic.count().await?, topic.committed("nobody").await?), (0, vec![0, 0]));
    assert_eq!(topic.produce(1, b"k", b"one").await?, (1, 0));
    assert_eq!(topic.produce(1, b"k", b"two").await?, (1, 1));
    assert_eq!(topic.ends().await?, vec![0, 2]);
    let read: Vec<_> = topic.read_all().await?.into_iter().map(|m| (m.offset, m.payload)).collect();
    assert_eq!(read, [(0, b"one".to_vec()), (1, b"two".to_vec())]);
    Ok(())
}

/// Scenario: an index with a span that is there twice, one that is missing, one that nobody sent; then the node is stopped
/// and started again. Guarantee: each of the three is noticed; after the restart the documents are still there.
#[tokio::test]
async fn notices_missing_repeated_and_unknown_spans() -> Result<()> {
    let mut elasticsearch = Elasticsearch::start_private().await?;
    let key = |span: &str| SpanKey { trace: "a".to_owned(), span: span.to_owned() };
    assert_eq!(elasticsearch.count("harness").await?, 0);
    for (id, span) in [("1", "1"), ("2", "2")] {
        let path = format!("/harness-jaeger-span-2026-01-01/_doc/{id}");
        elasticsearch.call(Method::PUT, &path, Some(json!({"traceID": "a", "spanID": span}))).await?;
    }
    elasticsearch.server()?.stop().await?;
    assert!(elasticsearch.count("harness").await.is_err());
    elasticsearch.server()?.start_again().await?;
    elasticsearch.spans("harness").await?.exactly(&HashSet::from([key("1"), key("2")]))?;

    let path = "/harness-jaeger-span-2026-01-02/_doc/3";
    elasticsearch.call(Method::PUT, path, Some(json!({"traceID": "a", "spanID": "2"}))).await?;
    let error = elasticsearch.spans("harness").await?.exactly(&HashSet::from([key("2"), key("3")])).unwrap_err().to_string();
    for part in ["of 2 spans, 1 are missing", "1 are stored more than once", "1 are unknown"] {
        assert!(error.contains(part), "{error}");
    }
    Ok(())
}

/// Scenario: the same in a table. Guarantee: the same, and a statement that Cassandra refuses is named.
#[tokio::test]
async fn notices_missing_repeated_and_unknown_rows() -> Result<()> {
    let (cassandra, keyspace) = (Cassandra::shared()?, unique("harness").replace('-', "_"));
    let row = |trace: u8, span: i64, hash: i64| {
        format!("INSERT INTO {keyspace}.traces (trace_id, span_id, span_hash) VALUES (0x{trace:032x}, {span}, {hash})")
    };
    let key = |span: &str| SpanKey { trace: format!("{:032x}", 10), span: span.to_owned() };
    let replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}";
    let columns = "trace_id blob, span_id bigint, span_hash bigint, PRIMARY KEY (trace_id, span_id, span_hash)";
    cassandra
        .run(&[
            format!("CREATE KEYSPACE {keyspace} WITH replication = {replication}"),
            format!("CREATE TABLE {keyspace}.traces ({columns})"),
            row(10, 1, 1),
            row(10, -1, 1),
        ])
        .await?;
    assert_eq!(cassandra.count(&keyspace).await?, 2);
    cassandra.spans(&keyspace).await?.exactly(&HashSet::from([key("0000000000000001"), key("ffffffffffffffff")]))?;

    cassandra.run(&[row(10, -1, 2)]).await?;
    let expected = HashSet::from([key("ffffffffffffffff"), key("0000000000000003")]);
    let error = cassandra.spans(&keyspace).await?.exactly(&expected).unwrap_err().to_string();
    for part in ["of 2 spans, 1 are missing", "1 are stored more than once", "1 are unknown"] {
        assert!(error.contains(part), "{error}");
    }
    let error = cassandra.run(&[format!("DROP TABLE {keyspace}.spans")]).await.unwrap_err().to_string();
    assert!(error.contains("DROP TABLE"), "{error}");
    Ok(())
}

/// Guarantee: labels, escapes and values are read as Prometheus reads them.
#[test]
fn reads_metrics() -> Result<()> {
    let text = r#"
        # TYPE a counter
        a_total{x="1",y="say \"}\" \\ \n"} 3 1700
        a_total{x="2"} 4
        up 1.5e1
        # EOF"#;
    let metrics = Metrics::parse(text)?;
    let sums = [metrics.sum("a_total", &[]), metrics.sum("a_total", &[("x", "2")]), metrics.sum("up", &[])];
    assert_eq!(sums, [7.0, 4.0, 15.0]);
    let labels: Vec<_> = metrics.find("a_total", &[("x", "1")]).map(|sample| sample.labels["y"].as_str()).collect();
    assert_eq!(labels, ["say \"}\" \\ \n"]);
    assert!(!metrics.has("down") && Metrics::parse("nonsense").is_err());
    Ok(())
}

/// Guarantee: a ledger is that of one tier, and one span too few is noticed.
#[test]
fn balances_a_ledger_to_the_span() -> Result<()> {
    let text = r#"
        skua_spans_total{tier="collector",outcome="received",reason=""} 10
        skua_spans_total{tier="collector",outcome="stored",reason=""} 6
        skua_spans_total{tier="collector",outcome="refused",reason="queue full"} 2
        skua_spans_total{tier="collector",outcome="refused",reason="other"} 0
        skua_spans_total{tier="collector",outcome="dropped",reason="bad id"} 1
        skua_spans_total{tier="ingester",outcome="received",reason=""} 99
        skua_spans_in_flight{tier="collector"} 1"#;
    let mut ledger = Ledger::of("collector", &Metrics::parse(text)?);
    assert_eq!(ledger.refused, BTreeMap::from([("queue full".to_owned(), 2)]));
    ledger.balances()?;
    assert!(ledger.is_all_stored(10).is_err());
    ledger.in_flight = 0;
    assert!(ledger.balances().is_err());
    Ok(())
}

/// Guarantee: no two spans share their ids, within a row or between rows.
#[test]
fn makes_spans_with_ids_of_their_own() {
    let (spans, other) = (Spans::new("a"), Spans::new("a"));
    assert_eq!(spans.keys(0..1000).len(), 1000);
    assert!(spans.keys(0..10).is_disjoint(&other.keys(0..10)));
    let sent = &spans.request(5..25).resource_spans[0].scope_spans[0].spans;
    let traces: HashSet<_> = sent.iter().map(|span| &span.trace_id).collect();
    assert_eq!((sent.len(), traces.len()), (20, 3));
}
