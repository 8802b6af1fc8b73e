//! Sends a request until each of its rows is stored or refused.

use super::requests::Request;
use crate::cql::Cells;
use crate::error;
use crate::index::rows::{Rows, Table};
use crate::store::{CassandraStore, Connected};
use skua_store::{ErrorKind, RefusedSpan, StoreError};
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, Instant};

/// Tries in a row that fail before the caller hears of it.
const TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// What became of a request.
#[derive(Default)]
pub(super) struct Delivered {
    pub refused: Vec<RefusedSpan>,
}

impl CassandraStore {
    /// # Errors
    /// When the store is away or busy for longer than a few pauses. Part of the rows may be stored.
    pub(super) async fn deliver(&self, connected: &Connected, request: Request) -> Result<Delivered, StoreError> {
        match self.send_often(connected, request.table, &request.rows).await {
            Err(e) if e.kind == ErrorKind::Invalid && request.rows.len() > 1 => self.deliver_singly(connected, &request).await,
            Err(e) if e.kind == ErrorKind::Invalid => Ok(Self::refuse(&request, &e)),
            sent => sent.map(|()| Delivered::default()),
        }
    }

    /// One row of the request cannot be stored: it alone is to be lost.
    async fn deliver_singly(&self, connected: &Connected, request: &Request) -> Result<Delivered, StoreError> {
        let mut all = Delivered::default();
        for i in 0..request.rows.len() {
            let rows = request.rows.pick(i..=i);
            let one = Request { table: request.table, rows, spans: request.spans.get(i).copied().into_iter().collect() };
            match self.send_often(connected, one.table, &one.rows).await {
                Err(e) if e.kind == ErrorKind::Invalid => all.refused.extend(Self::refuse(&one, &e).refused),
                sent => sent?,
            }
        }
        Ok(all)
    }

    fn refuse(request: &Request, e: &StoreError) -> Delivered {
        let reason = if e.message.contains("too large") { "too-large" } else { "invalid" };
        if request.table != Table::Traces {
            tracing::warn!(error = %e, table = ?request.table, "failed to index a span; it is stored");
        }
        let refused = request.spans.iter().map(|span| RefusedSpan { span: *span, reason, detail: e.message.clone() });
        Delivered { refused: refused.collect() }
    }

    /// Sends rows once. They are written at the time at which the server takes them: with a time of ours, a request that is sent
    /// again would be written at the same time as before, and the lists of a span then hold every item twice.
    async fn send(&self, connected: &Connected, table: Table, rows: &Rows) -> Result<(), StoreError> {
        let _permit = self.permit().await?;
        let started = Instant::now();
        let statements = &connected.statements;
        let answer = if rows.len() == 1 {
            connected.session.execute_unpaged(statements.insert(table), Cells(rows.row(0))).await
        } else {
            let values: Vec<Cells<'_>> = (0..rows.len()).map(|i| Cells(rows.row(i))).collect();
            connected.session.batch(&statements.insert_many(table, rows.len()), values).await
        };
        self.metrics.of(table).count(rows.len() as u64, started, answer.is_ok());
        answer.map(drop).map_err(|e| error::of_execution("write spans", e))
    }

    async fn send_often(&self, connected: &Connected, table: Table, rows: &Rows) -> Result<(), StoreError> {
        let mut retry = Retry::new(self.config.max_retry_interval);
        loop {
            match self.send(connected, table, rows).await {
                Err(e) => retry.after(e).await?,
                Ok(()) => return Ok(()),
            }
        }
    }
}

/// Tries of one request, with pauses between them.
pub(crate) struct Retry {
    failed: u32,
    longest_pause: Duration,
}

impl Retry {
    pub fn new(longest_pause: Duration) -> Self {
        Self { failed: 0, longest_pause }
    }

    /// Waits until it is time to try again.
    ///
    /// # Errors
    /// The same error, when it will not pass or was met too often.
    pub async fn after(&mut self, e: StoreError) -> Result<(), StoreError> {
        self.failed += 1;
        if !e.is_retryable() {
            return Err(e);
        }
        if self.failed >= TRIES {
            return Err(StoreError { retry_after: e.retry_after.or(Some(self.pause())), ..e });
        }
        tracing::debug!(error = %e, failed = self.failed, "a request to Cassandra failed, trying again");
        tokio::time::sleep(self.pause()).await;
        Ok(())
    }

    /// 100 ms, 200 ms, 400 ms …, and up to half as much again, so that many writers do not come back together.
    fn pause(&self) -> Duration {
        let base = FIRST_PAUSE * (1 << self.failed.saturating_sub(1).min(10));
        let random = std::hash::RandomState::new().build_hasher().finish();
        (base + base / 2 * (random % 1024) as u32 / 1024).min(self.longest_pause)
    }
}
