//! What is counted of spans, given to a real Prometheus: the same as what Skua answers by itself.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use serde_json::Value;
use skua_integration_tests::metrics::Metrics;
use skua_integration_tests::ports::unique_number;
use skua_integration_tests::query::list;
use skua_integration_tests::{
    Answer, Elasticsearch, Encoding, Error, Kafka, Pipeline, Prometheus, Query, Result, Sender, Skua, Spans, ensure, send_all,
    wait,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};
use tokio::task::JoinHandle;

/// Milliseconds.
const MINUTE: u64 = 60_000;

/// In microseconds, in turn: the median and the 95th percentile lie far from each other.
const DURATIONS: [u64; 10] = [1_100, 1_700, 2_500, 3_000, 5_000, 6_000, 9_000, 12_000, 40_000, 90_000];

fn now_ms() -> u64 {
    UNIX_EPOCH.elapsed().map_or(0, |now| now.as_millis() as u64)
}

fn attribute(key: &str, value: &str) -> KeyValue {
    let value = AnyValue { value: Some(Any::StringValue(value.to_owned())) };
    KeyValue { key: key.to_owned(), value: Some(value), ..Default::default() }
}

/// A trace that starts now: the web shop asks for the cart's price, which the cart looks up in a database. Every fourth fails.
fn checkout(run: u64, number: u64) -> ExportTraceServiceRequest {
    let (start, duration) = (now_ms() * 1_000_000, DURATIONS[number as usize % DURATIONS.len()] * 1000);
    let span = |id: u8, name: &str, kind: SpanKind, attributes: Vec<KeyValue>| Span {
        trace_id: (u128::from(run) << 64 | u128::from(number)).to_be_bytes().to_vec(),
        span_id: vec![id; 8],
        parent_span_id: if id == 1 { Vec::new() } else { vec![id - 1; 8] },
        name: name.to_owned(),
        kind: kind.into(),
        start_time_unix_nano: start,
        end_time_unix_nano: start + duration,
        attributes,
        status: Some(Status { code: if number.is_multiple_of(4) { 2 } else { 0 }, ..Status::default() }),
        ..Span::default()
    };
    let of = |service: &str, spans: Vec<Span>| ResourceSpans {
        resource: Some(Resource { attributes: vec![attribute("service.name", service)], ..Resource::default() }),
        scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
        ..ResourceSpans::default()
    };
    let web = vec![span(1, "GET /cart", SpanKind::Server, vec![]), span(2, "price", SpanKind::Client, vec![])];
    let database = vec![attribute("db.system", "postgresql"), attribute("db.name", "prices")];
    let cart = vec![span(3, "price", SpanKind::Server, vec![]), span(4, "SELECT", SpanKind::Client, database)];
    ExportTraceServiceRequest { resource_spans: vec![of("web", web), of("cart", cart)] }
}

/// Sends a trace every 50 ms until it is told to stop; gives their number.
fn load(sender: Sender, stop: Arc<AtomicBool>) -> JoinHandle<Result<u64>> {
    tokio::spawn(async move {
        let (run, mut sent) = (unique_number(), 0);
        let mut timer = tokio::time::interval(Duration::from_millis(50));
        timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !stop.load(Ordering::Relaxed) {
            timer.tick().await;
            match sender.send(&checkout(run, sent)).await {
                Answer::Accepted => sent += 1,
                other => return Err(Error::new(format!("a trace was not accepted: {other:?}"))),
            }
        }
        Ok(sent)
    })
}

/// Series by their labels, each with its one point.
async fn points(query: &Query, what: &str, parameters: &[(&str, &str)]) -> Result<Vec<(String, f64)>> {
    let (status, family) = query.get(&format!("/api/metrics/{what}"), parameters).await?;
    ensure(status == 200, || family.to_string())?;
    let value = |metric: &Value| {
        let points = list(&metric["metricPoints"]);
        let value = points.first().and_then(|point| point["gaugeValue"]["doubleValue"].as_f64());
        value.filter(|_| points.len() == 1).map(|value| (metric["labels"].to_string(), value))
    };
    let mut series: Vec<_> = list(&family["metrics"]).iter().filter_map(value).collect();
    series.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(series)
}

