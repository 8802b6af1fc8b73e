//! RED over time, as the Monitor tab asks for it: what Jaeger 1.76 makes of Prometheus' counters, sampled each minute.
//!
//! A point tells of the whole minutes within `rate_per` before it. Where nothing was counted there is no point, as there is no sample.

use super::dense::Dense;
use super::points::Points;
use super::series::AllSeries;
use super::{RollupReader, Visitor};
use crate::document::{MINUTE, Row};
use async_trait::async_trait;
use skua_model::wire::WireError;
use skua_store::StoreError;
use skua_store::rollups::RollupKind;
use skua_store::span_metrics::{Metric, MetricFamily, MetricsQuery, MetricsReader};
use std::collections::BTreeMap;
use std::ops::Range;

/// Documents of two hours are in memory at a time.
const READ: u64 = 120 * MINUTE;

/// OTLP's status code of a span that failed.
const ERROR: u32 = 2;

/// In a sum that is no histogram: spans that did not fail, and those that did.
const PASSED: u8 = 0;
const FAILED: u8 = 1;

/// By OTLP's number.
const KINDS: [&str; 6] = ["unspecified", "internal", "server", "client", "producer", "consumer"];

#[async_trait]
impl MetricsReader for RollupReader {
    async fn latencies(&self, quantile: f64, query: &MetricsQuery) -> Result<MetricFamily, StoreError> {
        let points = Points::of(query)?;
        let value = |sum: &Dense| sum.quantile_ms(quantile).unwrap_or(f64::NAN);
        let metrics = self.metrics(query, points, true, value).await?;
        Ok(family("latencies", &format!("{}th quantile latency", two_digits(quantile)), query, metrics))
    }

    async fn call_rates(&self, query: &MetricsQuery) -> Result<MetricFamily, StoreError> {
        let points = Points::of(query)?;
        let value = |sum: &Dense| sum.total() as f64 / points.seconds();
        Ok(family("call_rate", "calls/sec", query, self.metrics(query, points, false, value).await?))
    }

    async fn error_rates(&self, query: &MetricsQuery) -> Result<MetricFamily, StoreError> {
        let points = Points::of(query)?;
        let value = |sum: &Dense| sum.of(FAILED) as f64 / sum.total() as f64;
        let what = "error rate, computed as a fraction of errors/sec over calls/sec";
        Ok(family("error_rate", what, query, self.metrics(query, points, false, value).await?))
    }

    async fn min_step(&self) -> Result<u64, StoreError> {
        Ok(MINUTE / 1000)
    }
}

impl RollupReader {
    /// All series that have points. Sums are of the latency's buckets, or of [`PASSED`] and [`FAILED`].
    async fn metrics<V: Fn(&Dense) -> f64 + Send>(
        &self,
        query: &MetricsQuery,
        points: Points,
        by_latency: bool,
        value: V,
    ) -> Result<Vec<Metric>, StoreError> {
        let mut red = Red {
            kinds: KINDS.map(|kind| query.span_kinds.is_empty() || query.span_kinds.contains(&kind)),
            by_operation: query.group_by_operation,
            by_latency,
            numbers: query.services.iter().map(|service| (service.as_str(), BTreeMap::new())).collect(),
            all: AllSeries::new(points, value),
        };
        self.visit(RollupKind::Red, &points.all(), READ, &mut red).await?;
        red.all.advance(u64::MAX)?;
        let mut made: Vec<_> = red.all.finish().collect();
        let mut metrics = Vec::new();
        for (service, operations) in red.numbers {
            for (operation, number) in operations {
                let points = std::mem::take(&mut made[number]);
                let mut labels = vec![("service_name".to_owned(), service.to_owned())];
                if query.group_by_operation {
                    labels.push(("operation".to_owned(), operation));
                }
                metrics.extend((!points.is_empty()).then_some(Metric { labels, points }));
            }
        }
        Ok(metrics)
    }
}

/// Adds up the spans that are asked for.
struct Red<'a, V> {
    kinds: [bool; 6],
    by_operation: bool,
    by_latency: bool,
    /// By service and operation (an empty one for all): the number of the series.
    numbers: BTreeMap<&'a str, BTreeMap<String, usize>>,
    all: AllSeries<V>,
}

impl<V: Fn(&Dense) -> f64 + Send> Visitor for Red<'_, V> {
    fn row(&mut self, row: &mut Row<'_>, wanted: &Range<u64>) -> Result<(), WireError> {
        let is_wanted = self.kinds.get(row.kind as usize).copied().unwrap_or(false);
        let Some(operations) = self.numbers.get_mut(row.first).filter(|_| is_wanted) else { return Ok(()) };
        let operation = if self.by_operation { row.second } else { "" };
        let number = match operations.get(operation) {
            Some(number) => *number,
            None => *operations.entry(operation.to_owned()).or_insert(self.all.push()),
        };
        let outcome = if row.status == ERROR { FAILED } else { PASSED };
        row.minutes(wanted, |minute| {
            if self.by_latency {
                self.all.add(number, minute.start, minute.buckets);
            } else {
                self.all.add(number, minute.start, &[(outcome, minute.calls())]);
            }
        })
    }

    fn read_until(&mut self, time: u64) -> Result<(), StoreError> {
        self.all.advance(time)
    }
}

fn family(name: &str, help: &str, query: &MetricsQuery, metrics: Vec<Metric>) -> MetricFamily {
    let (of, by) = if query.group_by_operation { ("service_operation", " & operation") } else { ("service", "") };
    MetricFamily { name: format!("{of}_{name}"), help: format!("{help}, grouped by service{by}"), metrics }
}

/// A number as Go's `%.2f` writes it.
fn two_digits(number: f64) -> String {
    if number.is_infinite() { format!("{}Inf", if number > 0.0 { '+' } else { '-' }) } else { format!("{number:.2}") }
}
