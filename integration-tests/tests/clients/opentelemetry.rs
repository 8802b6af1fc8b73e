//! OpenTelemetry's SDKs with their exporters: OTLP in each form that a language has, and the last Jaeger exporter for Go.

use crate::{SERVICE, all_in_one, sends, url};
use skua_integration_tests::Language::{Go, Java, Node, Python};
use skua_integration_tests::checkout::expected;
use skua_integration_tests::{Language, Result};

const OTLP: &str = include_str!("../../clients/expected/opentelemetry.txt");
const JAEGER_EXPORTER: &str = include_str!("../../clients/expected/otel-jaeger-exporter.txt");

/// Guarantee: whatever the SDK and the form of OTLP, the answer is the same.
async fn arrives_over_otlp(language: Language, clients: &[&str]) -> Result<()> {
    let (skua, query) = all_in_one().await?;
    for client in clients {
        let port = if *client == "otlp-grpc" { skua.ports().otlp_grpc } else { skua.ports().otlp_http };
        sends(language, client, &url(port, ""), &query, &expected(OTLP, &[("service", SERVICE)], &[])).await?;
    }
    Ok(())
}

#[tokio::test]
async fn python_over_otlp() -> Result<()> {
    arrives_over_otlp(Python, &["otlp-grpc", "otlp-http-proto"]).await
}

#[tokio::test]
async fn node_over_otlp() -> Result<()> {
    arrives_over_otlp(Node, &["otlp-grpc", "otlp-http-proto", "otlp-http-json"]).await
}

#[tokio::test]
async fn go_over_otlp() -> Result<()> {
    arrives_over_otlp(Go, &["otlp-grpc", "otlp-http-proto", "otlp-http-json"]).await
}

#[tokio::test]
async fn java_over_otlp() -> Result<()> {
    arrives_over_otlp(Java, &["otlp-grpc", "otlp-http-proto"]).await
}

/// Scenario: the exporter is set up by an address alone, as Kratos's documentation shows. Guarantee: its spans arrive whole.
#[tokio::test]
async fn go_with_the_jaeger_exporter() -> Result<()> {
    let (skua, query) = all_in_one().await?;
    let endpoint = url(skua.ports().collector_http, "/api/traces");
    let trace = expected(JAEGER_EXPORTER, &[("service", SERVICE)], &[]);
    sends(Go, "otel-jaeger-http", &endpoint, &query, &trace).await
}
