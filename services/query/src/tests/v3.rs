//! Version 3 of the API: every route, its parameters, and the whole of its answers and errors.

use super::*;

/// Two traces of 2026-01-01: `5b8e…` of the services `front<end>` and `back`, with a span of another clock, an orphan and an error; and
/// `abcd` of `back`, a second later.
const TRACES: &str = r#"{"resourceSpans":[
{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"front<end>"}},{"key":"host.name","value":{"stringValue":"h1"}},
  {"key":"list","value":{"arrayValue":{"values":[{"intValue":"1"},{"stringValue":"x"}]}}}]},
 "scopeSpans":[{"scope":{"name":"lib","version":"1.0"},"spans":[
  {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"GET /<x>","kind":2,"traceState":"a=b",
   "startTimeUnixNano":"1767225600000000000","endTimeUnixNano":"1767225600000000005",
   "attributes":[{"key":"zz","value":{"doubleValue":2.0}},{"key":"tiny","value":{"doubleValue":1.5e300}},
    {"key":"nan","value":{"doubleValue":"NaN"}},{"key":"big","value":{"intValue":"9223372036854775807"}},
    {"key":"bin","value":{"bytesValue":"AQI="}},{"key":"no","value":{"boolValue":false}},
    {"key":"text","value":{"stringValue":"a\u0001<&>\"\\é"}},{"key":"telemetry.sdk.name","value":{"stringValue":"otel"}},
    {"key":"ip","value":{"intValue":"134744072"}}],
   "events":[{"timeUnixNano":"1767225600000000002","name":"zed","attributes":[{"key":"q","value":{"intValue":"3"}}]},
    {"timeUnixNano":"1767225600000000001","name":"abc"}],
   "links":[{"traceId":"5b8efff798038103d269b633813fc60d","spanId":"eee19b7ec3c1b170"},{}],
   "status":{"code":2,"message":"bad"}},
  {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b175","parentSpanId":"eee19b7ec3c1b174","name":"child","kind":3,
   "startTimeUnixNano":"1767225600000000001","endTimeUnixNano":"1767225600000000004"}]}]},
{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"back"}}]},"scopeSpans":[{"spans":[
  {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b176","parentSpanId":"eee19b7ec3c1b175","name":"late","kind":2,
   "startTimeUnixNano":"1767225600000000003","endTimeUnixNano":"1767225600000000005","status":{"code":1}},
  {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b177","parentSpanId":"aaaaaaaaaaaaaaaa","name":"orphan",
   "startTimeUnixNano":"1767225600000000003","endTimeUnixNano":"1767225600000000004"},
  {"traceId":"0000000000000000000000000000abcd","spanId":"0000000000000001","name":"other",
   "startTimeUnixNano":"1767225601000000000","endTimeUnixNano":"1767225601002000000"}]}]}]}"#;

const DAY: &str = "query.startTimeMin=2026-01-01T00:00:00Z&query.startTimeMax=2026-01-02T00:00:00Z";

pub(super) async fn held(otlp: &str) -> MemoryStore {
    let mut bytes = Vec::new();
    skua_codec::otlp_json::decode(otlp.as_bytes(), &mut bytes).unwrap();
    let store = MemoryStore::new(MemoryConfig::default());
    store.write(&SpanBatch::parse(bytes).unwrap()).await.unwrap();
    store
}

async fn app() -> Router {
    over(held(TRACES).await, &config("/", &[]))
}

async fn expect(app: &Router, path: &str, body: &str) {
    let got = get(app, path).await;
    assert_eq!((got.status, got.body.as_str(), got.header("content-type")), (200, body, "application/json"), "{path}");
}

async fn expect_v3_error(app: &Router, path: &str, status: u16, message: &str) {
    let got = get(app, path).await;
    assert_eq!((got.status, got.json()), (status, json!({"error": {"httpCode": status, "message": message}})), "{path}");
    assert!(got.body.starts_with("{\"error\":{\"httpCode\":") && got.body.ends_with("}}\n"), "{}", got.body);
    assert_eq!((got.header("content-type"), got.header("x-content-type-options")), ("application/json", "nosniff"), "{path}");
}

