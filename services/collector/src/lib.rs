//! The collector: receives spans, checks them, delivers them to Kafka or a store, and answers when they are safe.
//!
//! It keeps nothing: kill it between two requests and no acknowledged span is lost.

mod config;
mod decode;
mod intake;

pub use config::{Config, Cors, GrpcServer, HttpServer, Otlp};

use intake::CollectorIntake;
use skua_codec::sampling::Response;
use skua_pipeline::Pipeline;
use skua_receive::{Intake, Strategies, grpc, http};
use skua_runtime::listen::{self, ListenError};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The sockets of a collector; a receiver whose address is empty has none.
#[derive(Debug, Default)]
pub struct Listeners {
    /// `collector.otlp.grpc.host-port`.
    pub otlp_grpc: Option<TcpListener>,
    /// `collector.otlp.http.host-port`.
    pub otlp_http: Option<TcpListener>,
    /// `collector.grpc-server.host-port`.
    pub jaeger_grpc: Option<TcpListener>,
}

impl Listeners {
    /// Opens what the configuration asks for.
    ///
    /// # Errors
    /// Names the flag and the address that cannot be listened on.
    pub fn bind(config: &Config) -> Result<Self, ListenError> {
        let open =
            |flag, address: &str, wanted: bool| (wanted && !address.is_empty()).then(|| listen::tcp(flag, address)).transpose();
        let otlp = &config.otlp;
        Ok(Self {
            otlp_grpc: open("collector.otlp.grpc.host-port", &otlp.grpc.host_port, otlp.enabled)?,
            otlp_http: open("collector.otlp.http.host-port", &otlp.http.host_port, otlp.enabled)?,
            jaeger_grpc: open("collector.grpc-server.host-port", &config.grpc_server.host_port, true)?,
        })
    }

    /// What listens where, for the log and for a person.
    pub fn describe(&self) -> Vec<(&'static str, String)> {
        let receivers =
            [("OTLP/gRPC", &self.otlp_grpc), ("OTLP/HTTP", &self.otlp_http), ("Jaeger gRPC (PostSpans)", &self.jaeger_grpc)];
        let address = |l: &TcpListener| l.local_addr().map(|a| a.to_string()).unwrap_or_default();
        receivers.into_iter().filter_map(|(name, l)| l.as_ref().map(|l| (name, address(l)))).collect()
    }
}

/// Why a collector ended other than by being asked to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A receiver's socket failed.
    #[error("failed to serve {receiver}: {message}")]
    Serve {
        /// Which receiver.
        receiver: &'static str,
        /// Why.
        message: String,
    },
    /// What was acknowledged could not be delivered in time (`drain-timeout`).
    #[error("failed to deliver all spans within {0:?} of being asked to stop")]
    Drain(Duration),
}

/// Serves until `stop`, then finishes the requests under way and delivers what was acknowledged, within `drain`.
///
/// # Errors
/// When a socket fails, or the drain takes too long.
pub async fn run(
    config: Config,
    listeners: Listeners,
    pipeline: Arc<Pipeline>,
    drain: Duration,
    stop: CancellationToken,
) -> Result<(), RunError> {
    let intake: Arc<dyn Intake> = Arc::new(CollectorIntake::new(pipeline.clone()));
    let mut receivers = JoinSet::new();
    let failed = |receiver, e: &dyn std::fmt::Display| RunError::Serve { receiver, message: e.to_string() };
    if let Some(listener) = listeners.otlp_grpc {
        let serve = grpc::serve_otlp(listener, config.otlp.grpc.limits(), intake.clone(), stop.clone());
        receivers.spawn(async move { serve.await.map_err(|e| failed("OTLP/gRPC", &e)) });
    }
    if let Some(listener) = listeners.jaeger_grpc {
        let serve = grpc::serve_jaeger(listener, config.grpc_server.limits(), intake.clone(), Arc::new(Defaults), stop.clone());
        receivers.spawn(async move { serve.await.map_err(|e| failed("Jaeger gRPC", &e)) });
    }
    if let Some(listener) = listeners.otlp_http {
        let (options, intake, stop) = (config.otlp.http.options(), intake.clone(), stop.clone());
        receivers
            .spawn(async move { http::otlp::serve(listener, &options, intake, stop).await.map_err(|e| failed("OTLP/HTTP", &e)) });
    }
    tokio::select! {
        () = stop.cancelled() => {}
        Some(ended) = receivers.join_next() => return ended.unwrap_or_else(|e| Err(failed("a receiver", &e))),
    }
    // Clients that keep a connection open without a request must not hold up the stop, so the drain has its own deadline.
    let finish = async {
        let requests = async { while receivers.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(drain / 2, requests).await;
        receivers.abort_all();
        pipeline.drain().await
    };
    match tokio::time::timeout(drain, finish).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(e)) => {
            tracing::error!(error = %e, "failed to flush the writer");
            Err(RunError::Drain(drain))
        }
        Err(_) => Err(RunError::Drain(drain)),
    }
}

/// What Jaeger answers remote samplers without a strategies file: one trace in a thousand, of every service.
struct Defaults;

#[async_trait::async_trait]
impl Strategies for Defaults {
    async fn strategy(&self, _: &str) -> Result<Response, String> {
        Ok(Response { probabilistic: Some(0.001), ..Response::default() })
    }
}
