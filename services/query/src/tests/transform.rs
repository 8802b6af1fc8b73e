//! OTLP JSON in, Jaeger's traces out.

use super::*;
use std::io::Write;

const ONE: &str = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[
    {"traceId":"0000000000000000000000000000abcd","spanId":"0000000000000001","parentSpanId":"0000000000000009","name":"op"}]}]}]}"#;

const SPAN: &str = r#"{"traceID":"000000000000abcd","spanID":"0000000000000001","operationName":"op","references":[{"refType":"CHILD_OF","traceID":"000000000000abcd","spanID":"0000000000000009"}],"startTime":0,"duration":0,"tags":[],"logs":[],"processID":"p1","warnings":null}"#;

async fn post(body: impl Into<Body>, headers: &[(&str, &str)]) -> Got {
    let app = over(MemoryStore::new(MemoryConfig::default()), &config("/", &[]));
    send_body(&app, "POST", "/api/transform", headers, body).await
}

fn error(got: &Got) -> String {
    let json = got.json();
    assert_eq!((&json["data"], &json["errors"][0]["code"]), (&Value::Null, &json!(got.status)));
    json["errors"][0]["msg"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_trace() {
    let trace = format!(
        r#"{{"traceID":"000000000000abcd","spans":[{SPAN}],"processes":{{"p1":{{"serviceName":"OTLPResourceNoServiceName","tags":[]}}}},"warnings":null}}"#
    );
    let want = format!(r#"{{"data":[{trace}],"total":0,"limit":0,"offset":0,"errors":null}}"#);
    let got = post(ONE, &[]).await;
    assert_eq!((got.status, got.header("content-type")), (200, "application/json"));
    assert_eq!(got.body, want, "not adjusted: no warning about its parent");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(ONE.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    assert_eq!(post(packed, &[("content-encoding", "gzip")]).await.body, want);
    assert_eq!(post("{}", &[]).await.body, r#"{"data":[],"total":0,"limit":0,"offset":0,"errors":null}"#);
}

#[tokio::test]
async fn what_is_no_otlp() {
    for body in ["", "x", "[]", r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":5}]}]}]}"#] {
        let got = post(body, &[]).await;
        assert_eq!(got.status, 400, "{body}");
        assert!(error(&got).starts_with("cannot unmarshal OTLP : "), "{}", got.body);
    }
    let got = post("x", &[("content-encoding", "br")]).await;
    assert_eq!(got.status, 415, "{}", got.body);
    let zero = ONE.replace("0000000000000001", "0000000000000000");
    let got = post(zero, &[]).await.json();
    assert_eq!(
        (&got["data"], &got["errors"]),
        (&json!([]), &json!([{"msg": "1 span refused: the span id is absent or all zero"}]))
    );
}

#[tokio::test]
async fn a_body_is_bounded() {
    let got = post(vec![b' '; skua_receive::http::DEFAULT_MAX_BODY + 1], &[]).await;
    assert_eq!(got.status, 413);
    let message = error(&got);
    assert!(message.starts_with("the request body is larger than 20971520 bytes"), "{message}");
}

#[tokio::test]
async fn only_post() {
    let got = get(&super::app().await, "/api/transform").await;
    assert_eq!((got.status, got.header("allow")), (405, "POST"));
}
