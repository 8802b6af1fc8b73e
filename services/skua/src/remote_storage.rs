//! `skua remote-storage`.

use crate::process::{Failure, Process};
use crate::storage::{self, Stores};
use prometheus_client::metrics::counter::Counter;
use skua_pipeline::Ledger;
use skua_receive::grpc::Limits;
use skua_remote_storage::{Config, Intake, Parts, Versions};
use skua_runtime::listen;
use std::sync::Arc;

/// Collectors, ingesters and queries that may be connected at a time; each has a connection or two.
const CONNECTIONS: usize = 1000;

pub(crate) async fn run(mut process: Process) -> Result<(), Failure> {
    let Stores { writer, reader, dependencies, ready, closing, .. } = storage::open(&mut process).await?;
    let skua_query_service::Stores { spans: reader, dependencies, .. } = Stores::to_query(reader, dependencies, None, None)?;
    let config = Config { grpc: process.loaded.section("grpc")? };
    let listener = listen::tcp("grpc.host-port", &config.grpc.host_port)?;
    let ledger = Ledger::new("remote-storage", &mut process.registry);
    let intake = Intake::new(writer, ledger, config.grpc.max_in_flight_bytes);
    let waited = Counter::default();
    process.registry.register("skua_remote_storage_connections_waited", "Connections that waited for room", waited.clone());
    let limits = Limits { max_connections: CONNECTIONS, waited, ..Limits::default() };
    let admin = process.serve_admin(Arc::new(|| {}))?;
    tracing::info!(address = %listener.local_addr()?, "listening for the storage API");
    process.when_ready(ready);
    let parts = Parts { config, versions: Versions::All, listener, limits, intake, reader, dependencies };
    let ended = skua_remote_storage::run(parts, process.drain_timeout(), process.stop.clone()).await;
    closing.closed().await;
    admin.cancel();
    Ok(ended?)
}
