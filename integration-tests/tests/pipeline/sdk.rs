//! Applications with an OpenTelemetry SDK send through all tiers; every span is found, exactly once, with all it carries.

use serde_json::{Value, json};
use skua_integration_tests::clients::{self, SentSpan, SentTraces};
use skua_integration_tests::query::{list, span_keys, tag, text};
use skua_integration_tests::{Cassandra, Elasticsearch, Encoding, Kafka, Pipeline, Query, Result, Store, ensure, wait};
use std::collections::{BTreeSet, HashSet};

const TRACES: usize = 10;
const SPANS: usize = 6;

/// Guarantee: whatever the SDK, its protocol and the encoding on Kafka, each acknowledged span is stored once and each trace
/// is answered whole.
async fn every_sdk_arrives(encoding: Encoding, store: impl Store) -> Result<()> {
    let name = format!("sdk-{}", encoding.name());
    let pipeline = Pipeline::new(&name, encoding, 3, &Kafka::shared()?, &store).await?;
    let collector = pipeline.collector().await?;
    let ingester = pipeline.ingester().await?;
    let (_query_tier, query) = pipeline.query().await?;

    let mut all = HashSet::new();
    for client in clients::ALL {
        let service = format!("{client:?}");
        let sent = client.send(collector.ports(), &service, TRACES, SPANS).await?;
        assert_eq!((sent.len(), sent.values().map(Vec::len).sum()), (TRACES, TRACES * SPANS), "{service}");
        for (id, spans) in &sent {
            let trace = query.complete_trace(id, SPANS).await?;
            let mut expected: Vec<_> = spans.iter().map(|span| span.key.clone()).collect();
            expected.sort();
            assert_eq!(span_keys(&trace), expected, "{service}, trace {id}");
            spans.iter().for_each(|span| has_all_it_carried(&trace, span, &service));
        }
        is_found_by_search(&query, &service, &sent).await?;
        all.extend(sent.into_values().flatten().map(|span| span.key));
    }

    pipeline.topic.until_committed(&pipeline.group).await?;
    store.spans(&pipeline.prefix).await?.exactly(&all)?;
    collector.settled_ledger().await?.is_all_stored(all.len() as u64)?;
    ingester.settled_ledger().await?.is_all_stored(all.len() as u64)?;
    assert_eq!(pipeline.dead_letters.count().await?, 0);
    Ok(())
}

