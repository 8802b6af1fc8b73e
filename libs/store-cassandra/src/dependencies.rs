//! Who calls whom, in Jaeger's tables: `dependencies_v2`, or `dependencies` of a schema of v001.

use crate::cql::{Cells, Raw, Reader, Torn, i64_of, put, put_i64, put_list, put_with};
use crate::error;
use crate::random;
use crate::schema::Dependencies::{self, V1, V2};
use crate::store::CassandraStore;
use async_trait::async_trait;
use scylla::statement::prepared::PreparedStatement;
use skua_store::dependencies::{DEFAULT_SOURCE, DependencyLink, DependencyReader, DependencyWriter, check_revision};
use skua_store::{ErrorKind, StoreError};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use tokio::sync::OnceCell;

/// Milliseconds; a partition of `dependencies_v2`.
const DAY: i64 = 86_400_000;
/// Days of one reading.
const MOST_DAYS: i64 = 3660;

/// The dependencies of a keyspace.
pub struct CassandraDependencies {
    store: Arc<CassandraStore>,
    statements: OnceCell<Statements>,
}

struct Statements {
    version: Dependencies,
    insert: PreparedStatement,
    /// With a timestamp behind the same values.
    replace: PreparedStatement,
    select: PreparedStatement,
}

impl CassandraDependencies {
    /// Uses the connection of a store, which need not be ready.
    pub fn new(store: Arc<CassandraStore>) -> Self {
        Self { store, statements: OnceCell::new() }
    }

    async fn statements(&self) -> Result<&Statements, StoreError> {
        self.statements.get_or_try_init(|| self.prepare()).await
    }

    async fn prepare(&self) -> Result<Statements, StoreError> {
        let lacks = || {
            let keyspace = &self.store.config.keyspace;
            let text = format!(
                "the keyspace {keyspace} has no table dependencies_v2, nor one dependencies with an index on ts_index: \
                 run `skua cassandra schema --keyspace={keyspace}`"
            );
            StoreError::new(ErrorKind::Unsupported, text)
        };
        let version = self.store.connected().await?.schema.dependencies.ok_or_else(lacks)?;
        let (insert, select) = match version {
            V2 => (
                "INSERT INTO {}.dependencies_v2 (ts_bucket, ts, dependencies) VALUES (?, ?, ?)",
                "SELECT dependencies FROM {}.dependencies_v2 WHERE ts_bucket = ? AND ts >= ? AND ts < ?",
            ),
            V1 => (
                "INSERT INTO {}.dependencies (ts, ts_index, dependencies) VALUES (?, ?, ?)",
                "SELECT dependencies FROM {}.dependencies WHERE ts_index >= ? AND ts_index < ?",
            ),
        };
        let mut select = self.store.prepare(select).await?;
        select.set_is_idempotent(true);
        let replace = self.store.prepare(&format!("{insert} USING TIMESTAMP ?")).await?;
        Ok(Statements { version, insert: self.store.prepare(insert).await?, replace, select })
    }

    async fn write(&self, statement: &PreparedStatement, values: &[u8]) -> Result<(), StoreError> {
        let connected = self.store.connected().await?;
        let (_permit, started) = (self.store.permit().await?, Instant::now());
        let answer = connected.session.execute_unpaged(statement, Cells(values)).await;
        self.store.metrics.dependencies.count(1, started, answer.is_ok());
        answer.map(drop).map_err(|e| error::of_execution("write dependencies", e))
    }
}

#[async_trait]
impl DependencyReader for CassandraDependencies {
    async fn dependencies(&self, start: u64, end: u64) -> Result<Vec<DependencyLink>, StoreError> {
        const DOING: &str = "read dependencies";
        let statements = self.statements().await?;
        // Times of the tables have milliseconds: those that are not before the borders.
        let (start, end) = (start.div_ceil(1000) as i64, end.div_ceil(1000) as i64);
        let (mut links, first) = (Vec::new(), start.div_euclid(DAY));
        let days = match statements.version {
            V1 => 1,
            V2 => (end - 1).div_euclid(DAY) - first + 1,
        };
        if days > MOST_DAYS {
            return Err(StoreError::new(ErrorKind::Invalid, format!("{DOING}: more than {MOST_DAYS} days at once")));
        }
        for day in 0..days.max(0) {
            let mut values = Vec::new();
            if statements.version == V2 {
                put_i64(&mut values, (first + day) * DAY);
            }
            put_i64(&mut values, start);
            put_i64(&mut values, end);
            let add = |row: List| {
                links.extend(row.0);
                Ok(())
            };
            self.store.each_row(DOING, &statements.select, &values, add).await?;
        }
        Ok(links)
    }
}

