//! Headers, nodes, version and templates.

use super::given::{batch, span};
use super::{config, store};
use crate::{Config, ElasticsearchStore};
use prometheus_client::registry::Registry;
use skua_store::{ErrorKind, SpanReader, SpanWriter, TraceQuery};
use std::io::Read;
use std::time::Duration;
use wiremock::matchers::{any, method, path, path_regex};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

async fn answering(status: u16, body: &str) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(status).set_body_string(body)).mount(&server).await;
    server
}

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request.headers.get(name).map(|v| v.to_str().unwrap()).unwrap_or_default()
}

#[tokio::test]
async fn bodies_are_compressed() {
    let server = answering(200, r#"{"errors":false}"#).await;
    let spans = batch("shop", (1..50).map(|i| span(1, i, "op")).collect());
    let plain = store(config(&server.uri())).await;
    plain.write(&spans).await.unwrap();
    let packed = store(Config { http_compression: true, ..config(&server.uri()) }).await;
    packed.write(&spans).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    assert_eq!((header(&requests[0], "content-encoding"), header(&requests[1], "content-encoding")), ("", "gzip"));
    assert_eq!(header(&requests[1], "content-type"), "application/x-ndjson");
    assert!(requests[1].body.len() * 4 < requests[0].body.len());
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&requests[1].body[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, requests[0].body);
}

#[tokio::test]
async fn secrets_come_from_the_configuration_or_from_files_that_change() {
    let server = answering(200, "{}").await;
    let c = config(&server.uri());
    let basic = Config { username: "u".to_owned(), password: "p".to_owned(), ..c.clone() };
    store(basic).await.services().await.unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "one\n").unwrap();
    let token_file = file.path().to_str().unwrap().to_owned();
    let token = Config { token_file, bearer_token_reload_interval: Duration::from_nanos(1), ..c.clone() };
    let token = store(token).await;
    token.services().await.unwrap();
    std::fs::write(file.path(), "two\n").unwrap();
    token.services().await.unwrap();
    std::fs::remove_file(file.path()).unwrap();
    token.services().await.unwrap();
    let sent = server.received_requests().await.unwrap();
    let sent: Vec<&str> = sent.iter().map(|r| header(r, "authorization")).collect();
    assert_eq!(sent, ["Basic dTpw", "Bearer one", "Bearer two", "Bearer two"]);
    let missing = Config { api_key_file: "/nowhere/key".to_owned(), ..c };
    let e = ElasticsearchStore::connect(missing, &mut Registry::default()).await.err().unwrap();
    assert!(e.kind == ErrorKind::Invalid && e.message.contains("/nowhere/key"), "{e}");
}

#[tokio::test]
async fn a_node_that_is_away_is_passed_over() {
    let server = answering(200, "{}").await;
    let both = Config { server_urls: vec!["http://127.0.0.1:1".to_owned(), server.uri()], ..config("") };
    let store = store(both).await;
    let mut failures = 0;
    for _ in 0..6 {
        failures += u32::from(store.services().await.is_err());
    }
    assert_eq!(failures, 1);
}

#[tokio::test]
async fn templates_are_put_once_and_again_until_that_works() {
    let server = MockServer::start().await;
    let root = r#"{"version":{"number":"8.15.0"},"tagline":"You Know, for Search"}"#;
    Mock::given(method("GET")).and(path("/")).respond_with(ResponseTemplate::new(200).set_body_string(root)).mount(&server).await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(200).set_body_string(r#"{"errors":false}"#))
        .mount(&server)
        .await;
    let store = store(Config { version: 0, create_index_templates: true, ..config(&server.uri()) }).await;
    let e = store.ready().await.unwrap_err();
    assert!(e.is_retryable() && e.message.contains("_index_template/jaeger-span"), "{e}");
    Mock::given(path_regex("^/_index_template/jaeger-(span|service)$"))
        .respond_with(ResponseTemplate::new(200))
        .expect(2)
        .mount(&server)
        .await;
    for _ in 0..2 {
        store.write(&batch("shop", vec![span(1, 1, "op")])).await.unwrap();
    }
}

#[tokio::test]
async fn opensearch_is_treated_as_7_and_6_is_refused() {
    let root = r#"{"version":{"number":"2.19.5","distribution":"opensearch"},"tagline":"The OpenSearch Project: https://opensearch.org/"}"#;
    let server = answering(200, root).await;
    let c = Config { version: 0, create_index_templates: true, ..config(&server.uri()) };
    store(c).await.ready().await.unwrap();
    let paths = server.received_requests().await.unwrap();
    let paths: Vec<&str> = paths.iter().map(|r| r.url.path()).collect();
    assert_eq!(paths, ["/", "/_template/jaeger-span", "/_template/jaeger-service"]);
    let e = store(Config { version: 6, ..config(&server.uri()) }).await.ready().await.unwrap_err();
    assert_eq!(e.kind, ErrorKind::Unsupported);
}

/// A shard without documents does not look at the query, so that a wrong regular expression fails on some shards only.
#[tokio::test]
async fn failed_shards_are_told() {
    let query = TraceQuery {
        service: "s".to_owned(),
        operation: String::new(),
        tags: Vec::new(),
        start_min: 0,
        start_max: 1,
        duration_min: 0,
        duration_max: 0,
        limit: 1,
    };
    let shards = |kind: &str| {
        format!(
            r#"{{"_shards":{{"total":5,"failed":1,"failures":[{{"shard":0,"reason":{{"type":"{kind}","reason":"why"}}}}]}},
            "hits":{{"hits":[]}},"aggregations":{{"list":{{"sum_other_doc_count":0,"buckets":[]}}}}}}"#
        )
    };
    let server = answering(200, &shards("node_disconnected_exception")).await;
    let found = store(config(&server.uri())).await.find(&query).await.unwrap();
    assert_eq!(found.partial, ["1 of 5 shards failed: node_disconnected_exception: why"]);
    let server = answering(200, &shards("query_shard_exception")).await;
    assert_eq!(store(config(&server.uri())).await.find(&query).await.unwrap_err().kind, ErrorKind::Invalid);
}

#[tokio::test]
async fn metrics_have_jaegers_names() {
    let server = answering(200, r#"{"errors":false}"#).await;
    let mut registry = Registry::default();
    let store = ElasticsearchStore::connect(config(&server.uri()), &mut registry).await.unwrap();
    store.write(&batch("shop", vec![span(1, 1, "op")])).await.unwrap();
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    for line in [
        "jaeger_storage_bulk_index_attempts_total{kind=\"elasticsearch\",role=\"primary\"} 2",
        "jaeger_storage_bulk_index_inserts_total{kind=\"elasticsearch\",role=\"primary\"} 2",
        "jaeger_storage_bulk_index_errors_total{kind=\"elasticsearch\",role=\"primary\"} 0",
        "jaeger_storage_spans_attempts_total{kind=\"elasticsearch\",role=\"primary\"} 1",
        "jaeger_storage_bulk_index_latency_ok_count{kind=\"elasticsearch\",role=\"primary\"} 1",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}
