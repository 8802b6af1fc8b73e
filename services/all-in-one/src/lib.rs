//! Agent, collector and query in one process over one store: for one machine, and for trying Skua out.

mod local;

pub use local::LocalReporter;

use skua_collector::RunError;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What the tiers need; each is run as it is when it runs alone.
pub struct Parts {
    /// The agent, which reports to the collector's pipeline ([`LocalReporter`]).
    pub agent: skua_agent::Parts,
    /// The collector.
    pub collector: skua_collector::Parts,
    /// The query tier; among what it reads is the store that both share.
    pub query: skua_query_service::Parts,
}

/// Why it ended other than by being asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The agent.
    #[error(transparent)]
    Agent(#[from] skua_agent::RunError),
    /// The collector.
    #[error(transparent)]
    Collector(#[from] RunError),
    /// The query tier.
    #[error("failed to serve queries: {0}")]
    Query(#[from] std::io::Error),
}

/// Serves all until `stop`; then lets requests under way finish, within `drain`: the agent's first, which the collector's pipeline
/// has yet to deliver.
///
/// # Errors
/// When any tier fails: the others are then stopped too.
pub async fn run(parts: Parts, drain: Duration, stop: CancellationToken) -> Result<(), Error> {
    let agent_ended = CancellationToken::new();
    let agent = async {
        let ended = skua_agent::run(parts.agent, drain / 2, stop.clone()).await;
        agent_ended.cancel();
        stop.cancel();
        ended.map_err(Error::from)
    };
    let collector = async {
        let ended = skua_collector::run(parts.collector, drain, agent_ended.clone()).await;
        stop.cancel();
        ended.map_err(Error::from)
    };
    let query = async {
        let ended = tokio::select! {
            ended = skua_query_service::run(parts.query, stop.clone()) => ended,
            () = async { stop.cancelled().await; tokio::time::sleep(drain).await } => Ok(()),
        };
        stop.cancel();
        ended.map_err(Error::from)
    };
    let (agent, collector, query) = tokio::join!(agent, collector, query);
    agent.and(collector).and(query)
}
