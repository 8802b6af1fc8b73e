//! `skua agent`.

use crate::process::{Failure, Process, tags};
use skua_agent::{Collectors, Config, Listeners, Metrics, Parts, Reporter, ReporterConfig};
use skua_pipeline::Ledger;
use skua_receive::http::metrics::Sampling;
use skua_receive::http::sampling;
use skua_receive::{Strategies, server};
use std::sync::Arc;

pub(crate) async fn run(mut process: Process) -> Result<(), Failure> {
    let reporter: ReporterConfig = process.loaded.section("reporter")?;
    let tags = tags(&process.loaded, "agent.tags")?;
    let ledger = Ledger::new("agent", &mut process.registry);
    let collectors = Collectors::new(&reporter, tags, ledger, &mut process.registry)?;
    let parts = assemble(&mut process, collectors.clone(), collectors)?;
    let admin = process.serve_admin(Arc::new(|| {}))?;
    for (receiver, address) in parts.listeners.describe() {
        tracing::info!(receiver, %address, "listening");
    }
    process.health.ready();
    let ended = skua_agent::run(parts, process.drain_timeout(), process.stop.clone()).await;
    admin.cancel();
    Ok(ended?)
}

/// An agent's parts, also for `all-in-one`.
pub(crate) fn assemble(
    process: &mut Process,
    reporter: Arc<dyn Reporter>,
    strategies: Arc<dyn Strategies>,
) -> Result<Parts, Failure> {
    let config = Config {
        processor: process.loaded.section("processor")?,
        http_server: process.loaded.section("http-server")?,
        max_waiting_bytes: Config::MAX_WAITING,
    };
    let listeners = Listeners::bind(&config)?;
    let metrics = Metrics::new(&listeners, &mut process.registry);
    let counted = Arc::new(Sampling::new("jaeger_agent", &mut process.registry));
    let http = sampling::Options { limits: server::Limits::default(), metrics: counted };
    Ok(Parts { listeners, max_waiting_bytes: config.max_waiting_bytes, reporter, strategies, http, metrics })
}
