//! RED metrics that somebody else counted, read from a real Prometheus.

use serde_json::{Value, json};
use skua_integration_tests::query::{list, text};
use skua_integration_tests::{Error, Prometheus, Query, Result, Skua, ensure, wait};
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// What one counter of spans calls its metrics.
struct Names {
    /// The value of `--prometheus.query.namespace`; `None`: the flag is not set.
    namespace: Option<&'static str>,
    calls: &'static str,
    latency: &'static str,
    /// Units of the latency in a second.
    scale: f64,
    service: &'static str,
    operation: &'static str,
}

const fn names(namespace: &'static str, calls: &'static str, latency: &'static str, scale: f64) -> Names {
    Names { namespace: Some(namespace), calls, latency, scale, service: "service_name", operation: "span_name" }
}

/// Jaeger's defaults; the connector of the OpenTelemetry collector as it is now; Tempo; the old processor.
const KINDS: [Names; 4] = [
    Names { namespace: None, ..names("", "traces_span_metrics_calls", "traces_span_metrics_duration", 1e3) },
    names("mine", "mine_calls_total", "mine_duration_seconds", 1.0),
    Names {
        service: "service",
        ..names("traces_spanmetrics", "traces_spanmetrics_calls_total", "traces_spanmetrics_latency", 1.0)
    },
    Names { operation: "operation", ..names("", "calls_total", "latency", 1e3) },
];

/// The text of a scrape, after `n` others: between two of them 100 spans of one operation, 10 of them failed; a tenth took up to 2 ms,
/// half up to 10 ms, all up to 50 ms.
fn exposition(n: u64) -> String {
    let mut out = String::new();
    for Names { calls, latency, scale, service, operation, .. } in KINDS {
        let labels = format!(r#"{service}="shop",{operation}="GET /cart",span_kind="SPAN_KIND_SERVER""#);
        for (status, share) in [("UNSET", 90), ("ERROR", 10)] {
            let _ = writeln!(out, r#"{calls}{{{labels},status_code="STATUS_CODE_{status}"}} {}"#, n * share);
        }
        for (le, share) in [(0.002, 10), (0.01, 50), (0.05, 100)] {
            let _ = writeln!(out, r#"{latency}_bucket{{{labels},le="{}"}} {}"#, le * scale, n * share);
        }
        let _ = writeln!(out, r#"{latency}_bucket{{{labels},le="+Inf"}} {}"#, n * 100);
    }
    out
}

/// A metric, once it has a series with a number: the labels and the last value.
async fn metric(query: &Query, what: &str, parameters: &[(&str, &str)]) -> Result<(Value, f64)> {
    let always = [("service", "shop"), ("lookback", "10000"), ("step", "1000"), ("ratePer", "10000")];
    let all = [&always, parameters].concat();
    wait::until(format!("{what} with {parameters:?}"), async || {
        let (status, family) = query.get(&format!("/api/metrics/{what}"), &all).await?;
        ensure(status == 200, || family.to_string())?;
        let points = list(&family["metrics"][0]["metricPoints"]);
        let value = points.last().and_then(|point| point["gaugeValue"]["doubleValue"].as_f64());
        let value = value.filter(|value| *value > 0.0).ok_or_else(|| Error::new(family.to_string()))?;
        Ok(Some((family["metrics"][0]["labels"].clone(), value)))
    })
    .await
}

fn is_near(value: f64, wanted: f64) -> bool {
    (value - wanted).abs() < wanted * 1e-6
}

/// Scenario: counters of spans of four kinds, scraped by one Prometheus, each asked for through a query tier that is told no more than
/// the namespace. Guarantees: latency in milliseconds, share of errors and calls of each kind, with Jaeger's labels; what Prometheus
/// refuses is told in its words, that it is away too.
#[tokio::test]
async fn metrics_by_any_name() -> Result<()> {
    let spans = MockServer::start().await;
    let scrapes = AtomicU64::new(0);
    let scraped = move |_: &Request| {
        ResponseTemplate::new(200).set_body_raw(exposition(scrapes.fetch_add(1, Ordering::Relaxed)), "text/plain; version=0.0.4")
    };
    Mock::given(path("/metrics")).respond_with(scraped).mount(&spans).await;
    let mut prometheus = Prometheus::start(&[spans.address().to_string()]).await?;
    let env = [("SPAN_STORAGE_TYPE", "memory"), ("METRICS_STORAGE_TYPE", "prometheus")];
    let mut tiers = Vec::new();
    for names in KINDS {
        let mut flags = vec![format!("--prometheus.server-url={}/", prometheus.url())];
        flags.extend(names.namespace.map(|namespace| format!("--prometheus.query.namespace={namespace}")));
        let skua = Skua::start("query", &flags, &env).await?;
        let query = Query::new(skua.ports().query_http);
        let by_service = json!([{"name": "service_name", "value": "shop"}]);
        let by_operation = json!([{"name": "service_name", "value": "shop"}, {"name": "operation", "value": "GET /cart"}]);
        let (labels, median) = metric(&query, "latencies", &[("quantile", "0.5"), ("groupByOperation", "true")]).await?;
        assert_eq!(labels, by_operation, "{}", names.latency);
        assert!(is_near(median, 10.0), "{}: {median} ms", names.latency);
        let (labels, errors) = metric(&query, "errors", &[]).await?;
        assert_eq!(labels, by_service, "{}", names.calls);
        assert!(is_near(errors, 0.1), "{}: {errors}", names.calls);
        let (labels, _) = metric(&query, "calls", &[("spanKind", "server"), ("spanKind", "client")]).await?;
        assert_eq!(labels, by_service, "{}", names.calls);
        let (_, none) = query.get("/api/metrics/calls", &[("service", "shop"), ("spanKind", "producer")]).await?;
        assert_eq!(none["metrics"], json!([]));
        assert_eq!(query.data("/api/metrics/minstep", &[]).await?, 1);
        tiers.push((skua, query));
    }
    let Some((_, query)) = tiers.first() else { return Err(Error::new("no kinds")) };
    let (status, refused) = query.get("/api/metrics/calls", &[("service", "shop"), ("step", "0")]).await?;
    let message = text(&refused["errors"][0], "msg");
    assert!(
        status == 500 && message.starts_with("failed executing metrics query: bad_data: invalid parameter \"step\""),
        "{refused}"
    );
    prometheus.stop().await?;
    let (status, away) = query.get("/api/metrics/calls", &[("service", "shop")]).await?;
    assert!(status == 503 && text(&away["errors"][0], "msg").contains("cannot reach Prometheus at http://127.0.0.1:"), "{away}");
    Ok(())
}
