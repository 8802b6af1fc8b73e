use super::*;
use crate::http::{Cors, Options, otlp};

async fn post(intake: Arc<Told>, headers: &[(&str, &str)], body: Vec<u8>) -> (StatusCode, HeaderMap, Bytes) {
    let router = otlp::router(&Options { max_body: 1000, ..Default::default() }, intake);
    send(router, "POST", "/v1/traces", headers, body).await
}

const PROTO: (&str, &str) = ("content-type", "application/x-protobuf");
const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");

#[tokio::test]
async fn http_hands_on_what_came_and_answers_in_its_encoding() {
    let all = takes_all();
    let (status, headers, body) = post(all.clone(), &[PROTO], b"abc".to_vec()).await;
    assert_eq!((status, &body[..]), (StatusCode::OK, &[0x0a, 0x00][..]));
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let (status, headers, body) = post(all.clone(), &[JSON], b"{}".to_vec()).await;
    assert_eq!((status, &body[..]), (StatusCode::OK, &b"{\"partialSuccess\":{}}"[..]));
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(all.given(), [("abc", Format::OtlpProto), ("{}", Format::OtlpJson)].map(|(b, f)| (Bytes::from(b), f)));
}

/// Scenario: an exporter made for CnosDB, with its path, user, tenant and database. Guarantee: it is served like any other.
#[tokio::test]
async fn exporters_made_for_cnosdb_are_served() {
    let all = takes_all();
    let headers = [PROTO, ("authorization", "Basic cm9vdDo="), ("tenant", "cnosdb"), ("db", "otlp")];
    let router = otlp::router(&Options::default(), all.clone());
    let (status, _, body) = send(router, "POST", "/api/v1/traces", &headers, b"abc".to_vec()).await;
    assert_eq!((status, &body[..]), (StatusCode::OK, &[0x0a, 0x00][..]));
    assert_eq!(all.given(), [("abc".into(), Format::OtlpProto)]);
}

#[tokio::test]
async fn http_says_what_is_wrong() {
    let all = takes_all();
    let (status, _, body) = post(all.clone(), &[("content-type", "text/plain")], vec![]).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(body, "415 unsupported media type, supported: [application/json, application/x-protobuf]");
    let (status, _, body) = post(all.clone(), &[JSON, ("content-encoding", "gzip")], gzip(&[0; 100_000])).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "a bomb is not unpacked");
    let limit = "larger than 1000 bytes (collector.otlp.http.max-request-body-size)";
    assert!(String::from_utf8_lossy(&body).starts_with(&format!("{{\"code\":3,\"message\":\"the request body is {limit}")));
    for (method, path, status, text) in [
        ("GET", "/v1/traces", 405, "405 method not allowed, supported: [POST]"),
        ("POST", "/v1/metrics", 404, "404 page not found\n"),
    ] {
        let (got, _, body) = send(otlp::router(&Options::default(), all.clone()), method, path, &[], vec![]).await;
        assert_eq!((got.as_u16(), &body[..]), (status, text.as_bytes()));
    }
    assert!(all.given().is_empty());
}

#[tokio::test]
async fn http_tells_a_sender_to_come_again_later() {
    let (status, headers, body) = post(told(Err(full())), &[JSON], b"{}".to_vec()).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(headers["retry-after"], "2");
    assert!(body.starts_with(b"{\"code\":8,\"message\":\"too many spans wait\""), "{body:?}");
}

/// Scenario: browsers ask before they send. Guarantee: pages of allowed origins may, others may not.
#[tokio::test]
async fn browsers_of_allowed_origins_may_send() {
    let allowed_origins = vec!["https://*.example.com".into(), "http://shop".into()];
    let cors = Cors { allowed_origins, allowed_headers: vec!["x-tenant".into()] };
    let router = otlp::router(&Options { cors, ..Default::default() }, takes_all());
    for (origin, allowed) in [("https://a.example.com", true), ("http://shop", true), ("http://evil", false)] {
        let ask = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,x-tenant"),
        ];
        let (_, answer, _) = send(router.clone(), "OPTIONS", "/v1/traces", &ask, vec![]).await;
        let told = answer.get("access-control-allow-origin").map(|v| v.to_str().unwrap());
        assert_eq!(told, allowed.then_some(origin));
        let headers = answer["access-control-allow-headers"].to_str().unwrap();
        assert!(headers.contains("x-tenant") && headers.contains("content-type"), "{headers}");
    }
}
