//! nginx with the files of `deploy/nginx` in front of one process that is everything: what is passed on, and what nginx says itself.

use serde_json::Value;
use skua_integration_tests::nginx::Queries;
use skua_integration_tests::otlp::{call_grpc, post_spans};
use skua_integration_tests::{Answer, Nginx, Query, Result, Sender, Skua, Spans, send_all};

/// More than nginx takes over HTTP; more than a collector takes by gRPC; more than nginx takes by gRPC.
const OVER_20_MIB: usize = (20 << 20) + 1;
const OVER_4_MIB: usize = (4 << 20) + 1;
const OVER_16_MIB: usize = (16 << 20) + 1;

async fn in_front_of(skua: &Skua, queries: Queries) -> Result<Nginx> {
    let names = ["collector-1", "collector-2", "query-1", "query-2"];
    Nginx::start(queries, &names.map(|name| (name, skua.ports()))).await
}

/// Scenario: every port of nginx. Guarantee: what comes to it arrives.
#[tokio::test]
async fn every_port_is_passed_on() -> Result<()> {
    let skua = Skua::start("all-in-one", &[], &[]).await?;
    let nginx = in_front_of(&skua, Queries::AtTheRoot).await?;
    let spans = Spans::new("front");
    send_all(&Sender::grpc(nginx.port(4317)?)?, &spans, 0..10, 10).await?;
    send_all(&Sender::http(nginx.port(4318)?), &spans, 10..20, 10).await?;
    assert_eq!(post_spans(nginx.port(14250)?, Vec::new()).await, Answer::Accepted);
    let sampling = call_grpc(nginx.port(14250)?, "/jaeger.api_v2.SamplingManager/GetSamplingStrategy", b"\x0a\x01a".to_vec());
    assert!(!sampling.await?.is_empty());

    let http = reqwest::Client::new();
    let url = |port: u16, path: &str| nginx.port(port).map(|port| format!("http://127.0.0.1:{port}{path}"));
    let sampling = http.get(url(14268, "/api/sampling?service=a")?).send().await?;
    assert!(sampling.json::<Value>().await?["strategyType"].is_string());
    let zipkin = http.post(url(9411, "/api/v2/spans")?).header("content-type", "application/json").body("[]");
    assert_eq!(zipkin.send().await?.status(), 202);

    let query = Query::new(nginx.port(16686)?);
    for number in [0, 10] {
        query.complete_trace(&spans.key(number).trace, 10).await?;
    }
    let compressed = http.get(url(16686, &format!("/api/traces?service={}", spans.service()))?).header("accept-encoding", "gzip");
    assert_eq!(compressed.send().await?.headers()["content-encoding"], "gzip");
    Ok(())
}

/// Scenario: query services below a path of a web server with other things. Guarantee: they are found there, and nowhere else.
#[tokio::test]
async fn below_a_base_path() -> Result<()> {
    let skua = Skua::start("all-in-one", &["--query.base-path=/tracing".to_owned()], &[]).await?;
    let nginx = in_front_of(&skua, Queries::BelowTracing).await?;
    let spans = Spans::new("front");
    send_all(&Sender::grpc(nginx.port(4317)?)?, &spans, 0..10, 10).await?;
    let port = nginx.port(8080)?;
    let query = Query::below(port, "/tracing");
    assert_eq!(query.services().await?, [spans.service()]);
    query.complete_trace(&spans.key(0).trace, 10).await?;

    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let root = http.get(format!("http://127.0.0.1:{port}/api/services")).send().await?;
    assert_eq!(root.status(), 404);
    let without_slash = http.get(format!("http://127.0.0.1:{port}/tracing?a=b")).send().await?;
    assert_eq!((without_slash.status().as_u16(), &without_slash.headers()["location"]), (308, &"/tracing/?a=b".parse()?));
    Ok(())
}

/// Scenario: requests that are too large. Guarantee: each is answered in its protocol, with a reason and so that it is not sent again.
#[tokio::test]
async fn too_large_is_said() -> Result<()> {
    let skua = Skua::start("all-in-one", &[], &[]).await?;
    let nginx = in_front_of(&skua, Queries::AtTheRoot).await?;
    let http = reqwest::Client::new();
    for (port, path) in [(4318, "/v1/traces"), (14268, "/api/traces"), (9411, "/api/v2/spans"), (16686, "/api/transform")] {
        let request = http.post(format!("http://127.0.0.1:{}{path}", nginx.port(port)?)).body(vec![b' '; OVER_20_MIB]);
        let answer = request.send().await?;
        assert_eq!(answer.status(), 413, "{port}");
        assert!(answer.text().await?.contains("client_max_body_size"), "{port}");
    }
    // A message tells its size first, so that the collector answers before nginx has seen too much.
    for size in [OVER_4_MIB, OVER_16_MIB] {
        let answer = post_spans(nginx.port(14250)?, vec![0; size]).await;
        let Answer::Refused(refusal) = answer else { panic!("{size}: {answer:?}") };
        assert_eq!((refusal.code.as_str(), refusal.retry_after), ("ResourceExhausted", None), "{refusal:?}");
        assert!(refusal.message.contains("4194304"), "{refusal:?}");
    }
    Ok(())
}

/// Scenario: no service is there behind nginx. Guarantee: each sender and each person is told so in their protocol, senders so that they
/// come again.
#[tokio::test]
async fn nobody_behind_it_is_said() -> Result<()> {
    let mut skua = Skua::start("all-in-one", &[], &[]).await?;
    let nginx = in_front_of(&skua, Queries::AtTheRoot).await?;
    skua.kill9()?;
    let request = Spans::new("front").request(0..10);

    let Answer::Refused(refusal) = Sender::grpc(nginx.port(4317)?)?.send(&request).await else { panic!("not refused") };
    assert_eq!((refusal.code.as_str(), refusal.message.as_str()), ("Unavailable", "no server behind nginx answered"));
    let Answer::Refused(refusal) = Sender::http(nginx.port(4318)?).send(&request).await else { panic!("not refused") };
    assert_eq!((refusal.code.as_str(), refusal.retry_after), ("503", Some(1)));
    assert_eq!(refusal.message, "no collector answered: send it again later\n");
    let (status, answer) = Query::new(nginx.port(16686)?).get("/api/services", &[]).await?;
    assert_eq!((status, &answer["errors"][0]["msg"]), (503, &Value::from("no query service answered")));
    Ok(())
}
