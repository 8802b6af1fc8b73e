//! Published clients of Jaeger, Zipkin and OpenTelemetry, each from its own registry, send the checkout trace of
//! `clients/README.md` to the real binary; what `/api/traces/{id}` answers is compared field by field with what Jaeger answers.
//!
//! One file a family. All are in one test program, so that they compile once and run side by side. They need no servers.

mod harness;
mod opentelemetry;
mod opentracing;
mod ports;
mod sampling;
mod zipkin;

use skua_integration_tests::{Checkout, Language, Query, Result, Skua};

/// The service in whose name every client sends.
const SERVICE: &str = "shop";

/// `skua all-in-one`, and its queries.
async fn all_in_one() -> Result<(Skua, Query)> {
    let skua = Skua::start("all-in-one", &[], &[]).await?;
    let query = Query::new(skua.ports().query_http);
    Ok((skua, query))
}

/// `skua agent` that passes spans on to the gRPC port of `collector`.
async fn agent_of(collector: &Skua) -> Result<Skua> {
    let reporter = format!("--reporter.grpc.host-port=127.0.0.1:{}", collector.ports().jaeger_grpc);
    Skua::start("agent", &[reporter], &[]).await
}

/// Sends with a client and checks that the whole trace arrives as expected.
async fn sends(language: Language, client: &str, endpoint: &str, query: &Query, expected: &str) -> Result<()> {
    let checkout = Checkout::send(language, client, endpoint, SERVICE, &[]).await?;
    let spans = expected.lines().filter(|line| !line.starts_with([' ', '['])).filter(|line| line.contains('+')).count();
    checkout.arrives(query, spans, expected).await
}

fn address(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

fn url(port: u16, path: &str) -> String {
    format!("http://127.0.0.1:{port}{path}")
}
