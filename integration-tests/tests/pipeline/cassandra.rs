//! What is Cassandra's own: its schema, with and without help, on both versions; and one process over it.

use prometheus_client::registry::Registry;
use skua_integration_tests::ports::unique_number;
use skua_integration_tests::query::{list, text};
use skua_integration_tests::skua::run;
use skua_integration_tests::{Cassandra, Error, Query, Result, Sender, Skua, Spans, Store, ensure, send_all, wait};
use skua_store::conformance::{self, Abilities};
use skua_store_cassandra::{CassandraStore, Config};
use std::collections::BTreeSet;
use std::time::Duration;

const STORAGE: [(&str, &str); 1] = [("SPAN_STORAGE_TYPE", "cassandra")];
/// Ten traces.
const SPANS: u64 = 100;

/// The parameters of a search, besides its service.
type Search<'a> = &'a [(&'a str, &'a str)];

fn unique_keyspace() -> String {
    format!("t{:x}", unique_number())
}

/// The statements that `skua cassandra schema --print` gives, without its comments.
async fn printed_schema(keyspace: &str) -> Result<Vec<String>> {
    let args = ["cassandra", "schema", "--print", &format!("--keyspace={keyspace}")].map(str::to_owned);
    let printed = run(&args).await?;
    let lines: Vec<_> = printed.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
    let statements = lines.join("\n");
    Ok(statements.split(';').map(str::trim).filter(|statement| !statement.is_empty()).map(str::to_owned).collect())
}

