//! Adaptive sampling: strategies follow the traffic.

use serde_json::{Value, json};
use skua_integration_tests::ports::unique_number;
use skua_integration_tests::{Cassandra, Elasticsearch, Result, Skua, Store, wait};

/// What a new operation has; the traffic below is far over the target of one trace a second.
const INITIAL: f64 = 0.5;

fn flags() -> Vec<String> {
    [
        "--sampling.initial-sampling-probability=0.5",
        "--sampling.calculation-interval=1s",
        "--sampling.delay=1s",
        "--sampling.leader-lease-refresh-interval=1s",
        "--sampling.follower-lease-refresh-interval=3s",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Fifty root spans of the operation `buy` that a probabilistic sampler let through.
fn roots() -> Value {
    let span = |n: u32| {
        json!({
            "traceId": format!("{:032x}", n + 1), "spanId": format!("{:016x}", n + 1), "name": "buy",
            "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000000001000000",
            "attributes": [
                {"key": "sampler.type", "value": {"stringValue": "probabilistic"}},
                {"key": "sampler.param", "value": {"doubleValue": INITIAL}},
            ],
        })
    };
    let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]});
    json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": (0..50).map(span).collect::<Vec<_>>()}]}]})
}

/// Sends until one of these answers with less than the initial probability for the operation.
async fn until_adapted(to: &Skua, asked: &[&Skua]) -> Result<()> {
    let http = reqwest::Client::new();
    let traces = format!("http://127.0.0.1:{}/v1/traces", to.ports().otlp_http);
    wait::until("a probability that follows the traffic", async || {
        http.post(&traces).json(&roots()).send().await?.error_for_status()?;
        for skua in asked {
            let url = format!("http://127.0.0.1:{}/api/sampling?service=shop", skua.ports().collector_http);
            let answer: Value = http.get(url).send().await?.error_for_status()?.json().await?;
            let of = &answer["operationSampling"];
            assert_eq!(of["defaultSamplingProbability"], json!(INITIAL), "{answer}");
            let buy = &of["perOperationStrategies"][0];
            if buy["operation"] == "buy" && buy["probabilisticSampling"]["samplingRate"].as_f64().is_some_and(|p| p < INITIAL) {
                return Ok(Some(()));
            }
        }
        Ok(None)
    })
    .await
}

/// Scenario: `all-in-one`, which keeps in memory what it counts. Guarantee: a busy operation is sampled less.
#[tokio::test]
async fn all_in_one_adapts() -> Result<()> {
    let skua = Skua::start("all-in-one", &flags(), &[("SAMPLING_CONFIG_TYPE", "adaptive")]).await?;
    until_adapted(&skua, &[&skua]).await
}

/// Scenario: two collectors that meet in a store, though their spans go elsewhere; spans come to one of them. Guarantee: the
/// one that leads, whichever it is, samples a busy operation less.
async fn collectors_meet(store: impl Store) -> Result<()> {
    let mut flags = flags();
    flags.extend(store.flags(&format!("adaptive_{:x}", unique_number())));
    let env = [
        ("SPAN_STORAGE_TYPE", "blackhole"),
        ("SAMPLING_CONFIG_TYPE", "adaptive"),
        ("SAMPLING_STORAGE_TYPE", store.storage_type()),
    ];
    let one = Skua::start("collector", &flags, &env).await?;
    let other = Skua::start("collector", &flags, &env).await?;
    until_adapted(&one, &[&one, &other]).await
}

#[tokio::test]
async fn collectors_meet_in_elasticsearch() -> Result<()> {
    collectors_meet(Elasticsearch::shared()?).await
}

#[tokio::test]
async fn collectors_meet_in_cassandra() -> Result<()> {
    collectors_meet(Cassandra::shared()?).await
}
