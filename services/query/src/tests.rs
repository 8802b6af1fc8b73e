//! Every route and every error, through the router, over a store in memory or one that fails on command.

mod grafana;
mod graph;
mod kiali;
mod metrics;
mod openapi;
mod routes;
mod semantics;
mod transform;
mod ui;
mod v3;

use crate::{Config, ConfigError, GrpcServer, HttpServer, LimitMetrics, Listeners, Parts, Ui, router};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use skua_model::wire::{put_bytes, put_message, put_varint};
use skua_model::{SpanBatch, Trace, TraceId};
use skua_query::{Archive, QueryService, Stores};
use skua_store::memory::{MemoryConfig, MemoryStore};
use skua_store::{
    DependencyLink, DependencyReader, DependencyWriter, ErrorKind, Found, Operation, SpanReader, SpanWriter, StoreError,
    TraceQuery,
};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tower::ServiceExt;

pub(crate) fn config(base_path: &str, headers: &[&str]) -> Config {
    Config {
        http_server: HttpServer { host_port: "127.0.0.1:0".to_owned() },
        grpc_server: GrpcServer { host_port: "127.0.0.1:0".to_owned() },
        base_path: base_path.to_owned(),
        additional_headers: headers.iter().map(|h| (*h).to_owned()).collect(),
        static_files: String::new(),
        ui_config: String::new(),
        log_static_assets_access: false,
        bearer_token_propagation: false,
        max_clock_skew_adjustment: Duration::ZERO,
        max_trace_size: 0,
        max_result_size: 0,
        max_memory: 0,
        max_concurrent_requests: 0,
        timeout: Duration::ZERO,
    }
}

/// What [`crate::run`] takes, with the built-in page.
pub(crate) fn parts(config: Config, stores: Stores, listeners: Listeners) -> Parts {
    let ui = Ui::open(&config, &stores, VERSION, &mut Registry::default()).unwrap();
    Parts { config, listeners, stores, ui, met: LimitMetrics::default() }
}

fn stores(store: impl SpanReader + DependencyReader + 'static) -> Stores {
    let store = Arc::new(store);
    Stores { spans: store.clone(), dependencies: store, archive: None, metrics: None, rollups: None }
}

fn over(store: impl SpanReader + DependencyReader + 'static, config: &Config) -> Router {
    serving(stores(store), config).unwrap()
}

/// What the admin port says of the version.
const VERSION: &str = r#"{"gitCommit":"","gitVersion":"v1.2.3","buildDate":""}"#;

fn serving(stores: Stores, config: &Config) -> Result<Router, ConfigError> {
    let ui = Ui::open(config, &stores, VERSION, &mut Registry::default())?;
    router(QueryService::new(stores, Duration::ZERO), config, &ui)
}

/// A span that started a minute ago; kind is OTLP's number, parent 0 a root.
fn put_span(out: &mut Vec<u8>, trace: u128, span: u64, parent: u64, service: &str, name: &str, kind: u64) {
    let start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64 - 60_000_000_000;
    put_span_at(out, start, (trace, span, parent), (service, name, kind), &[]);
}

/// A span of two milliseconds: its start in nanoseconds since 1970; trace, span and parent; service, name and kind; attributes.
fn put_span_at(
    out: &mut Vec<u8>,
    start: u64,
    (trace, span, parent): (u128, u64, u64),
    (service, name, kind): (&str, &str, u64),
    attributes: &[(&str, &str)],
) {
    let put_attribute = |out: &mut Vec<u8>, field, key: &str, value: &str| {
        put_message(out, field, |out| {
            put_bytes(out, 1, key.as_bytes());
            put_message(out, 2, |out| put_bytes(out, 1, value.as_bytes()));
        });
    };
    put_message(out, 1, |out| {
        put_message(out, 1, |out| put_attribute(out, 1, "service.name", service));
        put_message(out, 2, |out| {
            put_message(out, 2, |out| {
                put_bytes(out, 1, &trace.to_be_bytes());
                put_bytes(out, 2, &span.to_be_bytes());
                if parent != 0 {
                    put_bytes(out, 4, &parent.to_be_bytes());
                }
                put_bytes(out, 5, name.as_bytes());
                put_varint(out, 6 << 3);
                put_varint(out, kind);
                for (field, time) in [(7, start), (8, start + 2_000_000)] {
                    put_varint(out, field << 3 | 1);
                    out.extend_from_slice(&time.to_le_bytes());
                }
                attributes.iter().for_each(|(key, value)| put_attribute(out, 9, key, value));
            });
        });
    });
}