/// Each search alone and some together find just the traces that they should, whose number is also that of their place
/// in the row.
async fn all_searches_find(query: &Query, spans: &Spans) -> Result<()> {
    let all: BTreeSet<u64> = (0..SPANS / 10).collect();
    let number = |trace: &serde_json::Value| (0..SPANS / 10).find(|n| spans.key(n * 10).trace == text(trace, "traceID"));
    let searches: [(Search<'_>, BTreeSet<u64>); 8] = [
        (&[], all.clone()),
        (&[("operation", "operation-3")], all.clone()),
        (&[("operation", "operation-10")], BTreeSet::new()),
        (&[("tags", r#"{"number":"42"}"#)], [4].into()),
        // All of a search is true of one span: number 40 is cached, 41 is not.
        (&[("tags", r#"{"number":"40","cached":"true"}"#)], [4].into()),
        (&[("tags", r#"{"number":"41","cached":"true"}"#)], BTreeSet::new()),
        // The tenth span of a trace is the longest, with 5,009 µs.
        (&[("minDuration", "5009us"), ("tags", r#"{"number":"79"}"#)], [7].into()),
        (&[("minDuration", "5009us"), ("tags", r#"{"number":"78"}"#)], BTreeSet::new()),
    ];
    for (search, expected) in searches {
        let mut parameters = vec![("service", spans.service()), ("limit", "100")];
        parameters.extend(search);
        let found = query.find(&parameters).await?;
        let numbers: Option<BTreeSet<u64>> = found.iter().map(number).collect();
        assert_eq!(numbers, Some(expected), "{search:?}");
        assert!(found.iter().all(|trace| list(&trace["spans"]).len() == 10), "{search:?}: {found:?}");
    }
    assert_eq!(query.services().await?, [spans.service()]);
    assert_eq!(query.operations(spans.service()).await?.len(), 10);
    Ok(())
}

/// Scenario: `all-in-one` over Cassandra takes spans, is stopped, and starts again. Guarantee: every search finds what it
/// should before and after.
async fn all_in_one_keeps(cassandra: &Cassandra, keyspace: &str, flags: &[String]) -> Result<()> {
    let spans = Spans::new("shop");
    let mut skua = Skua::start("all-in-one", flags, &STORAGE).await?;
    send_all(&Sender::grpc(skua.ports().otlp_grpc)?, &spans, 0..SPANS, 20).await?;
    all_searches_find(&Query::new(skua.ports().query_http), &spans).await?;
    skua.settled_ledger().await?.is_all_stored(SPANS)?;
    skua.terminate_cleanly().await?;

    let skua = Skua::start("all-in-one", flags, &STORAGE).await?;
    all_searches_find(&Query::new(skua.ports().query_http), &spans).await?;
    cassandra.spans(keyspace).await?.exactly(&spans.keys(0..SPANS))
}

/// Scenario: a keyspace that `all-in-one` makes by itself.
#[tokio::test]
async fn all_in_one_makes_its_keyspace_and_keeps_spans() -> Result<()> {
    let (cassandra, keyspace) = (Cassandra::shared()?, unique_keyspace());
    all_in_one_keeps(&cassandra, &keyspace, &cassandra.flags(&keyspace)).await
}

/// Scenario: a keyspace that an operator makes of what `skua cassandra schema --print` gives. Guarantee: each statement is
/// accepted, also a second time, and `all-in-one` works on what they made.
async fn printed_schema_is_accepted(cassandra: &Cassandra, keyspace: &str) -> Result<()> {
    let statements = printed_schema(keyspace).await?;
    ensure(statements.len() == 18, || format!("not a keyspace, five types and twelve tables: {statements:?}"))?;
    cassandra.run(&statements).await?;
    cassandra.run(&statements).await?;
    all_in_one_keeps(cassandra, keyspace, &cassandra.keyspace_flags(keyspace)).await
}

#[tokio::test]
async fn printed_schema_is_accepted_by_cassandra_5_0() -> Result<()> {
    printed_schema_is_accepted(&Cassandra::shared()?, &unique_keyspace()).await
}

#[tokio::test]
async fn printed_schema_is_accepted_by_cassandra_4_1() -> Result<()> {
    let (cassandra, keyspace) = (Cassandra::start_private_4_1().await?, unique_keyspace());
    printed_schema_is_accepted(&cassandra, &keyspace).await?;
    passes_cases_of_the_suite(&cassandra, keyspace).await
}

/// What the server computes, types, orders and limits; the whole suite runs on 5.0.
async fn passes_cases_of_the_suite(cassandra: &Cassandra, keyspace: String) -> Result<()> {
    const ABILITIES: Abilities =
        Abilities { warnings: true, long_values: true, any_service: true, patterns: false, repeated_keys: true };
    let config = Config { servers: vec![cassandra.address()], keyspace, ..Config::default() };
    let store = CassandraStore::new(config, "cassandra", "primary", &mut Registry::default())?;
    for case in ["operations", "typed-tags", "references", "logs", "duplicates", "search-time", "search-combined", "search-limit"]
    {
        conformance::run_case(case, ABILITIES, &*store, &*store, &|| Box::pin(async {})).await;
    }
    Ok(())
}

/// Scenario: a tier starts on a keyspace that does not exist, and is not asked to make it; later somebody does, with the
/// command that its log names. Guarantee: until then it is not ready, and then it is, without being started again.
#[tokio::test]
async fn a_missing_keyspace_is_waited_for() -> Result<()> {
    let (cassandra, keyspace) = (Cassandra::shared()?, unique_keyspace());
    let mut query = Skua::launch("query", &cassandra.keyspace_flags(&keyspace), &STORAGE)?;
    query.listening(query.ports().admin).await?;
    wait::until("a log line that says what to run", async || {
        let output = query.output()?;
        ensure(output.contains("skua cassandra schema"), || output)?;
        Ok(Some(()))
    })
    .await?;
    wait::holds_for(Duration::from_secs(2), async || match query.health().await? {
        503 => Ok(()),
        status => Err(Error::new(format!("{status} without a keyspace"))),
    })
    .await?;

    let mut command = vec!["cassandra".to_owned(), "schema".to_owned(), format!("--keyspace={keyspace}")];
    command.extend(cassandra.location_flags());
    run(&command).await?;
    query.healthy().await?;
    assert_eq!(Query::new(query.ports().query_http).services().await?, Vec::<String>::new());
    Ok(())
}

/// Scenario: a trace is archived in a second keyspace, whose other flags are the primary's, and then the primary's keyspace is another,
/// as when all in it has expired. Guarantee: the trace is still there by its id, whole and as it was; others are not.
#[tokio::test]
async fn an_archived_trace_outlives_the_primary() -> Result<()> {
    let (cassandra, archive) = (Cassandra::shared()?, unique_keyspace());
    let spans = Spans::new("archive");
    let flags = |primary: &str| {
        let archive = ["--cassandra-archive.enabled=true".to_owned(), format!("--cassandra-archive.keyspace={archive}")];
        [cassandra.flags(primary), archive.to_vec()].concat()
    };
    let skua = Skua::start("all-in-one", &flags(&unique_keyspace()), &STORAGE).await?;
    send_all(&Sender::grpc(skua.ports().otlp_grpc)?, &spans, 0..SPANS, 20).await?;
    let query = Query::new(skua.ports().query_http);
    let (kept, other) = (spans.key(0).trace, spans.key(10).trace);
    let before = query.complete_trace(&kept, 10).await?;
    query.post(&format!("/api/archive/{kept}")).await?;

    let later = Skua::start("all-in-one", &flags(&unique_keyspace()), &STORAGE).await?;
    let query = Query::new(later.ports().query_http);
    assert_eq!(query.trace(&kept).await?, Some(before));
    assert_eq!(query.trace(&other).await?, None);
    Ok(())
}
