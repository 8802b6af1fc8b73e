//! The remote samplers of published clients follow the strategies file.

use crate::{SERVICE, address, agent_of, url};
use serde_json::json;
use skua_integration_tests::Language::{Go, Java, Node};
use skua_integration_tests::{Result, SamplerFollower, Skua};
use std::path::Path;

/// Strategies that sample all spans of one of the operations and none of the other.
fn write_strategies(path: &Path, sampled: &str) -> Result<()> {
    let rate = |operation: &str| {
        let param = if operation == sampled { 1.0 } else { 0.0 };
        json!({"operation": operation, "type": "probabilistic", "param": param})
    };
    let service = json!({
        "service": SERVICE, "type": "probabilistic", "param": 0.5,
        "operation_strategies": [rate("checkout"), rate("charge")],
    });
    let file = json!({"default_strategy": {"type": "probabilistic", "param": 0.5}, "service_strategies": [service]});
    let new = path.with_extension("new");
    std::fs::write(&new, file.to_string())?;
    Ok(std::fs::rename(new, path)?)
}

/// Scenario: four clients poll, over HTTP from the agent's port of `all-in-one`, from an agent of its own and from the collector,
/// and over gRPC from the collector; then the file changes. Guarantee: each decides as the file says, before and after.
#[tokio::test]
async fn samplers_follow_a_change_of_the_file() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("strategies.json");
    write_strategies(&path, "checkout")?;
    let flags =
        [format!("--sampling.strategies-file={}", path.display()), "--sampling.strategies-reload-interval=200ms".to_owned()];
    let skua = Skua::start("all-in-one", &flags, &[]).await?;
    let agent = agent_of(&skua).await?;
    let mut followers = [
        SamplerFollower::start(Go, &url(skua.ports().sampling, "/sampling"), SERVICE)?,
        SamplerFollower::start(Go, &url(skua.ports().collector_http, "/api/sampling"), SERVICE)?,
        SamplerFollower::start(Node, &address(agent.ports().sampling), SERVICE)?,
        SamplerFollower::start(Java, &url(skua.ports().jaeger_grpc, ""), SERVICE)?,
    ];
    for follower in &mut followers {
        follower.until("checkout=true charge=false").await?;
    }
    write_strategies(&path, "charge")?;
    for follower in &mut followers {
        follower.until("checkout=false charge=true").await?;
    }
    Ok(())
}
