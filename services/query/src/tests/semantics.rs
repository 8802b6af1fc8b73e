//! What HTTP asks of a server: methods, bodies of forms, compression.

use super::*;
use std::io::Read;

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    headers.iter().fold(request, |r, (name, value)| r.header(*name, *value)).body(Body::from(body.to_owned())).unwrap()
}

/// Scenario: every method on a route of each kind. Guarantees: HEAD has the headers of GET and no body; what is not taken is 405 and
/// says what is; there is no CORS, as in Jaeger.
#[tokio::test]
async fn methods() {
    let app = app().await;
    for (path, allow) in
        [("/api/services", "GET,HEAD"), ("/api/traces/abc", "GET,HEAD"), ("/search", "GET,HEAD"), ("/api/archive/abc", "POST")]
    {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
            let got = send(&app, method, path).await;
            if allow.split(',').any(|a| a == method) {
                assert_ne!(got.status, 405, "{method} {path}");
            } else {
                assert_eq!((got.status, got.header("allow")), (405, allow), "{method} {path}");
                let message = format!("{path} does not take {method}");
                assert!(method == "HEAD" || got.json()["errors"][0]["msg"] == message, "{method} {path}: {}", got.body);
            }
        }
    }
    let (head, get) = (send(&app, "HEAD", "/api/services").await, get(&app, "/api/services").await);
    assert_eq!((head.status, head.header("content-type"), head.body.as_str()), (200, "application/json", ""));
    assert_eq!(head.header("content-length"), get.body.len().to_string());
    let (cors, _) =
        ask(&app, request("OPTIONS", "/api/services", &[("origin", "http://x"), ("access-control-request-method", "GET")], ""))
            .await;
    assert_eq!((cors.status, cors.header("access-control-allow-origin")), (405, ""));
}

/// Scenario: an archive request with a form. Guarantees: its parameters are read, before those of the query string; a body that is no
/// form is not; one that is too long is refused.
#[tokio::test]
async fn a_form_counts_first() {
    let archive = Arc::new(MemoryStore::new(MemoryConfig::default()));
    let archive = Some(Archive { reader: archive.clone(), writer: archive });
    let app = serving(Stores { archive, ..stores(store().await) }, &config("/", &[])).unwrap();
    let form = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
    let post = async |path: &str, headers: &[(&str, &str)], body: &str| {
        let (got, body) = ask(&app, request("POST", path, headers, body)).await;
        (got.status, String::from_utf8(body).unwrap())
    };
    let (status, body) = post("/api/archive/abc", &form, "start=1&prettyPrint=true").await;
    assert_eq!((status, body.starts_with("{\n    \"data\"")), (200, true), "{body}");
    let (status, body) = post("/api/archive/abc?start=1", &form, "start=x+y").await;
    assert_eq!((status, body.contains("parsing \\\"x y\\\": invalid syntax")), (400, true), "{body}");
    assert_eq!(post("/api/archive/abc?start=1", &[], "start=x").await.0, 200);
    assert_eq!(post("/api/archive/abc", &[("content-type", "application/json")], "start=x").await.0, 200);
    let (status, body) = post("/api/archive/abc", &form, &"x".repeat(65 * 1024)).await;
    assert_eq!((status, body.contains("failed to read a form of at most 65536 bytes")), (413, true), "{body}");
}

/// Scenario: clients that take gzip, zstd, neither, and a short answer. Guarantees: what they take, and the same bytes.
#[tokio::test]
async fn answers_are_compressed() {
    let app = app().await;
    let path = "/api/traces/abc";
    let plain = get(&app, path).await;
    assert!(plain.body.len() > 1024 && plain.header("content-encoding").is_empty());
    let (got, body) = ask(&app, request("GET", path, &[("accept-encoding", "gzip")], "")).await;
    assert_eq!((got.header("content-encoding"), got.header("vary")), ("gzip", "accept-encoding"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(&body[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text, plain.body);
    let (got, body) = ask(&app, request("GET", path, &[("accept-encoding", "gzip;q=0.5, zstd")], "")).await;
    assert_eq!((got.header("content-encoding"), &body[..4]), ("zstd", &[0x28, 0xb5, 0x2f, 0xfd][..]));
    let (got, _) = ask(&app, request("GET", path, &[("accept-encoding", "br")], "")).await;
    assert_eq!(got.header("content-encoding"), "");
    let (short, _) = ask(&app, request("GET", "/api/services", &[("accept-encoding", "gzip")], "")).await;
    assert_eq!(short.header("content-encoding"), "");
}

/// Scenario: Grafana gives the times of a trace in milliseconds, others in microseconds, or nonsense that is a number. Guarantee: the
/// trace is found.
#[tokio::test]
async fn times_never_hide_a_trace() {
    let app = app().await;
    for query in ["start=1700000000000&end=1700000003600", "start=5&end=6", "end=-1", "start=9223372036854775807", "start=&end="]
    {
        let got = get(&app, &format!("/api/traces/abc?{query}")).await;
        assert_eq!((got.status, got.json()["data"][0]["spans"].as_array().unwrap().len()), (200, 3), "{query}");
        let by_id = get(&app, &format!("/api/traces?traceID=abc&{query}")).await.json();
        assert_eq!((by_id["data"].as_array().unwrap().len(), &by_id["errors"]), (1, &Value::Null), "{query}");
    }
}
