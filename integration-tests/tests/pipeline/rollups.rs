//! What is counted while spans stream by, against what was counted when they were made up.

use serde_json::Value;
use skua_integration_tests::query::{list, text};
use skua_integration_tests::skua::run_in;
use skua_integration_tests::traffic::{Counts, Traffic};
use skua_integration_tests::{
    Answer, Cassandra, Elasticsearch, Encoding, Error, Kafka, ParquetBucket, Pipeline, Query, Result, Sender, Skua, Store,
    ensure, wait,
};
use std::collections::BTreeMap;

/// Short times, so that a test need not wait for minutes.
const SOON: [&str; 2] = ["--rollup.window=20s", "--rollup.flush-interval=1s"];
const TRACES: u64 = 1500;
/// Spans that come after the window.
const LATE: u64 = 30;

fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or(u64::MAX)
}

/// The edges of the graph of services over all of the traffic.
async fn edges(query: &Query, traffic: &Traffic) -> Result<Counts<(String, String, String)>> {
    let times = [(traffic.begin * 1000).to_string(), (traffic.end * 1000).to_string()];
    let graph = query.data("/api/skua/v1/graph", &[("start", &times[0]), ("end", &times[1])]).await?;
    let edge = |e: &Value| {
        let key = (text(e, "parent").to_owned(), text(e, "child").to_owned(), text(e, "connectionType").to_owned());
        (key, (number(e, "callCount"), number(e, "errorCount")))
    };
    Ok(list(&graph["edges"]).iter().map(edge).collect())
}

/// Calls and failed calls of every operation, made of the rates that a UI asks for.
async fn red(query: &Query, traffic: &Traffic) -> Result<Counts<(String, String, &'static str)>> {
    let minutes = traffic.end - traffic.begin;
    let (end, per) = (traffic.end.to_string(), minutes.to_string());
    let mut red = Counts::new();
    for kind in ["unspecified", "internal", "server", "client", "producer", "consumer"] {
        let services = ["gateway", "orders", "billing", "legacy"].map(|service| ("service", service));
        let more = [
            ("groupByOperation", "true"),
            ("spanKind", kind),
            ("endTs", &end),
            ("lookback", "0"),
            ("step", "60000"),
            ("ratePer", &per),
        ];
        let parameters = [&services[..], &more[..]].concat();
        for (errors, what) in [(false, "calls"), (true, "errors")] {
            let (status, family) = query.get(&format!("/api/metrics/{what}"), &parameters).await?;
            ensure(status == 200, || family.to_string())?;
            for metric in list(&family["metrics"]) {
                let label = |name: &str| {
                    let found = list(&metric["labels"]).iter().find(|label| label["name"] == name);
                    found.map(|label| text(label, "value").to_owned()).unwrap_or_default()
                };
                let value = metric["metricPoints"][0]["gaugeValue"]["doubleValue"].as_f64().unwrap_or(f64::NAN);
                let count = red.entry((label("service_name"), label("operation"), kind)).or_insert((0, 0));
                if errors {
                    count.1 = (value * count.0 as f64).round() as u64;
                } else {
                    count.0 = (value * minutes as f64 / 1000.0).round() as u64;
                }
            }
        }
    }
    Ok(red)
}

/// The links, as Jaeger's API has them: over all connections.
async fn dependencies(query: &Query, traffic: &Traffic) -> Result<Counts<(String, String)>> {
    let (end, lookback) = (traffic.end.to_string(), (traffic.end - traffic.begin).to_string());
    let data = query.data("/api/dependencies", &[("endTs", &end), ("lookback", &lookback)]).await?;
    let link = |l: &Value| ((text(l, "parent").to_owned(), text(l, "child").to_owned()), (number(l, "callCount"), 0));
    Ok(list(&data).iter().map(link).collect())
}

/// Everything that is asked for is what was counted when the spans were made up.
async fn all_is_counted(query: &Query, traffic: &Traffic) -> Result<()> {
    let links = edges(query, traffic).await?;
    ensure(links == traffic.links, || format!("links {links:?} instead of {:?}", traffic.links))?;
    let red = red(query, traffic).await?;
    ensure(red == traffic.red, || format!("RED {red:?} instead of {:?}", traffic.red))?;
    let mut calls: Counts<(String, String)> = Counts::new();
    for ((parent, child, _), (count, _)) in &traffic.links {
        calls.entry((parent.clone(), child.clone())).or_default().0 += count;
    }
    let told = dependencies(query, traffic).await?;
    ensure(told == calls, || format!("dependencies {told:?} instead of {calls:?}"))
}

