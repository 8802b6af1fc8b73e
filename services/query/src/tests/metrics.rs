//! `/api/metrics/…`: without a store of metrics a wrong parameter is told of all the same, as in Jaeger; with one its answers, errors
//! and the caller's token.

use super::*;
use skua_store::bearer;
use skua_store::span_metrics::{Metric, MetricFamily, MetricsQuery, MetricsReader};
use std::sync::Mutex;

const DISABLED: &str = "metrics querying is currently disabled";

/// Scenario: every parameter, right and wrong, in the order in which Jaeger reads them. Guarantees: its texts, then 501.
#[tokio::test]
async fn parameters_come_before_the_refusal() {
    let app = app().await;
    let service = "unable to parse param 'service': please provide at least one service name";
    let all = "service=a&service=b&groupByOperation=true&spanKind=client&spanKind=server&endTs=5&lookback=6&step=7&ratePer=8";
    for what in ["calls", "errors", "latencies"] {
        let path = |query: &str| format!("/api/metrics/{what}?quantile=0.95&{query}");
        for query in
            [all, "service=", "service=a&spanKind=unspecified", "service=a&endTs=&lookback=&step=&ratePer=&groupByOperation="]
        {
            expect_error(&app, &path(query), 501, DISABLED).await;
        }
        expect_error(&app, &path("groupByOperation=x"), 400, service).await;
        let bad_bool = "unable to parse param 'groupByOperation': strconv.ParseBool: parsing \"x\": invalid syntax";
        expect_error(&app, &path("service=a&groupByOperation=x&spanKind=x"), 400, bad_bool).await;
        let kind = "unable to parse param 'spanKind': unsupported span kind: 'foo'";
        expect_error(&app, &path("service=a&spanKind=server&spanKind=foo&endTs=x"), 400, kind).await;
        let names = ["endTs", "lookback", "step", "ratePer"];
        for (i, name) in names.iter().enumerate() {
            let wrong: Vec<String> = names[i..].iter().map(|n| format!("{n}=1s")).collect();
            let text = format!("unable to parse param '{name}': strconv.ParseInt: parsing \"1s\": invalid syntax");
            expect_error(&app, &path(&format!("service=a&{}", wrong.join("&"))), 400, &text).await;
        }
    }
    let quantile =
        |text: &str| format!("unable to parse param 'quantile': strconv.ParseFloat: parsing \"{text}\": invalid syntax");
    expect_error(&app, "/api/metrics/latencies", 400, &quantile("")).await;
    expect_error(&app, "/api/metrics/latencies?quantile=x", 400, &quantile("x")).await;
    expect_error(&app, "/api/metrics/latencies?quantile=.5", 400, service).await;
    expect_error(&app, "/api/metrics/minstep", 501, DISABLED).await;
    expect_error(&app, "/api/metrics/other", 404, "there is no /api/metrics/other").await;
    assert_eq!(send(&app, "POST", "/api/metrics/calls").await.status, 405);
}

/// Answers with what it was asked, or fails.
#[derive(Default)]
pub(super) struct Echo {
    failure: Option<ErrorKind>,
    asked: Mutex<Vec<MetricsQuery>>,
}

impl Echo {
    fn answer(&self, name: &str, query: &MetricsQuery) -> Result<MetricFamily, StoreError> {
        if let Some(kind) = self.failure {
            return Err(StoreError::new(kind, "failed executing metrics query: no"));
        }
        self.asked.lock().unwrap().push(query.clone());
        let token = bearer::of_caller().map_or_else(String::new, |t| t.secret().to_owned());
        let labels = vec![("service_name".to_owned(), query.services.join("+")), ("operation".to_owned(), token)];
        let metrics = vec![Metric { labels, points: vec![(1_700_000_000_000, f64::NAN), (1_700_000_005_000, 1.5)] }];
        Ok(MetricFamily { name: name.to_owned(), help: "help".to_owned(), metrics })
    }
}

