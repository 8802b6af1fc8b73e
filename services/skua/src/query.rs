//! `skua query`.

use crate::process::{Failure, Process};
use crate::storage::{self, Stores};
use skua_query_service::Ui;
use skua_runtime::{listen, version};
use std::sync::Arc;

pub(crate) async fn run(mut process: Process) -> Result<(), Failure> {
    let Stores { reader, dependencies, archive, ready, .. } = storage::open(&mut process).await?;
    let stores = Stores::to_query(reader, dependencies, archive)?;
    let config: skua_query_service::Config = process.loaded.section("query")?;
    let ui = Ui::open(&config, &stores, &version::json(), &mut process.registry)?;
    let listener = listen::tcp("query.http-server.host-port", &config.http_server.host_port)?;
    tracing::info!(address = %listener.local_addr()?, base_path = %config.base_path, "listening for queries");
    let admin = process.serve_admin(Arc::new(|| {}))?;
    process.when_ready(ready);
    let serve = skua_query_service::run(config, ui, listener, stores, process.stop.clone());
    let ended = within(&process, serve).await;
    admin.cancel();
    ended
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
