//! Questions that are answered in OTLP: version 3 of Jaeger's API, over HTTP and gRPC.

use crate::otlp::{adjust, traces_data};
use crate::{QueryService, TraceSummary};
use skua_model::{Trace, TraceId};
use skua_proto::otlp::trace::v1::TracesData;
use skua_store::{StoreError, TraceQuery};

/// What a search found, and what the answer lacks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Listed<T> {
    /// One for each trace, in the store's order.
    pub traces: Vec<T>,
    /// Why the answer is not complete; empty when it is.
    pub partial: Vec<String>,
}

impl QueryService {
    /// [`QueryService::trace`] in OTLP, mended by [`adjust`] unless `raw`.
    ///
    /// # Errors
    /// As [`SpanReader::trace`](skua_store::SpanReader::trace).
    pub async fn otlp_trace(&self, id: TraceId, raw: bool) -> Result<TracesData, StoreError> {
        Ok(self.in_otlp(self.stored(id).await?, raw))
    }

    /// [`QueryService::find`] in OTLP, mended by [`adjust`] unless `raw`.
    ///
    /// # Errors
    /// As [`SpanReader::find`](skua_store::SpanReader::find).
    pub async fn otlp_find(&self, query: &TraceQuery, raw: bool) -> Result<Listed<TracesData>, StoreError> {
        self.listed(query, |trace| self.in_otlp(trace, raw)).await
    }

    /// The traces that a search finds in a few numbers each, counted after [`adjust`].
    ///
    /// # Errors
    /// As [`SpanReader::find`](skua_store::SpanReader::find).
    pub async fn summaries(&self, query: &TraceQuery) -> Result<Listed<TraceSummary>, StoreError> {
        self.listed(query, |trace| TraceSummary::of(&self.in_otlp(trace, false))).await
    }

    async fn listed<T>(&self, query: &TraceQuery, of: impl Fn(Trace) -> T) -> Result<Listed<T>, StoreError> {
        let found = self.stores.spans.find(query).await?;
        Ok(Listed { traces: found.traces.into_iter().map(of).collect(), partial: found.partial })
    }

    fn in_otlp(&self, trace: Trace, raw: bool) -> TracesData {
        if raw { traces_data(&trace) } else { adjust(trace, self.max_clock_skew) }
    }
}
