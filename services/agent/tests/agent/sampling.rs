//! What samplers are told on 5778 is what the collector says.

use crate::given::{Agent, Collector, settings};
use skua_codec::sampling::{Kind, Response};

async fn get(agent: &Agent, path: &str) -> (u16, String) {
    let response = reqwest::get(format!("http://{}{path}", agent.http)).await.expect("an answer");
    (response.status().as_u16(), response.text().await.expect("a body"))
}

fn proxied(agent: &Agent) -> [u64; 2] {
    ["ok", "err"].map(|result| {
        let labels = format!(r#"{{endpoint="sampling",protocol="grpc",result="{result}"}}"#);
        agent.metric(&format!("jaeger_agent_collector_proxy_total{labels}"))
    })
}

/// Scenario: the collector has a strategy, then none, then is away. Guarantee: the sampler gets both JSON forms of it, and
/// Jaeger's error text; each is counted.
#[tokio::test]
async fn strategies_come_from_the_collector() {
    let collector = Collector::start().await;
    let agent = settings(collector.address).start();
    *collector.memory.strategy.lock() =
        Some(Response { kind: Kind::RateLimiting, rate_limiting: Some(7), ..Response::default() });
    let (status, body) = get(&agent, "/sampling?service=s").await;
    assert_eq!((status, &body[..]), (200, r#"{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":7}}"#));
    let (status, body) = get(&agent, "/?service=s").await;
    assert_eq!((status, &body[..]), (200, r#"{"strategyType":1,"rateLimitingSampling":{"maxTracesPerSecond":7}}"#));
    assert_eq!(proxied(&agent), [2, 0]);

    *collector.memory.strategy.lock() = None;
    let (status, body) = get(&agent, "/sampling?service=s").await;
    let want = "collector error: failed to get sampling strategy: rpc error: code = Unknown desc = no strategy for s";
    assert_eq!((status, body.trim_end()), (500, want));

    let address = collector.address;
    collector.end().await;
    let (status, body) = get(&agent, "/sampling?service=s").await;
    let want = "collector error: failed to get sampling strategy: rpc error: code = Unavailable desc = connection error: ";
    assert_eq!(status, 500);
    assert!(body.starts_with(want) && body.contains(&address.to_string()), "{body}");
    assert_eq!(proxied(&agent), [2, 2]);
}
