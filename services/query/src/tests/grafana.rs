//! What Grafana's Jaeger data source asks (its plug-in 13.0.1), in the strings that it sends, and what it reads of the answers.

use super::*;

/// A trace of now, `abc`, that Grafana's default search finds.
async fn app() -> Router {
    over(store().await, &config("/jaeger", &[]))
}

/// Microseconds, and the same as Go's `time.RFC3339Nano` has it in a zone east of Greenwich.
fn an_hour_ago_and_now() -> [(u128, String); 2] {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    [now - 3_600_000_000, now].map(|us| {
        let (days, seconds) = ((us / 86_400_000_000) as i64, us / 1_000_000 % 86_400);
        let (year, month, day) = skua_model::json::civil_from_days(days);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        (us, format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:06}", us % 1_000_000))
    })
}

fn texts(json: &Value) -> Vec<&str> {
    json.as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect()
}

#[tokio::test]
async fn health_services_and_operations() {
    let app = app().await;
    let health = get(&app, "/jaeger/api/services").await;
    let json = health.json();
    assert_eq!((health.status, texts(&json["data"])), (200, vec!["a/b", "back"]));
    assert!(["total", "limit", "offset", "errors"].iter().all(|key| json.get(key).is_some()));
    assert_eq!(texts(&get(&app, "/jaeger/api/services/back/operations").await.json()["data"]), ["rest", "work"]);
    assert_eq!(texts(&get(&app, "/jaeger/api/services/a%2Fb/operations").await.json()["data"]), ["GET /<x>"]);

    assert_eq!(texts(&get(&app, "/jaeger/api/v3/services").await.json()["services"]), ["a/b", "back"]);
    let operations = get(&app, "/jaeger/api/v3/operations?service=back").await.json();
    assert_eq!(operations["operations"][0], json!({"name": "rest", "spanKind": "server"}));
}

/// Parameters in Go's order, empty ones left out, `tags` as JSON, times in microseconds.
#[tokio::test]
async fn search() {
    let app = app().await;
    let [(start, _), (end, _)] = an_hour_ago_and_now();
    let traces = async |query: String| {
        let got = get(&app, &format!("/jaeger/api/traces?{query}")).await;
        assert_eq!(got.status, 200, "{query}");
        got.json()["data"].as_array().unwrap().len()
    };
    assert_eq!(traces(format!("end={end}&limit=20&service=back&start={start}")).await, 2);
    let tags = "%7B%22span.kind%22%3A%22client%22%7D";
    let query = format!(
        "end={end}&limit=20&maxDuration=5s&minDuration=1ms&operation=GET+%2F%3Cx%3E&service=a%2Fb&start={start}&tags={tags}"
    );
    assert_eq!(traces(query).await, 1);
    assert_eq!(traces(format!("end={end}&service=nobody&start={start}")).await, 0);
}

/// With its "time params" on it sends milliseconds here.
#[tokio::test]
async fn trace_by_id() {
    let app = app().await;
    let [(start, _), (end, _)] = an_hour_ago_and_now();
    for query in [String::new(), format!("?end={}&start={}", end / 1000, start / 1000)] {
        for id in ["abc", "ABC", "0000000000000abc", "00000000000000000000000000000abc"] {
            let got = get(&app, &format!("/jaeger/api/traces/{id}{query}")).await;
            assert_eq!(got.status, 200, "{id}{query}");
            let json = got.json();
            let trace = &json["data"][0];
            assert_eq!((&trace["traceID"], trace["spans"].as_array().unwrap().len()), (&json!("0000000000000abc"), 3));
            for span in trace["spans"].as_array().unwrap() {
                let keys =
                    ["traceID", "spanID", "processID", "operationName", "startTime", "duration", "logs", "references", "tags"];
                assert!(keys.iter().all(|key| !span[key].is_null()), "{span}");
                assert!(trace["processes"][span["processID"].as_str().unwrap()]["serviceName"].is_string());
            }
        }
    }
    assert_eq!(get(&app, "/jaeger/api/traces/dead").await.status, 404);
}

/// Its gRPC toggle asks version 3; times are put into the address as they are, so that a plus arrives as a space.
#[tokio::test]
async fn trace_by_id_in_otlp() {
    let app = app().await;
    let [(_, start), (_, end)] = an_hour_ago_and_now();
    for zone in ["Z", "+00:00"] {
        let got = get(&app, &format!("/jaeger/api/v3/traces/abc?start_time={start}{zone}&end_time={end}{zone}")).await;
        assert_eq!(got.status, 200, "{}", got.body);
        let json = got.json();
        assert_eq!(json["error"], Value::Null);
        let resources = json["result"]["resourceSpans"].as_array().unwrap();
        let service = &resources[0]["resource"]["attributes"][0];
        assert_eq!(service, &json!({"key": "service.name", "value": {"stringValue": "a/b"}}));
        let span = &resources[0]["scopeSpans"][0]["spans"][0];
        assert_eq!((&span["traceId"], &span["kind"]), (&json!("00000000000000000000000000000abc"), &json!(3)));
        assert!(span["startTimeUnixNano"].is_string() && span["endTimeUnixNano"].is_string());
    }
    let missing = get(&app, "/jaeger/api/v3/traces/dead").await;
    assert_eq!((missing.status, missing.json()), (404, json!({"error": {"httpCode": 404, "message": "No traces found"}})));
}

/// The search over version 3 that it has but does not use yet.
#[tokio::test]
async fn search_in_otlp() {
    let app = app().await;
    let [(_, start), (_, end)] = an_hour_ago_and_now();
    let query = format!(
        "query.attributes=%7B%22span.kind%22%3A%22client%22%7D&query.duration_max=5s&query.duration_min=1ms&query.operation_name=GET+%2F%3Cx%3E&query.service_name=a%2Fb&query.start_time_max={end}Z&query.start_time_min={start}Z"
    );
    let got = get(&app, &format!("/jaeger/api/v3/traces?{query}")).await;
    assert_eq!((got.status, got.json()["result"]["resourceSpans"].as_array().unwrap().len()), (200, 2), "{}", got.body);
}

#[tokio::test]
async fn dependencies() {
    let app = app().await;
    let [_, (end, _)] = an_hour_ago_and_now();
    let got = get(&app, &format!("/jaeger/api/dependencies?endTs={}&lookback=3600000", end / 1000)).await.json();
    assert_eq!((&got["data"], &got["errors"]), (&json!([{"parent": "a/b", "child": "back", "callCount": 1}]), &Value::Null));
}
