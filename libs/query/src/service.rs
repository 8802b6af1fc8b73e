//! A reader with adjusters.

use crate::adjust::adjust;
use skua_model::{Trace, TraceId};
use skua_store::{ErrorKind, Found, Operation, SpanReader, StoreError, TraceQuery};
use std::sync::Arc;
use std::time::Duration;

/// Answers queries from a store and mends what it returns. `raw` leaves a trace as it was stored.
#[derive(Clone)]
pub struct QueryService {
    reader: Arc<dyn SpanReader>,
    max_clock_skew: Duration,
}

/// Traces asked for by id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ById {
    /// In the order of the ids.
    pub traces: Vec<Trace>,
    /// Ids that the store does not have.
    pub missing: Vec<TraceId>,
}

impl QueryService {
    /// `max_clock_skew` is the most that a span may be shifted; zero means that none is.
    pub fn new(reader: Arc<dyn SpanReader>, max_clock_skew: Duration) -> Self {
        Self { reader, max_clock_skew }
    }

    /// Names of all services, sorted.
    ///
    /// # Errors
    /// As [`SpanReader::services`].
    pub async fn services(&self) -> Result<Vec<String>, StoreError> {
        self.reader.services().await
    }

    /// Operations of a service, sorted; of one kind unless `kind` is empty.
    ///
    /// # Errors
    /// As [`SpanReader::operations`].
    pub async fn operations(&self, service: &str, kind: &str) -> Result<Vec<Operation>, StoreError> {
        self.reader.operations(service, kind).await
    }

    /// A whole trace.
    ///
    /// # Errors
    /// As [`SpanReader::trace`].
    pub async fn trace(&self, id: TraceId, raw: bool) -> Result<Trace, StoreError> {
        Ok(self.mended(self.reader.trace(id).await?, raw))
    }

    /// Traces by id: one that the store does not have is not an error.
    ///
    /// # Errors
    /// As [`SpanReader::trace`], for any of the ids.
    pub async fn by_ids(&self, ids: &[TraceId], raw: bool) -> Result<ById, StoreError> {
        let mut by_id = ById::default();
        for id in ids {
            match self.trace(*id, raw).await {
                Ok(trace) => by_id.traces.push(trace),
                Err(e) if e.kind == ErrorKind::NotFound => by_id.missing.push(*id),
                Err(e) => return Err(e),
            }
        }
        Ok(by_id)
    }

    /// Traces of which a span matches, latest first.
    ///
    /// # Errors
    /// As [`SpanReader::find`].
    pub async fn find(&self, query: &TraceQuery, raw: bool) -> Result<Found, StoreError> {
        let found = self.reader.find(query).await?;
        let traces = found.traces.into_iter().map(|t| self.mended(t, raw)).collect();
        Ok(Found { traces, partial: found.partial })
    }

    fn mended(&self, mut trace: Trace, raw: bool) -> Trace {
        if !raw {
            adjust(&mut trace, self.max_clock_skew);
        }
        trace
    }
}
