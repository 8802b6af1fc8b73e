//! Stores with adjusters.

use crate::adjust::adjust;
use crate::archive::Archive;
use skua_model::{Trace, TraceId};
use skua_store::{DependencyReader, ErrorKind, Found, Operation, SpanReader, StoreError, TraceQuery};
use std::sync::Arc;
use std::time::Duration;

/// What the query tier reads, and the one thing that it writes.
#[derive(Clone)]
pub struct Stores {
    /// Spans: what is searched.
    pub spans: Arc<dyn SpanReader>,
    /// Who calls whom.
    pub dependencies: Arc<dyn DependencyReader>,
    /// Traces that somebody wants kept; `None` where no archive is configured.
    pub archive: Option<Archive>,
}

/// Answers queries from stores and mends what they return. `raw` leaves a trace as it was stored.
#[derive(Clone)]
pub struct QueryService {
    pub(crate) stores: Stores,
    pub(crate) max_clock_skew: Duration,
}

/// Traces asked for by id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ById {
    /// In the order of the ids.
    pub traces: Vec<Trace>,
    /// Ids that neither the store nor the archive has.
    pub missing: Vec<TraceId>,
}

impl QueryService {
    /// `max_clock_skew` is the most that a span may be shifted; zero means that none is.
    pub fn new(stores: Stores, max_clock_skew: Duration) -> Self {
        Self { stores, max_clock_skew }
    }

    /// Names of all services, sorted.
    ///
    /// # Errors
    /// As [`SpanReader::services`].
    pub async fn services(&self) -> Result<Vec<String>, StoreError> {
        self.stores.spans.services().await
    }

    /// Operations of a service, sorted; of one kind unless `kind` is empty.
    ///
    /// # Errors
    /// As [`SpanReader::operations`].
    pub async fn operations(&self, service: &str, kind: &str) -> Result<Vec<Operation>, StoreError> {
        self.stores.spans.operations(service, kind).await
    }

    /// A whole trace; from the archive when the store does not have it.
    ///
    /// # Errors
    /// As [`SpanReader::trace`].
    pub async fn trace(&self, id: TraceId, raw: bool) -> Result<Trace, StoreError> {
        Ok(self.mended(self.stored(id).await?, raw))
    }

    /// A trace as the store or the archive has it.
    pub(crate) async fn stored(&self, id: TraceId) -> Result<Trace, StoreError> {
        match (self.stores.spans.trace(id).await, &self.stores.archive) {
            (Err(e), Some(archive)) if e.kind == ErrorKind::NotFound => archive.reader.trace(id).await,
            (trace, _) => trace,
        }
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
        let found = self.stores.spans.find(query).await?;
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
