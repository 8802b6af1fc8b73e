//! A server that answers as it is told: what it is asked, and what becomes of its answers.

use crate::{Config, PrometheusMetrics, Query, Set};
use prometheus_client::registry::Registry;
use skua_store::bearer::{self, Token};
use skua_store::span_metrics::{Metric, MetricsQuery, MetricsReader};
use skua_store::{ErrorKind, StoreError};
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const RANGE: &str = "/api/v1/query_range";
const NAMES: &str = "/api/v1/label/__name__/values";
/// The names are Jaeger's.
const FIXED: Set = Set { namespace: true, normalize: true };

fn config(server: &MockServer) -> Config {
    Config { server_url: server.uri(), ..Config::default() }
}

fn reader(config: &Config, set: Set) -> PrometheusMetrics {
    PrometheusMetrics::new(config, set, &mut Registry::default()).unwrap()
}

fn query() -> MetricsQuery {
    MetricsQuery {
        services: vec!["a".to_owned(), "b\"c".to_owned()],
        group_by_operation: false,
        span_kinds: vec!["server", "client"],
        end: 1_700_000_000_500_000,
        lookback: 3_600_000,
        step: 5_000,
        rate_per: 600_000,
    }
}

fn matrix(series: &str) -> String {
    format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{series}]}}}}"#)
}

