//! Roll-ups: a row for each kind and interval, in the table `skua_rollups`, which no Jaeger knows; a day of a kind is a partition.
//!
//! A row is written on condition that it is as it was read, by lightweight transactions, each of which gives it a version that nothing
//! else has. It is read with the consistency SERIAL: that sees all of them, and ends those that a client gave up waiting for. SERIAL,
//! not LOCAL_SERIAL, because processes in several datacenters may write one row.

mod create;

use crate::cql::{Cells, Raw, put, put_i64};
use crate::error;
use crate::random;
use crate::store::CassandraStore;
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{StreamExt, TryStreamExt, iter};
use scylla::statement::prepared::PreparedStatement;
use scylla::statement::{Consistency, SerialConsistency};
use scylla::value::CqlTimestamp;
use skua_store::rollups::{Rollup, RollupKind, RollupStore, Version};
use skua_store::{ErrorKind, StoreError};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::OnceCell;
use uuid::Uuid;

/// Microseconds.
const DAY: u64 = 86_400_000_000;
/// Days of one reading.
const MOST_DAYS: u64 = 400;
/// Partitions read at a time.
const TOGETHER: usize = 4;
/// Rows of a page, each of which may be some MiB.
const PAGE: i32 = 16;
/// Partition keys of a page.
const KEYS_PAGE: i32 = 1000;

/// The roll-ups of a keyspace.
pub struct CassandraRollups {
    store: Arc<CassandraStore>,
    statements: OnceCell<Statements>,
}

struct Statements {
    one: PreparedStatement,
    range: PreparedStatement,
    create: PreparedStatement,
    replace: PreparedStatement,
    days: PreparedStatement,
    delete: PreparedStatement,
}

impl Statements {
    async fn prepare(store: &CassandraStore) -> Result<Self, StoreError> {
        const ROW: &str = "WHERE kind = ? AND day = ? AND interval = ?";
        const ONE: &str = "SELECT version, body FROM {}.skua_rollups";
        const RANGE: &str =
            "SELECT interval, body FROM {}.skua_rollups WHERE kind = ? AND day = ? AND interval >= ? AND interval < ?";
        const CREATE: &str =
            "INSERT INTO {}.skua_rollups (version, body, kind, day, interval) VALUES (?, ?, ?, ?, ?) IF NOT EXISTS";
        const REPLACE: &str = "UPDATE {}.skua_rollups SET version = ?, body = ?";
        const DAYS: &str = "SELECT DISTINCT kind, day FROM {}.skua_rollups";
        const DELETE: &str = "DELETE FROM {}.skua_rollups WHERE kind = ? AND day = ?";
        let read = async |cql: &str, page, consistency: Option<Consistency>| {
            let mut statement = store.prepare(cql).await?;
            statement.set_is_idempotent(true);
            statement.set_page_size(page);
            consistency.into_iter().for_each(|c| statement.set_consistency(c));
            Ok::<_, StoreError>(statement)
        };
        let conditional = async |cql: &str| {
            let mut statement = store.prepare(cql).await?;
            statement.set_serial_consistency(Some(SerialConsistency::Serial));
            Ok::<_, StoreError>(statement)
        };
        Ok(Self {
            one: read(&format!("{ONE} {ROW}"), PAGE, Some(Consistency::Serial)).await?,
            range: read(RANGE, PAGE, Some(Consistency::Serial)).await?,
            create: conditional(CREATE).await?,
            replace: conditional(&format!("{REPLACE} {ROW} IF version = ?")).await?,
            days: read(DAYS, KEYS_PAGE, None).await?,
            delete: store.prepare(DELETE).await?,
        })
    }
}

impl CassandraRollups {
    /// Uses the connection of a store, which need not be ready. When the keyspace lacks the table, the first save makes it; until then
    /// there is nothing to read.
    pub fn new(store: Arc<CassandraStore>) -> Self {
        Self { store, statements: OnceCell::new() }
    }

    /// For writing.
    async fn statements(&self) -> Result<&Statements, StoreError> {
        let prepare = async || {
            create::table(&self.store).await?;
            Statements::prepare(&self.store).await
        };
        self.statements.get_or_try_init(prepare).await
    }

    /// For reading: `None` as long as there is no table.
    async fn statements_if_any(&self) -> Result<Option<&Statements>, StoreError> {
        if self.statements.initialized() || create::exists(&self.store).await? {
            return self.statements().await.map(Some);
        }
        Ok(None)
    }

