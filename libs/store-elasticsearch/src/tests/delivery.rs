//! Each document gets an outcome, whatever the server answers.

use super::given::{batch, span};
use super::{config, store};
use skua_model::SpanBatch;
use skua_store::{ErrorKind, SpanWriter};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// The names of the spans in a bulk body.
fn names(request: &Request) -> Vec<String> {
    let lines = std::str::from_utf8(&request.body).unwrap().lines();
    let documents = lines.map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap());
    documents.filter(|d| d["spanID"].is_string()).map(|d| d["operationName"].as_str().unwrap().to_owned()).collect()
}

/// An outcome for each document of a request; a pair of service and operation is always stored.
fn outcomes(request: &Request, of: impl Fn(&str) -> (u16, &'static str)) -> ResponseTemplate {
    let text = std::str::from_utf8(&request.body).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let outcome = |pair: &[&str]| {
        let document: serde_json::Value = serde_json::from_str(pair[1]).unwrap();
        if document["spanID"].is_null() {
            return serde_json::json!({"index": {"status": 200}});
        }
        match of(document["operationName"].as_str().unwrap()) {
            (201, _) => serde_json::json!({"create": {"status": 201}}),
            (status, kind) => serde_json::json!({"create": {"status": status, "error": {"type": kind, "reason": "because"}}}),
        }
    };
    let items: Vec<_> = lines.chunks(2).map(outcome).collect();
    let body = format!(r#"{{"errors":true,"items":{}}}"#, serde_json::json!(items));
    ResponseTemplate::new(200).set_body_string(body)
}

/// A server that answers each request by its number, from 0.
async fn server(answer: impl Fn(usize, &Request) -> ResponseTemplate + Send + Sync + 'static) -> MockServer {
    let server = MockServer::start().await;
    let number = AtomicUsize::new(0);
    Mock::given(method("POST"))
        .and(path("/_bulk"))
        .respond_with(move |r: &Request| answer(number.fetch_add(1, Ordering::Relaxed), r))
        .mount(&server)
        .await;
    server
}

async fn sent(server: &MockServer) -> Vec<Vec<String>> {
    server.received_requests().await.unwrap().iter().map(names).collect()
}

fn spans(names: &[&str]) -> SpanBatch {
    batch("shop", names.iter().zip(1..).map(|(n, i)| span(1, i, n)).collect())
}

fn all_well() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_string(r#"{"errors":false,"items":[{"create":{"status":201}}]}"#)
}

#[tokio::test]
async fn only_what_was_not_taken_is_sent_again() {
    let server = server(|n, r| outcomes(r, |name| if name == "busy" && n < 2 { (429, "queue") } else { (201, "") })).await;
    let written = store(config(&server.uri())).await.write(&spans(&["a", "busy", "b"])).await.unwrap();
    assert_eq!((written.stored, written.refused.len()), (3, 0));
    assert_eq!(sent(&server).await, [vec!["a", "busy", "b"], vec!["busy"], vec!["busy"]]);
}

#[tokio::test]
async fn a_document_of_an_earlier_try_counts_as_stored() {
    let server = server(|_, r| outcomes(r, |_| (409, "version_conflict_engine_exception"))).await;
    assert_eq!(store(config(&server.uri())).await.write(&spans(&["a", "b"])).await.unwrap().stored, 2);
}

#[tokio::test]
async fn what_is_refused_for_good_is_named_with_the_reason() {
    let server = server(|n, r| {
        outcomes(r, move |name| match name {
            "bad" => (400, "mapper_parsing_exception"),
            "busy" if n == 0 => (503, "unavailable_shards_exception"),
            _ => (201, ""),
        })
    })
    .await;
    let written = store(config(&server.uri())).await.write(&spans(&["a", "busy", "bad"])).await.unwrap();
    assert_eq!((written.stored, written.refused.len()), (2, 1));
    let refused = &written.refused[0];
    assert_eq!((refused.span, refused.reason, refused.detail.as_str()), (2, "mapping", "mapper_parsing_exception: because"));
    assert_eq!(sent(&server).await[1], ["busy"]);
}

#[tokio::test]
async fn a_request_that_is_too_long_is_halved() {
    let server = server(|_, r| {
        let long = names(r).len() > 2 || names(r).iter().any(|n| n == "huge");
        if long { ResponseTemplate::new(413) } else { all_well() }
    })
    .await;
    let written = store(config(&server.uri())).await.write(&spans(&["a", "b", "huge", "c", "d"])).await.unwrap();
    assert_eq!(written.stored, 4);
    assert_eq!((written.refused[0].span, written.refused[0].reason), (2, "too-large"));
}

#[tokio::test]
async fn a_server_that_stays_busy_is_given_up_after_a_few_pauses() {
    let server = server(|_, _| ResponseTemplate::new(429).insert_header("retry-after", "7").set_body_string("{}")).await;
    let e = store(config(&server.uri())).await.write(&spans(&["a"])).await.unwrap_err();
    assert_eq!((e.kind, e.retry_after), (ErrorKind::Overloaded, Some(Duration::from_secs(7))));
    assert_eq!(sent(&server).await.len(), 5);
}

#[tokio::test]
async fn a_server_that_comes_back_gets_everything() {
    let server = server(|n, _| if n < 3 { ResponseTemplate::new(503) } else { all_well() }).await;
    assert_eq!(store(config(&server.uri())).await.write(&spans(&["a", "b"])).await.unwrap().stored, 2);
}

#[tokio::test]
async fn nobody_there_is_unavailable() {
    let e = store(config("http://127.0.0.1:1")).await.write(&spans(&["a"])).await.unwrap_err();
    assert_eq!(e.kind, ErrorKind::Unavailable);
    assert!(e.is_retryable() && e.message.contains("127.0.0.1:1"), "{e}");
}

#[tokio::test]
async fn wrong_credentials_are_no_fault_of_the_spans() {
    let body = r#"{"error":{"type":"security_exception","reason":"unable to authenticate user [u]"},"status":401}"#;
    let server = server(move |_, _| ResponseTemplate::new(401).set_body_string(body)).await;
    let e = store(config(&server.uri())).await.write(&spans(&["a"])).await.unwrap_err();
    assert!(e.is_retryable() && e.message.contains("unable to authenticate user [u]"), "{e}");
}

/// A pair of service and operation goes along with the first span that has it, and again until it was stored.
#[tokio::test]
async fn services_are_remembered_once_stored() {
    let server = server(|n, _| if n < 5 { ResponseTemplate::new(503) } else { all_well() }).await;
    let store = store(config(&server.uri())).await;
    assert!(store.write(&spans(&["a"])).await.is_err());
    store.write(&spans(&["a", "a"])).await.unwrap();
    store.write(&spans(&["a", "b"])).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    let pairs =
        |r: &Request| String::from_utf8(r.body.clone()).unwrap().matches("{\"index\":{\"_index\":\"jaeger-service-").count();
    let pairs: Vec<usize> = requests.iter().map(pairs).collect();
    assert_eq!(pairs, [1, 1, 1, 1, 1, 1, 1]);
    let last = String::from_utf8(requests[6].body.clone()).unwrap();
    assert!(last.contains("{\"serviceName\":\"shop\",\"operationName\":\"b\"}"));
}
