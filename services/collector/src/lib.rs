//! The collector: receives spans, checks them, delivers them to Kafka or a store, and answers when they are safe.
//!
//! It keeps nothing: kill it between two requests and no acknowledged span is lost.

mod config;
mod decode;
mod intake;

pub use config::{Config, Cors, GrpcServer, HttpServer, Otlp, Zipkin};

use intake::CollectorIntake;
use skua_pipeline::Pipeline;
use skua_receive::http::Budget;
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
    /// `collector.http-server.host-port`.
    pub thrift_http: Option<TcpListener>,
    /// `collector.zipkin.host-port`.
    pub zipkin: Option<TcpListener>,
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
            thrift_http: open("collector.http-server.host-port", &config.http_server.host_port, true)?,
            zipkin: open("collector.zipkin.host-port", config.zipkin.address(), true)?,
        })
    }

    /// What listens where, for the log and for a person.
    pub fn describe(&self) -> Vec<(&'static str, String)> {
        let receivers = [
            ("OTLP/gRPC", &self.otlp_grpc),
            ("OTLP/HTTP", &self.otlp_http),
            ("Jaeger gRPC", &self.jaeger_grpc),
            ("Jaeger Thrift/HTTP", &self.thrift_http),
            ("Zipkin", &self.zipkin),
        ];
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

/// What a collector works with.
pub struct Parts {
    /// Its settings.
    pub config: Config,
    /// Its sockets.
    pub listeners: Listeners,
    /// Where its spans go.
    pub pipeline: Arc<Pipeline>,
    /// Who answers remote samplers.
    pub strategies: Arc<dyn Strategies>,
    /// Where requests to 14268 are counted.
    pub http_metrics: http::thrift::Metrics,
    /// Bytes of HTTP bodies that may be under way.
    pub budget: Budget,
}

/// Serves until `stop`, then finishes the requests under way and delivers what was acknowledged, within `drain`.
///
/// # Errors
/// When a socket fails, or the drain takes too long.
pub async fn run(parts: Parts, drain: Duration, stop: CancellationToken) -> Result<(), RunError> {
    let pipeline = parts.pipeline.clone();
    let mut receivers = receivers(parts, &stop);
    tokio::select! {
        () = stop.cancelled() => {}
        Some(ended) = receivers.join_next() => return ended.unwrap_or_else(|e| Err(failed("a receiver", e))),
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

/// One task for each open socket.
fn receivers(parts: Parts, stop: &CancellationToken) -> JoinSet<Result<(), RunError>> {
    let Parts { config, listeners, pipeline, strategies, http_metrics, budget } = parts;
    let intake: Arc<dyn Intake> = Arc::new(CollectorIntake::new(pipeline));
    let mut tasks = JoinSet::new();
    if let Some(listener) = listeners.otlp_grpc {
        let serve = grpc::serve_otlp(listener, config.otlp.grpc.limits(), intake.clone(), stop.clone());
        tasks.spawn(async move { serve.await.map_err(|e| failed("OTLP/gRPC", e)) });
    }
    if let Some(listener) = listeners.jaeger_grpc {
        let limits = config.grpc_server.limits();
        let serve = grpc::serve_jaeger(listener, limits, intake.clone(), strategies.clone(), stop.clone());
        tasks.spawn(async move { serve.await.map_err(|e| failed("Jaeger gRPC", e)) });
    }
    if let Some(listener) = listeners.otlp_http {
        let (options, intake, stop) = (config.otlp.http.options(&budget), intake.clone(), stop.clone());
        let serve = async move { http::otlp::serve(listener, &options, intake, stop).await };
        tasks.spawn(async move { serve.await.map_err(|e| failed("OTLP/HTTP", e)) });
    }
    if let Some(listener) = listeners.thrift_http {
        let (options, intake, stop) = (config.http_server.options(&budget), intake.clone(), stop.clone());
        let serve = async move { http::thrift::serve(listener, &options, &http_metrics, intake, strategies, stop).await };
        tasks.spawn(async move { serve.await.map_err(|e| failed("Jaeger Thrift/HTTP", e)) });
    }
    if let Some(listener) = listeners.zipkin {
        let (options, stop) = (config.zipkin.options(&budget), stop.clone());
        let serve = async move { http::zipkin::serve(listener, &options, intake, stop).await };
        tasks.spawn(async move { serve.await.map_err(|e| failed("Zipkin", e)) });
    }
    tasks
}

fn failed(receiver: &'static str, e: impl std::fmt::Display) -> RunError {
    RunError::Serve { receiver, message: e.to_string() }
}
