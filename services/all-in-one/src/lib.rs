//! Collector and query in one process over one store: for one machine, and for trying Skua out.

use skua_collector::{Listeners, RunError};
use skua_pipeline::Pipeline;
use skua_store::SpanReader;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What the two tiers need; each is run as it is when it runs alone.
pub struct Parts {
    /// Settings of the collector.
    pub collector: skua_collector::Config,
    /// Its sockets.
    pub listeners: Listeners,
    /// Where its spans go.
    pub pipeline: Arc<Pipeline>,
    /// Settings of the query tier.
    pub query: skua_query_service::Config,
    /// Its socket.
    pub query_listener: TcpListener,
    /// The store that both share.
    pub reader: Arc<dyn SpanReader>,
}

/// Why it ended other than by being asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The collector.
    #[error(transparent)]
    Collector(#[from] RunError),
    /// The query tier.
    #[error("failed to serve queries: {0}")]
    Query(#[from] std::io::Error),
}

/// Serves both until `stop`; then lets requests under way finish, within `drain`.
///
/// # Errors
/// When either tier fails: the other is then stopped too.
pub async fn run(parts: Parts, drain: Duration, stop: CancellationToken) -> Result<(), Error> {
    let collector = skua_collector::run(parts.collector, parts.listeners, parts.pipeline, drain, stop.clone());
    let query = skua_query_service::run(parts.query, parts.query_listener, parts.reader, stop.clone());
    let collector = async {
        let ended = collector.await;
        stop.cancel();
        ended.map_err(Error::from)
    };
    let query = async {
        let ended = tokio::select! {
            ended = query => ended,
            () = async { stop.cancelled().await; tokio::time::sleep(drain).await } => Ok(()),
        };
        stop.cancel();
        ended.map_err(Error::from)
    };
    let (collector, query) = tokio::join!(collector, query);
    collector.and(query)
}
