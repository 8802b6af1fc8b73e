//! The query tier: Jaeger's HTTP API (port 16686), with its version 3 as of Jaeger 2.20, and gRPC API (16685, and 16686 by content type) over
//! a store's reader.
//!
//! What differs from Jaeger 1.76 on purpose: connections are kept alive; errors are `application/json`; lists of services and
//! operations are `[]` when empty, not null; an unknown path below `/api` is 404, not the UI's page; the order of spans is
//! always the same; an answer that is not complete says so in `errors`; a trace is
//! archived as it was stored, not adjusted; a store that is away or full is 503 with `Retry-After`.

mod answer;
mod bearer;
mod body;
mod config;
mod forms;
mod graph;
mod grpc;
mod handlers;
mod listeners;
mod metrics;
mod openapi;
#[cfg(test)]
mod tests;
mod ui;
mod v3;

pub use config::{Config, ConfigError, GrpcServer, HttpServer};
pub use listeners::Listeners;
pub use skua_query::{Archive, LimitMetrics, Stores};
pub use ui::Ui;

use axum::routing::{get, post};
use axum::{Router, middleware};
use handlers::App;
use skua_query::QueryService;
use skua_receive::{grpc as receive, server};
use std::io;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What the tier is made of.
pub struct Parts {
    /// Its settings.
    pub config: Config,
    /// Its sockets.
    pub listeners: Listeners,
    /// What it reads.
    pub stores: Stores,
    /// The pages beside its API.
    pub ui: Arc<Ui>,
    /// Counts its limits.
    pub met: LimitMetrics,
}

/// Serves the APIs and the UI on the listeners until `stop`; then answers what is under way and closes idle connections.
///
/// # Errors
/// With [`io::ErrorKind::InvalidInput`] when the settings cannot be used; when a listener fails, after the other has ended.
pub async fn run(parts: Parts, stop: CancellationToken) -> io::Result<()> {
    let Parts { config, listeners, stores, ui, met } = parts;
    let query = QueryService::with(stores, config.max_clock_skew_adjustment, config.limits(), met);
    let (limits, health, ending) = (receive::Limits::default(), grpc::Health::serving().await, stop.child_token());
    let services = grpc::routes(&query, &health, limits.max_message_size).map_err(io::Error::other)?;
    let router = router(query, &config, &ui).map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
    let router = grpc::layer(router, services.clone());
    let by_http = async {
        let ended = server::serve(listeners.http, router, server::Limits::default(), ending.clone()).await;
        ending.cancel();
        ended
    };
    let by_grpc = async {
        let Some(listener) = listeners.grpc else { return Ok(()) };
        let ended = receive::serve_routes(listener, limits, services.into(), ending.clone()).await;
        ending.cancel();
        ended.map_err(io::Error::other)
    };
    let served = async {
        let (by_http, by_grpc, ()) = tokio::join!(Box::pin(by_http), Box::pin(by_grpc), health.ends_with(ending.clone()));
        by_http.and(by_grpc)
    };
    tokio::select! {
        ended = served => ended,
        never = ui.watch() => match never {},
    }
}

/// All routes, below the base path.
///
/// # Errors
/// When the base path or a header of the settings cannot be used.
pub fn router(query: QueryService, config: &Config, ui: &Arc<Ui>) -> Result<Router, ConfigError> {
    let base = config.base()?;
    let headers = config.headers()?;
    let never = |what: &'static str| get(move || async move { answer::not_supported(what) });
    let openapi = openapi::document(base);
    let api = Router::new()
        .route("/api/openapi.json", get(move || openapi::answer(openapi)))
        .route("/api/services", get(handlers::services))
        .route("/api/services/{service}/operations", get(handlers::operation_names))
        .route("/api/operations", get(handlers::operations))
        .route("/api/traces", get(handlers::traces))
        .route("/api/traces/{id}", get(handlers::trace))
        .route("/api/dependencies", get(handlers::dependencies))
        .route("/api/skua/v1/graph", get(graph::graph))
        .route("/api/deep-dependencies", never("the graph of dependencies between operations"))
        .route("/api/quality-metrics", never("the quality of traces"))
        .route("/api/metrics/latencies", get(metrics::latencies))
        .route("/api/metrics/calls", get(metrics::call_rates))
        .route("/api/metrics/errors", get(metrics::error_rates))
        .route("/api/metrics/minstep", get(metrics::min_step))
        .route("/api/archive/{id}", post(handlers::archive))
        .route("/api/transform", post(handlers::transform))
        .route("/api/v3/services", get(v3::services))
        .route("/api/v3/operations", get(v3::operations))
        .route("/api/v3/traces", get(v3::traces))
        .route("/api/v3/traces/{id}", get(v3::trace))
        .route("/api/v3/trace-summaries", get(v3::summaries))
        .method_not_allowed_fallback(handlers::wrong_method)
        .merge(ui::static_files(ui));
    let nested = if base.is_empty() { api } else { Router::new().nest(base, api) };
    let add_headers = middleware::map_response(move |response| std::future::ready(answer::with_headers(response, &headers)));
    let app = App::new(query, base, ui.clone());
    let nested = nested.fallback(handlers::unknown);
    let nested = if config.bearer_token_propagation { nested.layer(middleware::from_fn(bearer::hand_on)) } else { nested };
    Ok(nested.layer(add_headers).layer(answer::compression()).with_state(app))
}
