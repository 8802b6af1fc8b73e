//! Writing a batch.
//!
//! - [`requests`]: which rows go in one request.
//! - [`deliver`]: sends requests until each row is stored or refused.

mod deliver;
pub(crate) mod requests;

use crate::cql::{Cells, put};
use crate::error;
use crate::index::plan::plan;
use crate::index::rows::Name;
use crate::schema::OperationNames;
use crate::store::{CassandraStore, Connected};
use async_trait::async_trait;
pub(crate) use deliver::Retry;
use futures::stream::{FuturesUnordered, StreamExt};
use requests::{Requests, owners};
use skua_model::SpanBatch;
use skua_store::{RefusedSpan, SpanWriter, StoreError, Written};
use std::time::Instant;

#[async_trait]
impl SpanWriter for CassandraStore {
    /// A span with a service name longer than a key of Cassandra, or one that the server calls too large, is refused with the reason
    /// `too-large`.
    async fn write(&self, batch: &SpanBatch) -> Result<Written, StoreError> {
        if batch.is_empty() {
            return Ok(Written::default());
        }
        let connected = self.connected().await?;
        let mut plan = plan(batch, &self.filter);
        self.metrics.skipped.inc_by(plan.skipped);
        let mut refused = std::mem::take(&mut plan.refused);
        let names = self.names.unknown(std::mem::take(&mut plan.names));
        let owners = owners(&plan, connected);
        let (delivered, ()) = futures::try_join!(
            self.write_rows(connected, Requests::new(batch, &plan, owners)),
            self.write_names(connected, &names)
        )?;
        refused.extend(delivered);
        refused.sort_by_key(|r| r.span);
        let stored = batch.len() as u64 - refused.len() as u64;
        Ok(Written { stored, refused })
    }
}

impl CassandraStore {
    /// As many requests are made as may be under way, so that memory stays bounded.
    async fn write_rows(&self, connected: &Connected, mut requests: Requests<'_>) -> Result<Vec<RefusedSpan>, StoreError> {
        let (mut sending, mut refused) = (FuturesUnordered::new(), Vec::new());
        loop {
            while sending.len() < self.width() {
                let Some(request) = requests.next() else { break };
                sending.push(self.deliver(connected, request));
            }
            match sending.next().await {
                Some(delivered) => refused.extend(delivered?.refused),
                None => return Ok(refused),
            }
        }
    }

    /// Requests that one call has under way at a time.
    fn width(&self) -> usize {
        self.config.max_in_flight_requests.max(1)
    }

    async fn write_names(&self, connected: &Connected, names: &[Name]) -> Result<(), StoreError> {
        let (mut sending, mut left) = (FuturesUnordered::new(), names.iter());
        loop {
            while sending.len() < self.width() {
                let Some(name) = left.next() else { break };
                sending.push(self.write_name(connected, name));
            }
            match sending.next().await {
                Some(written) => written?,
                None => break,
            }
        }
        self.names.stored(names);
        Ok(())
    }

    async fn write_name(&self, connected: &Connected, name: &Name) -> Result<(), StoreError> {
        const DOING: &str = "write the name of a service or operation";
        let mut cells = Vec::new();
        put(&mut cells, &name.service);
        let (statement, rows) = match &name.operation {
            None => (&connected.statements.insert_service, &self.metrics.service_names),
            Some((kind, operation)) => {
                if connected.schema.operation_names == OperationNames::V2 {
                    put(&mut cells, kind.as_bytes());
                }
                put(&mut cells, operation);
                (&connected.statements.insert_operation, &self.metrics.operation_names)
            }
        };
        let mut retry = Retry::new(self.config.max_retry_interval);
        loop {
            let permit = self.permit().await?;
            let started = Instant::now();
            let answer = connected.session.execute_unpaged(statement, Cells(&cells)).await;
            drop(permit);
            rows.count(1, started, answer.is_ok());
            match answer {
                Err(e) => retry.after(error::of_execution(DOING, e)).await?,
                Ok(_) => return Ok(()),
            }
        }
    }
}
