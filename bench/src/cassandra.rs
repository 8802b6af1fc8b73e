//! What a keyspace of Cassandra holds.

use crate::Failure;
use futures::TryStreamExt;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use std::collections::{BTreeMap, HashSet};

/// The tables that a span has rows in.
pub const TABLES: [&str; 7] = [
    "traces",
    "service_names",
    "operation_names_v2",
    "service_name_index",
    "service_operation_index",
    "duration_index",
    "tag_index",
];

/// A connection to a server, as `host:port`.
///
/// # Errors
/// When it cannot be reached.
pub async fn connect(server: &str) -> Result<Session, Failure> {
    Ok(SessionBuilder::new().known_node(server).build().await?)
}

/// Rows of `traces`, and different spans among them.
///
/// # Errors
/// When the table cannot be read.
pub async fn spans(session: &Session, keyspace: &str) -> Result<(u64, u64), Failure> {
    let query = format!("SELECT trace_id, span_id FROM {keyspace}.traces");
    let mut rows = session.query_iter(query, ()).await?.rows_stream::<(Vec<u8>, i64)>()?;
    let (mut all, mut different) = (0, HashSet::new());
    while let Some(span) = rows.try_next().await? {
        all += 1;
        different.insert(span);
    }
    Ok((all, different.len() as u64))
}

/// Rows of each of [`TABLES`].
///
/// # Errors
/// When a table cannot be read.
pub async fn rows(session: &Session, keyspace: &str) -> Result<BTreeMap<&'static str, u64>, Failure> {
    let mut counts = BTreeMap::new();
    for table in TABLES {
        // The first column of each is in its key; reading it page by page takes longer than COUNT, and has no time limit.
        let key = if table == "traces" { "trace_id" } else { "service_name" };
        let query = format!("SELECT {key} FROM {keyspace}.{table}");
        let mut pages = session.query_iter(query, ()).await?.rows_stream::<(scylla::value::CqlValue,)>()?;
        let mut count = 0;
        while pages.try_next().await?.is_some() {
            count += 1;
        }
        counts.insert(table, count);
    }
    Ok(counts)
}
