//! The prepared statements of spans and their indices.

use crate::decode;
use crate::error;
use crate::index::rows::Table;
use crate::schema::OperationNames;
use foldhash::HashMap;
use parking_lot::Mutex;
use scylla::client::session::Session;
use scylla::statement::batch::{Batch, BatchStatement, BatchType};
use scylla::statement::prepared::PreparedStatement;
use skua_store::StoreError;
use std::sync::Arc;

/// Rows of one request at most.
pub(crate) const MOST_ROWS: usize = 64;

/// Postings of one page.
pub(crate) const POSTINGS_PAGE: i32 = 1000;
/// Spans of one page.
const SPANS_PAGE: i32 = 1000;
/// Names of one page.
const NAMES_PAGE: i32 = 5000;

/// All of them.
pub(crate) struct Statements {
    /// By the number of a [`Table`].
    inserts: [Insert; 5],
    pub insert_service: PreparedStatement,
    pub insert_operation: PreparedStatement,
    pub trace: PreparedStatement,
    pub services: PreparedStatement,
    pub operations: PreparedStatement,
    /// The start and trace of the rows of an index partition, latest first. By the number of a [`Table`]; of traces there is none.
    postings: [Option<PreparedStatement>; 5],
    /// Duration, start and trace, longest first.
    pub durations: PreparedStatement,
}

/// A statement, and batches of it of every length that was needed so far.
struct Insert {
    one: PreparedStatement,
    many: Mutex<HashMap<usize, Arc<Batch>>>,
}

impl Statements {
    pub async fn prepare(session: &Session, keyspace: &str, names: OperationNames) -> Result<Self, StoreError> {
        let prepare = async |cql: String, page: i32| {
            let statement = session.prepare(cql.as_str()).await;
            let mut statement = statement.map_err(|e| error::of_prepare(&format!("prepare {cql:?}"), e))?;
            if cql.starts_with("SELECT") {
                statement.set_page_size(page);
                statement.set_is_idempotent(true);
            }
            Ok::<_, StoreError>(statement)
        };
        let insert = async |table: &str, columns: &str| {
            let marks = vec!["?"; columns.split(',').count()].join(", ");
            prepare(format!("INSERT INTO {keyspace}.{table} ({columns}) VALUES ({marks})"), 1).await
        };
        let select = async |columns: &str, table: &str, condition: &str, page: i32| {
            prepare(format!("SELECT {columns} FROM {keyspace}.{table} {condition}"), page).await
        };
        const SPAN: &str =
            "trace_id, span_id, span_hash, parent_id, operation_name, flags, start_time, duration, tags, logs, refs, process";
        const BETWEEN: &str = "AND start_time >= ? AND start_time <= ?";
        let posting = async |table: &str, key: &str| {
            let condition = format!("WHERE {key} {BETWEEN}");
            select("start_time, trace_id", table, &condition, POSTINGS_PAGE).await.map(Some)
        };
        let (insert_operation, operations) = match names {
            OperationNames::V2 => (
                insert("operation_names_v2", "service_name, span_kind, operation_name").await?,
                select("span_kind, operation_name", "operation_names_v2", "WHERE service_name = ?", NAMES_PAGE).await?,
            ),
            OperationNames::V1 => (
                insert("operation_names", "service_name, operation_name").await?,
                select("operation_name", "operation_names", "WHERE service_name = ?", NAMES_PAGE).await?,
            ),
        };
        let one = |one| Insert { one, many: Mutex::default() };
        Ok(Self {
            inserts: [
                one(insert("traces", SPAN).await?),
                one(insert("service_name_index", "service_name, bucket, start_time, trace_id").await?),
                one(insert("service_operation_index", "service_name, operation_name, start_time, trace_id").await?),
                one(insert("duration_index", "service_name, operation_name, bucket, duration, start_time, trace_id").await?),
                one(insert("tag_index", "service_name, tag_key, tag_value, start_time, trace_id, span_id").await?),
            ],
            insert_service: insert("service_names", "service_name").await?,
            insert_operation,
            trace: select(decode::COLUMNS, "traces", "WHERE trace_id = ?", SPANS_PAGE).await?,
            services: select("service_name", "service_names", "", NAMES_PAGE).await?,
            operations,
            postings: [
                None,
                posting("service_name_index", "service_name = ? AND bucket = ?").await?,
                posting("service_operation_index", "service_name = ? AND operation_name = ?").await?,
                None,
                posting("tag_index", "service_name = ? AND tag_key = ? AND tag_value = ?").await?,
            ],
            durations: select(
                "duration, start_time, trace_id",
                "duration_index",
                "WHERE service_name = ? AND operation_name = ? AND bucket = ? AND duration >= ?",
                POSTINGS_PAGE,
            )
            .await?,
        })
    }

    /// The statement of one row.
    pub fn insert(&self, table: Table) -> &PreparedStatement {
        &self.inserts[table as usize].one
    }

    /// An unlogged batch of so many rows.
    pub fn insert_many(&self, table: Table, rows: usize) -> Arc<Batch> {
        let insert = &self.inserts[table as usize];
        let make = || {
            let statements = vec![BatchStatement::PreparedStatement(insert.one.clone()); rows];
            Arc::new(Batch::new_with_statements(BatchType::Unlogged, statements))
        };
        Arc::clone(insert.many.lock().entry(rows).or_insert_with(make))
    }

    /// The statement that reads a partition of an index.
    pub fn postings(&self, table: Table) -> Option<&PreparedStatement> {
        self.postings[table as usize].as_ref()
    }
}
