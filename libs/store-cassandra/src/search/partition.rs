//! One partition of an index, read page by page.

use crate::cql::{Cells, Raw, put, put_i64};
use crate::decode::trace_id;
use crate::error;
use crate::index::rows::Table;
use crate::store::CassandraStore;
use scylla::response::{PagingState, PagingStateResponse};
use skua_model::TraceId;
use skua_store::{ErrorKind, StoreError};
use std::time::Instant;

/// That a trace has something at a time: no span that it stands for starts later than `at`, or more than a
/// [`CELL`](crate::index::layout::CELL) before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Posting {
    /// Microseconds since 1970.
    pub at: u64,
    pub trace: TraceId,
}

/// The times of postings, both inclusive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub from: u64,
    pub to: u64,
}

/// Rows of the first page: enough for a usual limit. Each page is larger than the one before.
const FIRST_PAGE: i32 = 100;
const LARGEST_PAGE: i32 = 4000;

/// A partition that is being read.
pub(super) struct Partition {
    table: Table,
    /// Cells of the key and of the two times.
    values: Vec<u8>,
    /// `None` at the end.
    next: Option<PagingState>,
    page: i32,
}

impl Partition {
    /// `key` appends the cells of the partition key.
    pub fn new(table: Table, times: Times, key: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut values = Vec::new();
        key(&mut values);
        put_i64(&mut values, signed(times.from));
        put_i64(&mut values, signed(times.to));
        Self { table, values, next: Some(PagingState::start()), page: FIRST_PAGE }
    }

    /// A partition of `tag_index`.
    pub fn of_tag(service: &str, key: &[u8], times: Times, value: impl FnOnce(&mut Vec<u8>)) -> Self {
        Self::new(Table::Tag, times, |out| {
            put(out, service.as_bytes());
            put(out, key);
            crate::cql::put_with(out, value);
        })
    }

    pub fn is_done(&self) -> bool {
        self.next.is_none()
    }

    /// Appends the next page; nothing at the end.
    pub async fn read(&mut self, store: &CassandraStore, into: &mut impl Extend<Posting>) -> Result<usize, StoreError> {
        const DOING: &str = "search an index";
        let Some(state) = self.next.take() else { return Ok(0) };
        let connected = store.connected().await?;
        let Some(statement) = connected.statements.postings(self.table) else { return Ok(0) };
        let mut statement = statement.clone();
        statement.set_page_size(self.page);
        self.page = (self.page * 4).min(LARGEST_PAGE);
        let permit = store.permit().await?;
        let started = Instant::now();
        let answer = connected.session.execute_single_page(&statement, Cells(&self.values), state).await;
        drop(permit);
        store.metrics.read.of(self.table).count(1, started, answer.is_ok());
        let (page, next) = answer.map_err(|e| error::of_execution(DOING, e))?;
        self.next = match next {
            PagingStateResponse::HasMorePages { state } => Some(state),
            PagingStateResponse::NoMorePages => None,
        };
        let page = page.into_rows_result().map_err(|e| error::unreadable(DOING, e))?;
        let mut read = 0;
        for row in page.rows::<Raw<'_, 2>>().map_err(|e| error::unreadable(DOING, e))? {
            let row = row.map_err(|e| error::unreadable(DOING, e))?;
            let trace = trace_id(row.bytes(1)).ok_or_else(not_an_id)?;
            into.extend([Posting { at: u64::try_from(row.i64(0)).unwrap_or(0), trace }]);
            read += 1;
        }
        Ok(read)
    }
}

pub(super) fn not_an_id() -> StoreError {
    StoreError::new(ErrorKind::Internal, "search an index: a trace id is not of 16 bytes")
}

/// A time, or a duration, as the server knows it.
pub(super) fn signed(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}
