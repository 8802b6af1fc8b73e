//! The agent: takes what Jaeger's and Zipkin's old clients send over UDP and passes it on to a collector; tells them which
//! strategy to sample by.
//!
//! It keeps nothing, and nobody can be told when something is lost, so everything that is lost is counted: datagrams that nobody
//! read ([`Metrics`]), and spans by their fate (the ledger of [`Collectors`]).
//!
//! ```text
//! kernel ─recvmmsg─► queue of datagrams ─► worker: decode, merge ─► Reporter ─gRPC─► a collector
//! ```

mod client_stats;
mod config;
mod error;
mod grpc;
mod listeners;
mod metrics;
mod reporter;
mod worker;

pub use config::{Config, Discovery, Grpc, HttpServer, Processor, Processors, Reporter as ReporterConfig, Retry, Tls};
pub use error::ConfigError;
pub use grpc::Collectors;
pub use listeners::{Listeners, Port};
pub use metrics::Metrics;
pub use reporter::{Came, Reporter, Tally};

use client_stats::ClientStats;
use skua_receive::{Strategies, http};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use worker::{Complaints, Work};

/// Why an agent ended other than by being asked to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A socket failed.
    #[error("failed to serve {receiver}: {message}")]
    Serve {
        /// Which one.
        receiver: String,
        /// Why.
        message: String,
    },
    /// What had been received could not be passed on in time (`drain-timeout`).
    #[error("failed to pass on all spans within {0:?} of being asked to stop")]
    Drain(Duration),
}

/// What an agent works with.
pub struct Parts {
    /// Its sockets.
    pub listeners: Listeners,
    /// Bytes of decoded spans that may be on their way; [`Config::max_waiting_bytes`].
    pub max_waiting_bytes: usize,
    /// Where spans go: [`Collectors`], or the pipeline of the same process.
    pub reporter: Arc<dyn Reporter>,
    /// Who answers samplers: [`Collectors`], or the strategies of the same process.
    pub strategies: Arc<dyn Strategies>,
    /// Bounds and counters of the HTTP port.
    pub http: http::sampling::Options,
    /// What the UDP ports count.
    pub metrics: Metrics,
}

/// Serves until `stop`; then reads what was sent before it, closes the sockets, and passes on what it has, within `drain`.
///
/// # Errors
/// When a socket fails, or the drain takes too long.
pub async fn run(parts: Parts, drain: Duration, stop: CancellationToken) -> Result<(), RunError> {
    let Parts { listeners, max_waiting_bytes, reporter, strategies, http, metrics } = parts;
    let room = Arc::new(Semaphore::new(max_waiting_bytes.min(Semaphore::MAX_PERMITS)));
    let clients = Arc::new(ClientStats::new(metrics.clients.clone()));
    let end = CancellationToken::new();
    // All of these end with this function, however it ends.
    let _end = end.clone().drop_guard();
    let (mut sockets, mut workers, mut chores) = (JoinSet::new(), JoinSet::new(), JoinSet::new());
    for port in listeners.udp {
        let work = Arc::new(Work {
            protocol: port.protocol,
            queue: port.receiver.queue(),
            room: room.clone(),
            max_waiting_bytes,
            reporter: reporter.clone(),
            clients: clients.clone(),
            handler_errors: metrics.handler_errors(&port),
            complaints: Complaints::default(),
            reports: TaskTracker::new(),
            end: end.clone(),
        });
        let close_time = metrics.close_time(&port);
        let mut of_port = JoinSet::new();
        (0..port.workers).for_each(|_| drop(of_port.spawn(work.clone().run())));
        let stopped = stop.clone();
        workers.spawn(async move {
            stopped.cancelled().await;
            let start = Instant::now();
            while of_port.join_next().await.is_some() {}
            work.reported().await;
            close_time.observe(start.elapsed().as_secs_f64());
        });
        let (name, stop) = (port.receiver.local_addr(), stop.clone());
        sockets.spawn(async move { port.receiver.run(stop).await.map_err(|e| failed(format!("UDP {name}"), &e)) });
    }
    if let Some(listener) = listeners.http {
        let stop = stop.clone();
        sockets.spawn(async move {
            let served = http::sampling::serve(listener, &http, strategies, stop).await;
            served.map_err(|e| failed("sampling strategies over HTTP".to_owned(), &e))
        });
    }
    chores.spawn(async move {
        loop {
            tokio::time::sleep(client_stats::LOOK_EVERY).await;
            clients.expire();
        }
    });
    tokio::select! {
        () = stop.cancelled() => {}
        Some(ended) = sockets.join_next() => {
            return ended.unwrap_or_else(|e| Err(failed("a socket".to_owned(), &e)));
        }
    }
    // A sampler that keeps its connection open must not hold up the stop, so the sockets have their own deadline.
    let finish = async {
        let _ = tokio::time::timeout(drain / 2, async { while sockets.join_next().await.is_some() {} }).await;
        while workers.join_next().await.is_some() {}
    };
    tokio::time::timeout(drain, finish).await.map_err(|_| RunError::Drain(drain))
}

fn failed(receiver: String, e: &dyn std::fmt::Display) -> RunError {
    RunError::Serve { receiver, message: e.to_string() }
}
