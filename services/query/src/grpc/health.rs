//! `grpc.health.v1.Health`: serving from the start, not serving from the moment of a stop.

use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

/// The names that Jaeger 1.76 serves; the third is of a service that it no longer has. The first is the whole server.
const NAMES: [&str; 4] =
    ["", "jaeger.api_v2.QueryService", "jaeger.api_v2.metrics.MetricsQueryService", "jaeger.api_v3.QueryService"];

/// The health of all services, on all ports.
#[derive(Clone, Default)]
pub(crate) struct Health(HealthReporter);

impl Health {
    /// All are serving.
    pub async fn serving() -> Self {
        let health = Self::default();
        health.set(ServingStatus::Serving).await;
        health
    }

    /// What tells it.
    pub fn server(&self) -> HealthServer<HealthService> {
        HealthServer::new(HealthService::from_health_reporter(self.0.clone()))
    }

    /// Once `stop` is cancelled: those who watch are told that nothing is served, and their streams end, which would else hold up
    /// the stop.
    pub async fn ends_with(mut self, stop: CancellationToken) {
        stop.cancelled().await;
        self.set(ServingStatus::NotServing).await;
        for name in NAMES {
            self.0.clear_service_status(name).await;
        }
    }

    async fn set(&self, status: ServingStatus) {
        for name in NAMES {
            self.0.set_service_status(name, status).await;
        }
    }
}