#[tokio::test]
async fn services_and_operations() {
    let app = app().await;
    expect(&app, "/api/v3/services", r#"{"services":["back","front\u003cend\u003e"]}"#).await;
    let all = r#"{"operations":[{"name":"late","spanKind":"server"},{"name":"orphan","spanKind":"internal"},{"name":"other","spanKind":"internal"}]}"#;
    expect(&app, "/api/v3/operations?service=back", all).await;
    let server = r#"{"operations":[{"name":"late","spanKind":"server"}]}"#;
    expect(&app, "/api/v3/operations?service=back&spanKind=server", server).await;
    expect(&app, "/api/v3/operations?service=back&span_kind=server", server).await;
    for path in ["?service=back&spanKind=foo", "?service=nobody", ""] {
        expect(&app, &format!("/api/v3/operations{path}"), r#"{"operations":[]}"#).await;
    }
    let empty = over(MemoryStore::new(MemoryConfig::default()), &config("/", &[]));
    expect(&empty, "/api/v3/services", r#"{"services":[]}"#).await;
}

/// Compared once with Jaeger 1.76, which answers the same for this trace but for the order of resources.
#[tokio::test]
async fn one_trace() {
    let app = app().await;
    let path = "/api/v3/traces/5b8efff798038103d269b633813fc60c";
    let got = get(&app, path).await;
    assert_eq!((got.status, got.header("content-type")), (200, "application/json"));
    insta::assert_snapshot!("adjusted", got.body);
    for query in ["?raw_traces=false", "?startTime=2026-01-01T00:00:00Z&end_time=2026-01-02T00:00:00.5%2B01:00"] {
        assert_eq!(get(&app, &format!("{path}{query}")).await.body, got.body, "{query}");
    }
    let raw = get(&app, &format!("{path}?rawTraces=true")).await.body;
    insta::assert_snapshot!("raw", raw);
    assert_eq!(get(&app, &format!("{path}?raw_traces=1")).await.body, raw);
    assert_eq!(get(&app, path).await.body, got.body, "raw ones are not adjusted for others");

    let other = get(&app, "/api/v3/traces/ABCD").await.body;
    for id in ["AAAAAAAAq80=", "AAAAAAAAq80", "0000000000000000000000000000abcd"] {
        assert_eq!(get(&app, &format!("/api/v3/traces/{id}")).await.body, other, "{id}");
    }
    expect_v3_error(&app, "/api/v3/traces/123", 404, "No traces found").await;
    let wrong = "malformed parameter trace_id: strconv.ParseUint: parsing \"!!\": invalid syntax";
    expect_v3_error(&app, "/api/v3/traces/!!", 400, wrong).await;
    expect_v3_error(&app, "/api/v3/traces/xyz", 400, "malformed parameter trace_id: invalid length for TraceID").await;
    let layout = "2006-01-02T15:04:05.999999999Z07:00";
    let wrong = format!("malformed parameter end_time: parsing time \"1\" as \"{layout}\": cannot parse \"1\" as \"2006\"");
    expect_v3_error(&app, "/api/v3/traces/1?end_time=1", 400, &wrong).await;
    let wrong = "malformed parameter rawTraces: strconv.ParseBool: parsing \"x\": invalid syntax";
    expect_v3_error(&app, "/api/v3/traces/1?rawTraces=x", 400, wrong).await;
    assert_eq!(get(&app, "/api/v3/traces/%ff").await.status, 400);
}

/// The ids of the traces of an answer, shortened, in its order.
async fn ids(app: &Router, query: &str) -> String {
    let got = get(app, &format!("/api/v3/traces?{query}")).await;
    if got.status == 404 {
        assert_eq!(got.body, "{\"error\":{\"httpCode\":404,\"message\":\"No traces found\"}}\n", "{query}");
        return String::new();
    }
    assert_eq!(got.status, 200, "{query}: {}", got.body);
    let json = got.json();
    let resources = json["result"]["resourceSpans"].as_array().unwrap().iter();
    let first = |r: &Value| r["scopeSpans"][0]["spans"][0]["traceId"].as_str().unwrap()[28..].to_owned();
    let mut ids: Vec<String> = resources.map(first).collect();
    ids.dedup();
    ids.join(",")
}

/// Scenario: each parameter by each of its names, alone. Guarantees: it does what it says, and needs no service.
#[tokio::test]
async fn searches() {
    let app = app().await;
    assert_eq!(ids(&app, DAY).await, "abcd,c60c", "of any service, the latest first");
    let min_max = |min: &str, max: &str| format!("query.start_time_min=2026-01-01T{min}&query.start_time_max=2026-01-01T{max}");
    assert_eq!(ids(&app, &min_max("00:00:00Z", "00:00:00.5Z")).await, "c60c");
    assert_eq!(ids(&app, &min_max("00:00:00.5Z", "23:00:00Z")).await, "abcd");
    assert_eq!(ids(&app, &min_max("02:00:00.5+02:00", "23:00:00Z")).await, "abcd", "a plus that was not encoded");
    assert_eq!(ids(&app, &min_max("02:00:00Z", "23:00:00Z")).await, "");
    for (query, want) in [
        ("query.serviceName=front%3Cend%3E", "c60c"),
        ("query.service_name=front%3Cend%3E", "c60c"),
        ("query.serviceName=back", "abcd,c60c"),
        ("query.serviceName=nobody", ""),
        ("query.operationName=other", "abcd"),
        ("query.operation_name=late", "c60c"),
        ("query.attributes=%7B%22zz%22:%222%22%7D", "c60c"),
        ("query.attributes=%7B%22otel.status_code%22:%22OK%22,%22span.kind%22:%22server%22%7D", "c60c"),
        ("query.attributes=%7B%22zz%22:%223%22%7D", ""),
        ("query.searchDepth=1", "abcd"),
        ("query.search_depth=1", "abcd"),
        ("query.num_traces=1", "abcd"),
        ("query.durationMin=2ms", "abcd"),
        ("query.duration_min=3ms", ""),
        ("query.durationMax=1ms", "c60c"),
        ("query.duration_max=1ms", "c60c"),
        ("query.durationMin=2s&query.durationMax=1s", ""),
    ] {
        assert_eq!(ids(&app, &format!("{DAY}&{query}")).await, want, "{query}");
    }
    let has = async |query: &str, what: &str| get(&app, &format!("/api/v3/traces?{DAY}{query}")).await.body.contains(what);
    assert!(has("", "Invalid span link removed").await && !has("&query.rawTraces=1", "Invalid span link removed").await);
    assert!(!has("&query.raw_traces=true", "Invalid span link removed").await);
}

#[tokio::test]
async fn wrong_searches() {
    let app = app().await;
    for path in ["/api/v3/traces", "/api/v3/trace-summaries"] {
        expect_v3_error(&app, path, 400, "query.startTimeMin and query.startTimeMax are required").await;
        for (query, message) in [
            ("query.searchDepth=x", "malformed parameter query.searchDepth: strconv.Atoi: parsing \"x\": invalid syntax"),
            ("query.duration_min=5", "malformed parameter query.duration_min: time: missing unit in duration \"5\""),
            (
                "query.attributes=[]",
                "malformed parameter query.attributes: json: cannot unmarshal array into Go value of type map[string]string",
            ),
        ] {
            expect_v3_error(&app, &format!("{path}?{DAY}&{query}"), 400, message).await;
        }
    }
}

#[tokio::test]
async fn summaries() {
    let app = app().await;
    let got = get(&app, &format!("/api/v3/trace-summaries?{DAY}")).await;
    assert_eq!((got.status, got.header("content-type")), (200, "application/json"));
    insta::assert_snapshot!("summaries", got.body);
    let raw = get(&app, &format!("/api/v3/trace-summaries?{DAY}&query.rawTraces=true")).await;
    assert_eq!(raw.body, got.body);
    expect(&app, &format!("/api/v3/trace-summaries?{DAY}&query.serviceName=nobody"), r#"{"summaries":[]}"#).await;
}

#[tokio::test]
async fn what_is_not_there() {
    let app = app().await;
    for path in ["/api/v3/", "/api/v3/dependencies", "/api/v3/traces/", "/api/v3/traces/1/2"] {
        expect_v3_error(&app, path, 404, &format!("there is no {path}")).await;
    }
    for path in ["services", "operations", "traces", "traces/1", "trace-summaries"] {
        let path = format!("/api/v3/{path}");
        let got = send(&app, "POST", &path).await;
        let error = json!({"error": {"httpCode": 405, "message": format!("{path} does not take POST")}});
        assert_eq!((got.status, got.header("allow"), got.json()), (405, "GET,HEAD", error));
    }
    let below = over(held(TRACES).await, &config("/jaeger", &[]));
    assert_eq!(get(&below, "/jaeger/api/v3/services").await.status, 200);
    expect_v3_error(&below, "/jaeger/api/v3/x", 404, "there is no /jaeger/api/v3/x").await;
}

#[tokio::test]
async fn failures_of_the_store() {
    use ErrorKind::*;
    let search = format!("/api/v3/traces?{DAY}");
    let summaries = format!("/api/v3/trace-summaries?{DAY}");
    for (kind, status, header) in
        [(Internal, 500, ""), (Invalid, 400, ""), (Unsupported, 501, ""), (Timeout, 504, ""), (Unavailable, 503, "1")]
    {
        let app = over(Failing(Some((kind, None))), &config("/", &[]));
        for path in ["/api/v3/services", "/api/v3/operations?service=a", "/api/v3/traces/1", &search, &summaries] {
            expect_v3_error(&app, path, status, "es-1:9200 says \"no\"").await;
            assert_eq!(get(&app, path).await.header(header::RETRY_AFTER), header, "{kind:?}");
        }
    }
    let partial = over(Failing(None), &config("/", &[]));
    let message = "No traces found, but not everything was searched: trace abc has more than 10 spans";
    expect_v3_error(&partial, &search, 404, message).await;
    expect(&partial, &summaries, r#"{"summaries":[],"warnings":["trace abc has more than 10 spans"]}"#).await;
}

/// Scenario: the trace is in the archive only. Guarantee: it is found by its id, and by no search.
#[tokio::test]
async fn the_archive_is_asked() {
    let archive = Arc::new(held(TRACES).await);
    let archive = Some(Archive { reader: archive.clone(), writer: archive });
    let stores = Stores { archive, ..stores(MemoryStore::new(MemoryConfig::default())) };
    let app = serving(stores, &config("/", &[])).unwrap();
    assert_eq!(get(&app, "/api/v3/traces/abcd").await.status, 200);
    assert_eq!(ids(&app, DAY).await, "");
}
