use super::*;
use crate::http::metrics::Sampling;
use crate::http::sampling::{self, Options};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

async fn get(path: &str) -> (u16, String, String) {
    let router = sampling::router(&Options::default(), Arc::new(Known));
    let (status, headers, body) = send(router, "GET", path, &[], vec![]).await;
    let media = headers.get("content-type").map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
    (status.as_u16(), media, String::from_utf8(body.into()).unwrap())
}

/// Guarantee: `/sampling` names the type, `/` numbers it, as the agent does for clients of either age.
#[tokio::test]
async fn both_forms_of_a_strategy() {
    let json = "application/json";
    for (path, body) in [
        ("/sampling?service=a", r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.5}}"#),
        ("/?service=a", r#"{"strategyType":0,"probabilisticSampling":{"samplingRate":0.5}}"#),
        ("/sampling?service=limited", r#"{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":5}}"#),
        ("/?service=limited&x=y", r#"{"strategyType":1,"rateLimitingSampling":{"maxTracesPerSecond":5}}"#),
        ("/sampling?service=fast", r#"{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":40000}}"#),
        ("/sampling?service=", r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.5}}"#),
    ] {
        assert_eq!(get(path).await, (200, json.into(), body.into()), "{path}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_in_jaegers_words() {
    let once = "'service' parameter must be provided once\n";
    for (path, status, text) in [
        ("/sampling", 400, once),
        ("/sampling?service=a&service=b", 400, once),
        ("/", 400, once),
        ("/baggageRestrictions", 400, once),
        ("/baggageRestrictions?service=a", 500, "collector error: baggage not implemented\n"),
        ("/sampling?service=away", 500, "collector error: no strategies to be had\n"),
        ("/?service=%61way", 500, "collector error: no strategies to be had\n"),
        ("/?service=fast", 500, "cannot marshall to JSON\n"),
        ("/api/sampling?service=a", 404, "404 page not found\n"),
    ] {
        assert_eq!(get(path).await, (status, "text/plain; charset=utf-8".into(), text.into()), "{path}");
    }
    let router = sampling::router(&Options::default(), Arc::new(Known));
    let (status, _, body) = send(router, "POST", "/sampling?service=a", &[], vec![]).await;
    assert_eq!((status.as_u16(), &body[..]), (405, &b""[..]));
}

/// Scenario: an agent's clients poll over a socket. Guarantee: they are answered and counted under the agent's names.
#[tokio::test]
async fn remote_samplers_are_counted() {
    let mut registry = Registry::default();
    let options = Options { metrics: Arc::new(Sampling::new("jaeger_agent", &mut registry)), ..Default::default() };
    let serve = async move |listener, stop| sampling::serve(listener, &options, Arc::new(Known), stop).await;
    let server = Running::start(serve).await;
    for path in ["/sampling?service=a", "/?service=a", "/?service=a", "/?service=fast", "/sampling"] {
        client().get(server.url(path)).send().await.unwrap();
    }
    server.end().await.unwrap();
    let mut all = String::new();
    encode(&mut all, &registry).unwrap();
    for line in [
        r#"jaeger_agent_http_server_requests_total{type="sampling"} 1"#,
        r#"jaeger_agent_http_server_requests_total{type="sampling-legacy"} 2"#,
        r#"jaeger_agent_http_server_errors_total{source="all",status="4xx"} 1"#,
        r#"jaeger_agent_http_server_errors_total{source="thrift",status="5xx"} 1"#,
    ] {
        assert!(all.contains(line), "{line} in\n{all}");
    }
}
