//! All services on one listener.

use crate::config::Config;
use crate::intake::Intake;
use crate::service::{Methods, Service};
use crate::{v1, v2};
use skua_proto::DESCRIPTORS;
use skua_proto::jaeger::storage::v1::dependencies_reader_plugin_server::DependenciesReaderPluginServer;
use skua_proto::jaeger::storage::v1::plugin_capabilities_server::PluginCapabilitiesServer;
use skua_proto::jaeger::storage::v2::dependency_reader_server::DependencyReaderServer;
use skua_proto::jaeger::storage::v2::trace_reader_server::TraceReaderServer;
use skua_receive::grpc::{Limits, serve_routes};
use skua_store::{DependencyReader, SpanReader};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// Versions of the API that are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versions {
    /// Both; a client that knows both takes version 1.
    All,
    /// `jaeger.storage.v1` alone.
    V1,
    /// `jaeger.storage.v2` and OTLP alone.
    V2,
}

/// What a remote storage works with.
pub struct Parts {
    /// Its settings.
    pub config: Config,
    /// What it serves.
    pub versions: Versions,
    /// Its socket.
    pub listener: TcpListener,
    /// Bounds of the listener; the one on messages is that of the settings.
    pub limits: Limits,
    /// Where spans go.
    pub intake: Arc<Intake>,
    /// Where they are read.
    pub reader: Arc<dyn SpanReader>,
    /// Who calls whom.
    pub dependencies: Arc<dyn DependencyReader>,
}

/// Why a remote storage ended other than by being asked to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The reflection service cannot be made.
    #[error("failed to read the descriptors of our own services: {0}")]
    Descriptors(#[from] tonic_reflection::server::Error),
    /// The socket failed.
    #[error("failed to serve gRPC: {0}")]
    Serve(#[from] tonic::transport::Error),
    /// What was under way could not be stored in time (`drain-timeout`).
    #[error("failed to store all spans within {0:?} of being asked to stop")]
    Drain(Duration),
}

/// Serves until `stop`, then finishes the calls under way, within `drain`.
///
/// # Errors
/// When the socket fails, or the drain takes too long.
pub async fn run(parts: Parts, drain: Duration, stop: CancellationToken) -> Result<(), RunError> {
    let intake = parts.intake.clone();
    let limits = Limits { max_message_size: parts.config.grpc.max_message_size, ..parts.limits.clone() };
    let (listener, routes) = services(parts, &stop).await?;
    let late = async {
        stop.cancelled().await;
        tokio::time::sleep(drain / 2).await; // the other half is for what is under way to the store
    };
    tokio::select! {
        ended = serve_routes(listener, limits, routes, stop.clone()) => ended?,
        () = late => {}
    }
    match tokio::time::timeout(drain / 2, intake.drain()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(e)) => {
            tracing::error!(error = %e, "failed to flush the writer");
            Err(RunError::Drain(drain))
        }
        Err(_) => Err(RunError::Drain(drain)),
    }
}

async fn services(parts: Parts, stop: &CancellationToken) -> Result<(TcpListener, Routes), RunError> {
    let Parts { config, versions, listener, intake, reader, dependencies, .. } = parts;
    let (reporter, health) = tonic_health::server::health_reporter();
    let reflection = || tonic_reflection::server::Builder::configure().register_encoded_file_descriptor_set(DESCRIPTORS);
    let mut routes = Healthy { routes: Routes::new(health), reporter, max_message_size: config.grpc.max_message_size };
    if versions != Versions::V2 {
        routes.add_raw(v1::Writer(intake.clone())).await;
        routes.add_raw(v1::StreamWriter { intake: intake.clone(), stop: stop.clone() }).await;
        routes.add_raw(v1::Reader(reader.clone())).await;
        routes.add(DependenciesReaderPluginServer::new(v1::Dependencies(dependencies.clone()))).await;
        routes.add(PluginCapabilitiesServer::new(v1::Capabilities)).await;
    }
    if versions != Versions::V1 {
        routes.add_raw(v2::Export(intake)).await;
        routes.add(TraceReaderServer::new(v2::Reader(reader))).await;
        routes.add(DependencyReaderServer::new(v2::Dependencies(dependencies))).await;
    }
    let routes = routes.routes.add_service(reflection().build_v1()?).add_service(reflection().build_v1alpha()?);
    Ok((listener, routes))
}

/// Services that are healthy as long as they are served.
struct Healthy {
    routes: Routes,
    reporter: HealthReporter,
    max_message_size: usize,
}

impl Healthy {
    async fn add_raw<M: Methods>(&mut self, methods: M) {
        self.add(Service { methods, max_message_size: self.max_message_size }).await;
    }

    async fn add<S>(&mut self, service: S)
    where
        S: tower::Service<http::Request<tonic::body::Body>, Error = std::convert::Infallible> + NamedService,
        S: Clone + Send + Sync + 'static,
        S::Response: axum::response::IntoResponse,
        S::Future: Send + 'static,
    {
        self.reporter.set_service_status(S::NAME, ServingStatus::Serving).await;
        self.routes = std::mem::take(&mut self.routes).add_service(service);
    }
}
