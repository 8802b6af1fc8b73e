//! The listeners: bounds, health, and an orderly stop.

use super::collector::{Jaeger, Otlp};
use super::sampling::Sampling;
use super::unary::{Handler, Unary};
use crate::server::{Accept, Activity, Patience, Socket};
use crate::{Intake, Strategies};
use prometheus_client::metrics::counter::Counter;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// Receive window of one HTTP/2 stream, in bytes; the connection's is four times that. With HTTP/2's default of 64 KiB every
/// request of 200 spans waits for a window update.
const STREAM_WINDOW: u32 = 1 << 20;

/// Requests that one connection may have under way. An exporter has one, a busy proxy some tens.
const STREAMS: u32 = 128;

/// Time from the connect to HTTP/2's preface. What follows it has no time-out: tonic offers none for the settings and headers
/// after it, nor for a message that comes slowly; for these there are the bounds on connections and streams, and TCP's keepalive.
const PREFACE: Duration = Duration::from_secs(10);

/// Limits of one listener, by Jaeger's flags `…grpc.{max-message-size,max-connection-age,max-connection-age-grace}`.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of one request, before and after decompression.
    pub max_message_size: usize,
    /// A connection is asked to end after this time; zero means never.
    pub max_connection_age: Duration,
    /// Time that such a connection has to finish what it is doing; zero means as long as it takes.
    pub max_connection_age_grace: Duration,
    /// Connections open at a time. A further one is taken and waits until another ends.
    pub max_connections: usize,
    /// Connections that had to wait for room; a clone may be registered as a metric.
    pub waited: Counter,
}

impl Default for Limits {
    /// The defaults of Jaeger's flags, and 10,000 connections.
    fn default() -> Self {
        Self {
            max_message_size: 4 << 20,
            max_connection_age: Duration::ZERO,
            max_connection_age_grace: Duration::ZERO,
            max_connections: 10_000,
            waited: Counter::default(),
        }
    }
}

/// Serves OTLP's `TraceService` until `stop`; then finishes what is under way.
///
/// # Errors
/// When the listener fails.
pub async fn serve_otlp(
    listener: TcpListener,
    limits: Limits,
    intake: Arc<dyn Intake>,
    stop: CancellationToken,
) -> Result<(), tonic::transport::Error> {
    let (reporter, health) = tonic_health::server::health_reporter();
    let routes = Routes::new(health).add_service(service(Otlp(intake), &limits, &reporter).await);
    serve_routes(listener, limits, routes, stop).await
}

/// Serves `jaeger.api_v2.CollectorService` and `jaeger.api_v2.SamplingManager` until `stop`; then finishes what is under way.
///
/// # Errors
/// When the listener fails.
pub async fn serve_jaeger(
    listener: TcpListener,
    limits: Limits,
    intake: Arc<dyn Intake>,
    strategies: Arc<dyn Strategies>,
    stop: CancellationToken,
) -> Result<(), tonic::transport::Error> {
    let (reporter, health) = tonic_health::server::health_reporter();
    let routes = Routes::new(health)
        .add_service(service(Jaeger(intake), &limits, &reporter).await)
        .add_service(service(Sampling(strategies), &limits, &reporter).await);
    serve_routes(listener, limits, routes, stop).await
}

/// Serves any services until `stop`; then finishes what is under way. The bound on messages is the services' own.
///
/// # Errors
/// When the listener fails.
pub async fn serve_routes(
    listener: TcpListener,
    limits: Limits,
    routes: Routes,
    stop: CancellationToken,
) -> Result<(), tonic::transport::Error> {
    let accept = Accept::new(listener, limits.max_connections, limits.waited.clone());
    let incoming = futures::stream::unfold(accept, async |mut accept| {
        let patience = Patience { header: Some(PREFACE), ..Patience::default() };
        let socket = accept.next().await.map(|(stream, room)| Socket::new(stream, room, Arc::<Activity>::default(), patience));
        Some((socket, accept))
    });
    server(&limits).add_routes(routes).serve_with_incoming_shutdown(incoming, stop.cancelled_owned()).await
}

fn server(limits: &Limits) -> tonic::transport::Server {
    let mut server = tonic::transport::Server::builder()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(STREAM_WINDOW * 4)
        .max_frame_size(Some(1 << 20))
        .max_concurrent_streams(Some(STREAMS));
    if !limits.max_connection_age.is_zero() {
        server = server.max_connection_age(limits.max_connection_age);
        if !limits.max_connection_age_grace.is_zero() {
            server = server.max_connection_age_grace(limits.max_connection_age_grace);
        }
    }
    server
}

/// The service, which is healthy as long as it is served.
async fn service<H: Handler>(handler: H, limits: &Limits, reporter: &HealthReporter) -> Unary<H> {
    reporter.set_service_status(H::SERVICE, ServingStatus::Serving).await;
    Unary { handler, max_message_size: limits.max_message_size }
}
