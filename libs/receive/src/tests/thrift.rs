use super::*;
use crate::http::Options;
use crate::http::thrift::{self, Metrics};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

const THRIFT: (&str, &str) = ("content-type", "application/x-thrift");

async fn post(intake: Arc<Told>, headers: &[(&str, &str)], body: &[u8]) -> (u16, HeaderMap, String) {
    let router = thrift::router(&Options { max_body: 1000, ..Default::default() }, &Metrics::default(), intake, Arc::new(Known));
    let (status, headers, body) = send(router, "POST", "/api/traces", headers, body.to_vec()).await;
    (status.as_u16(), headers, String::from_utf8(body.into()).unwrap())
}

/// Scenario: a Jaeger client, and the OpenTelemetry Go exporter, send a batch over a socket, plain and compressed. Guarantee: 202
/// without a body, and the intake has the bytes.
#[tokio::test]
async fn a_batch_is_accepted() {
    let all = takes_all();
    let intake = all.clone();
    let server = Running::start(async |listener, stop| {
        thrift::serve(listener, &Options::default(), &Metrics::default(), intake, Arc::new(Known), stop).await
    });
    let server = server.await;
    for (media, encoding, body) in [
        ("application/x-thrift", "identity", b"batch".to_vec()),
        ("application/vnd.apache.thrift.binary; charset=utf-8", "identity", b"batch".to_vec()),
        ("Application/X-Thrift;whatever", "gzip", gzip(b"batch")),
    ] {
        let request = client().post(server.url("/api/traces?format=jaeger.thrift")).header("content-type", media);
        let answer = request.header("content-encoding", encoding).body(body).send().await.unwrap();
        assert_eq!(answer.status(), 202);
        assert_eq!(answer.text().await.unwrap(), "");
    }
    assert_eq!(all.given(), vec![(Bytes::from("batch"), Format::JaegerThrift); 3]);
    server.end().await.unwrap();
}

#[tokio::test]
async fn what_is_wrong_is_said_in_jaegers_words() {
    let all = takes_all();
    for (headers, text) in [
        (vec![], "Cannot parse content type: mime: no media type\n"),
        (vec![("content-type", "a b")], "Cannot parse content type: mime: expected slash after first token\n"),
        (vec![("content-type", "application/json; charset=x")], "Unsupported content type: application/json\n"),
        (vec![("content-type", "a/'&")], "Unsupported content type: a/&#39;&amp;\n"),
    ] {
        let (status, headers, body) = post(all.clone(), &headers, b"batch").await;
        assert_eq!((status, body.as_str()), (400, text));
        assert_eq!(headers["content-type"], "text/plain; charset=utf-8");
        assert_eq!(headers["x-content-type-options"], "nosniff");
    }
    let (status, _, body) = post(all.clone(), &[THRIFT], &[0; 1001]).await;
    let text = "Unable to process request body: the request body is larger than 1000 bytes (collector.http-server.max-request-body-size): send smaller batches\n";
    assert_eq!((status, body.as_str()), (413, text));
    assert!(all.given().is_empty());
    let unreadable = told(Err(invalid("*jaeger.Batch field 0 read error: EOF")));
    let (status, _, body) = post(unreadable, &[THRIFT], b"").await;
    assert_eq!((status, body.as_str()), (400, "Unable to process request body: *jaeger.Batch field 0 read error: EOF\n"));
}

/// Scenario: the queue is full, or Kafka away. Guarantee: the sender is told to come again; Jaeger would have said 202 and lost it.
#[tokio::test]
async fn a_batch_without_room_is_not_acknowledged() {
    let away = Rejection { kind: RejectionKind::Unavailable, message: "kafka is away".into(), retry_after: None };
    for (rejection, after, text) in [(full(), "2", "too many spans wait"), (away, "1", "kafka is away")] {
        let (status, headers, body) = post(told(Err(rejection)), &[THRIFT], b"batch").await;
        assert_eq!((status, body), (503, format!("Cannot submit Jaeger batch: {text}\n")));
        assert_eq!(headers["retry-after"], after);
    }
}

#[tokio::test]
async fn other_paths_and_methods_are_not_served() {
    let router = thrift::router(&Options::default(), &Metrics::default(), takes_all(), Arc::new(Known));
    for (method, path, status, text) in [
        ("GET", "/api/traces", 405, ""),
        ("POST", "/api/sampling", 405, ""),
        ("POST", "/api/traces/", 404, "404 page not found\n"),
        ("GET", "/", 404, "404 page not found\n"),
        ("GET", "/api/baggageRestrictions?service=a", 404, "404 page not found\n"),
    ] {
        let (got, _, body) = send(router.clone(), method, path, &[THRIFT], vec![]).await;
        assert_eq!((got.as_u16(), &body[..]), (status, text.as_bytes()), "{method} {path}");
    }
}

#[tokio::test]
async fn remote_samplers_are_answered() {
    let router = thrift::router(&Options::default(), &Metrics::default(), takes_all(), Arc::new(Known));
    let (status, headers, body) = send(router, "GET", "/api/sampling?service=a", &[], vec![]).await;
    assert_eq!((status.as_u16(), &headers["content-type"]), (200, &"application/json".parse().unwrap()));
    assert_eq!(body, r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.5}}"#);
}

/// Guarantee: Jaeger's series are there under its names, those with fixed labels from the start, and paths that somebody makes up
/// cannot multiply without end.
#[tokio::test]
async fn requests_are_counted_under_jaegers_names() {
    let mut registry = Registry::default();
    let metrics = Metrics::new("jaeger_collector", &mut registry);
    let series = |registry: &Registry, start: &str| {
        let mut text = String::new();
        encode(&mut text, registry).unwrap();
        let found: Vec<_> = text.lines().filter(|l| l.starts_with(start)).map(str::to_owned).collect();
        found
    };
    let name = "jaeger_collector_http_request_duration_count";
    let other = r#"{method="other",path="other",status="other"}"#;
    assert_eq!(series(&registry, name), [format!("{name}{other} 0")]);
    assert_eq!(series(&registry, "jaeger_collector_http_server_requests_total").len(), 2);
    assert_eq!(series(&registry, "jaeger_collector_http_server_errors_total").len(), 5);

    let router = thrift::router(&Options::default(), &metrics, takes_all(), Arc::new(Known));
    send(router.clone(), "POST", "/api/traces", &[THRIFT], vec![]).await;
    for query in ["", "service=a", "service=away"] {
        send(router.clone(), "GET", &format!("/api/sampling?{query}"), &[], vec![]).await;
    }
    let all = series(&registry, "jaeger_collector_http_").join("\n");
    for line in [
        r#"request_duration_count{method="POST",path="/api/traces",status="202"} 1"#,
        r#"request_duration_count{method="GET",path="/api/sampling",status="200"} 1"#,
        r#"server_requests_total{type="sampling"} 1"#,
        r#"server_requests_total{type="sampling-legacy"} 0"#,
        r#"server_errors_total{source="all",status="4xx"} 1"#,
        r#"server_errors_total{source="collector-proxy",status="5xx"} 1"#,
    ] {
        assert!(all.contains(line), "{line} in\n{all}");
    }
    send(router.clone(), "GET", &format!("/{}", "a".repeat(200)), &[], vec![]).await;
    for i in 0..1100 {
        send(router.clone(), "GET", &format!("/{i}"), &[], vec![]).await;
    }
    let counts = series(&registry, name);
    assert_eq!(counts.len(), 1000);
    assert!(counts.contains(&format!("{name}{other} {}", 1105 - 999)), "{counts:?}");
}