fn has_all_it_carried(trace: &Value, sent: &SentSpan, service: &str) {
    let span = list(&trace["spans"]).iter().find(|span| span["spanID"] == sent.key.span.as_str());
    let span = span.unwrap_or(&Value::Null);
    let what = format!("{service}: {span}");
    let tags = &span["tags"];
    assert_eq!(span["operationName"], sent.operation.as_str(), "{what}");
    assert_eq!(tag(tags, "span.kind"), Some(("string", &json!(sent.kind))), "{what}");
    assert_eq!(tag(tags, "otel.scope.name"), Some(("string", &json!("skua.integration-tests"))), "{what}");
    let process = &trace["processes"][text(span, "processID")];
    assert_eq!(process["serviceName"], service, "{what}");
    assert_eq!(tag(&process["tags"], "service.version"), Some(("string", &json!("1.2.3"))), "{what}");
    assert_eq!(tag(&process["tags"], "deployment.zones"), Some(("string", &json!(r#"["a","b"]"#))), "{what}");
    if sent.parent.is_empty() {
        has_attributes_of_all_types(tags, &what);
    } else {
        let parent = json!({"refType": "CHILD_OF", "traceID": sent.key.trace, "spanID": sent.parent});
        assert_eq!(span["references"], json!([parent]), "{what}");
        let events: Vec<_> = list(&span["logs"]).iter().filter_map(|log| tag(&log["fields"], "event")).collect();
        assert_eq!(events[0], ("string", &json!("cache miss")), "{what}");
        let failed = sent.operation == format!("step-{}", SPANS - 1);
        assert_eq!(events.len(), if failed { 2 } else { 1 }, "{what}");
        assert_eq!(tag(tags, "error"), failed.then_some(("bool", &json!(true))), "{what}");
        if failed {
            assert_eq!(events[1].1, "exception", "{what}");
            assert_eq!(tag(tags, "otel.status_code"), Some(("string", &json!("ERROR"))), "{what}");
            assert_eq!(tag(tags, "otel.status_description"), Some(("string", &json!("card refused"))), "{what}");
        }
    }
}

fn has_attributes_of_all_types(tags: &Value, what: &str) {
    let expected = [
        ("text", "string", json!("Skua maccormicki")),
        ("text.unicode", "string", json!("señal ✓ 追跡 🦆")),
        ("text.empty", "string", json!("")),
        ("flag", "bool", json!(true)),
        ("count", "int64", json!(-42)),
        ("count.large", "int64", json!(9_007_199_254_740_991_i64)),
        ("ratio", "float64", json!(0.5)),
        ("texts", "string", json!(r#"["a","b"]"#)),
        ("flags", "string", json!("[true,false]")),
        ("counts", "string", json!("[1,2,3]")),
        ("ratios", "string", json!("[0.25,0.75]")),
    ];
    for (key, kind, value) in &expected {
        assert_eq!(tag(tags, key), Some((*kind, value)), "{key}: {what}");
    }
}

/// The traces are found by service, and one by a tag; each root but the first links to the trace before; the services and
/// their operations are answered. Elasticsearch makes documents searchable once a second, each shard at its own moment.
async fn is_found_by_search(query: &Query, service: &str, sent: &SentTraces) -> Result<()> {
    let what = format!("the traces of {service} to be searchable");
    wait::until(&what, async || {
        let found = query.find(&[("service", service), ("limit", "100")]).await?;
        let ids: BTreeSet<_> = found.iter().map(|trace| text(trace, "traceID")).collect();
        ensure(ids == sent.keys().map(String::as_str).collect(), || format!("found {ids:?} of {:?}", sent.keys()))?;
        let operations = query.operations(service).await?.into_iter().collect::<BTreeSet<_>>();
        let expected = sent.values().flatten().map(|span| span.operation.clone()).collect();
        ensure(operations == expected, || format!("operations {operations:?} of {expected:?}"))?;
        Ok(Some(()))
    })
    .await?;
    assert!(query.services().await?.contains(&service.to_owned()), "{service}");

    let third = query.find(&[("service", service), ("operation", "checkout"), ("tags", r#"{"number":"2"}"#)]).await?;
    assert_eq!(third.len(), 1, "{service}: {third:?}");
    let links = list(&third[0]["spans"]).iter().flat_map(|span| list(&span["references"]));
    let links: Vec<_> = links.filter(|reference| reference["refType"] == "FOLLOWS_FROM").collect();
    assert!(links.len() == 1 && sent.contains_key(text(links[0], "traceID")), "{service}: {links:?}");
    Ok(())
}

#[tokio::test]
async fn every_sdk_arrives_over_otlp_proto() -> Result<()> {
    every_sdk_arrives(Encoding::OtlpProto, Elasticsearch::shared()?).await
}

#[tokio::test]
async fn every_sdk_arrives_over_otlp_json() -> Result<()> {
    every_sdk_arrives(Encoding::OtlpJson, Elasticsearch::shared()?).await
}

#[tokio::test]
async fn every_sdk_arrives_over_jaeger_protobuf() -> Result<()> {
    every_sdk_arrives(Encoding::Protobuf, Elasticsearch::shared()?).await
}

#[tokio::test]
async fn every_sdk_arrives_over_jaeger_json() -> Result<()> {
    every_sdk_arrives(Encoding::Json, Elasticsearch::shared()?).await
}

#[tokio::test]
async fn every_sdk_arrives_in_elasticsearch_8() -> Result<()> {
    every_sdk_arrives(Encoding::OtlpProto, Elasticsearch::shared8()?).await
}

#[tokio::test]
async fn every_sdk_arrives_in_cassandra_over_otlp_proto() -> Result<()> {
    every_sdk_arrives(Encoding::OtlpProto, Cassandra::shared()?).await
}

#[tokio::test]
async fn every_sdk_arrives_in_cassandra_over_jaeger_protobuf() -> Result<()> {
    every_sdk_arrives(Encoding::Protobuf, Cassandra::shared()?).await
}