/// The links once so many spans of billing are late: by then nobody has answered their producers.
fn links_without(traffic: &Traffic, late: u64) -> BTreeMap<(String, String, String), u64> {
    let mut links: BTreeMap<_, _> = traffic.links.iter().map(|(key, (calls, _))| (key.clone(), *calls)).collect();
    let of = |child: &str| ("orders".to_owned(), child.to_owned(), "messaging_system".to_owned());
    *links.entry(of("billing")).or_default() -= late;
    *links.entry(of("kafka/invoices")).or_default() += late;
    links
}

async fn send(
    sender: &Sender,
    requests: &[opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest],
) -> Result<()> {
    for request in requests {
        match sender.send(request).await {
            Answer::Accepted => {}
            other => return Err(Error::new(format!("a request was not accepted: {other:?}"))),
        }
    }
    Ok(())
}

/// Scenario: spans of many traces, mixed, some twice, go through a topic to two ingesters; one of them is killed in the middle, and a third
/// begins; some come after the window. Guarantee: links, RED and dependencies are those of a count of the spans, but for the late ones, whose calls are
/// not guessed and are told of; a rebuild counts them too.
async fn counted_once_by_two_ingesters_of_which_one_is_killed(store: impl Store) -> Result<()> {
    let name = format!("rollups-{}", store.storage_type());
    let pipeline = Pipeline::new(&name, Encoding::OtlpProto, 4, &Kafka::shared()?, &store).await?;
    let collector = pipeline.collector().await?;
    let sender = Sender::grpc(collector.ports().otlp_grpc)?;
    let mut killed = pipeline.ingester_with(&SOON).await?;
    let other = pipeline.ingester_with(&SOON).await?;
    wait::until("both ingesters to have partitions", async || {
        for ingester in [&killed, &other] {
            let held = ingester.metrics().await?.sum("jaeger_ingester_sarama_consumer_partitions_held", &[]);
            ensure(held == 2.0, || format!("{held} partitions"))?;
        }
        Ok(Some(()))
    })
    .await?;

    let mut traffic = Traffic::new(TRACES, 30, 12);
    let late = traffic.hold_back("billing", LATE as usize);
    let requests = traffic.requests();
    let (first, second) = requests.split_at(requests.len() / 2);
    send(&sender, first).await?;
    killed.until_stored(500).await?;
    other.until_stored(500).await?;
    killed.kill9()?;
    send(&sender, second).await?;
    let third = pipeline.ingester_with(&SOON).await?;
    pipeline.topic.until_committed(&pipeline.group).await?;
    assert_eq!(store.count(&pipeline.prefix).await?, traffic.len(), "a span is stored once");

    let (_query, query) = pipeline.query().await?;
    wait::until("roll-ups of what came in time", async || {
        let (links, wanted) = (edges(&query, &traffic).await?, links_without(&traffic, LATE));
        let calls: BTreeMap<_, _> = links.into_iter().map(|(key, (calls, _))| (key, calls)).collect();
        ensure(calls == wanted, || format!("links {calls:?} instead of {wanted:?}"))?;
        Ok(Some(()))
    })
    .await?;
    send(&sender, &late).await?;
    pipeline.topic.until_committed(&pipeline.group).await?;
    assert_eq!(store.count(&pipeline.prefix).await?, traffic.len() + LATE, "a late span is stored too");
    wait::until("RED of all spans, and word of the late ones", async || {
        let red = red(&query, &traffic).await?;
        ensure(red == traffic.red, || format!("RED {red:?} instead of {:?}", traffic.red))?;
        let mut unjoined = 0.0;
        for ingester in [&other, &third] {
            unjoined += ingester.metrics().await?.sum("skua_rollup_unjoined_spans_total", &[("outcome", "expired")]);
        }
        ensure(unjoined == LATE as f64, || format!("{unjoined} spans unjoined"))?;
        Ok(Some(()))
    })
    .await?;

    let output = rebuild(&pipeline, &traffic).await?;
    assert!(output.contains(" saved") && !output.contains("counting it again"), "{output}");
    all_is_counted(&query, &traffic).await
}

