//! `--rollup.*`: what counts, and where to.

use crate::process::{Process, host};
use skua_rollup::RollupMetrics;
use skua_rollup::count::{Counter, Options};
use skua_rollup::flush::{Flusher, Stores};
use skua_rollup::here::Here;
use skua_rollup::retention;
use skua_runtime::admin::Text;
use skua_store::SpanWriter;
use std::sync::Arc;

/// What counts the spans of a process.
fn counting(process: &mut Process, stores: Stores) -> (Counter, Flusher) {
    let loaded = process.loaded.clone();
    let options = Options {
        window: loaded.get_duration("rollup.window"),
        window_bytes: usize::try_from(loaded.get_u64("rollup.window-bytes")).unwrap_or(usize::MAX),
        max_series: usize::try_from(loaded.get_u64("rollup.max-series")).unwrap_or(usize::MAX),
    };
    let metrics = RollupMetrics::register(&mut process.registry);
    let keep = loaded.get_duration("rollup.retention");
    if !keep.is_zero() {
        tokio::spawn(retention::run(stores.rollups.clone(), keep, process.stop.clone()));
    }
    let counter = Counter::new(options, metrics.clone());
    let exposition = counter.exposition();
    process.spans = Some(Arc::new(move |accept, query| {
        let scrape = exposition.scrape(accept, query)?;
        Ok(Text { content_type: scrape.content_type(), pieces: Box::new(scrape) })
    }));
    (counter, Flusher::new(stores, metrics))
}

/// Counts what an ingester reads of a topic.
pub(crate) fn of_topic(process: &mut Process, stores: Option<Stores>, topic: &str) -> Option<Arc<skua_ingester::Rollups>> {
    let (counter, flusher) = counting(process, stores?);
    Some(Arc::new(skua_ingester::Rollups::new(topic.to_owned(), counter, flusher)))
}

/// Counts what this process writes; for a collector that does not write to Kafka.
pub(crate) fn here(
    process: &mut Process,
    stores: Option<Stores>,
    writer: Arc<dyn SpanWriter>,
) -> (Arc<dyn SpanWriter>, Option<Arc<Here>>) {
    let Some(stores) = stores else { return (writer, None) };
    let (counter, flusher) = counting(process, stores);
    let here = Here::new(&host(), counter, flusher);
    let interval = process.loaded.get_duration("rollup.flush-interval");
    tokio::spawn(here.clone().run(interval, process.stop.clone()));
    (here.counting(writer), Some(here))
}

/// Saves once more, if the store answers soon.
pub(crate) async fn save_last(here: Option<Arc<Here>>) {
    if let Some(here) = here
        && tokio::time::timeout(PATIENCE, here.save()).await.is_err()
    {
        tracing::warn!("what was counted last could not be saved; skua rollup rebuild counts it from the store");
    }
}

/// A store that is away must not hold up a stop.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);
