//! The clients that Jaeger published itself, one a language, with OpenTracing's spans: ChildOf and FollowsFrom, typed tags, logs,
//! baggage, the debug flag. Over UDP straight to `all-in-one` and through an agent, and over HTTP.

use crate::{SERVICE, address, agent_of, all_in_one, sends, url};
use skua_integration_tests::Language::{Go, Java, Node, Python};
use skua_integration_tests::checkout::expected;
use skua_integration_tests::skua::Ports;
use skua_integration_tests::{Language, Result};

const TEMPLATE: &str = include_str!("../../clients/expected/opentracing.txt");

/// What a client's own choices make of the trace. `format` is the tag that says how a collector received a span: an agent
/// passes it on as protobuf.
fn trace(language: Language, format: &str) -> String {
    // Node.js has but one type of number.
    let (version, int, features): (_, _, &[&str]) = match language {
        Python => ("Python-4.8.0", "int64", &[]),
        Node => ("Node-3.19.0", "float64", &["bytes", "uuid"]),
        Go => ("Go-2.30.0", "int64", &["bytes", "uuid"]),
        Java => ("Java-1.8.1", "int64", &[]),
    };
    expected(TEMPLATE, &[("service", SERVICE), ("version", version), ("int", int), ("format", format)], features)
}

/// The port of an agent that this client sends to by default: Node.js uses Thrift's binary protocol, the others the compact one.
fn agent_port(language: Language, ports: Ports) -> u16 {
    if language == Node { ports.jaeger_binary } else { ports.jaeger_compact }
}

/// Guarantee: what a client sends over UDP to `all-in-one` is answered with all that it carries.
async fn arrives_over_udp(language: Language) -> Result<()> {
    let (skua, query) = all_in_one().await?;
    let endpoint = address(agent_port(language, skua.ports()));
    sends(language, "jaeger-udp", &endpoint, &query, &trace(language, "proto")).await
}

/// Guarantee: the same through an agent of its own, which reports to a collector over gRPC.
async fn arrives_through_an_agent(language: Language) -> Result<()> {
    let (skua, query) = all_in_one().await?;
    let agent = agent_of(&skua).await?;
    let endpoint = address(agent_port(language, agent.ports()));
    sends(language, "jaeger-udp", &endpoint, &query, &trace(language, "proto")).await
}

/// Guarantee: the same over HTTP.
async fn arrives_over_http(language: Language) -> Result<()> {
    let (skua, query) = all_in_one().await?;
    let endpoint = url(skua.ports().collector_http, "/api/traces");
    sends(language, "jaeger-http", &endpoint, &query, &trace(language, "jaeger")).await
}

#[tokio::test]
async fn python_over_udp() -> Result<()> {
    arrives_over_udp(Python).await
}

#[tokio::test]
async fn python_through_an_agent() -> Result<()> {
    arrives_through_an_agent(Python).await
}

#[tokio::test]
async fn node_over_udp() -> Result<()> {
    arrives_over_udp(Node).await
}

#[tokio::test]
async fn node_through_an_agent() -> Result<()> {
    arrives_through_an_agent(Node).await
}

#[tokio::test]
async fn node_over_http() -> Result<()> {
    arrives_over_http(Node).await
}

#[tokio::test]
async fn go_over_udp() -> Result<()> {
    arrives_over_udp(Go).await
}

#[tokio::test]
async fn go_through_an_agent() -> Result<()> {
    arrives_through_an_agent(Go).await
}

#[tokio::test]
async fn go_over_http() -> Result<()> {
    arrives_over_http(Go).await
}

#[tokio::test]
async fn java_over_udp() -> Result<()> {
    arrives_over_udp(Java).await
}

#[tokio::test]
async fn java_through_an_agent() -> Result<()> {
    arrives_through_an_agent(Java).await
}

#[tokio::test]
async fn java_over_http() -> Result<()> {
    arrives_over_http(Java).await
}
