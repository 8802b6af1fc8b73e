//! Receivers without a socket: requests go into the service, an intake that answers as told stands behind it.

use crate::{Accepted, Format, Intake, Rejection, RejectionKind, grpc, http};
use ::http::{Request, StatusCode};
use async_trait::async_trait;
use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tower::ServiceExt;

/// Remembers what it was given and answers what it was told.
struct Told {
    answer: Result<Accepted, Rejection>,
    given: Mutex<Vec<(Bytes, Format)>>,
}

#[async_trait]
impl Intake for Told {
    async fn accept(&self, request: Bytes, format: Format) -> Result<Accepted, Rejection> {
        self.given.lock().unwrap().push((request, format));
        self.answer.clone()
    }
}

fn told(answer: Result<Accepted, Rejection>) -> Arc<Told> {
    Arc::new(Told { answer, given: Mutex::default() })
}

fn full() -> Rejection {
    let retry_after = Some(Duration::from_millis(1500));
    Rejection { kind: RejectionKind::Full, message: "too many spans wait".into(), retry_after }
}

async fn post(intake: Arc<Told>, headers: &[(&str, &str)], body: Vec<u8>) -> (StatusCode, ::http::HeaderMap, Bytes) {
    let mut request = Request::post("/v1/traces");
    for (k, v) in headers {
        request = request.header(*k, *v);
    }
    let router = http::router(&http::Options { max_body: 1000, ..Default::default() }, intake);
    let response = router.oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    (parts.status, parts.headers, body.collect().await.unwrap().to_bytes())
}

const PROTO: (&str, &str) = ("content-type", "application/x-protobuf");
const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut e = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    e.write_all(body).unwrap();
    e.finish().unwrap()
}

#[tokio::test]
async fn http_hands_on_what_came_and_answers_in_its_encoding() {
    let all = told(Ok(Accepted::default()));
    let (status, headers, body) = post(all.clone(), &[PROTO], b"abc".to_vec()).await;
    assert_eq!((status, &body[..]), (StatusCode::OK, &[0x0a, 0x00][..]));
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let (status, headers, body) = post(all.clone(), &[JSON], b"{}".to_vec()).await;
    assert_eq!((status, &body[..]), (StatusCode::OK, &b"{\"partialSuccess\":{}}"[..]));
    assert_eq!(headers["content-type"], "application/json");
    for (encoding, body) in [("gzip", gzip(b"zipped")), ("zstd", zstd::encode_all(&b"zipped"[..], 1).unwrap())] {
        let (status, ..) = post(all.clone(), &[PROTO, ("content-encoding", encoding)], body).await;
        assert_eq!(status, StatusCode::OK);
    }
    let given = all.given.lock().unwrap();
    let want =
        [("abc", Format::OtlpProto), ("{}", Format::OtlpJson), ("zipped", Format::OtlpProto), ("zipped", Format::OtlpProto)];
    assert_eq!(*given, want.map(|(b, f)| (Bytes::from(b), f)));
}

#[tokio::test]
async fn http_says_what_is_wrong() {
    let all = told(Ok(Accepted::default()));
    let (status, _, body) = post(all.clone(), &[("content-type", "text/plain")], vec![]).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(body, "415 unsupported media type, supported: [application/json, application/x-protobuf]");
    let (status, ..) = post(all.clone(), &[PROTO], vec![0; 1001]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let (status, _, body) = post(all.clone(), &[JSON, ("content-encoding", "gzip")], gzip(&[0; 100_000])).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "a bomb is not unpacked");
    assert!(body.starts_with(b"{\"code\":3,\"message\":\"the request body is larger than 1000 bytes"), "{body:?}");
    let (status, ..) = post(all.clone(), &[PROTO, ("content-encoding", "gzip")], b"not gzip".to_vec()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, ..) = post(all.clone(), &[PROTO, ("content-encoding", "br")], vec![]).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(all.given.lock().unwrap().is_empty());
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
    let cors = http::Cors { allowed_origins, allowed_headers: vec!["x-tenant".into()] };
    let router = http::router(&http::Options { max_body: 1000, cors }, told(Ok(Accepted::default())));
    for (origin, allowed) in [("https://a.example.com", true), ("http://shop", true), ("http://evil", false)] {
        let ask = Request::options("/v1/traces")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type,x-tenant");
        let answer = router.clone().oneshot(ask.body(Body::empty()).unwrap()).await.unwrap();
        let told = answer.headers().get("access-control-allow-origin").map(|v| v.to_str().unwrap());
        assert_eq!(told, allowed.then_some(origin));
        let headers = answer.headers()["access-control-allow-headers"].to_str().unwrap();
        assert!(headers.contains("x-tenant") && headers.contains("content-type"), "{headers}");
    }
}

