//! Keyspaces as they are found: none, older ones, and those of somebody else.

use crate::given::{config, keyspace, server, store};
use prometheus_client::registry::Registry;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use skua_store::conformance;
use skua_store::dependencies::{DependencyLink, DependencyReader, DependencyWriter};
use skua_store::{ErrorKind, Operation, SpanReader, StoreError};
use skua_store_cassandra::{CassandraDependencies, CassandraSampling, CassandraStore, Config, Schema, SchemaConfig};
use std::sync::Arc;

async fn session(server: &str) -> Session {
    SessionBuilder::new().known_node(server).build().await.unwrap()
}

async fn run(session: &Session, statements: &[String]) {
    for statement in statements {
        session.query_unpaged(statement.as_str(), ()).await.unwrap_or_else(|e| panic!("{statement}: {e}"));
    }
}

async fn refused(config: Config) -> StoreError {
    let store = CassandraStore::new(config, "cassandra", "primary", &mut Registry::default()).unwrap();
    store.ready().await.unwrap_err()
}

fn as_found(server: &str, keyspace: &str) -> Config {
    Config { schema: SchemaConfig::default(), ..config(server, keyspace) }
}

/// Scenario: no keyspace, then one that lacks a table, then one with a table of other columns. Guarantees: the store says what there is
/// and what to run, and does not write to what it does not know; once the schema is there the same store is ready.
#[tokio::test]
async fn says_what_is_missing_and_what_to_run() {
    let Some(server) = server() else { return };
    let (keyspace, session) = (keyspace("missing"), session(&server).await);
    let config = as_found(&server, &keyspace);
    let store = CassandraStore::new(config.clone(), "cassandra", "primary", &mut Registry::default()).unwrap();
    let e = store.ready().await.unwrap_err();
    assert_eq!(e.kind, ErrorKind::Unavailable);
    assert!(e.message.contains(&format!("skua cassandra schema --keyspace={keyspace}")), "{e}");

    let statements = Schema::new(&keyspace, &SchemaConfig::default()).unwrap().statements();
    let (with, without): (Vec<String>, Vec<String>) = statements.into_iter().partition(|s| !s.contains(".tag_index"));
    run(&session, &with).await;
    let e = store.ready().await.unwrap_err();
    assert_eq!(e.kind, ErrorKind::Unavailable);
    assert!(e.message.contains("lacks tag_index: run `skua cassandra schema"), "{e}");

    let other = format!("CREATE TABLE {keyspace}.tag_index (service_name text PRIMARY KEY, tag_key text)");
    run(&session, &[other]).await;
    let e = store.ready().await.unwrap_err();
    assert_eq!(e.kind, ErrorKind::Unsupported);
    assert!(e.message.contains("tag_index"), "{e}");
    let e = refused(Config { schema: SchemaConfig { create: true, ..SchemaConfig::default() }, ..config }).await;
    assert_eq!(e.kind, ErrorKind::Unsupported, "nothing is made over what is there: {e}");

    run(&session, &[format!("DROP TABLE {keyspace}.tag_index")]).await;
    run(&session, &without).await;
    store.ready().await.unwrap();
}

/// Scenario: a keyspace of schema v001, with operations without kinds and dependencies behind a SASI index. Guarantees: spans are
/// written and found; operations come without kinds; dependencies are kept; adaptive sampling, which has no tables there, says so.
#[tokio::test]
async fn an_old_schema_is_read_and_written() {
    let Some(server) = server() else { return };
    let (keyspace, session) = (keyspace("old"), session(&server).await);
    let mut statements = Schema::new(&keyspace, &SchemaConfig::default()).unwrap().statements();
    let newer = ["operation_names_v2", "dependencies_v2", "operation_throughput", "sampling_probabilities", "leases"];
    statements.retain(|s| !newer.iter().any(|table| s.contains(table)));
    statements.extend([
        format!("CREATE TABLE {keyspace}.operation_names (service_name text, operation_name text, PRIMARY KEY ((service_name), operation_name))"),
        format!("CREATE TABLE {keyspace}.dependencies (ts timestamp PRIMARY KEY, ts_index timestamp, dependencies list<frozen<dependency>>)"),
        format!("CREATE CUSTOM INDEX ON {keyspace}.dependencies (ts_index) USING 'org.apache.cassandra.index.sasi.SASIIndex' WITH OPTIONS = {{'mode': 'SPARSE'}}"),
    ]);
    run(&session, &statements).await;
    let store = store(as_found(&server, &keyspace)).await;
    let abilities = crate::conformance::ABILITIES;
    for case in ["services", "operations", "trace-by-id", "search-tags", "search-combined"] {
        conformance::run_case(case, abilities, &*store, &*store, &|| Box::pin(async {})).await;
    }
    assert_eq!(store.operations("nobody", "").await.unwrap(), Vec::<Operation>::new());

    let dependencies = CassandraDependencies::new(Arc::clone(&store));
    let link = DependencyLink { parent: "a".to_owned(), child: "b".to_owned(), call_count: 3, source: "jaeger".to_owned() };
    dependencies.write_dependencies(5_000_000, std::slice::from_ref(&link)).await.unwrap();
    assert_eq!(dependencies.dependencies(5_000_000, 6_000_000).await.unwrap(), [link]);
    assert_eq!(dependencies.dependencies(0, 5_000_000).await.unwrap(), []);
    for case in conformance::dependencies::CASES.iter().filter(|case| case.starts_with("revision")) {
        conformance::dependencies::run_case(case, &dependencies, &dependencies, &|| Box::pin(async {})).await;
    }

    use skua_store::sampling::SamplingStore;
    let e = CassandraSampling::new(store).latest_probabilities().await.unwrap_err();
    assert!(e.message.contains("lacks tables of adaptive sampling"), "{e}");
}