#[async_trait]
impl DependencyWriter for CassandraDependencies {
    async fn write_dependencies(&self, at: u64, links: &[DependencyLink]) -> Result<(), StoreError> {
        if links.is_empty() {
            return Ok(());
        }
        let statements = self.statements().await?;
        self.write(&statements.insert, &row(statements.version, at, links)).await
    }

    /// What is newer is decided by the timestamp of the row's cells. It grows with the revision, and is another for every call, because the
    /// server joins two lists that were written with one timestamp: only two processes that write the same revision can meet in one,
    /// and then in one case of a million.
    async fn replace_dependencies(&self, at: u64, revision: u64, links: &[DependencyLink]) -> Result<(), StoreError> {
        check_revision(revision)?;
        let statements = self.statements().await?;
        let mut values = row(statements.version, at, links);
        put_i64(&mut values, timestamp(at, revision));
        self.write(&statements.replace, &values).await
    }
}

/// The values of a row.
fn row(version: Dependencies, at: u64, links: &[DependencyLink]) -> Vec<u8> {
    let at = (at / 1000) as i64;
    let mut values = Vec::new();
    match version {
        V2 => put_i64(&mut values, at.div_euclid(DAY) * DAY),
        V1 => put_i64(&mut values, at),
    }
    put_i64(&mut values, at);
    put_list(&mut values, |out| {
        links.iter().for_each(|link| put_link(out, link));
        links.len() as i32
    });
    values
}

/// A list replaces those with a lower timestamp: this one is after all of lower revisions, and not that of another call. In
/// microseconds, as all timestamps; a revision is about a second.
fn timestamp(at: u64, revision: u64) -> i64 {
    const CALLS: u64 = 1 << 20;
    static CALL: OnceLock<AtomicU64> = OnceLock::new();
    let call = CALL.get_or_init(|| AtomicU64::new(random::number())).fetch_add(1, Relaxed);
    (at + revision * CALLS + call % CALLS) as i64
}

fn put_link(out: &mut Vec<u8>, link: &DependencyLink) {
    put_with(out, |out| {
        put(out, link.parent.as_bytes());
        put(out, link.child.as_bytes());
        put_i64(out, i64::try_from(link.call_count).unwrap_or(i64::MAX));
        put(out, link.source.as_bytes());
    });
}

/// The one column of a row.
struct List(Vec<DependencyLink>);

impl<'f, 'm> scylla::deserialize::row::DeserializeRow<'f, 'm> for List {
    fn type_check(_: &[scylla::frame::response::result::ColumnSpec<'_>]) -> Result<(), scylla::deserialize::TypeCheckError> {
        Ok(())
    }

    fn deserialize(
        row: scylla::deserialize::row::ColumnIterator<'f, 'm>,
    ) -> Result<Self, scylla::deserialize::DeserializationError> {
        let row = Raw::<'f, 1>::deserialize(row)?;
        links(row.bytes(0)).map(Self).map_err(scylla::deserialize::DeserializationError::new)
    }
}

fn links(value: &[u8]) -> Result<Vec<DependencyLink>, Torn> {
    let (mut items, count) = Reader::items(value)?;
    let mut link = || {
        let mut fields = Reader::fields(items.next()?);
        let mut text = || Ok(String::from_utf8_lossy(fields.next()?).into_owned());
        let (parent, child) = (text()?, text()?);
        let call_count = u64::try_from(i64_of(fields.next()?)).unwrap_or(0);
        let source = String::from_utf8_lossy(fields.next()?).into_owned();
        let source = if source.is_empty() { DEFAULT_SOURCE.to_owned() } else { source };
        Ok(DependencyLink { parent, child, call_count, source })
    };
    (0..count).map(|_| link()).collect()
}
