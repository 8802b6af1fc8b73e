//! Every port of Jaeger's all-in-one answers in `skua all-in-one`, each in its own protocol, and is where Jaeger's is.

use crate::{SERVICE, address, all_in_one, url};
use reqwest::Client;
use serde_json::{Value, json};
use skua_integration_tests::Language::{Go, Node, Python};
use skua_integration_tests::otlp::{call_grpc, post_spans};
use skua_integration_tests::ports::unique_number;
use skua_integration_tests::skua::binary;
use skua_integration_tests::{Answer, Checkout, Query, Result, Sender, Skua, Spans, ensure, send_all};
use skua_model::wire::{put_bytes, put_message};
use std::process::Command;

/// Guarantee: UDP 5775, 6831 and 6832.
#[tokio::test]
async fn udp_ports_take_spans() -> Result<()> {
    let (skua, query) = all_in_one().await?;
    let ports = skua.ports();
    let clients = [
        (Python, "zipkin-udp", ports.zipkin_compact, 3),
        (Go, "jaeger-udp", ports.zipkin_compact, 4),
        (Go, "jaeger-udp", ports.jaeger_compact, 4),
        (Python, "zipkin-udp", ports.jaeger_compact, 3),
        (Node, "jaeger-udp", ports.jaeger_binary, 4),
    ];
    for (language, client, port, spans) in clients {
        let checkout = Checkout::send(language, client, &address(port), SERVICE, &[]).await?;
        query.complete_trace(&checkout.trace, spans).await?;
    }
    Ok(())
}

/// Guarantee: 14250 takes Jaeger's own gRPC, 14268 its Thrift, 4317 and 4318 OTLP, 9411 both versions of Zipkin's JSON.
#[tokio::test]
async fn collector_ports_take_spans() -> Result<()> {
    let (skua, query) = all_in_one().await?;
    let ports = skua.ports();
    let checkout = Checkout::send(Go, "jaeger-http", &url(ports.collector_http, "/api/traces"), SERVICE, &[]).await?;
    query.complete_trace(&checkout.trace, 4).await?;
    takes_jaeger_grpc(ports.jaeger_grpc, &query).await?;
    for sender in [Sender::grpc(ports.otlp_grpc)?, Sender::http(ports.otlp_http)] {
        let spans = Spans::new(SERVICE);
        send_all(&sender, &spans, 0..10, 10).await?;
        query.complete_trace(&spans.key(0).trace, 10).await?;
    }
    let endpoint = json!({"serviceName": SERVICE});
    let span = |id: &str| json!({"traceId": id, "id": id, "name": "get"});
    let (first, second) = (new_id(), new_id());
    let mut version_1 = span(&first);
    version_1["annotations"] = json!([{"timestamp": 1_700_000_000_000_000_i64, "value": "sr", "endpoint": endpoint}]);
    let mut version_2 = span(&second);
    version_2["localEndpoint"] = endpoint;
    for (path, id, body) in [("/api/v1/spans", first, version_1), ("/api/v2/spans", second, version_2)] {
        let request = Client::new().post(url(ports.zipkin, path)).header("content-type", "application/json");
        let answer = request.body(json!([body]).to_string()).send().await?;
        assert_eq!(answer.status(), 202, "{path}: {}", answer.text().await?);
        query.complete_trace(&id, 1).await?;
    }
    Ok(())
}

async fn takes_jaeger_grpc(port: u16, query: &Query) -> Result<()> {
    let id = new_id();
    let mut request = Vec::new();
    put_message(&mut request, 1, |batch| {
        put_message(batch, 1, |span| {
            put_bytes(span, 1, &u128::from_str_radix(&id, 16).unwrap_or_default().to_be_bytes());
            put_bytes(span, 2, &[1; 8]);
            put_bytes(span, 3, b"charge");
        });
        put_message(batch, 2, |process| put_bytes(process, 1, SERVICE.as_bytes()));
    });
    assert_eq!(post_spans(port, request).await, Answer::Accepted);
    query.complete_trace(&id, 1).await.map(drop)
}

/// A trace id of 64 bits, in hexadecimal.
fn new_id() -> String {
    format!("{:016x}", unique_number())
}

/// Guarantee: 5778 answers with strategies in both of its forms, and so do 14268 and 14250.
#[tokio::test]
async fn sampling_ports_answer() -> Result<()> {
    let args = ["--sampling.default-sampling-probability=0.25".to_owned()];
    let skua = Skua::start("all-in-one", &args, &[]).await?;
    let ports = skua.ports();
    let named = json!({"strategyType": "PROBABILISTIC", "probabilisticSampling": {"samplingRate": 0.25}});
    let numbered = json!({"strategyType": 0, "probabilisticSampling": {"samplingRate": 0.25}});
    assert_eq!(get_json(&url(ports.sampling, "/sampling?service=shop")).await?, named);
    assert_eq!(get_json(&url(ports.sampling, "/?service=shop")).await?, numbered);
    assert_eq!(get_json(&url(ports.collector_http, "/api/sampling?service=shop")).await?, named);

    let mut request = Vec::new();
    put_bytes(&mut request, 1, SERVICE.as_bytes());
    let answer = call_grpc(ports.jaeger_grpc, "/jaeger.api_v2.SamplingManager/GetSamplingStrategy", request).await?;
    let mut probabilistic = vec![9];
    probabilistic.extend(0.25_f64.to_le_bytes());
    let mut expected = Vec::new();
    put_bytes(&mut expected, 2, &probabilistic);
    assert_eq!(answer, expected);
    Ok(())
}

/// Guarantee: 16686 answers queries, 14269 says that all is well and how much was received.
#[tokio::test]
async fn query_and_admin_ports_answer() -> Result<()> {
    let (skua, query) = all_in_one().await?;
    let (status, services) = query.get("/api/services", &[]).await?;
    assert_eq!((status, &services["errors"]), (200, &Value::Null), "{services}");
    let health = get_json(&url(skua.ports().admin, "/")).await?;
    assert_eq!(health["status"], "Server available", "{health}");
    ensure(skua.metrics().await?.has("skua_spans_total"), || "no metrics".to_owned())
}

async fn get_json(url: &str) -> Result<Value> {
    let answer = Client::new().get(url).send().await?.error_for_status()?;
    Ok(serde_json::from_str(&answer.text().await?)?)
}

/// Guarantee: without flags the ports are Jaeger's.
#[test]
fn default_ports_are_those_of_jaeger() -> Result<()> {
    let printed = Command::new(binary()?).args(["config", "print", "all-in-one"]).env_clear().output()?;
    let output = String::from_utf8_lossy(&printed.stdout);
    let ports = [
        ("processor.zipkin-compact.server-host-port", 5775),
        ("processor.jaeger-compact.server-host-port", 6831),
        ("processor.jaeger-binary.server-host-port", 6832),
        ("http-server.host-port", 5778),
        ("collector.grpc-server.host-port", 14250),
        ("collector.http-server.host-port", 14268),
        ("collector.zipkin.host-port", 9411),
        ("collector.otlp.grpc.host-port", 4317),
        ("collector.otlp.http.host-port", 4318),
        ("query.http-server.host-port", 16686),
        ("query.grpc-server.host-port", 16685),
        ("admin.http.host-port", 14269),
    ];
    for (flag, port) in ports {
        let line = format!("{flag}: \":{port}\"");
        assert!(output.lines().any(|printed| printed == line), "{line} is not in:\n{output}");
    }
    Ok(())
}
