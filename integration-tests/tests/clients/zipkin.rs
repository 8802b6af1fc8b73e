//! Zipkin's own clients: brave for Java in all four encodings, zipkin-js in both of its own, and Zipkin's Thrift over UDP, as the
//! first Jaeger clients sent it. The trace has a server span that shares the id of its client span.

use crate::{SERVICE, address, agent_of, all_in_one, sends, url};
use skua_integration_tests::Language::{Java, Node, Python};
use skua_integration_tests::checkout::expected;
use skua_integration_tests::{Language, Result};

const V2: &str = include_str!("../../clients/expected/zipkin-v2.txt");
const V1_BRAVE: &str = include_str!("../../clients/expected/zipkin-v1-brave.txt");
const V1_NODE: &str = include_str!("../../clients/expected/zipkin-v1-node.txt");
const UDP: &str = include_str!("../../clients/expected/zipkin-udp.txt");

/// Guarantee: what a client posts to Zipkin's port is answered as Jaeger answers it.
async fn arrives_over_http(language: Language, client: &str, template: &str, features: &[&str]) -> Result<()> {
    let (skua, query) = all_in_one().await?;
    let path = if client.starts_with("zipkin-v1") { "/api/v1/spans" } else { "/api/v2/spans" };
    let trace = expected(template, &[("service", SERVICE)], features);
    sends(language, client, &url(skua.ports().zipkin, path), &query, &trace).await
}

#[tokio::test]
async fn brave_with_json_of_version_1() -> Result<()> {
    arrives_over_http(Java, "zipkin-v1-json", V1_BRAVE, &[]).await
}

#[tokio::test]
async fn brave_with_thrift() -> Result<()> {
    arrives_over_http(Java, "zipkin-v1-thrift", V1_BRAVE, &[]).await
}

#[tokio::test]
async fn brave_with_json_of_version_2() -> Result<()> {
    arrives_over_http(Java, "zipkin-v2-json", V2, &["brave"]).await
}

#[tokio::test]
async fn brave_with_protobuf() -> Result<()> {
    arrives_over_http(Java, "zipkin-v2-proto", V2, &["brave"]).await
}

#[tokio::test]
async fn node_with_json_of_version_1() -> Result<()> {
    arrives_over_http(Node, "zipkin-v1-json", V1_NODE, &[]).await
}

#[tokio::test]
async fn node_with_json_of_version_2() -> Result<()> {
    arrives_over_http(Node, "zipkin-v2-json", V2, &[]).await
}

/// Guarantee: Zipkin's Thrift arrives over UDP with its types, in `all-in-one` and through an agent.
#[tokio::test]
async fn thrift_over_udp() -> Result<()> {
    let (skua, query) = all_in_one().await?;
    let agent = agent_of(&skua).await?;
    let trace = expected(UDP, &[("service", SERVICE), ("format", "proto")], &[]);
    for port in [skua.ports().zipkin_compact, agent.ports().zipkin_compact] {
        sends(Python, "zipkin-udp", &address(port), &query, &trace).await?;
    }
    Ok(())
}
