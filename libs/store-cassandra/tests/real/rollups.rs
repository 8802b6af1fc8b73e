//! Roll-ups, and revisions of dependencies, which are Skua's own.

use crate::given::{config, keyspace, server, store};
use futures::future::join_all;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use skua_store::rollups::{RollupKind, RollupStore};
use skua_store::{ErrorKind, conformance};
use skua_store_cassandra::{CassandraRollups, Config, Schema, SchemaConfig};

#[tokio::test]
async fn pass_the_suite() {
    let Some(server) = server() else { return };
    let rollups = CassandraRollups::new(store(config(&server, &keyspace("rollups"))).await);
    for case in conformance::rollups::CASES {
        let from = std::time::Instant::now();
        conformance::rollups::run_case(case, &rollups).await;
        eprintln!("{case}: {} ms", from.elapsed().as_millis());
    }
}

/// A keyspace as a Jaeger makes it: all but the table of roll-ups and what `without` names.
async fn of_jaeger(server: &str, keyspace: &str, without: &[&str]) -> (Session, Config) {
    let session = SessionBuilder::new().known_node(server).build().await.unwrap();
    let mut statements = Schema::new(keyspace, &SchemaConfig::default()).unwrap().statements();
    statements.retain(|s| !s.contains("skua_rollups") && !without.iter().any(|table| s.contains(table)));
    for statement in statements {
        session.query_unpaged(statement.as_str(), ()).await.unwrap_or_else(|e| panic!("{statement}: {e}"));
    }
    (session, Config { schema: SchemaConfig::default(), ..config(server, keyspace) })
}

/// Scenario: several processes begin to count in a keyspace that a Jaeger made. Guarantees: there is nothing to read, which is no error
/// and makes nothing; saves make the table, once, and tell who has to wait to come again.
#[tokio::test]
async fn a_table_that_is_missing_is_made() {
    let Some(server) = server() else { return };
    let keyspace = keyspace("jaegers");
    let (session, config) = of_jaeger(&server, &keyspace, &[]).await;
    let mut processes = Vec::new();
    for _ in 0..4 {
        processes.push(CassandraRollups::new(store(config.clone()).await));
    }
    let query = CassandraRollups::new(store(config).await);
    assert_eq!(query.rollup(RollupKind::Red, 0).await.unwrap(), None);
    assert_eq!(query.rollups(RollupKind::Red, 0, 1 << 40).await.unwrap(), []);
    query.delete_rollups(1 << 40).await.unwrap();
    let tables = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = 'skua_rollups'";
    let count = async || session.query_unpaged(tables, (&keyspace,)).await.unwrap().into_rows_result().unwrap().rows_num();
    assert_eq!(count().await, 0, "reading makes nothing");

    let save = async |(number, rollups): (u8, &CassandraRollups)| loop {
        match rollups.save_rollup(RollupKind::Red, u64::from(number) * 600_000_000, vec![number].into(), None).await {
            Ok(saved) => return assert!(saved),
            // Another is making it, or has made it and the server is not done.
            Err(e) => assert!(e.is_retryable() && e.message.contains("skua_rollups"), "{e}"),
        }
    };
    join_all((0..).zip(&processes).map(save)).await;
    assert_eq!((count().await, query.rollups(RollupKind::Red, 0, 1 << 40).await.unwrap().len()), (1, 4));
}

/// Scenario: a keyspace without the table that says who makes ours; one where ours is another's. Guarantees: the error says which and
/// what to run, and spans are not concerned.
#[tokio::test]
async fn says_what_is_missing_and_what_to_run() {
    let Some(server) = server() else { return };
    let keyspace = keyspace("nolease");
    let (session, config) = of_jaeger(&server, &keyspace, &[".leases"]).await;
    let rollups = CassandraRollups::new(store(config.clone()).await);
    let save = async || rollups.save_rollup(RollupKind::Links, 0, vec![1].into(), None).await;
    let e = save().await.unwrap_err();
    assert!(e.kind == ErrorKind::Unavailable && e.message.contains("lacks the table skua_rollups"), "{e}");
    assert!(e.message.contains(&format!("run `skua cassandra schema --keyspace={keyspace}`")), "{e}");

    let other = format!("CREATE TABLE {keyspace}.skua_rollups (kind text PRIMARY KEY, body blob)");
    session.query_unpaged(other, ()).await.unwrap();
    let e = save().await.unwrap_err();
    assert!(e.kind == ErrorKind::Unsupported && e.message.contains("skua_rollups"), "{e}");
    assert!(rollups.rollup(RollupKind::Links, 0).await.is_err(), "not read either");
    store(config).await;

    session.query_unpaged(format!("DROP TABLE {keyspace}.skua_rollups"), ()).await.unwrap();
    for statement in Schema::new(&keyspace, &SchemaConfig::default()).unwrap().statements() {
        session.query_unpaged(statement, ()).await.unwrap();
    }
    assert!(save().await.unwrap(), "what was run helps");
}
