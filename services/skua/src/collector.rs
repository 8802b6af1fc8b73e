//! `skua collector`.

use crate::process::{Failure, Process};
use crate::storage::{self, Stores};
use skua_collector::{Config, Listeners};
use skua_pipeline::{CollectorMetrics, Ledger, Pipeline};
use skua_store::SpanWriter;
use std::sync::Arc;

pub(crate) async fn run(mut process: Process) -> Result<(), Failure> {
    let Stores { writer, ready, .. } = storage::open(&mut process).await?;
    let (config, listeners, pipeline) = assemble(&mut process, writer)?;
    let scraped = pipeline.clone();
    let admin = process.serve_admin(Arc::new(move || scraped.refresh_metrics()))?;
    for (receiver, address) in listeners.describe() {
        tracing::info!(receiver, %address, "listening");
    }
    process.when_ready(ready);
    let ended = skua_collector::run(config, listeners, pipeline, process.drain_timeout(), process.stop.clone()).await;
    admin.cancel();
    Ok(ended?)
}

/// A collector's parts, also for `all-in-one`.
pub(crate) fn assemble(
    process: &mut Process,
    writer: Arc<dyn SpanWriter>,
) -> Result<(Config, Listeners, Arc<Pipeline>), Failure> {
    let config: Config = process.loaded.section("collector")?;
    let listeners = Listeners::bind(&config)?;
    let ledger = Ledger::new("collector", &mut process.registry);
    let metrics = CollectorMetrics::new(&host(), &mut process.registry);
    let pipeline = Pipeline::new(writer, ledger, metrics, config.options());
    Ok((config, listeners, pipeline))
}

fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").map_or_else(|_| "unknown".to_owned(), |h| h.trim().to_owned())
}
