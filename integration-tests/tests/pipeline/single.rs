//! One process: what `all-in-one` takes in, how it answers, and how it stops.

use serde_json::json;
use skua_integration_tests::otlp::post_spans;
use skua_integration_tests::{Answer, Query, Result, Sender, Skua, Spans, send_all};
use skua_model::wire::{put_bytes, put_message, put_uint};

const TRACE: &str = "000000000000beef";

/// `PostSpansRequest` with a batch of one span: 64-bit trace id, a tag of each kind that matters, Jaeger's debug flag.
fn request(span_id: u64) -> Vec<u8> {
    let mut out = Vec::new();
    put_message(&mut out, 1, |batch| {
        put_message(batch, 1, |span| {
            put_bytes(span, 1, &0xbeef_u128.to_be_bytes());
            put_bytes(span, 2, &span_id.to_be_bytes());
            put_bytes(span, 3, b"charge");
            put_uint(span, 5, 3);
            put_message(span, 6, |time| put_uint(time, 1, 1_700_000_000));
            put_message(span, 7, |duration| put_uint(duration, 2, 1_500_000));
            put_message(span, 8, |tag| {
                put_bytes(tag, 1, b"span.kind");
                put_bytes(tag, 3, b"client");
            });
            put_message(span, 8, |tag| {
                put_bytes(tag, 1, b"retries");
                put_uint(tag, 2, 2);
                put_uint(tag, 5, 7);
            });
        });
        put_message(batch, 2, |process| put_bytes(process, 1, b"payments"));
    });
    out
}

/// Scenario: a client of Jaeger's own gRPC. Guarantee: its span comes back as it went in, with Jaeger's format tag; a span
/// that cannot be taken is counted.
#[tokio::test]
async fn jaeger_grpc_comes_back_as_jaeger_json() -> Result<()> {
    let skua = Skua::start("all-in-one", &[], &[]).await?;
    assert_eq!(post_spans(skua.ports().jaeger_grpc, request(0xabc)).await, Answer::Accepted);
    assert_eq!(post_spans(skua.ports().jaeger_grpc, request(0)).await, Answer::Accepted, "Jaeger's answer has no words for it");
    let Answer::Refused(refusal) = post_spans(skua.ports().jaeger_grpc, b"\xff".to_vec()).await else { panic!("not refused") };
    assert_eq!(refusal.code, "InvalidArgument");

    let trace = Query::new(skua.ports().query_http).complete_trace(TRACE, 1).await?;
    let span = &trace["spans"][0];
    assert_eq!(span["flags"], 3);
    assert_eq!((&span["operationName"], &span["duration"]), (&json!("charge"), &json!(1500)));
    assert_eq!(
        span["tags"],
        json!([
            {"key": "@jaeger@format", "type": "string", "value": "proto"},
            {"key": "retries", "type": "int64", "value": 7},
            {"key": "span.kind", "type": "string", "value": "client"},
        ])
    );
    assert_eq!(trace["processes"], json!({"p1": {"serviceName": "payments", "tags": []}}));
    let ledger = skua.settled_ledger().await?;
    assert_eq!((ledger.received, ledger.stored, ledger.refused_total()), (2, 1, 1), "{ledger:?}");
    ledger.balances()
}

/// Scenario: the same span over version 3 of the API: by its id, by a search of any service, in a summary.
/// Guarantee: kind, tags and times are OTLP's again.
#[tokio::test]
async fn jaeger_grpc_comes_back_as_otlp() -> Result<()> {
    let skua = Skua::start("all-in-one", &[], &[]).await?;
    assert_eq!(post_spans(skua.ports().jaeger_grpc, request(0xabc)).await, Answer::Accepted);
    let query = Query::new(skua.ports().query_http);
    query.complete_trace(TRACE, 1).await?;
    let attribute = |key: &str, value: serde_json::Value| json!({"key": key, "value": value});
    let span = json!({
        "traceId": "0000000000000000000000000000beef", "spanId": "0000000000000abc", "name": "charge", "kind": 3,
        "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000000001500000",
        "attributes": [
            attribute("@jaeger@format", json!({"stringValue": "proto"})),
            attribute("retries", json!({"intValue": "7"})),
        ],
        "status": {},
    });
    let resource = json!({"attributes": [attribute("service.name", json!({"stringValue": "payments"}))]});
    let trace = json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {}, "spans": [span]}]}]});
    let times = [("query.startTimeMin", "2023-11-14T22:13:20Z"), ("query.startTimeMax", "2023-11-14T22:13:21+00:00")];
    for (path, parameters) in [(format!("/api/v3/traces/{TRACE}"), &[][..]), ("/api/v3/traces".to_owned(), &times)] {
        assert_eq!(query.get(&path, parameters).await?, (200, json!({"result": trace})), "{path}");
    }
    let (status, found) = query.get("/api/v3/trace-summaries", &times).await?;
    let summary = &found["summaries"][0];
    assert_eq!((status, &summary["rootServiceName"], &summary["spanCount"]), (200, &json!("payments"), &json!(1)));
    Ok(())
}

/// Scenario: `--collector.ack=queued`, and a stop right after the last answer. Guarantee: what was answered is stored, the
/// ledger balances, and the process ends by itself with success.
#[tokio::test]
async fn a_stop_delivers_what_was_answered() -> Result<()> {
    let flags = ["--collector.ack=queued".to_owned()];
    let mut skua = Skua::start("all-in-one", &flags, &[]).await?;
    let spans = Spans::new("queued");
    send_all(&Sender::grpc(skua.ports().otlp_grpc)?, &spans, 0..1000, 100).await?;
    skua.settled_ledger().await?.is_all_stored(1000)?;
    skua.terminate_cleanly().await
}

/// Scenario: more traces than `--memory.max-traces`. Guarantee: the oldest go first, and are counted.
#[tokio::test]
async fn memory_keeps_the_newest_traces() -> Result<()> {
    let skua = Skua::start("all-in-one", &["--memory.max-traces=10".to_owned()], &[]).await?;
    let spans = Spans::new("bounded");
    let sender = Sender::http(skua.ports().otlp_http);
    send_all(&sender, &spans, 0..1000, 100).await?;
    let query = Query::new(skua.ports().query_http);
    let service = query.services().await?.first().cloned().unwrap_or_default();
    let found = query.data("/api/traces", &[("service", service.as_str()), ("limit", "100")]).await?;
    let kept = found.as_array().map_or(0, Vec::len);
    assert!((1..=10).contains(&kept), "{kept} traces are kept");
    Ok(())
}