async fn call(intake: Arc<Told>, max: usize, body: Vec<u8>, encoding: Option<&str>) -> (::http::HeaderMap, Bytes) {
    let mut framed = vec![u8::from(encoding.is_some())];
    framed.extend((body.len() as u32).to_be_bytes());
    framed.extend(body);
    let mut request =
        Request::post("/opentelemetry.proto.collector.trace.v1.TraceService/Export").header("content-type", "application/grpc");
    if let Some(encoding) = encoding {
        request = request.header("grpc-encoding", encoding);
    }
    let limits =
        grpc::Limits { max_message_size: max, max_connection_age: Duration::ZERO, max_connection_age_grace: Duration::ZERO };
    let body = tonic::body::Body::new(http_body_util::Full::new(Bytes::from(framed)));
    let response = grpc::otlp_service(limits, intake).oneshot(request.body(body).unwrap()).await.unwrap();
    let (mut parts, body) = response.into_parts();
    let collected = body.collect().await.unwrap();
    parts.headers.extend(collected.trailers().cloned().unwrap_or_default());
    (parts.headers, collected.to_bytes())
}

#[tokio::test]
async fn grpc_hands_on_the_message_as_it_came() {
    let all = told(Ok(Accepted::default()));
    let (headers, body) = call(all.clone(), 100, b"abc".to_vec(), None).await;
    assert_eq!((&headers["grpc-status"], &body[..]), (&"0".parse().unwrap(), &[0; 5][..]));
    let (headers, _) = call(all.clone(), 100, gzip(b"abc"), Some("gzip")).await;
    assert_eq!(headers["grpc-status"], "0");
    assert!(all.given.lock().unwrap().iter().all(|(b, f)| b == "abc" && *f == Format::OtlpProto));
}

#[tokio::test]
async fn grpc_reports_partial_success() {
    let some = told(Ok(Accepted { refused: 2, why: "2 spans refused".into() }));
    let (_, body) = call(some, 100, vec![], None).await;
    assert_eq!(&body[5..], b"\x0a\x13\x08\x02\x12\x0f2 spans refused");
}

#[tokio::test]
async fn grpc_tells_a_sender_to_come_again_later() {
    let (headers, _) = call(told(Err(full())), 100, vec![], None).await;
    assert_eq!(headers["grpc-status"], "8");
    let details = headers["grpc-status-details-bin"].as_bytes();
    assert!(!details.is_empty(), "RetryInfo is in the details");
}

#[tokio::test]
async fn grpc_bounds_messages_before_and_after_decompression() {
    let all = told(Ok(Accepted::default()));
    for (body, encoding) in [(vec![0; 101], None), (gzip(&[0; 100_000]), Some("gzip"))] {
        let (headers, _) = call(all.clone(), 100, body, encoding).await;
        assert_eq!(headers["grpc-status"], "8", "as Go's servers; OUT_OF_RANGE would be sent again and again");
        assert!(!headers.contains_key("grpc-status-details-bin"), "without RetryInfo it is final");
    }
    assert!(all.given.lock().unwrap().is_empty());
}
