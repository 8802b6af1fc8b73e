//! `METRICS_STORAGE_TYPE`: what RED metrics are read from.

use crate::process::{Failure, Process};
use skua_config::{MetricsType, Origin};
use skua_store::span_metrics::MetricsReader;
use skua_store_prometheus::{Config, PrometheusMetrics, Set};
use std::sync::Arc;

/// The reader of the configuration; `None` when it names none. The server does not have to be up.
///
/// # Errors
/// When its flags cannot be used.
pub(crate) fn open(process: &mut Process) -> Result<Option<Arc<dyn MetricsReader>>, Failure> {
    let Some(MetricsType::Prometheus) = process.loaded.storage().metrics else { return Ok(None) };
    let config: Config = process.loaded.section("prometheus")?;
    let is_set = |flag: &str| process.loaded.origin_of(flag).is_some_and(|origin| origin != Origin::Default);
    let set = Set {
        namespace: is_set("prometheus.query.namespace"),
        normalize: is_set("prometheus.query.normalize-calls") || is_set("prometheus.query.normalize-duration"),
    };
    let reader = PrometheusMetrics::new(&config, set, &mut process.registry)?;
    tracing::info!(server = config.server_url, "reading RED metrics from Prometheus");
    Ok(Some(Arc::new(reader)))
}