/// Waits until both have a point for each of these series, and the points are as near to each other as `near` says.
async fn agree(tiers: [&Query; 2], what: &str, parameters: &[(&str, &str)], series: usize, near: f64) -> Result<()> {
    wait::until(format!("{what} with {parameters:?} to be the same"), async || {
        let (built_in, prometheus) = (points(tiers[0], what, parameters).await?, points(tiers[1], what, parameters).await?);
        let same = built_in.iter().zip(&prometheus).all(|((a, x), (b, y))| a == b && *x > 0.0 && x.max(*y) <= x.min(*y) * near);
        let all = built_in.len() == series && prometheus.len() == series;
        ensure(same && all, || format!("built in {built_in:?}, from Prometheus {prometheus:?}"))?;
        Ok(Some(()))
    })
    .await
}

/// Scenario: two services and a database under a steady load, counted by an all-in-one that a Prometheus scrapes. Guarantees: of a whole
/// minute the all-in-one and a query tier on that Prometheus answer the same: calls and errors within a tenth, latencies within a bucket, a
/// doubling; every span is in the counters, once, and so are the calls for Grafana; the slowest spans are exemplars; who does not count
/// has no such metrics.
#[tokio::test]
async fn prometheus_gets_what_was_counted() -> Result<()> {
    let flags = ["--rollup.flush-interval=1s", "--rollup.window=5s"].map(str::to_owned);
    let skua = Skua::start("all-in-one", &flags, &[]).await?;
    let target = format!("127.0.0.1:{}", skua.ports().admin);
    let prometheus = Prometheus::start_at("/metrics/spans", &[target]).await?;
    let env = [("SPAN_STORAGE_TYPE", "memory"), ("METRICS_STORAGE_TYPE", "prometheus")];
    let reader = Skua::start("query", &[format!("--prometheus.server-url={}", prometheus.url())], &env).await?;
    let none = reqwest::get(format!("http://127.0.0.1:{}/metrics/spans", reader.ports().admin)).await?;
    assert_eq!(none.status(), 404);

    let stop = Arc::new(AtomicBool::new(false));
    let load = load(Sender::grpc(skua.ports().otlp_grpc)?, stop.clone());
    let begin = now_ms();
    prometheus.until("sum(traces_span_metrics_calls_total)", |spans| spans > 0.0).await?;
    // The first whole minute from here on.
    let end = (now_ms() / MINUTE + 2) * MINUTE;
    prometheus.until("vector(time())", |now| now * 1000.0 > end as f64).await?;
    assert!(!load.is_finished(), "the load has broken off: {:?}", load.await);

    let tiers = [&Query::new(skua.ports().query_http), &Query::new(reader.ports().query_http)];
    let (end, minute) = (end.to_string(), MINUTE.to_string());
    let window =
        [("service", "web"), ("service", "cart"), ("endTs", &*end), ("lookback", "0"), ("step", "1000"), ("ratePer", &*minute)];
    let with = |more: &[(&'static str, &'static str)]| [&window, more].concat();
    agree(tiers, "calls", &window, 2, 1.1).await?;
    agree(tiers, "calls", &with(&[("groupByOperation", "true"), ("spanKind", "client"), ("spanKind", "server")]), 4, 1.1).await?;
    agree(tiers, "errors", &window, 2, 1.1).await?;
    for quantile in ["0.5", "0.95"] {
        agree(tiers, "latencies", &with(&[("quantile", quantile)]), 2, 2.0).await?;
    }

    stop.store(true, Ordering::Relaxed);
    let sent = load.await?? as f64;
    for (metric, count) in [
        ("sum(traces_span_metrics_calls_total)", 4.0 * sent),
        ("sum(traces_span_metrics_duration_milliseconds_count)", 4.0 * sent),
        (
            r#"traces_spanmetrics_calls_total{service="cart",span_kind="SPAN_KIND_SERVER",status_code="STATUS_CODE_ERROR"}"#,
            (sent / 4.0).ceil(),
        ),
        (r#"traces_service_graph_request_total{client="web",server="cart"}"#, sent),
        (r#"traces_service_graph_request_failed_total{client="web",server="cart"}"#, (sent / 4.0).ceil()),
        (r#"traces_service_graph_request_server_seconds_count{client="web",server="cart"}"#, sent),
        (
            r#"traces_service_graph_request_client_seconds_count{client="cart",server="postgresql/prices",connection_type="database"}"#,
            sent,
        ),
    ] {
        prometheus.until(metric, |value| value == count).await?;
    }
    let exemplars =
        prometheus.exemplars("traces_span_metrics_duration_milliseconds_bucket", begin / 1000, now_ms() / 1000 + 1).await?;
    let slowest = exemplars.iter().find(|(_, value)| *value == 90.0).ok_or_else(|| Error::new(format!("{exemplars:?}")))?;
    let trace = slowest.0["trace_id"].as_str().unwrap_or_default();
    assert!(tiers[0].trace(trace).await?.is_some(), "{slowest:?} is no span that was sent");
    Ok(())
}

/// Scenario: spans by way of Kafka, some of them sent twice; then another ingester goes on, which reads the last minutes again to know the
/// parents. Guarantee: each ingester shows each span that it counted once, and none of those that were counted before it.
#[tokio::test]
async fn ingesters_show_each_span_once() -> Result<()> {
    let pipeline = Pipeline::new("span-metrics", Encoding::OtlpProto, 2, &Kafka::shared()?, &Elasticsearch::shared()?).await?;
    let collector = pipeline.collector().await?;
    let none = reqwest::get(format!("http://127.0.0.1:{}/metrics/spans", collector.ports().admin)).await?;
    assert_eq!(none.status(), 404, "the ingesters count");
    let (sender, spans) = (Sender::grpc(collector.ports().otlp_grpc)?, Spans::new("shown"));
    let flags = ["--rollup.flush-interval=1s"];
    let mut first = pipeline.ingester_with(&flags).await?;
    send_all(&sender, &spans, 0..1000, 100).await?;
    send_all(&sender, &spans, 200..400, 100).await?;
    until_shown(&first, 1000, 0).await?;
    pipeline.topic.until_committed(&pipeline.group).await?;
    first.terminate_cleanly().await?;
    let second = pipeline.ingester_with(&flags).await?;
    send_all(&sender, &spans, 1000..1500, 100).await?;
    until_shown(&second, 500, 1000).await
}

/// Waits until a tier has counted so many spans and passed over at least so many that were counted before it, and shows the former.
async fn until_shown(skua: &Skua, counted: u64, replayed: u64) -> Result<()> {
    let seen = async |outcome: &str| -> Result<f64> {
        Ok(skua.metrics().await?.sum("skua_rollup_spans_total", &[("outcome", outcome)]))
    };
    wait::until(format!("{counted} spans to be counted"), async || {
        let (new, old) = (seen("counted").await?, seen("replayed").await?);
        ensure(new >= counted as f64 && old >= replayed as f64, || format!("{new} are counted, {old} were before"))?;
        Ok(Some(()))
    })
    .await?;
    let url = format!("http://127.0.0.1:{}/metrics/spans", skua.ports().admin);
    assert_eq!(reqwest::get(format!("{url}?names=mine")).await?.status(), 400);
    let text = reqwest::get(format!("{url}?names=jaeger")).await?.text().await?;
    let shown = Metrics::parse(&text)?.sum("traces_span_metrics_calls_total", &[("service_name", "shown")]);
    ensure(shown == counted as f64, || format!("{shown} spans are shown, {counted} were counted"))
}
