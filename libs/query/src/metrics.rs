//! Latencies, calls and errors over time.

use crate::QueryService;
use skua_store::StoreError;
use skua_store::span_metrics::{MetricFamily, MetricsQuery};

/// Which metric is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Metric {
    /// The duration in milliseconds that this share of the spans, 0 to 1, does not exceed.
    Latencies(f64),
    /// Spans a second.
    Calls,
    /// Failed spans of all.
    Errors,
}

impl QueryService {
    /// Whether there is a store of metrics.
    pub fn has_metrics(&self) -> bool {
        self.stores.metrics.is_some()
    }

    /// A metric over time; `None` without a store of metrics.
    ///
    /// # Errors
    /// As [`MetricsReader`](skua_store::span_metrics::MetricsReader).
    pub async fn metric(&self, metric: Metric, query: &MetricsQuery) -> Result<Option<MetricFamily>, StoreError> {
        let Some(reader) = &self.stores.metrics else { return Ok(None) };
        let pass = self.gate.enter().await?;
        let read = async {
            match metric {
                Metric::Latencies(quantile) => reader.latencies(quantile, query).await,
                Metric::Calls => reader.call_rates(query).await,
                Metric::Errors => reader.error_rates(query).await,
            }
        };
        pass.in_time(read).await.map(Some)
    }

    /// The least distance of two points of a metric, in milliseconds; `None` without a store of metrics.
    ///
    /// # Errors
    /// As [`MetricsReader::min_step`](skua_store::span_metrics::MetricsReader::min_step).
    pub async fn min_step(&self) -> Result<Option<u64>, StoreError> {
        let Some(reader) = &self.stores.metrics else { return Ok(None) };
        let pass = self.gate.enter().await?;
        pass.in_time(reader.min_step()).await.map(Some)
    }
}