/// Two traces: `abc` of the services `a/b` and `back`, and `def` of `back`.
async fn app() -> Router {
    over(store().await, &config("/", &[]))
}

async fn store() -> MemoryStore {
    let mut out = Vec::new();
    put_span(&mut out, 0xabc, 1, 0, "a/b", "GET /<x>", 3);
    put_span(&mut out, 0xabc, 2, 1, "back", "work", 2);
    put_span(&mut out, 0xabc, 3, 9, "back", "work", 1);
    put_span(&mut out, 0xdef, 1, 0, "back", "rest", 2);
    let store = MemoryStore::new(MemoryConfig::default());
    store.write(&SpanBatch::parse(out).unwrap()).await.unwrap();
    store
}

struct Got {
    status: u16,
    headers: http::HeaderMap,
    body: String,
}

impl Got {
    fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

async fn send(app: &Router, method: &str, path: &str) -> Got {
    send_body(app, method, path, &[], Body::empty()).await
}

async fn send_body(app: &Router, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Got {
    let builder = headers.iter().fold(Request::builder(), |builder, (name, value)| builder.header(*name, *value));
    let (got, body) = ask(app, builder.method(method).uri(path).body(body.into()).unwrap()).await;
    Got { body: String::from_utf8(body).unwrap(), ..got }
}

/// An answer and the bytes of its body.
async fn ask(app: &Router, request: Request<Body>) -> (Got, Vec<u8>) {
    let (parts, body) = app.clone().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    (Got { status: parts.status.as_u16(), headers: parts.headers, body: String::new() }, body)
}

async fn get(app: &Router, path: &str) -> Got {
    send(app, "GET", path).await
}

/// The whole answer to an error.
async fn expect_error(app: &Router, path: &str, status: u16, message: &str) {
    let got = get(app, path).await;
    let want = json!({"data": null, "total": 0, "limit": 0, "offset": 0, "errors": [{"code": status, "msg": message}]});
    assert_eq!((got.status, got.json()), (status, want), "{path}");
    assert!(
        got.body.ends_with("}\n")
            && got.body.starts_with("{\"data\":null,\"total\":0,\"limit\":0,\"offset\":0,\"errors\":[{\"code\":")
    );
    assert_eq!((got.header("content-type"), got.header("x-content-type-options")), ("application/json", "nosniff"), "{path}");
}

#[tokio::test]
async fn services_and_operations() {
    let app = app().await;
    for (path, body) in [
        ("/api/services", r#"{"data":["a/b","back"],"total":2,"limit":0,"offset":0,"errors":null}"#),
        (
            "/api/operations?service=back",
            r#"{"data":[{"name":"rest","spanKind":"server"},{"name":"work","spanKind":"internal"},{"name":"work","spanKind":"server"}],"total":3,"limit":0,"offset":0,"errors":null}"#,
        ),
        (
            "/api/operations?service=back&spanKind=internal",
            r#"{"data":[{"name":"work","spanKind":"internal"}],"total":1,"limit":0,"offset":0,"errors":null}"#,
        ),
        ("/api/operations?service=back&spanKind=foo", r#"{"data":[],"total":0,"limit":0,"offset":0,"errors":null}"#),
        ("/api/services/back/operations", r#"{"data":["rest","work"],"total":2,"limit":0,"offset":0,"errors":null}"#),
        ("/api/services/a%2Fb/operations", r#"{"data":["GET /\u003cx\u003e"],"total":1,"limit":0,"offset":0,"errors":null}"#),
        ("/api/services/nobody/operations", r#"{"data":[],"total":0,"limit":0,"offset":0,"errors":null}"#),
    ] {
        let got = get(&app, path).await;
        assert_eq!((got.status, got.body.as_str()), (200, body), "{path}");
        assert_eq!(got.header("content-type"), "application/json", "{path}");
    }
    let empty = over(MemoryStore::new(MemoryConfig::default()), &config("/", &[]));
    assert_eq!(get(&empty, "/api/services").await.body, r#"{"data":[],"total":0,"limit":0,"offset":0,"errors":null}"#);
    let pretty = get(&app, "/api/services?prettyPrint=true").await.body;
    assert_eq!(
        pretty,
        "{\n    \"data\": [\n        \"a/b\",\n        \"back\"\n    ],\n    \"total\": 2,\n    \"limit\": 0,\n    \"offset\": 0,\n    \"errors\": null\n}"
    );
    expect_error(&app, "/api/operations", 400, "parameter 'service' is required").await;
    expect_error(&app, "/api/operations?service=", 400, "parameter 'service' is required").await;
}

#[tokio::test]
async fn one_trace() {
    let app = app().await;
    let got = get(&app, "/api/traces/ABC").await;
    let json = got.json();
    assert_eq!((got.status, &json["errors"], &json["total"]), (200, &Value::Null, &json!(0)));
    let spans = json["data"][0]["spans"].as_array().unwrap();
    assert_eq!((&json["data"][0]["traceID"], spans.len()), (&json!("0000000000000abc"), 3));
    let warning = json!(["invalid parent span IDs=0000000000000009; skipping clock skew adjustment"]);
    assert_eq!(spans.iter().find(|s| s["spanID"] == "0000000000000003").unwrap()["warnings"], warning, "adjusted");
    let raw = get(&app, "/api/traces/abc?raw=true").await.json();
    assert!(raw["data"][0]["spans"].as_array().unwrap().iter().all(|s| s["warnings"].is_null()), "not adjusted");
    assert_eq!(get(&app, "/api/traces/abc").await.body, got.body, "the same each time");

    expect_error(&app, "/api/traces/123", 404, "trace not found").await;
    expect_error(&app, "/api/traces/xyz", 400, "strconv.ParseUint: parsing \"xyz\": invalid syntax").await;
    let long = "1".repeat(33);
    expect_error(&app, &format!("/api/traces/{long}"), 400, &format!("TraceID cannot be longer than 32 hex characters: {long}"))
        .await;
    expect_error(
        &app,
        "/api/traces/abc?start=x",
        400,
        "unable to parse param 'start': strconv.ParseInt: parsing \"x\": invalid syntax",
    )
    .await;
    expect_error(
        &app,
        "/api/traces/abc?raw=x",
        400,
        "unable to parse param 'raw': strconv.ParseBool: parsing \"x\": invalid syntax",
    )
    .await;
    assert_eq!(get(&app, "/api/traces/%ff").await.status, 400);
}

#[tokio::test]
async fn searches() {
    let app = app().await;
    let ids = async |query: &str| {
        let got = get(&app, &format!("/api/traces?{query}")).await;
        assert_eq!(got.status, 200, "{}", got.body);
        let json = got.json();
        let id = |t: &Value| t["traceID"].as_str().unwrap().trim_start_matches('0').to_owned();
        let mut ids: Vec<String> = json["data"].as_array().unwrap().iter().map(id).collect();
        ids.sort();
        ids.join(",")
    };
    assert_eq!(ids("service=back").await, "abc,def");
    assert_eq!(ids("service=a%2Fb&operation=GET+/%3Cx%3E").await, "abc");
    assert_eq!(ids("service=back&tag=span.kind:internal").await, "abc");
    assert_eq!(ids("service=back&tags=%7B%22span.kind%22:%22client%22%7D").await, "");
    assert_eq!(ids("service=back&minDuration=2ms&maxDuration=2ms&limit=1").await.len(), 3);
    assert_eq!(ids("service=back&minDuration=3ms").await, "");
    assert_eq!(ids("service=back&end=1000").await, "");
    assert_eq!(get(&app, "/api/traces?service=nobody").await.body, r#"{"data":[],"total":0,"limit":0,"offset":0,"errors":null}"#);

    let by_id = get(&app, "/api/traces?traceID=def&traceID=123&traceID=abc").await;
    let json = by_id.json();
    assert_eq!((by_id.status, json["data"].as_array().unwrap().len()), (200, 2));
    assert_eq!(json["errors"], json!([{"msg": "trace not found", "traceID": "0000000000000123"}]));

    expect_error(&app, "/api/traces", 400, "parameter 'service' is required").await;
    expect_error(&app, "/api/traces?service=a&tag=x", 400, "malformed 'tag' parameter, expecting key:value, received: x").await;
    expect_error(&app, "/api/traces?limit=x", 400, "strconv.ParseInt: parsing \"x\": invalid syntax").await;
}

/// Scenario: calls counted from traces of a minute ago, and two lists that were written. Guarantees: Jaeger's answer, pairs added up
/// and in order.
#[tokio::test]
async fn dependencies() {
    let store = store().await;
    let link = |parent: &str, child: &str, call_count| DependencyLink {
        parent: parent.to_owned(),
        child: child.to_owned(),
        call_count,
        source: "mesh".to_owned(),
    };
    store.write_dependencies(1_000_000, &[link("x", "y<z>", 2), link("back", "x", 5)]).await.unwrap();
    store.write_dependencies(2_000_000, &[link("x", "y<z>", 3)]).await.unwrap();
    let app = over(store, &config("/", &[]));
    let data = |data: &str| format!(r#"{{"data":{data},"total":0,"limit":0,"offset":0,"errors":null}}"#);
    for (query, links) in [
        ("", r#"[{"parent":"a/b","child":"back","callCount":1}]"#),
        ("?service=back&lookback=3600000", r#"[{"parent":"a/b","child":"back","callCount":1}]"#),
        ("?service=x", "[]"),
        ("?lookback=1", "[]"),
        (
            "?endTs=3000&lookback=3000",
            r#"[{"parent":"back","child":"x","callCount":5},{"parent":"x","child":"y\u003cz\u003e","callCount":5}]"#,
        ),
        ("?endTs=2000&lookback=1000&service=y%3Cz%3E", r#"[{"parent":"x","child":"y\u003cz\u003e","callCount":2}]"#),
        ("?endTs=2000&lookback=-5", "[]"),
    ] {
        let got = get(&app, &format!("/api/dependencies{query}")).await;
        assert_eq!((got.status, got.body), (200, data(links)), "{query}");
        assert_eq!(got.headers["content-type"], "application/json");
    }
    let wrong = "strconv.ParseInt: parsing \"x\": invalid syntax";
    for name in ["endTs", "lookback"] {
        expect_error(&app, &format!("/api/dependencies?{name}=x"), 400, &format!("unable to parse param '{name}': {wrong}"))
            .await;
    }
}

/// Scenario: a trace is archived, and asked for where only the archive has it. Guarantees: Jaeger's answers, with and without an
/// archive.
#[tokio::test]
async fn archiving() {
    let archive = Arc::new(MemoryStore::new(MemoryConfig::default()));
    let with_archive = |store: MemoryStore| {
        let archive = Some(Archive { reader: archive.clone(), writer: archive.clone() });
        serving(Stores { archive, ..stores(store) }, &config("/", &[])).unwrap()
    };
    let app = with_archive(store().await);
    let got = send(&app, "POST", "/api/archive/abc?start=1&end=2").await;
    assert_eq!((got.status, got.body.as_str()), (200, r#"{"data":[],"total":0,"limit":0,"offset":0,"errors":[]}"#));
    assert_eq!(got.header("content-type"), "application/json");
    let before = get(&app, "/api/traces/abc").await.body;
    let empty = with_archive(MemoryStore::new(MemoryConfig::default()));
    assert_eq!(get(&empty, "/api/traces/abc").await.body, before, "from the archive");
    assert_eq!(get(&empty, "/api/traces?traceID=abc").await.json()["data"].as_array().unwrap().len(), 1);
    let searched = get(&empty, "/api/traces?service=back").await;
    assert_eq!(searched.json()["data"], json!([]), "a search does not look there");
    expect_error(&empty, "/api/traces/def", 404, "trace not found").await;

    let error = async |app: &Router, path: &str| {
        let got = send(app, "POST", path).await;
        (got.status, got.json()["errors"][0]["msg"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(error(&app, "/api/archive/123").await, (404, "trace not found".to_owned()));
    let wrong = "strconv.ParseUint: parsing \"xyz\": invalid syntax";
    assert_eq!(error(&app, "/api/archive/xyz").await, (400, wrong.to_owned()));
    let without = over(store().await, &config("/", &[]));
    assert_eq!(error(&without, "/api/archive/abc").await, (500, "archive span storage was not configured".to_owned()));
}

#[tokio::test]
async fn unknown_paths() {
    let app = app().await;
    for path in ["/api", "/api/", "/api/nothing", "/api/services/", "/api/traces/1/2"] {
        expect_error(&app, path, 404, &format!("there is no {path}")).await;
    }
    for (path, method) in [("/api/deep-dependencies", "GET"), ("/api/quality-metrics", "GET")] {
        let got = send(&app, method, path).await;
        let message = got.json()["errors"][0]["msg"].as_str().unwrap().to_owned();
        assert_eq!(got.status, 501, "{path}");
        assert!(message.ends_with(" is not supported by this version of Skua"), "{message}");
    }
    let paths = ["services", "traces", "traces/abc", "operations", "services/x/operations", "dependencies"];
    for path in paths.map(|p| format!("/api/{p}")) {
        let path = path.as_str();
        let got = send(&app, "POST", path).await;
        assert_eq!((got.status, got.header("allow")), (405, "GET,HEAD"), "{path}");
        assert_eq!(got.json()["errors"][0]["msg"], format!("{path} does not take POST"));
    }
    let got = send(&app, "GET", "/api/archive/abc").await;
    assert_eq!((got.status, got.header("allow")), (405, "POST"));
    assert_eq!(send(&app, "HEAD", "/api/services").await.status, 200);
}

#[tokio::test]
async fn a_base_path() {
    let app = over(store().await, &config("/jaeger/x", &["X-Env: test: 1", "Content-Type: text/x", "X-Env: 2"]));
    let got = get(&app, "/jaeger/x/api/services").await;
    assert_eq!((got.status, got.header("content-type")), (200, "application/json"), "a header of ours stays");
    assert_eq!(got.headers.get_all("x-env").iter().map(|v| v.to_str().unwrap()).collect::<Vec<_>>(), ["test: 1", "2"]);
    assert_eq!(get(&app, "/jaeger/x/api/services/a%2Fb/operations").await.status, 200);
    expect_error(&app, "/jaeger/x/api/nothing", 404, "there is no /jaeger/x/api/nothing").await;
    assert_eq!(send(&app, "PUT", "/jaeger/x/api/services").await.status, 405);
    assert_eq!(get(&app, "/api/services").await.status, 404, "not outside of the base path");
}

#[test]
fn settings_are_checked() {
    let check = |config: Config| serving(stores(MemoryStore::new(MemoryConfig::default())), &config).map(|_| ());
    for path in ["x", "/x/", "//", "/{x}", "/a?b"] {
        assert_eq!(check(config(path, &[])), Err(ConfigError::BasePath(path.to_owned())));
    }
    for header in ["no colon", ": empty", "a b: c", "a: \u{1}"] {
        assert_eq!(check(config("", &[header])), Err(ConfigError::Header(header.to_owned())));
    }
    let message = ConfigError::BasePath("x/".to_owned()).to_string();
    assert_eq!(message, "--query.base-path: \"x/\" must be / or begin with a slash, not end with one, and have no { } * ? #");
    let read: Config = serde_json::from_value(json!({
        "http-server": {"host-port": ":16686", "more": 1},
        "base-path": "/",
        "static-files": "",
        "ui-config": "",
        "log-static-assets-access": false,
        "additional-headers": [],
        "bearer-token-propagation": false,
        "max-clock-skew-adjustment": {"secs": 1, "nanos": 5},
        "grpc-server": {"host-port": ":16685"},
        "max-trace-size": 1,
        "max-result-size": 2,
        "max-memory": 3,
        "max-concurrent-requests": 4,
        "timeout": {"secs": 5, "nanos": 0},
    }))
    .unwrap();
    assert_eq!(read.max_clock_skew_adjustment, Duration::new(1, 5), "flags that are not ours are passed over");
}

/// Fails each call with one kind of error, or answers in part.
struct Failing(Option<(ErrorKind, Option<Duration>)>);

impl Failing {
    fn error<T>(&self, otherwise: T) -> Result<T, StoreError> {
        let Some((kind, retry_after)) = self.0 else { return Ok(otherwise) };
        Err(StoreError { retry_after, ..StoreError::new(kind, said(kind)).caused_by("the cause") })
    }
}

fn said(kind: ErrorKind) -> &'static str {
    if kind == ErrorKind::NotFound { "trace not found" } else { "es-1:9200 says \"no\"" }
}

#[async_trait]
impl SpanReader for Failing {
    async fn services(&self) -> Result<Vec<String>, StoreError> {
        self.error(vec![])
    }

    async fn operations(&self, _: &str, _: &str) -> Result<Vec<Operation>, StoreError> {
        self.error(vec![])
    }

    async fn trace(&self, _: TraceId) -> Result<Trace, StoreError> {
        self.error(Trace::default())
    }

    async fn find(&self, _: &TraceQuery) -> Result<Found, StoreError> {
        let partial = vec!["trace abc has more than 10 spans".to_owned()];
        self.error(Found { traces: vec![], partial })
    }
}

#[async_trait]
impl DependencyReader for Failing {
    async fn dependencies(&self, _: u64, _: u64) -> Result<Vec<DependencyLink>, StoreError> {
        self.error(vec![])
    }
}

#[tokio::test]
async fn failures_of_the_store() {
    use ErrorKind::*;
    let half = Some(Duration::from_millis(7_500));
    for (kind, retry, status, header) in [
        (Internal, None, 500, ""),
        (Invalid, None, 400, ""),
        (Unsupported, None, 501, ""),
        (Timeout, None, 504, ""),
        (Unavailable, None, 503, "1"),
        (Overloaded, half, 503, "8"),
        (NotFound, None, 404, ""),
    ] {
        let app = over(Failing(Some((kind, retry))), &config("/", &[]));
        for path in [
            "/api/services",
            "/api/operations?service=a",
            "/api/services/a/operations",
            "/api/traces?service=a",
            "/api/traces/1",
            "/api/dependencies",
        ] {
            expect_error(&app, path, status, said(kind)).await;
            assert_eq!(get(&app, path).await.header(header::RETRY_AFTER), header, "{kind:?}");
        }
    }
}

#[tokio::test]
async fn a_partial_answer_says_so() {
    let got = get(&over(Failing(None), &config("/", &[])), "/api/traces?service=a").await;
    let want = r#"{"data":[],"total":0,"limit":0,"offset":0,"errors":[{"msg":"trace abc has more than 10 spans"}]}"#;
    assert_eq!((got.status, got.body.as_str()), (200, want));
}

/// Scenario: two requests on one connection, then a stop. Guarantees: the connection is kept, and the server ends.
#[tokio::test]
async fn serves_and_stops() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listeners = Listeners::bind(&config("/", &[])).unwrap();
    let address = listeners.http.local_addr().unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    let server = tokio::spawn(crate::run(parts(config("/", &[]), stores(store().await), listeners), stop.clone()));
    let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
    for _ in 0..2 {
        client.write_all(b"GET /api/services HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\"errors\":null}") {
            assert!(client.read_buf(&mut answer).await.unwrap() > 0, "kept alive");
        }
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && !answer.to_lowercase().contains("connection: close"), "{answer}");
    }
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(10), server).await.unwrap().unwrap().unwrap();
    let listeners = Listeners::bind(&config("/", &[])).unwrap();
    let parts = Parts { config: config("x", &[]), ..parts(config("/", &[]), stores(Failing(None)), listeners) };
    let e = crate::run(parts, stop).await.unwrap_err();
    assert_eq!(e.kind(), std::io::ErrorKind::InvalidInput);
    assert_eq!(StatusCode::OK, 200);
}