fn series(labels: &str, values: &str) -> String {
    matrix(&format!(r#"{{"metric":{{{labels}}},"values":[{values}]}}"#))
}

async fn answer(server: &MockServer, how: &str, at: &str, status: u16, body: &str) {
    let answer = ResponseTemplate::new(status).set_body_string(body);
    Mock::given(method(how)).and(path(at)).respond_with(answer).mount(server).await;
}

/// The fields of the forms that were posted.
async fn posted(server: &MockServer) -> Vec<Vec<(String, String)>> {
    let requests = server.received_requests().await.unwrap();
    let forms = requests.iter().filter(|r| r.method == "POST");
    forms.map(form).collect()
}

fn form(request: &Request) -> Vec<(String, String)> {
    let text = String::from_utf8(request.body.clone()).unwrap();
    let url = reqwest::Url::parse(&format!("http://x/?{text}")).unwrap();
    url.query_pairs().into_owned().collect()
}

/// Scenario: each metric, by service and by operation. Guarantees: the PromQL and the times of Jaeger, by POST; names and helps.
#[tokio::test]
async fn questions_are_jaegers() {
    let server = MockServer::start().await;
    let filter = r#"service_name =~ "a|b\"c", span_kind =~ "SPAN_KIND_SERVER|SPAN_KIND_CLIENT""#;
    let failed = filter.replace(", span_kind", r#", status_code = "STATUS_CODE_ERROR", span_kind"#);
    answer(&server, "POST", RANGE, 200, &series(r#""service_name":"a""#, r#"[1700000000.5,"1"]"#)).await;
    let reader = reader(&config(&server), FIXED);
    for (by_operation, by, name, and) in
        [(false, "service_name", "service", ""), (true, "service_name,span_name", "service_operation", " & operation")]
    {
        server.reset().await;
        answer(&server, "POST", RANGE, 200, &series(r#""service_name":"a""#, r#"[1700000000.5,"1"]"#)).await;
        let query = MetricsQuery { group_by_operation: by_operation, ..query() };
        let found = [
            reader.latencies(0.95, &query).await.unwrap(),
            reader.call_rates(&query).await.unwrap(),
            reader.error_rates(&query).await.unwrap(),
        ];
        let calls = format!("sum(rate(traces_span_metrics_calls{{{filter}}}[10m])) by ({by})");
        let wanted = [
            format!("histogram_quantile(0.95, sum(rate(traces_span_metrics_duration_bucket{{{filter}}}[10m])) by ({by},le))"),
            calls.clone(),
            format!("sum(rate(traces_span_metrics_calls{{{failed}}}[10m])) by ({by}) / {calls}"),
        ];
        let forms = posted(&server).await;
        for (form, promql) in forms.iter().zip(wanted) {
            let rest = [("start", "1699996400.5"), ("end", "1700000000.5"), ("step", "5")];
            let rest = rest.map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(*form, [vec![("query".to_owned(), promql)], rest.to_vec()].concat());
        }
        let helps = [
            "0.95th quantile latency, grouped by service",
            "calls/sec, grouped by service",
            "error rate, computed as a fraction of errors/sec over calls/sec, grouped by service",
        ];
        for ((family, what), help) in found.iter().zip(["latencies", "call_rate", "error_rate"]).zip(helps) {
            assert_eq!((&family.name, &family.help), (&format!("{name}_{what}"), &format!("{help}{and}")));
        }
    }
    assert_eq!(reader.min_step().await.unwrap(), 1);
}

/// Scenario: values of all kinds, and labels of Prometheus. Guarantees: Jaeger's labels, times in milliseconds, values as they are.
#[tokio::test]
async fn series_become_metrics() {
    let server = MockServer::start().await;
    let values = r#"[1700000000,"0.25"],[1700000000.781,"NaN"],[1700000001,"+Inf"],[1700000002,"1e+06"]"#;
    answer(&server, "POST", RANGE, 200, &series(r#""span_name":"GET /","service_name":"a","x":"y""#, values)).await;
    let found = reader(&config(&server), FIXED).call_rates(&query()).await.unwrap();
    let [Metric { labels, points }] = &found.metrics[..] else { panic!("{found:?}") };
    let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(*labels, [label("service_name", "a"), label("operation", "GET /"), label("x", "y")]);
    assert_eq!((points[0], points[1].0), ((1_700_000_000_000, 0.25), 1_700_000_000_781));
    assert!(points[1].1.is_nan());
    assert_eq!(points[2..], [(1_700_000_001_000, f64::INFINITY), (1_700_000_002_000, 1e6)]);
}

/// Scenario: a histogram in seconds, by flag. Guarantee: latencies are in milliseconds, rates are not touched.
#[tokio::test]
async fn latencies_are_in_milliseconds() {
    let server = MockServer::start().await;
    answer(&server, "POST", RANGE, 200, &series("", r#"[1,"0.25"]"#)).await;
    let flags = Query { duration_unit: "s".to_owned(), normalize_duration: true, normalize_calls: true, ..Query::default() };
    let reader = reader(&Config { query: flags, ..config(&server) }, FIXED);
    assert_eq!(reader.latencies(0.5, &query()).await.unwrap().metrics[0].points, [(1000, 250.0)]);
    assert_eq!(reader.call_rates(&query()).await.unwrap().metrics[0].points, [(1000, 0.25)]);
    let forms = posted(&server).await;
    assert!(forms[0][0].1.contains("(traces_span_metrics_duration_seconds_bucket{"), "{forms:?}");
    assert!(forms[1][0].1.contains("(traces_span_metrics_calls_total{"), "{forms:?}");
}

/// Scenario: nothing failed. Guarantee: zeros where there were calls, nothing where there were none.
#[tokio::test]
async fn no_errors_are_zeros() {
    for (calls, wanted) in [(series("", r#"[1,"2"],[2,"3"]"#), vec![vec![(1000, 0.0), (2000, 0.0)]]), (matrix(""), vec![])] {
        let server = MockServer::start().await;
        let first = ResponseTemplate::new(200).set_body_string(matrix(""));
        Mock::given(method("POST")).respond_with(first).up_to_n_times(1).mount(&server).await;
        answer(&server, "POST", RANGE, 200, &calls).await;
        let found = reader(&config(&server), FIXED).error_rates(&query()).await.unwrap();
        assert_eq!(found.name, "service_error_rate");
        assert_eq!(found.metrics.into_iter().map(|m| m.points).collect::<Vec<_>>(), wanted);
    }
}

async fn failure(status: u16, body: &str) -> StoreError {
    let server = MockServer::start().await;
    answer(&server, "POST", RANGE, status, body).await;
    reader(&config(&server), FIXED).call_rates(&query()).await.unwrap_err()
}

/// Scenario: refusals and failures of the server, and answers that are none. Guarantee: the text of Jaeger's client.
#[tokio::test]
async fn failures() {
    let refused = r#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"step\": no"}"#;
    let timed_out = r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#;
    for (status, body, wanted) in [
        (400, refused, "bad_data: invalid parameter \"step\": no"),
        (422, r#"{"status":"error","errorType":"execution","error":"x"}"#, "execution: x"),
        (503, timed_out, "server_error: server error: 503"),
        (401, "no", "client_error: client error: 401"),
        (
            400,
            r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#,
            "bad_response: inconsistent body for response code",
        ),
        (
            200,
            r#"{"status":"success","data":{"resultType":"scalar","result":[]}}"#,
            "bad_response: unexpected metrics ValueType: scalar",
        ),
        (200, &series("", r#"[1,"x"]"#), "bad_response: \"x\" is no number"),
    ] {
        let e = failure(status, body).await;
        assert_eq!((e.kind, e.message), (ErrorKind::Internal, format!("failed executing metrics query: {wanted}")));
    }
    let e = failure(200, "<html>").await;
    assert!(e.message.starts_with("failed executing metrics query: bad_response: expected value"), "{e}");

    let server = MockServer::start().await;
    answer(&server, "POST", RANGE, 400, refused).await;
    let e = reader(&config(&server), FIXED).error_rates(&query()).await.unwrap_err();
    assert!(e.message.starts_with("failed getting error metrics: failed executing metrics query: bad_data: "), "{e}");

    let gone = Config { server_url: "http://127.0.0.1:1/prom/".to_owned(), ..Config::default() };
    let e = reader(&gone, Set::default()).call_rates(&query()).await.unwrap_err();
    assert_eq!(e.kind, ErrorKind::Unavailable);
    assert!(e.message.starts_with("failed executing metrics query: cannot reach Prometheus at http://127.0.0.1:1: "), "{e}");
}

/// Scenario: an endless answer. Guarantee: it is given up, and the message says what to do.
#[tokio::test]
async fn long_answers_are_given_up() {
    let e = failure(200, &" ".repeat((32 << 20) + 1)).await;
    assert_eq!(e.kind, ErrorKind::Invalid);
    assert!(e.message.ends_with("longer than 32 MiB; ask for fewer services, a shorter time or a longer step"), "{e}");
}

/// Scenario: a server that takes no POST, below a path, with more parameters. Guarantee: it is asked by GET, there, with them.
#[tokio::test]
async fn get_below_a_path() {
    let server = MockServer::start().await;
    answer(&server, "POST", "/prom/api/v1/query_range", 405, "").await;
    let found = ResponseTemplate::new(200).set_body_string(series("", r#"[1,"2"]"#));
    let range = Mock::given(method("GET")).and(path("/prom/api/v1/query_range")).and(query_param("step", "5"));
    range.and(query_param("tenant", "t+1")).and(query_param("b", "2")).respond_with(found).mount(&server).await;
    let with = |pairs: &str| {
        let query = Query { extra_query_params: pairs.to_owned(), ..Query::default() };
        Config { server_url: format!("{} /prom/", server.uri()), query, ..Config::default() }
    };
    let reader = reader(&with("tenant=t+1, b=1,b=2"), FIXED);
    assert_eq!(reader.call_rates(&query()).await.unwrap().metrics.len(), 1);
    let added = [("b", "2"), ("tenant", "t+1")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(posted(&server).await[0][4..], added, "a proxy may read the form alone");
    let e = PrometheusMetrics::new(&with("a"), FIXED, &mut Registry::default()).err().unwrap();
    assert!(e.message.contains("\"a\" is not of the form param1=value1"), "{e}");
}

/// Scenario: tokens of a file and of callers. Guarantees: the caller's goes first unless a flag says no; a missing file stops the start.
#[tokio::test]
async fn tokens() {
    let server = MockServer::start().await;
    answer(&server, "POST", RANGE, 200, &matrix("")).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "of-file\r\n").unwrap();
    let token_file = file.path().display().to_string();
    let config = Config { token_file, ..config(&server) };
    let own = reader(&config, FIXED);
    let stubborn = reader(&Config { token_override_from_context: false, ..config.clone() }, FIXED);
    let bare = reader(&Config { token_file: String::new(), ..config.clone() }, FIXED);
    let caller = || Token::new("of-caller");
    own.call_rates(&query()).await.unwrap();
    bearer::with(caller(), own.call_rates(&query())).await.unwrap();
    bearer::with(caller(), stubborn.call_rates(&query())).await.unwrap();
    bearer::with(caller(), bare.call_rates(&query())).await.unwrap();
    bare.call_rates(&query()).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    let sent = requests.iter().map(|r| r.headers.get("authorization").map_or("", |v| v.to_str().unwrap()));
    assert_eq!(sent.collect::<Vec<_>>(), ["Bearer of-file", "Bearer of-caller", "Bearer of-file", "Bearer of-caller", ""]);
    let missing = Config { token_file: "/nowhere/token".to_owned(), ..config };
    let e = PrometheusMetrics::new(&missing, FIXED, &mut Registry::default()).err().unwrap();
    assert!(e.message.starts_with("prometheus.token-file: /nowhere/token: "), "{e}");
}

/// Scenario: no flag names the metrics, and the server has others than Jaeger's. Guarantees: it is asked for the names once, they are
/// used, and Jaeger's are when it has none or cannot say.
#[tokio::test]
async fn names_are_looked_up() {
    let server = MockServer::start().await;
    let names = r#"{"status":"success","data":["traces_spanmetrics_calls_total","traces_spanmetrics_latency_bucket"]}"#;
    answer(&server, "GET", NAMES, 200, names).await;
    let labels = r#""service":"a","span_name":"b""#;
    answer(&server, "POST", RANGE, 200, &series(labels, r#"[1,"0.5"]"#)).await;
    let prometheus = reader(&config(&server), Set::default());
    let found = prometheus.latencies(0.5, &query()).await.unwrap();
    prometheus.call_rates(&query()).await.unwrap();
    let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        found.metrics[0],
        Metric { labels: vec![label("service_name", "a"), label("operation", "b")], points: vec![(1000, 500.0)] }
    );
    let forms = posted(&server).await;
    assert!(forms[0][0].1.contains("(traces_spanmetrics_latency_bucket{service =~ "), "{forms:?}");
    assert!(forms[1][0].1.ends_with("[10m])) by (service)"), "{forms:?}");
    let asked: Vec<Request> = server.received_requests().await.unwrap().into_iter().filter(|r| r.method == "GET").collect();
    assert_eq!(asked.len(), 1, "the names are kept");
    let parameters: Vec<(String, String)> = asked[0].url.query_pairs().into_owned().collect();
    assert!(parameters[0].1.starts_with("{__name__=~\"traces_span_metrics_calls|"), "{parameters:?}");
    assert_eq!(parameters[1..], [label("start", "1699995800.5"), label("end", "1700000000.5")]);

    for (status, body) in [(200, r#"{"status":"success","data":["up"]}"#), (404, "")] {
        let server = MockServer::start().await;
        answer(&server, "GET", NAMES, status, body).await;
        answer(&server, "POST", RANGE, 200, &matrix("")).await;
        assert!(reader(&config(&server), Set::default()).call_rates(&query()).await.unwrap().metrics.is_empty());
        assert!(posted(&server).await.iter().all(|form| form[0].1.contains("(traces_span_metrics_calls{")));
    }
}

/// Scenario: the first answer is empty, since the metrics are only now there. Guarantee: the names are looked up again, and asked for.
#[tokio::test]
async fn names_are_looked_up_again() {
    let server = MockServer::start().await;
    let nothing = ResponseTemplate::new(200).set_body_string(r#"{"status":"success","data":[]}"#);
    Mock::given(method("GET")).and(path(NAMES)).respond_with(nothing).up_to_n_times(1).mount(&server).await;
    answer(&server, "GET", NAMES, 200, r#"{"status":"success","data":["calls_total","latency_bucket"]}"#).await;
    let empty = ResponseTemplate::new(200).set_body_string(matrix(""));
    Mock::given(method("POST")).and(path(RANGE)).respond_with(empty).up_to_n_times(1).mount(&server).await;
    answer(&server, "POST", RANGE, 200, &series(r#""operation":"b""#, r#"[1,"0.5"]"#)).await;
    let query = MetricsQuery { group_by_operation: true, ..query() };
    let found = reader(&config(&server), Set::default()).latencies(0.5, &query).await.unwrap();
    assert_eq!(found.metrics[0].points, [(1000, 0.5)], "the old processor counts milliseconds");
    let forms = posted(&server).await;
    assert_eq!(forms.len(), 2);
    assert!(
        forms[1][0].1.contains("(latency_bucket{") && forms[1][0].1.ends_with("by (service_name,operation,le))"),
        "{forms:?}"
    );
}
