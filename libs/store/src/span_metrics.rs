//! RED metrics over time, as Jaeger's Monitor tab asks for them: `metricstore.Reader` in Jaeger.

use crate::StoreError;
use async_trait::async_trait;

/// What a metric is asked of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricsQuery {
    /// At least one.
    pub services: Vec<String>,
    /// A series for each operation, not for each service.
    pub group_by_operation: bool,
    /// Of spans that count: `unspecified`, `internal`, `server`, `client`, `producer`, `consumer`.
    pub span_kinds: Vec<&'static str>,
    /// Microseconds since 1970.
    pub end: u64,
    /// Milliseconds before the end; may be nonsense, as in Jaeger.
    pub lookback: i64,
    /// Milliseconds between two points.
    pub step: i64,
    /// Milliseconds that a rate is taken over.
    pub rate_per: i64,
}

/// A metric: one series for each service, or for each operation of each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricFamily {
    /// Jaeger's: `service_call_rate`, `service_operation_latencies`, …
    pub name: String,
    /// What it is.
    pub help: String,
    /// In any order.
    pub metrics: Vec<Metric>,
}

/// One series.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metric {
    /// `service_name`, and `operation` when grouped by operation.
    pub labels: Vec<(String, String)>,
    /// Time in milliseconds since 1970, ascending, and value; NaN where a value cannot be told.
    pub points: Vec<(u64, f64)>,
}

/// Answers the Monitor tab.
#[async_trait]
pub trait MetricsReader: Send + Sync {
    /// The duration in milliseconds that the share `quantile` of the spans does not exceed.
    async fn latencies(&self, quantile: f64, query: &MetricsQuery) -> Result<MetricFamily, StoreError>;

    /// Spans a second.
    async fn call_rates(&self, query: &MetricsQuery) -> Result<MetricFamily, StoreError>;

    /// Failed spans of all, 0 to 1.
    async fn error_rates(&self, query: &MetricsQuery) -> Result<MetricFamily, StoreError>;

    /// The least distance of two points, in milliseconds.
    async fn min_step(&self) -> Result<u64, StoreError>;
}
