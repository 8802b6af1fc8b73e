//! What adaptive sampling keeps, in Jaeger's tables: a real Jaeger reads it, and the reverse.
//!
//! The rows of an interval are found by the time in their `timeuuid`. What Jaeger does in `SELECT … bucket IN (0..9)` is asked bucket
//! by bucket here, so that each request goes to the node that has it.

mod csv;
mod lease;
mod timeuuid;

use crate::cql::{Cells, put, put_i32};
use crate::error;
use crate::metrics::Rows;
use crate::random;
use crate::store::CassandraStore;
use async_trait::async_trait;
use futures::future::try_join_all;
use scylla::statement::prepared::PreparedStatement;
use skua_store::sampling::{ByOperation, SamplingStore, Throughput};
use skua_store::{ErrorKind, StoreError};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::OnceCell;

const BUCKETS: i32 = 10;
/// All probabilities are in this one.
const PROBABILITIES: i32 = 1;

/// Adaptive sampling's part of a keyspace.
pub struct CassandraSampling {
    store: Arc<CassandraStore>,
    statements: OnceCell<Statements>,
}

struct Statements {
    insert_throughput: PreparedStatement,
    throughput: PreparedStatement,
    insert_probabilities: PreparedStatement,
    latest: PreparedStatement,
    lease: lease::Statements,
}

impl CassandraSampling {
    /// Uses the connection of a store, which need not be ready.
    pub fn new(store: Arc<CassandraStore>) -> Self {
        Self { store, statements: OnceCell::new() }
    }

    async fn statements(&self) -> Result<&Statements, StoreError> {
        self.statements.get_or_try_init(|| self.prepare()).await
    }

    async fn prepare(&self) -> Result<Statements, StoreError> {
        let store = &self.store;
        if !store.connected().await?.schema.sampling {
            let keyspace = &store.config.keyspace;
            let text = format!(
                "the keyspace {keyspace} lacks tables of adaptive sampling: run `skua cassandra schema --keyspace={keyspace}`"
            );
            return Err(StoreError::new(ErrorKind::Unavailable, text));
        }
        const BETWEEN: &str = "SELECT throughput FROM {}.operation_throughput WHERE bucket = ? AND ts > ? AND ts <= ?";
        const INSERT: &str = "INSERT INTO {}.sampling_probabilities (bucket, ts, hostname, probabilities) VALUES (?, ?, ?, ?)";
        const LATEST: &str = "SELECT probabilities FROM {}.sampling_probabilities WHERE bucket = ? LIMIT 1";
        Ok(Statements {
            insert_throughput: store
                .prepare("INSERT INTO {}.operation_throughput (bucket, ts, throughput) VALUES (?, ?, ?)")
                .await?,
            throughput: idempotent(store.prepare(BETWEEN).await?),
            insert_probabilities: store.prepare(INSERT).await?,
            latest: idempotent(store.prepare(LATEST).await?),
            lease: lease::Statements::prepare(store).await?,
        })
    }

    async fn insert(&self, doing: &str, statement: &PreparedStatement, values: &[u8], rows: &Rows) -> Result<(), StoreError> {
        let connected = self.store.connected().await?;
        let (_permit, started) = (self.store.permit().await?, Instant::now());
        let answer = connected.session.execute_unpaged(statement, Cells(values)).await;
        rows.count(1, started, answer.is_ok());
        answer.map(drop).map_err(|e| error::of_execution(doing, e))
    }

    async fn texts(&self, doing: &str, statement: &PreparedStatement, values: Vec<u8>) -> Result<Vec<String>, StoreError> {
        let mut texts = Vec::new();
        let add = |(text,): (Option<String>,)| {
            texts.extend(text);
            Ok(())
        };
        self.store.each_row(doing, statement, &values, add).await?;
        Ok(texts)
    }
}

fn idempotent(mut statement: PreparedStatement) -> PreparedStatement {
    statement.set_is_idempotent(true);
    statement
}

#[async_trait]
impl SamplingStore for CassandraSampling {
    async fn insert_throughput(&self, at: u64, throughput: &[Throughput]) -> Result<(), StoreError> {
        if throughput.is_empty() {
            return Ok(());
        }
        let (ts, mut values) = (timeuuid::unique(at), Vec::new());
        put_i32(&mut values, random::below(BUCKETS));
        put(&mut values, ts.as_bytes());
        put(&mut values, csv::write_throughput(throughput).as_bytes());
        let statement = &self.statements().await?.insert_throughput;
        self.insert("write the throughput of adaptive sampling", statement, &values, &self.store.metrics.throughput).await
    }

    async fn throughput(&self, after: u64, until: u64) -> Result<Vec<Throughput>, StoreError> {
        const DOING: &str = "read the throughput of adaptive sampling";
        let statement = &self.statements().await?.throughput;
        let of_bucket = |bucket| {
            let mut values = Vec::new();
            put_i32(&mut values, bucket);
            put(&mut values, timeuuid::last_of(after).as_bytes());
            put(&mut values, timeuuid::last_of(until).as_bytes());
            self.texts(DOING, statement, values)
        };
        let texts = try_join_all((0..BUCKETS).map(of_bucket)).await?;
        Ok(texts.iter().flatten().flat_map(|text| csv::read_throughput(text)).collect())
    }

    async fn insert_probabilities_and_qps(
        &self,
        at: u64,
        host: &str,
        probabilities: &ByOperation,
        qps: &ByOperation,
    ) -> Result<(), StoreError> {
        let mut values = Vec::new();
        put_i32(&mut values, PROBABILITIES);
        put(&mut values, timeuuid::unique(at).as_bytes());
        put(&mut values, host.as_bytes());
        put(&mut values, csv::write_probabilities(probabilities, qps).as_bytes());
        let statement = &self.statements().await?.insert_probabilities;
        self.insert("write the sampling probabilities", statement, &values, &self.store.metrics.probabilities).await
    }

    async fn latest_probabilities(&self) -> Result<ByOperation, StoreError> {
        let mut values = Vec::new();
        put_i32(&mut values, PROBABILITIES);
        let statement = &self.statements().await?.latest;
        let texts = self.texts("read the sampling probabilities", statement, values).await?;
        Ok(texts.first().map(|text| csv::read_probabilities(text)).unwrap_or_default())
    }
}
