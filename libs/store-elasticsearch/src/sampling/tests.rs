//! What is sent and how answers are taken; the suite that real servers pass is in `tests/real.rs`.

use super::document::*;
use super::*;
use crate::{AdaptiveSampling, Config};
use prometheus_client::registry::Registry;
use serde_json::Value;
use skua_store::sampling::Lease;
use std::time::Duration;
use wiremock::matchers::{any, method, path, path_regex, query_param};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// 2026-01-25 07:00:00.123456 UTC.
const AT: u64 = 1_769_324_400_123_456;

fn throughput(service: &str, operation: &str, count: u64, probabilities: &[&str]) -> Throughput {
    let probabilities = probabilities.iter().map(|&p| p.to_owned()).collect();
    Throughput { service: service.to_owned(), operation: operation.to_owned(), count, probabilities }
}

fn written(put: impl Fn(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    put(&mut out);
    String::from_utf8(out).unwrap()
}

/// Byte for byte what Jaeger 1.76 writes.
#[test]
fn documents_are_jaegers() {
    let one = throughput("shop <1>", "GET /\"x\"", 7, &["0.500000", "0.001000"]);
    for (at, time) in [
        (AT, "2026-01-25T07:00:00.123456Z"),
        (AT - AT % 1_000_000 + 500_000, "2026-01-25T07:00:00.5Z"),
        (AT - AT % 1_000_000, "2026-01-25T07:00:00Z"),
    ] {
        let want = format!(
            r#"{{"timestamp":"{time}","throughputs":{{"Service":"shop \u003c1\u003e","Operation":"GET /\"x\"","Count":7,"Probabilities":{{"0.001000":{{}},"0.500000":{{}}}}}}}}"#
        );
        assert_eq!(written(|out| put_throughput(out, at, &one)), want);
        assert_eq!(read_throughput(&want).unwrap(), Some(one.clone()));
    }
    let shop = [("b".to_owned(), 1e-5), ("a".to_owned(), 1.0 / 3.0), ("c".to_owned(), 1e-7)].into();
    let probabilities: ByOperation = [("shop".to_owned(), shop), ("bank".to_owned(), [("x".to_owned(), 1.0)].into())].into();
    let qps: ByOperation = [("shop".to_owned(), [("a".to_owned(), 0.0)].into())].into();
    let want = r#"{"timestamp":"2026-01-25T07:00:00.123456Z","probabilitiesandqps":{"Hostname":"host-1","Probabilities":{"bank":{"x":1},"shop":{"a":0.3333333333333333,"b":0.00001,"c":1e-7}},"QPS":{"shop":{"a":0}}}}"#;
    assert_eq!(written(|out| put_probabilities(out, AT, "host-1", &probabilities, &qps)), want);
    assert_eq!(read_probabilities(want).unwrap(), probabilities);
    assert_eq!(read_throughput(want).unwrap(), None, "the other kind");
}

/// Jaeger writes `null` where it has no probabilities.
#[test]
fn nulls_are_nothing() {
    let one =
        r#"{"timestamp":"2026-01-25T07:00:00Z","throughputs":{"Service":"a","Operation":"b","Count":-1,"Probabilities":null}}"#;
    assert_eq!(read_throughput(one).unwrap(), Some(throughput("a", "b", 0, &[])));
    let none = r#"{"timestamp":"2026-01-25T07:00:00Z","probabilitiesandqps":{"Hostname":"","Probabilities":null,"QPS":null}}"#;
    assert_eq!(read_probabilities(none).unwrap(), ByOperation::new());
}

fn config(url: &str) -> Config {
    Config {
        server_urls: vec![url.to_owned()],
        create_index_templates: false,
        http_compression: false,
        index_prefix: "foo".to_owned(),
        ..Config::default()
    }
}

async fn sampling(config: Config) -> ElasticsearchSampling {
    ElasticsearchSampling::new(ElasticsearchStore::connect(config, &mut Registry::default()).await.unwrap())
}

async fn on(server: &MockServer, verb: &str, at: &str, status: u16, body: &str) {
    let answer = ResponseTemplate::new(status).set_body_string(body);
    Mock::given(method(verb)).and(path(at)).respond_with(answer).mount(server).await;
}

fn text(request: &Request) -> String {
    String::from_utf8(request.body.clone()).unwrap()
}

#[tokio::test]
async fn throughput_is_written_in_bulk() {
    let server = MockServer::start().await;
    Mock::given(path("/_bulk"))
        .respond_with(ResponseTemplate::new(200).set_body_string(r#"{"errors":false}"#))
        .mount(&server)
        .await;
    let mut config = config(&server.uri());
    config.bulk.actions = 2;
    let sampling = sampling(config).await;
    sampling.insert_throughput(AT, &[]).await.unwrap();
    let three: Vec<_> = (1..=3).map(|i| throughput("s", "o", i, &[])).collect();
    sampling.insert_throughput(AT, &three).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    let lines: Vec<usize> = requests.iter().map(|r| text(r).lines().count()).collect();
    assert_eq!(lines, [4, 2], "two documents a request, each with its action");
    assert!(text(&requests[0]).starts_with("{\"create\":{\"_index\":\"foo-jaeger-sampling-2026-01-25\"}}\n{\"timestamp\":"));
}

/// A document that is refused is an error that says why: the counts would be too low.
#[tokio::test]
async fn a_refused_document_is_an_error() {
    let server = MockServer::start().await;
    let answer = r#"{"errors":true,"items":[{"create":{"status":201}},{"create":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"queue"}}}]}"#;
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_string(answer)).mount(&server).await;
    let two = [throughput("s", "o", 1, &[]), throughput("s", "p", 1, &[])];
    let e = sampling(config(&server.uri())).await.insert_throughput(AT, &two).await.unwrap_err();
    assert_eq!(e.kind, ErrorKind::Overloaded);
    assert!(e.message.contains("refused 1 of 2 documents: es_rejected_execution_exception: queue"), "{e}");
}

/// The template is put once, before the first write, and again until that works.
#[tokio::test]
async fn the_template_keeps_names_out_of_the_mapping() {
    let server = MockServer::start().await;
    let config = Config { create_index_templates: true, version: 8, num_shards: 2, ..config(&server.uri()) };
    let sampling = sampling(config).await;
    let none = ByOperation::new();
    assert!(sampling.insert_probabilities_and_qps(AT, "h", &none, &none).await.is_err());
    on(&server, "PUT", "/_index_template/foo-jaeger-sampling", 200, "{}").await;
    on(&server, "POST", "/foo-jaeger-sampling-2026-01-25/_doc", 201, "{}").await;
    for _ in 0..2 {
        sampling.insert_probabilities_and_qps(AT, "h", &none, &none).await.unwrap();
    }
    let requests = server.received_requests().await.unwrap();
    let puts: Vec<_> = requests.iter().filter(|r| r.method.as_str() == "PUT").collect();
    assert_eq!((puts.len(), requests.len()), (2, 4));
    let body: Value = serde_json::from_slice(&puts[1].body).unwrap();
    assert_eq!(body["index_patterns"], "foo-jaeger-sampling-*");
    let settings = json!({
        "index.number_of_shards": 2, "index.number_of_replicas": 1,
        "index.mapping.nested_fields.limit": 50, "index.requests.cache.enable": false,
    });
    assert_eq!(body["template"]["settings"], settings, "Jaeger's");
    let kept = json!({"type": "object", "enabled": false});
    let properties = &body["template"]["mappings"]["properties"];
    assert_eq!(properties["throughputs"]["properties"]["Probabilities"], kept);
    assert_eq!(properties["probabilitiesandqps"]["properties"]["QPS"], kept);
}

#[tokio::test]
async fn latest_probabilities_are_looked_for_within_the_lookback() {
    let server = MockServer::start().await;
    let found = r#"{"hits":{"hits":[{"_id":"1","_source":{"timestamp":"2026-01-25T07:00:00Z","probabilitiesandqps":{"Hostname":"h","Probabilities":{"s":{"o":0.5}},"QPS":{}}}}]}}"#;
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_string(found)).mount(&server).await;
    let lookback = AdaptiveSampling { lookback: Duration::from_secs(24 * 3600) };
    let sampling = sampling(Config { adaptive_sampling: lookback, ..config(&server.uri()) }).await;
    assert_eq!(sampling.latest_probabilities().await.unwrap()["s"]["o"], 0.5);
    let requests = server.received_requests().await.unwrap();
    let indices = requests[0].url.path().split("%2C").count();
    assert_eq!(indices, 2, "today's and yesterday's: {}", requests[0].url);
    assert!(text(&requests[0]).contains(r#""sort":[{"timestamp":{"order":"desc","unmapped_type":"date"}}]"#));
}

/// Counts that a failed shard may have are not passed over.
#[tokio::test]
async fn half_an_answer_is_an_error() {
    let server = MockServer::start().await;
    let half = r#"{"_shards":{"total":5,"failed":1,"failures":[{"reason":{"type":"x","reason":"gone"}}]},"hits":{"hits":[]}}"#;
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_string(half)).mount(&server).await;
    let sampling = sampling(config(&server.uri())).await;
    for e in [sampling.throughput(AT, AT + 1).await.unwrap_err(), sampling.latest_probabilities().await.unwrap_err()] {
        assert!(e.kind == ErrorKind::Unavailable && e.message.contains("1 of 5 shards failed: x: gone"), "{e}");
    }
}

/// A scroll is ended whatever becomes of it.
#[tokio::test]
async fn a_failed_scroll_is_ended() {
    let server = MockServer::start().await;
    let page = r#"{"_scroll_id":"s1","hits":{"hits":[{"_id":"1","_source":{"throughputs":{"Service":"s","Operation":"o","Count":1}}}]}}"#;
    Mock::given(path_regex("^/foo-jaeger-sampling-.*/_search$"))
        .respond_with(ResponseTemplate::new(200).set_body_string(page))
        .mount(&server)
        .await;
    on(&server, "POST", "/_search/scroll", 503, "{}").await;
    on(&server, "DELETE", "/_search/scroll", 200, "{}").await;
    let sampling = sampling(Config { max_doc_count: 1, ..config(&server.uri()) }).await;
    assert_eq!(sampling.throughput(AT, AT + 1000).await.unwrap_err().kind, ErrorKind::Unavailable);
    let requests = server.received_requests().await.unwrap();
    let last = requests.last().unwrap();
    assert_eq!((last.method.as_str(), text(last).as_str()), ("DELETE", r#"{"scroll_id":["s1"]}"#));
}

/// Every write of a lease depends on nothing having changed since it was read; who comes second does not get it.
#[tokio::test]
async fn a_lease_is_written_on_condition() {
    const LEASE: &str = "/foo-jaeger-leases/_doc/r";
    const TTL: Duration = Duration::from_secs(60);
    let server = MockServer::start().await;
    let sampling = sampling(config(&server.uri())).await;
    on(&server, "GET", LEASE, 404, "{}").await;
    on(&server, "PUT", "/foo-jaeger-leases/_create/r", 409, "{}").await;
    assert!(!sampling.acquire("r", "a", TTL, AT).await.unwrap(), "another was faster");
    server.reset().await;
    let held = r#"{"_seq_no":5,"_primary_term":2,"found":true,"_source":{"owner":"b","expires":1769324400124}}"#;
    on(&server, "GET", LEASE, 200, held).await;
    assert!(!sampling.acquire("r", "a", TTL, AT).await.unwrap(), "b has it for another millisecond");
    let condition = Mock::given(method("PUT")).and(path(LEASE)).and(query_param("if_seq_no", "5"));
    condition.and(query_param("if_primary_term", "2")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    assert!(sampling.acquire("r", "a", TTL, AT + 1000).await.unwrap(), "it has expired");
    let requests = server.received_requests().await.unwrap();
    assert_eq!(text(requests.last().unwrap()), r#"{"expires":1769324460124,"owner":"a"}"#);
    assert!(!sampling.forfeit("r", "a").await.unwrap(), "b's");
    on(&server, "DELETE", LEASE, 409, "{}").await;
    assert!(!sampling.forfeit("r", "b").await.unwrap(), "changed in between");
    server.reset().await;
    on(&server, "GET", LEASE, 503, "{}").await;
    let e = sampling.acquire("r", "a", TTL, AT).await.unwrap_err();
    assert!(e.is_retryable() && e.message.contains("acquire the lease r"), "{e}");
}
