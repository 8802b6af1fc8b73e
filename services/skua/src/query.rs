//! `skua query`.

use crate::metrics;
use crate::process::{Failure, Process};
use crate::storage::{self, Stores};
use skua_query_service::{Config, LimitMetrics, Listeners, Parts, Ui};
use skua_runtime::version;
use std::sync::Arc;

pub(crate) async fn run(mut process: Process) -> Result<(), Failure> {
    let Stores { reader, dependencies, archive, rollups, ready, closing, .. } = storage::open(&mut process).await?;
    let stores = Stores::to_query(reader, dependencies, archive, rollups.as_ref())?;
    let parts = assemble(&mut process, stores)?;
    tracing::info!(address = %parts.listeners.http.local_addr()?, base_path = %parts.config.base_path, "listening for queries");
    if let Some(address) = parts.listeners.grpc_address() {
        tracing::info!(%address, "listening for queries over gRPC");
    }
    let admin = process.serve_admin(Arc::new(|| {}))?;
    process.when_ready(ready);
    let serve = skua_query_service::run(parts, process.stop.clone());
    let ended = within(&process, serve).await;
    closing.closed().await;
    admin.cancel();
    ended
}

/// The tier, its sockets bound.
pub(crate) fn assemble(process: &mut Process, stores: skua_query_service::Stores) -> Result<Parts, Failure> {
    let config: Config = process.loaded.section("query")?;
    let stores = skua_query_service::Stores { metrics: metrics::open(process)?.or(stores.metrics), ..stores };
    let ui = Ui::open(&config, &stores, &version::json(), &mut process.registry)?;
    let listeners = Listeners::bind(&config)?;
    let met = LimitMetrics::default();
    met.register(&mut process.registry);
    Ok(Parts { config, listeners, stores, ui, met })
}

/// Serves; once asked to stop, for no longer than the drain's time-out, whatever clients keep open.
pub(crate) async fn within(process: &Process, serve: impl Future<Output = std::io::Result<()>>) -> Result<(), Failure> {
    let late = async {
        process.stop.cancelled().await;
        tokio::time::sleep(process.drain_timeout()).await;
    };
    tokio::select! {
        ended = serve => Ok(ended?),
        () = late => Ok(()),
    }
}
