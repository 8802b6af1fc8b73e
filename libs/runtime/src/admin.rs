//! The admin port: health on `/` (and every unknown path, as in Jaeger), `/metrics`, `/version`.

use crate::health::Health;
use crate::{metrics, version};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::registry::Registry;
use std::sync::Arc;

/// What the admin port shows.
#[derive(Clone)]
pub struct Admin {
    /// The tier's health.
    pub health: Health,
    /// All metrics of the process.
    pub registry: Arc<Registry>,
    /// Called before each scrape, to refresh what is read rather than counted.
    pub before_scrape: Arc<dyn Fn() + Send + Sync>,
}

impl Admin {
    /// The routes, for whoever has a server. An empty `metrics_route` serves no metrics.
    pub fn router(self, metrics_route: &str) -> Router {
        let mut router = Router::new().route("/version", get(show_version)).fallback(show_health);
        if metrics_route.starts_with('/') && metrics_route != "/" && metrics_route != "/version" {
            router = router.route(metrics_route, get(show_metrics));
        }
        router.with_state(self)
    }
}

async fn show_health(State(admin): State<Admin>) -> Response {
    let (status, body) = admin.health.report();
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn show_metrics(State(admin): State<Admin>) -> Response {
    (admin.before_scrape)();
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics::encode(&admin.registry)).into_response()
}

async fn show_version() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], version::json()).into_response()
}
