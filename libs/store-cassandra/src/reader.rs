//! Answering questions.

use crate::cql::{Cells, Raw, put};
use crate::decode;
use crate::error;
use crate::schema::OperationNames;
use crate::store::CassandraStore;
use async_trait::async_trait;
use futures::stream::{StreamExt, try_unfold};
use scylla::deserialize::row::DeserializeRow;
use scylla::response::query_result::QueryRowsResult;
use scylla::response::{PagingState, PagingStateResponse};
use scylla::statement::prepared::PreparedStatement;
use skua_model::{Span, Trace, TraceId};
use skua_store::{
    ErrorKind, Found, FoundStream, Operation, SpanReader, SpanStream, StoreError, TraceQuery, all_found, whole_trace,
};
use std::time::Instant;

/// A page, and where the next begins.
pub(crate) type Page = (QueryRowsResult, Option<PagingState>);

impl CassandraStore {
    /// One page of a statement.
    pub(crate) async fn page(
        &self,
        doing: &str,
        statement: &PreparedStatement,
        values: &[u8],
        from: PagingState,
    ) -> Result<Page, StoreError> {
        let connected = self.connected().await?;
        let _permit = self.permit().await?;
        let answer = connected.session.execute_single_page(statement, Cells(values), from).await;
        let (page, next) = answer.map_err(|e| error::of_execution(doing, e))?;
        let next = match next {
            PagingStateResponse::HasMorePages { state } => Some(state),
            PagingStateResponse::NoMorePages => None,
        };
        Ok((page.into_rows_result().map_err(|e| error::unreadable(doing, e))?, next))
    }

    /// All rows of a statement, one page after the other.
    pub(crate) async fn each_row<R>(
        &self,
        doing: &str,
        statement: &PreparedStatement,
        values: &[u8],
        mut row: impl FnMut(R) -> Result<(), StoreError> + Send,
    ) -> Result<(), StoreError>
    where
        R: for<'f, 'm> DeserializeRow<'f, 'm>,
    {
        let mut from = Some(PagingState::start());
        while let Some(state) = from.take() {
            let (page, next) = self.page(doing, statement, values, state).await?;
            for read in page.rows::<R>().map_err(|e| error::unreadable(doing, e))? {
                row(read.map_err(|e| error::unreadable(doing, e))?)?;
            }
            from = next;
        }
        Ok(())
    }
}

impl CassandraStore {
    /// Spans of one page of a trace, and where the next begins.
    async fn page_of_trace(
        &self,
        id: TraceId,
        reader: &mut decode::SpanReader,
        from: PagingState,
    ) -> Result<(Vec<Span>, Option<PagingState>), StoreError> {
        const DOING: &str = "read a trace";
        let statements = &self.connected().await?.statements;
        let mut values = Vec::new();
        put(&mut values, &id.0);
        let started = Instant::now();
        let page = self.page(DOING, &statements.trace, &values, from).await;
        self.metrics.read.traces.count(1, started, page.is_ok());
        let (page, next) = page?;
        let rows = page.rows::<Raw<'_, 11>>().map_err(|e| error::unreadable(DOING, e))?;
        let mut spans = Vec::with_capacity(rows.rows_remaining());
        for row in rows {
            let span = reader.span(&row.map_err(|e| error::unreadable(DOING, e))?);
            spans.push(span.map_err(|e| error::unreadable(&format!("{DOING} ({id})"), e))?);
        }
        Ok((spans, next))
    }
}

#[async_trait]
impl SpanReader for CassandraStore {
    async fn services(&self) -> Result<Vec<String>, StoreError> {
        let statements = &self.connected().await?.statements;
        let mut services = Vec::new();
        let add = |(service,): (String,)| {
            services.push(service);
            Ok(())
        };
        self.each_row("list services", &statements.services, &[], add).await?;
        services.sort_unstable();
        services.dedup();
        Ok(services)
    }

    /// In a schema of v001 operations have no kinds.
    async fn operations(&self, service: &str, kind: &str) -> Result<Vec<Operation>, StoreError> {
        const DOING: &str = "list operations";
        let connected = self.connected().await?;
        let statement = &connected.statements.operations;
        let mut values = Vec::new();
        put(&mut values, service.as_bytes());
        let mut operations = Vec::new();
        if service.is_empty() {
            return Ok(operations); // Cassandra calls an empty key an error
        }
        match connected.schema.operation_names {
            OperationNames::V2 => {
                let add = |(of, name): (String, String)| {
                    if kind.is_empty() || kind == of {
                        operations.push(Operation { name, kind: of });
                    }
                    Ok(())
                };
                self.each_row(DOING, statement, &values, add).await?;
            }
            OperationNames::V1 => {
                let add = |(name,): (String,)| {
                    operations.push(Operation { name, kind: String::new() });
                    Ok(())
                };
                self.each_row(DOING, statement, &values, add).await?;
            }
        }
        operations.sort_unstable();
        Ok(operations)
    }

    async fn trace(&self, id: TraceId) -> Result<Trace, StoreError> {
        whole_trace(self.spans(id)).await
    }

    /// In the order of span ids, which is that of the table.
    fn spans(&self, id: TraceId) -> SpanStream<'_> {
        let start: (_, _, bool) = (decode::SpanReader::default(), Some(PagingState::start()), false);
        let page = move |(mut reader, mut from, some)| async move {
            while let Some(state) = Option::take(&mut from) {
                let (spans, next) = self.page_of_trace(id, &mut reader, state).await?;
                from = next;
                if !spans.is_empty() {
                    return Ok(Some((spans, (reader, from, true))));
                }
            }
            if some { Ok(None) } else { Err(StoreError::new(ErrorKind::NotFound, "trace not found")) }
        };
        try_unfold(start, page).boxed()
    }

    /// All conditions hold for one span, and values of tags are compared as text. Without a service all services are searched, 500
    /// at most.
    async fn find(&self, query: &TraceQuery) -> Result<Found, StoreError> {
        all_found(self.search(query.clone())).await
    }

    fn search(&self, query: TraceQuery) -> FoundStream<'_> {
        self.found(query)
    }

    fn searches_any_service(&self) -> bool {
        true
    }
}
