//! Latencies, calls and errors over time.

use crate::QueryService;
use crate::limits::Room;
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

/// Bytes that a point takes, and the JSON of it.
const PER_POINT: usize = size_of::<(u64, f64)>() + 96;

/// A metric over time, which counts for `--query.max-memory` until it is dropped.
#[derive(Debug)]
pub struct MetricAnswer {
    /// What was found.
    pub family: MetricFamily,
    _room: Room,
}

impl QueryService {
    /// A metric over time; `None` without a store of metrics.
    ///
    /// # Errors
    /// As [`MetricsReader`](skua_store::span_metrics::MetricsReader), and when a limit is met.
    pub async fn metric(&self, metric: Metric, query: &MetricsQuery) -> Result<Option<MetricAnswer>, StoreError> {
        let Some(reader) = &self.stores.metrics else { return Ok(None) };
        let pass = self.gate.enter().await?;
        let read = async {
            match metric {
                Metric::Latencies(quantile) => reader.latencies(quantile, query).await,
                Metric::Calls => reader.call_rates(query).await,
                Metric::Errors => reader.error_rates(query).await,
            }
        };
        let family = pass.in_time(read).await?;
        let mut room = Room::default();
        let points = family.metrics.iter().map(|metric| metric.points.len() + 1).sum::<usize>();
        pass.room(&mut room, points * PER_POINT).await?;
        Ok(Some(MetricAnswer { family, _room: room }))
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
