//! RED metrics from a Prometheus, or from whatever speaks its HTTP API (Thanos, Mimir, VictoriaMetrics).
//!
//! Somebody else counts the spans: the `spanmetrics` connector of the OpenTelemetry collector, Grafana's Tempo or Alloy. Here a
//! question becomes the PromQL that Jaeger 1.76 asks ([`PrometheusMetrics`]), and the answer a metric of the query tier.
//! What the metrics are called depends on who counts and in which version; it is looked up unless a flag says so.

mod answer;
mod client;
mod config;
mod meters;
mod names;
mod promql;
mod reader;
#[cfg(test)]
mod tests;
mod token;

pub use config::{Config, Query, Set, Tls};
pub use reader::PrometheusMetrics;
