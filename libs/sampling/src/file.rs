//! Strategies from a file or URL (`SAMPLING_CONFIG_TYPE=file`), merged as Jaeger merges them, and read again when they change.
//!
//! Where Jaeger 1.76 differs: after a start with `null`, or with a URL that answered 503, it never looks again, and here it
//! does; a `null` in a list ends its process, and here it is an error as any other.

mod document;
mod merge;
mod place;
#[cfg(test)]
mod tests;

use crate::Error;
use document::Document;
use merge::Table;
use parking_lot::RwLock;
use place::Place;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use skua_codec::sampling::Response;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The flags under `sampling.` for strategies from a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// `--sampling.strategies-file`: a path or a URL of http or https; empty means the default for every service.
    pub strategies_file: String,
    /// `--sampling.strategies-reload-interval`: how often it is read again; 0 means never.
    pub reload_interval: Duration,
    /// `--sampling.default-sampling-probability`, 0 to 1: where the file says nothing, or nothing that is understood.
    pub default_sampling_probability: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { strategies_file: String::new(), reload_interval: Duration::ZERO, default_sampling_probability: 0.001 }
    }
}

/// Answers from the last strategies that could be read.
pub struct FileStrategies {
    table: RwLock<Arc<Table>>,
    reloads: Family<Reload, Counter>,
}

/// `skua_sampling_strategies_reloads_total`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reload {
    outcome: &'static str,
}

/// Reads the strategies again, and knows what they were.
struct Reloader {
    strategies: Arc<FileStrategies>,
    place: Place,
    default: f64,
    /// The text that was last understood.
    last: Option<Vec<u8>>,
}

impl FileStrategies {
    /// Reads the strategies, and begins to read them again every `reload_interval` until `stop`.
    ///
    /// # Errors
    /// When there is a file or URL that cannot be read or understood. A URL that answers 503 is as a file that says `null`: the
    /// defaults are served until it answers.
    pub async fn start(options: Options, registry: &mut Registry, stop: CancellationToken) -> Result<Arc<Self>, Error> {
        let default = options.default_sampling_probability;
        if !(0.0..=1.0).contains(&default) {
            tracing::warn!(default, "--sampling.default-sampling-probability is not from 0 to 1; clients will refuse it");
        }
        let reloads = Family::<Reload, Counter>::default();
        let help = "Changed sampling strategies that were taken up, and readings that failed";
        registry.register("skua_sampling_strategies_reloads", help, reloads.clone());
        for outcome in ["changed", "failed"] {
            drop(reloads.get_or_create(&Reload { outcome }));
        }
        let strategies = Arc::new(Self { table: RwLock::new(Arc::new(Table::defaults(default))), reloads });
        if options.strategies_file.is_empty() {
            tracing::info!("no --sampling.strategies-file: every service has the default");
            return Ok(strategies);
        }
        let mut reloader =
            Reloader { strategies: strategies.clone(), place: Place::new(&options.strategies_file)?, default, last: None };
        reloader.read().await?;
        if !options.reload_interval.is_zero() {
            drop(tokio::spawn(reloader.run(options.reload_interval, stop)));
        }
        Ok(strategies)
    }

    /// The strategy of a service, or the default.
    pub fn strategy(&self, service: &str) -> Response {
        let table = self.table.read().clone();
        table.find(service).clone()
    }

    fn count(&self, outcome: &'static str) {
        self.reloads.get_or_create(&Reload { outcome }).inc();
    }
}

impl Reloader {
    async fn run(mut self, interval: Duration, stop: CancellationToken) {
        let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + interval, interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => self.reload().await,
            }
        }
    }

    /// Takes up a change; keeps what was when there is any error.
    async fn reload(&mut self) {
        match self.read().await {
            Ok(false) => {}
            Ok(true) => {
                self.strategies.count("changed");
                tracing::info!(place = %self.place, "sampling strategies changed");
            }
            Err(error) => {
                self.strategies.count("failed");
                tracing::error!(%error, "failed to reload the sampling strategies, those before stay");
            }
        }
    }

    /// Reads the text and, when it is another than the last that was understood, serves it. True when it was another.
    async fn read(&mut self) -> Result<bool, Error> {
        let text = self.place.read().await?;
        if self.last.as_ref() == Some(&text) {
            return Ok(false);
        }
        let document = Document::parse(&text).map_err(|e| syntax(&self.place, &e))?;
        let (table, warnings) = Table::merge(&document, self.default);
        warnings.iter().for_each(|warning| tracing::warn!(place = %self.place, "{warning}"));
        *self.strategies.table.write() = Arc::new(table);
        self.last = Some(text);
        Ok(true)
    }
}

fn syntax(place: &Place, e: &serde_json::Error) -> Error {
    let (line, column, cause) = (e.line(), e.column(), e.to_string());
    let cause = cause.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&cause).to_owned();
    Error::Syntax { place: place.to_string(), line, column, cause }
}