    /// The rows of a partition with `from <= interval < until`.
    async fn of_day(
        &self,
        statement: &PreparedStatement,
        kind: RollupKind,
        day: u64,
        (from, until): (u64, u64),
    ) -> Result<Vec<(u64, Bytes)>, StoreError> {
        let (mut values, mut rows) = (Vec::new(), Vec::new());
        put_partition(&mut values, kind.name().as_bytes(), (day * DAY / 1000) as i64);
        put_i64(&mut values, from.div_ceil(1000) as i64);
        put_i64(&mut values, until.div_ceil(1000) as i64);
        let add = |(interval, body): (CqlTimestamp, Option<Vec<u8>>)| {
            rows.push((interval.0 as u64 * 1000, body.unwrap_or_default().into()));
            Ok(())
        };
        self.store.each_row("read roll-ups", statement, &values, add).await?;
        Ok(rows)
    }
}

#[async_trait]
impl RollupStore for CassandraRollups {
    async fn rollup(&self, kind: RollupKind, interval: u64) -> Result<Option<Rollup>, StoreError> {
        const DOING: &str = "read a roll-up";
        let Some(statements) = self.statements_if_any().await? else { return Ok(None) };
        let mut values = Vec::new();
        put_row(&mut values, kind, interval);
        let (page, _) = self.store.page(DOING, &statements.one, &values, Default::default()).await?;
        let row = page.maybe_first_row::<Raw<'_, 2>>().map_err(|e| error::unreadable(DOING, e))?;
        let rollup = |row: Raw<'_, 2>| {
            let version = Uuid::from_slice(row.bytes(0)).map_err(|e| error::unreadable(DOING, e))?.as_u64_pair();
            Ok(Rollup { version: Version(version.0, version.1), body: Bytes::copy_from_slice(row.bytes(1)) })
        };
        row.map(rollup).transpose()
    }

    async fn save_rollup(&self, kind: RollupKind, interval: u64, body: Bytes, was: Option<Version>) -> Result<bool, StoreError> {
        let statements = self.statements().await?;
        let mut values = Vec::with_capacity(body.len() + 128);
        let version = new_version();
        put(&mut values, version.as_bytes());
        put(&mut values, &body);
        put_row(&mut values, kind, interval);
        let statement = match was {
            None => &statements.create,
            Some(Version(high, low)) => {
                put(&mut values, Uuid::from_u64_pair(high, low).as_bytes());
                &statements.replace
            }
        };
        let started = Instant::now();
        let saved = self.store.applied_or("save a roll-up", statement, &values, "version").await;
        self.store.metrics.rollups.count(1, started, saved.is_ok());
        // A server that had to begin again may find that its own first try came through.
        saved.map(|(applied, there)| applied || there == version.as_bytes())
    }

    /// 400 days at most.
    async fn rollups(&self, kind: RollupKind, from: u64, until: u64) -> Result<Vec<(u64, Bytes)>, StoreError> {
        if until <= from {
            return Ok(Vec::new());
        }
        if until - from > MOST_DAYS * DAY {
            return Err(StoreError::new(ErrorKind::Invalid, format!("read roll-ups: more than {MOST_DAYS} days at once")));
        }
        let Some(statements) = self.statements_if_any().await? else { return Ok(Vec::new()) };
        let days = iter(from / DAY..=(until - 1) / DAY);
        let rows = days.map(|day| self.of_day(&statements.range, kind, day, (from, until)));
        rows.buffered(TOGETHER).try_concat().await
    }

    /// Whole days.
    async fn delete_rollups(&self, before: u64) -> Result<(), StoreError> {
        let Some(statements) = self.statements_if_any().await? else { return Ok(()) };
        let (mut old, end) = (Vec::new(), before / DAY * DAY / 1000);
        let add = |(kind, CqlTimestamp(day)): (String, CqlTimestamp)| {
            old.extend((day < end as i64).then_some((kind, day)));
            Ok(())
        };
        self.store.each_row("list the days of roll-ups", &statements.days, &[], add).await?;
        for (kind, day) in old {
            let mut values = Vec::new();
            put_partition(&mut values, kind.as_bytes(), day);
            let _permit = self.store.permit().await?;
            let deleted = self.store.connected().await?.session.execute_unpaged(&statements.delete, Cells(&values)).await;
            deleted.map_err(|e| error::of_execution("delete roll-ups", e))?;
            tracing::info!(kind, day = day / (DAY / 1000) as i64, "roll-ups deleted");
        }
        Ok(())
    }
}

/// That no row ever had.
fn new_version() -> Uuid {
    Uuid::from_u64_pair(random::number(), random::number())
}

/// `day` in milliseconds since 1970.
fn put_partition(values: &mut Vec<u8>, kind: &[u8], day: i64) {
    put(values, kind);
    put_i64(values, day);
}

fn put_row(values: &mut Vec<u8>, kind: RollupKind, interval: u64) {
    put_partition(values, kind.name().as_bytes(), (interval / DAY * DAY / 1000) as i64);
    put_i64(values, (interval / 1000) as i64);
}