/// Counts the traffic anew and gives what the command says.
async fn rebuild(pipeline: &Pipeline, traffic: &Traffic) -> Result<String> {
    let time = |ms: u64| {
        let (days, in_day) = ((ms / 86_400_000) as i64, ms / 1000 % 86_400);
        let (y, m, d) = skua_model::json::civil_from_days(days);
        format!("{y:04}-{m:02}-{d:02}T{:02}:{:02}:{:02}Z", in_day / 3600, in_day / 60 % 60, in_day % 60)
    };
    let mut args = vec!["rollup".to_owned(), "rebuild".to_owned()];
    args.extend([format!("--from={}", time(traffic.begin)), format!("--to={}", time(traffic.end))]);
    args.extend(SOON.map(str::to_owned));
    args.extend(pipeline.store_flags().iter().cloned());
    run_in(&args, &[("SPAN_STORAGE_TYPE".to_owned(), pipeline.storage_type().to_owned())]).await
}

#[tokio::test]
async fn counted_once_in_elasticsearch() -> Result<()> {
    counted_once_by_two_ingesters_of_which_one_is_killed(Elasticsearch::shared()?).await
}

#[tokio::test]
async fn counted_once_in_parquet() -> Result<()> {
    counted_once_by_two_ingesters_of_which_one_is_killed(ParquetBucket::make("rollups").await?).await
}

#[tokio::test]
async fn counted_once_in_cassandra() -> Result<()> {
    counted_once_by_two_ingesters_of_which_one_is_killed(Cassandra::shared()?).await
}

/// Scenario: spans were stored while nothing was counted; then the period is counted anew. Guarantee: as if they had been counted.
async fn counted_from_the_store(store: impl Store) -> Result<()> {
    let name = format!("rebuilt-{}", store.storage_type());
    let pipeline = Pipeline::new(&name, Encoding::OtlpProto, 2, &Kafka::shared()?, &store).await?;
    let collector = pipeline.collector().await?;
    let _ingester = pipeline.ingester_with(&["--rollup.enabled=false"]).await?;
    let mut traffic = Traffic::new(TRACES / 3, 30, 12);
    let requests = traffic.requests();
    send(&Sender::grpc(collector.ports().otlp_grpc)?, &requests).await?;
    pipeline.topic.until_committed(&pipeline.group).await?;
    assert_eq!(store.count(&pipeline.prefix).await?, traffic.len());

    let (_query, query) = pipeline.query().await?;
    assert_eq!(edges(&query, &traffic).await?, Counts::new());
    rebuild(&pipeline, &traffic).await?;
    all_is_counted(&query, &traffic).await
}

#[tokio::test]
async fn counted_from_elasticsearch() -> Result<()> {
    counted_from_the_store(Elasticsearch::shared()?).await
}

#[tokio::test]
async fn counted_from_parquet() -> Result<()> {
    counted_from_the_store(ParquetBucket::make("rebuilt").await?).await
}

#[tokio::test]
async fn counted_from_cassandra() -> Result<()> {
    counted_from_the_store(Cassandra::shared()?).await
}

/// Scenario: the same spans to one process over memory, then asked to stop. Guarantee: counted as everywhere; dependencies are there at once.
#[tokio::test]
async fn counted_in_one_process() -> Result<()> {
    let args = SOON.map(str::to_owned);
    let mut skua = Skua::start("all-in-one", &args, &[]).await?;
    let query = Query::new(skua.ports().query_http);
    let mut traffic = Traffic::new(TRACES / 3, 30, 12);
    let requests = traffic.requests();
    send(&Sender::grpc(skua.ports().otlp_grpc)?, &requests).await?;
    wait::until("roll-ups of all spans", async || {
        let links = edges(&query, &traffic).await?;
        ensure(links == traffic.links, || format!("links {links:?} instead of {:?}", traffic.links))?;
        let red = red(&query, &traffic).await?;
        ensure(red == traffic.red, || format!("RED {red:?} instead of {:?}", traffic.red))?;
        Ok(Some(()))
    })
    .await?;
    skua.terminate_cleanly().await
}
