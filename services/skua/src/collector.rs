//! `skua collector`.

use crate::process::{Failure, Process, host, tags};
use crate::rollups;
use crate::sampling::{self, Sampling};
use crate::storage::{self, SamplingStores, Stores};
use skua_collector::{Config, Listeners, Parts};
use skua_config::Origin;
use skua_pipeline::{CollectorMetrics, Downsampling, Ledger, Options, Pipeline};
use skua_receive::http::{Budget, thrift};
use skua_sampling::adaptive::Adaptive;
use skua_store::SpanWriter;
use std::sync::Arc;

pub(crate) async fn run(mut process: Process) -> Result<(), Failure> {
    let Stores { writer, sampling, rollups, ready, closing, .. } = storage::open(&mut process).await?;
    let (writer, here) = rollups::here(&mut process, rollups, writer);
    let (parts, adaptive) = assemble(&mut process, writer, sampling).await?;
    let scraped = parts.pipeline.clone();
    let admin = process.serve_admin(Arc::new(move || scraped.refresh_metrics()))?;
    for (receiver, address) in parts.listeners.describe() {
        tracing::info!(receiver, %address, "listening");
    }
    process.when_ready(ready);
    let ended = skua_collector::run(parts, process.drain_timeout(), process.stop.clone()).await;
    process.stop.cancel();
    rollups::save_last(here).await;
    given_back(adaptive).await;
    closing.closed().await;
    admin.cancel();
    Ok(ended?)
}

/// Waits until another collector can take the lease of adaptive sampling at once.
pub(crate) async fn given_back(adaptive: Option<Adaptive>) {
    if let Some(adaptive) = adaptive
        && tokio::time::timeout(LEASE_PATIENCE, adaptive.stopped()).await.is_err()
    {
        tracing::warn!("the lease of adaptive sampling could not be given back; it runs out by itself");
    }
}

/// A store that is away must not hold up a stop.
const LEASE_PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

/// A collector's parts, also for `all-in-one`.
pub(crate) async fn assemble(
    process: &mut Process,
    writer: Arc<dyn SpanWriter>,
    stores: Option<SamplingStores>,
) -> Result<(Parts, Option<Adaptive>), Failure> {
    let config: Config = process.loaded.section("collector")?;
    let listeners = Listeners::bind(&config)?;
    let Sampling { strategies, observer, adaptive } = sampling::open(process, stores).await?;
    let ledger = Ledger::new("collector", &mut process.registry);
    let metrics = CollectorMetrics::new(&host(), &mut process.registry);
    let options = Options { observers: observer.into_iter().collect(), ..options(process, &config)? };
    let pipeline = Pipeline::new(writer, ledger, metrics, options);
    let http_metrics = thrift::Metrics::new("jaeger_collector", &mut process.registry);
    let budget = Budget::default();
    Ok((Parts { config, listeners, pipeline, strategies, http_metrics, budget }, adaptive))
}

fn options(process: &mut Process, config: &Config) -> Result<Options, Failure> {
    // Jaeger's default of 2000 spans is less than a few requests.
    let queue_size = process.loaded.get_u64("collector.queue-size");
    let set = process.loaded.origin_of("collector.queue-size").is_some_and(|origin| origin != Origin::Default);
    Ok(Options {
        max_in_flight_spans: set.then_some(queue_size),
        tags: tags(&process.loaded, "collector.tags")?,
        downsampling: downsampling(process),
        ..config.options()
    })
}

/// `--downsampling.*`, also for the ingester.
pub(crate) fn downsampling(process: &mut Process) -> Option<Arc<Downsampling>> {
    let (ratio, salt) = (process.loaded.get_f64("downsampling.ratio"), process.loaded.get_string("downsampling.hashsalt"));
    Downsampling::new(ratio, &salt, &mut process.registry)
}
