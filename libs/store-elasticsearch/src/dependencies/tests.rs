//! What is written, word for word; the suite that real servers pass is in `tests/real.rs`.

use super::*;
use crate::Config;
use prometheus_client::registry::Registry;
use skua_store::ErrorKind;
use wiremock::matchers::{any, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// 2026-01-25 07:00:00.123456 UTC.
const AT: u64 = 1_769_324_400_123_456;

fn link(parent: &str, call_count: u64, source: &str) -> DependencyLink {
    DependencyLink { parent: parent.to_owned(), child: "to".to_owned(), call_count, source: source.to_owned() }
}

/// Byte for byte what Jaeger 1.76 writes, but for a source that it would drop.
#[test]
fn documents_are_jaegers() {
    let links = [link("a <1>", 7, ""), link("b", u64::MAX, "jaeger"), link("c", 0, "mesh")];
    let want = r#"{"timestamp":"2026-01-25T07:00:00.123456Z","dependencies":[{"parent":"a \u003c1\u003e","child":"to","callCount":7},{"parent":"b","child":"to","callCount":9223372036854775807},{"parent":"c","child":"to","callCount":0,"source":"mesh"}]}"#;
    let written = String::from_utf8(document(AT, &links)).unwrap();
    assert_eq!(written, want);
    let mut all = Vec::new();
    read(&written, &mut all).unwrap();
    assert_eq!(all, [link("a <1>", 7, "jaeger"), link("b", i64::MAX as u64, "jaeger"), link("c", 0, "mesh")]);
}

/// Scenario: a write, to a server that fails at first. Guarantees: the template goes first, once, until it works; the document's
/// place is its time.
#[tokio::test]
async fn a_time_is_a_document() {
    let server = MockServer::start().await;
    let config = Config { server_urls: vec![server.uri()], version: 8, index_prefix: "foo".to_owned(), ..Config::default() };
    let store = ElasticsearchStore::connect(config, &mut Registry::default()).await.unwrap();
    let dependencies = ElasticsearchDependencies::new(store);
    Mock::given(any()).respond_with(ResponseTemplate::new(503)).mount(&server).await;
    let e = dependencies.write_dependencies(AT, &[link("a", 1, "")]).await.unwrap_err();
    assert!(e.is_retryable() && e.message.contains("_index_template/foo-jaeger-dependencies"), "{e}");
    server.reset().await;
    Mock::given(method("PUT")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    dependencies.write_dependencies(AT, &[]).await.unwrap();
    for _ in 0..2 {
        dependencies.write_dependencies(AT, &[link("a", 1, "")]).await.unwrap();
    }
    let paths: Vec<String> = server.received_requests().await.unwrap().iter().map(|r| r.url.path().to_owned()).collect();
    let document = "/foo-jaeger-dependencies-2026-01-25/_doc/1769324400123";
    assert_eq!(paths, ["/_index_template/foo-jaeger-dependencies", document, document]);
}

/// Scenario: an answer that is not complete. Guarantees: it is an error and not a part of the links.
#[tokio::test]
async fn a_part_is_an_error() {
    let server = MockServer::start().await;
    let config = Config { server_urls: vec![server.uri()], ..Config::default() };
    let store = ElasticsearchStore::connect(config, &mut Registry::default()).await.unwrap();
    let part = r#"{"_shards":{"total":2,"failed":1,"failures":[]},"hits":{"hits":[]}}"#;
    let days = "/jaeger-dependencies-2026-01-25%2Cjaeger-dependencies-2026-01-24/_search";
    let answer = ResponseTemplate::new(200).set_body_string(part);
    Mock::given(path(days)).respond_with(answer).mount(&server).await;
    let e = ElasticsearchDependencies::new(store).dependencies(AT - 86_400_000_000, AT).await.unwrap_err();
    assert_eq!(e.kind, ErrorKind::Unavailable, "{e}");
}