#[async_trait]
impl MetricsReader for Echo {
    async fn latencies(&self, quantile: f64, query: &MetricsQuery) -> Result<MetricFamily, StoreError> {
        self.answer(&format!("latencies{quantile}"), query)
    }
    async fn call_rates(&self, query: &MetricsQuery) -> Result<MetricFamily, StoreError> {
        self.answer("calls", query)
    }
    async fn error_rates(&self, query: &MetricsQuery) -> Result<MetricFamily, StoreError> {
        self.answer("errors", query)
    }
    async fn min_step(&self) -> Result<u64, StoreError> {
        self.answer(
            "step",
            &MetricsQuery {
                services: vec![],
                group_by_operation: false,
                span_kinds: vec![],
                end: 0,
                lookback: 0,
                step: 0,
                rate_per: 0,
            },
        )?;
        Ok(60_000)
    }
}

async fn with_metrics(echo: &Arc<Echo>, config: &Config) -> Router {
    serving(Stores { metrics: Some(echo.clone()), ..stores(store().await) }, config).unwrap()
}

/// Scenario: every route over a store of metrics. Guarantees: the parameters arrive, the answer has no envelope but for the step.
#[tokio::test]
async fn answers() {
    let echo = Arc::new(Echo::default());
    let app = with_metrics(&echo, &config("/", &[])).await;
    let query = "service=a&service=b%26&groupByOperation=true&spanKind=client&endTs=5&lookback=6&step=7&ratePer=8&quantile=0.95";
    for (path, name) in [("latencies", "latencies0.95"), ("calls", "calls"), ("errors", "errors")] {
        let got = get(&app, &format!("/api/metrics/{path}?{query}")).await;
        let want = format!(
            r#"{{"name":"{name}","type":"GAUGE","help":"help","metrics":[{{"labels":[{{"name":"service_name","value":"a+b\u0026"}},{{"name":"operation"}}],"metricPoints":[{{"gaugeValue":{{"doubleValue":"NaN"}},"timestamp":"2023-11-14T22:13:20Z"}},{{"gaugeValue":{{"doubleValue":1.5}},"timestamp":"2023-11-14T22:13:25Z"}}]}}]}}"#
        );
        assert_eq!((got.status, got.header("content-type"), got.body.as_str()), (200, "application/json", want.as_str()));
        let pretty = get(&app, &format!("/api/metrics/{path}?prettyPrint=true&{query}")).await;
        assert_eq!(pretty.json(), get(&app, &format!("/api/metrics/{path}?{query}")).await.json());
        assert!(pretty.body.starts_with("{\n    \"name\""), "{}", pretty.body);
    }
    let asked = echo.asked.lock().unwrap().first().cloned().unwrap();
    let services = vec!["a".to_owned(), "b&".to_owned()];
    let want = MetricsQuery {
        services,
        group_by_operation: true,
        span_kinds: vec!["client"],
        end: 5000,
        lookback: 6,
        step: 7,
        rate_per: 8,
    };
    assert_eq!(asked, want);
    assert_eq!(get(&app, "/api/metrics/minstep").await.body, r#"{"data":60000,"total":0,"limit":0,"offset":0,"errors":null}"#);
    expect_error(&app, "/api/metrics/calls", 400, "unable to parse param 'service': please provide at least one service name")
        .await;
}

/// Scenario: the store of metrics fails. Guarantees: Jaeger's text, 500; 503 when it is away, 504 when it is slow.
#[tokio::test]
async fn failures() {
    let message = "failed executing metrics query: no";
    for (kind, status) in [(ErrorKind::Internal, 500), (ErrorKind::Unavailable, 503), (ErrorKind::Timeout, 504)] {
        let echo = Arc::new(Echo { failure: Some(kind), ..Echo::default() });
        let app = with_metrics(&echo, &config("/", &[])).await;
        for path in ["latencies?service=a&quantile=1", "calls?service=a", "errors?service=a", "minstep"] {
            expect_error(&app, &format!("/api/metrics/{path}"), status, message).await;
        }
    }
}

/// Scenario: a bearer token, with and without `--query.bearer-token-propagation`. Guarantee: it is handed on only with it.
#[tokio::test]
async fn tokens_are_handed_on_when_that_is_wanted() {
    for (bearer_token_propagation, wanted) in [(true, Some("abc")), (false, None)] {
        let config = Config { bearer_token_propagation, ..config("/", &[]) };
        let app = with_metrics(&Arc::new(Echo::default()), &config).await;
        let got = send_body(&app, "GET", "/api/metrics/calls?service=a", &[("Authorization", "Bearer abc")], Body::empty()).await;
        let label = &got.json()["metrics"][0]["labels"][1];
        assert_eq!(label.get("value").and_then(Value::as_str), wanted);
    }
}
