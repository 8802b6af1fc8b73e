//! A server, and keyspaces of our own on it.

use prometheus_client::registry::Registry;
use skua_store_cassandra::{CassandraStore, Config, SchemaConfig};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The server as `host:port`; a test without one says so and ends.
pub fn server() -> Option<String> {
    let server = std::env::var("SKUA_TEST_CASSANDRA").ok();
    if server.is_none() {
        println!("skipped: SKUA_TEST_CASSANDRA is not set");
    }
    server
}

/// A keyspace that no other test uses.
pub fn keyspace(name: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("{name}_{}_{number}", std::process::id())
}

/// Makes its keyspace when it is opened.
pub fn config(server: &str, keyspace: &str) -> Config {
    Config {
        servers: vec![server.to_owned()],
        keyspace: keyspace.to_owned(),
        timeout: Duration::from_secs(60),
        schema: SchemaConfig { create: true, ..SchemaConfig::default() },
        ..Config::default()
    }
}

pub async fn store(config: Config) -> Arc<CassandraStore> {
    let store = CassandraStore::new(config, "cassandra", "primary", &mut Registry::default()).unwrap();
    store.ready().await.unwrap();
    store
}
