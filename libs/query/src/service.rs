//! Stores with adjusters.

use crate::archive::Archive;
use crate::limits::{Gate, LimitMetrics, Limits};
use skua_model::{Trace, TraceId};
use skua_rollup::read::RollupReader;
use skua_store::span_metrics::MetricsReader;
use skua_store::{DependencyReader, Operation, SpanReader, StoreError};
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
    /// RED metrics; `None` where no store of them is configured.
    pub metrics: Option<Arc<dyn MetricsReader>>,
    /// What was counted while the spans streamed by; `None` where nothing is.
    pub rollups: Option<Arc<RollupReader>>,
}

/// Answers queries from stores and mends what they return. `raw` leaves a trace as it was stored.
#[derive(Clone)]
pub struct QueryService {
    pub(crate) stores: Stores,
    pub(crate) max_clock_skew: Duration,
    pub(crate) gate: Arc<Gate>,
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
    /// `max_clock_skew` is the most that a span may be shifted; zero means that none is. The limits are the defaults.
    pub fn new(stores: Stores, max_clock_skew: Duration) -> Self {
        Self::with(stores, max_clock_skew, Limits::default(), LimitMetrics::default())
    }

    /// As [`new`](Self::new), within these limits.
    pub fn with(stores: Stores, max_clock_skew: Duration, limits: Limits, metrics: LimitMetrics) -> Self {
        Self { stores, max_clock_skew, gate: Gate::new(limits, metrics) }
    }

    /// Names of all services, sorted.
    ///
    /// # Errors
    /// As [`SpanReader::services`].
    pub async fn services(&self) -> Result<Vec<String>, StoreError> {
        let pass = self.gate.enter().await?;
        pass.in_time(self.stores.spans.services()).await
    }

    /// Operations of a service, sorted; of one kind unless `kind` is empty.
    ///
    /// # Errors
    /// As [`SpanReader::operations`].
    pub async fn operations(&self, service: &str, kind: &str) -> Result<Vec<Operation>, StoreError> {
        let pass = self.gate.enter().await?;
        pass.in_time(self.stores.spans.operations(service, kind)).await
    }
}
