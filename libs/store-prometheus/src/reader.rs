//! Questions of the query tier, asked in PromQL.

use crate::answer::{self, Range};
use crate::client::Client;
use crate::config::{Config, Set};
use crate::meters::Meters;
use crate::names::{Candidates, Names};
use crate::promql::{self, Selection};
use async_trait::async_trait;
use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use skua_store::StoreError;
use skua_store::span_metrics::{MetricFamily, MetricsQuery, MetricsReader};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long names that were found are believed.
const KEEP: Duration = Duration::from_secs(300);
/// How long they are believed when there is nothing of them.
const KEEP_IN_VAIN: Duration = Duration::from_secs(5);

/// RED metrics from a Prometheus.
pub struct PrometheusMetrics {
    client: Client,
    jaegers: Names,
    /// `None` when the flags say what the names are.
    candidates: Option<Candidates>,
    found: Mutex<Option<(Instant, Arc<Names>)>>,
}

/// One of the three metrics.
enum Asked {
    /// Of this quantile, as [`promql::quantile`] writes it.
    Latencies(String),
    Calls,
    Errors,
}

impl Asked {
    /// Its name in Jaeger, and what it is.
    fn describe(&self) -> (&'static str, String) {
        match self {
            Self::Latencies(quantile) => ("service_latencies", format!("{quantile}th quantile latency, grouped by service")),
            Self::Calls => ("service_call_rate", "calls/sec, grouped by service".to_owned()),
            Self::Errors => {
                let help = "error rate, computed as a fraction of errors/sec over calls/sec, grouped by service";
                ("service_error_rate", help.to_owned())
            }
        }
    }

    fn promql(&self, selection: &Selection<'_>) -> String {
        match self {
            Self::Latencies(quantile) => selection.latencies(quantile),
            Self::Calls => selection.calls(),
            Self::Errors => selection.errors(),
        }
    }
}

impl PrometheusMetrics {
    /// Connects to nothing yet. Registers `skua_prometheus_requests_total{result}` and
    /// `skua_prometheus_request_duration_seconds`: once a registry.
    ///
    /// # Errors
    /// When a value or a file that the flags name cannot be used.
    pub fn new(config: &Config, set: Set, registry: &mut Registry) -> Result<Self, StoreError> {
        Ok(Self {
            client: Client::new(config, Meters::register(registry))?,
            jaegers: Names::of_jaeger(&config.query),
            candidates: Candidates::new(&config.query, set),
            found: Mutex::new(None),
        })
    }

    async fn ask(&self, asked: &Asked, query: &MetricsQuery) -> Result<MetricFamily, StoreError> {
        let names = self.names(query, KEEP).await;
        let family = self.range(asked, query, &names).await?;
        if !family.metrics.is_empty() || self.candidates.is_none() {
            return Ok(family);
        }
        let again = self.names(query, KEEP_IN_VAIN).await;
        if again == names { Ok(family) } else { self.range(asked, query, &again).await }
    }

    async fn range(&self, asked: &Asked, query: &MetricsQuery, names: &Names) -> Result<MetricFamily, StoreError> {
        let promql = asked.promql(&Selection::new(names, query));
        let (start, end) = (seconds(start(query)), seconds(micros(query.end)));
        let step = seconds(query.step.saturating_mul(1000));
        let form = [("query", promql.as_str()), ("start", &start), ("end", &end), ("step", &step)];
        let failed = |e: StoreError| StoreError { message: format!("failed executing metrics query: {}", e.message), ..e };
        let answer = self.client.post("api/v1/query_range", &form).await.map_err(failed)?;
        let (range, warnings): (Range<'_>, _) = answer::data(&answer).map_err(failed)?;
        if !warnings.is_empty() {
            tracing::warn!(?warnings, query = promql, "Prometheus warns of a query");
        }
        let unit = if matches!(asked, Asked::Latencies(_)) { names.unit } else { 1.0 };
        let metrics = range.metrics(names, unit).map_err(failed)?;
        let (name, help) = match (asked.describe(), query.group_by_operation) {
            ((name, help), true) => (name.replacen("service", "service_operation", 1), format!("{help} & operation")),
            ((name, help), false) => (name.to_owned(), help),
        };
        Ok(MetricFamily { name, help, metrics })
    }

    /// The names to ask for: those of the flags, those that were found not longer ago than `keep`, those that the server has in
    /// the time of the query; else Jaeger's.
    async fn names(&self, query: &MetricsQuery, keep: Duration) -> Arc<Names> {
        let Some(candidates) = &self.candidates else { return Arc::new(self.jaegers.clone()) };
        if let Some((since, names)) = &*self.found.lock()
            && since.elapsed() < keep
        {
            return names.clone();
        }
        match self.look(candidates, query).await {
            Ok(Some(names)) => {
                let names = Arc::new(names);
                if let Some((_, before)) = self.found.lock().replace((Instant::now(), names.clone()))
                    && before == names
                {
                    return names;
                }
                tracing::info!(calls = names.calls, latency = names.latency, "found the metrics of spans in Prometheus");
                names
            }
            Ok(None) => Arc::new(self.jaegers.clone()),
            Err(e) => {
                // What is asked next will fail for the same reason, unless the server has metrics but no list of names.
                tracing::debug!(error = %e, "failed to look up the names of the metrics of spans in Prometheus");
                let last = self.found.lock().as_ref().map(|(_, names)| names.clone());
                last.unwrap_or_else(|| Arc::new(self.jaegers.clone()))
            }
        }
    }

    async fn look(&self, candidates: &Candidates, query: &MetricsQuery) -> Result<Option<Names>, StoreError> {
        let from = start(query).saturating_sub(query.rate_per.saturating_mul(1000));
        let (selector, start, end) = (candidates.selector(), seconds(from), seconds(micros(query.end)));
        let parameters = [("match[]", selector.as_str()), ("start", &start), ("end", &end)];
        let answer = self.client.get("api/v1/label/__name__/values", &parameters).await?;
        let (found, _): (BTreeSet<String>, _) = answer::data(&answer)?;
        Ok(candidates.choose(&found))
    }
}

/// Microseconds since 1970.
fn start(query: &MetricsQuery) -> i64 {
    micros(query.end).saturating_sub(query.lookback.saturating_mul(1000))
}

fn micros(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

/// Microseconds as seconds, in as many decimals as it takes.
fn seconds(micros: i64) -> String {
    (micros as f64 / 1e6).to_string()
}

#[async_trait]
impl MetricsReader for PrometheusMetrics {
    async fn latencies(&self, quantile: f64, query: &MetricsQuery) -> Result<MetricFamily, StoreError> {
        self.ask(&Asked::Latencies(promql::quantile(quantile)), query).await
    }

    async fn call_rates(&self, query: &MetricsQuery) -> Result<MetricFamily, StoreError> {
        self.ask(&Asked::Calls, query).await
    }

    /// Zeros when there are calls and no errors; as in Jaeger, a series without errors is left out when others have some.
    async fn error_rates(&self, query: &MetricsQuery) -> Result<MetricFamily, StoreError> {
        let failed =
            |what: &str, e: StoreError| StoreError { message: format!("failed getting {what} metrics: {}", e.message), ..e };
        let mut errors = self.ask(&Asked::Errors, query).await.map_err(|e| failed("error", e))?;
        if errors.metrics.is_empty() {
            errors.metrics = self.ask(&Asked::Calls, query).await.map_err(|e| failed("call", e))?.metrics;
            errors.metrics.iter_mut().flat_map(|m| &mut m.points).for_each(|(_, value)| *value = 0.0);
        }
        Ok(errors)
    }

    async fn min_step(&self) -> Result<u64, StoreError> {
        Ok(1)
    }
}
