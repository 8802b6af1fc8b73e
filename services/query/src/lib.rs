//! The query tier: Jaeger's HTTP API (port 16686) and gRPC API (16685, and 16686 by content type) over a store's reader.
//!
//! What differs from Jaeger 1.76 on purpose: connections are kept alive; errors are `application/json`; lists of services and
//! operations are `[]` when empty, not null; an unknown path below `/api` is 404, not the UI's page; the order of spans is
//! always the same; an answer that is not complete says so in `errors`; a trace is
//! archived as it was stored, not adjusted; a store that is away or full is 503 with `Retry-After`.

mod answer;
mod config;
mod grpc;
mod handlers;
mod listeners;
#[cfg(test)]
mod tests;

pub use config::{Config, ConfigError, GrpcServer, HttpServer};
pub use listeners::Listeners;
pub use skua_query::{Archive, Stores};

use axum::routing::{any, get, post};
use axum::{Router, middleware};
use handlers::App;
use skua_query::QueryService;
use skua_receive::{grpc as receive, server};
use std::io;
use tokio_util::sync::CancellationToken;

/// Serves the APIs on the listeners until `stop`; then answers what is under way and closes idle connections.
///
/// # Errors
/// With [`io::ErrorKind::InvalidInput`] when the settings cannot be used; when a listener fails, after the other has ended.
pub async fn run(config: Config, listeners: Listeners, stores: Stores, stop: CancellationToken) -> io::Result<()> {
    let query = QueryService::new(stores, config.max_clock_skew_adjustment);
    let (limits, health, ending) = (receive::Limits::default(), grpc::Health::serving().await, stop.child_token());
    let services = grpc::routes(&query, &health, limits.max_message_size).map_err(io::Error::other)?;
    let router = router(query, &config).map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
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
    let (by_http, by_grpc, ()) = tokio::join!(Box::pin(by_http), Box::pin(by_grpc), health.ends_with(ending.clone()));
    by_http.and(by_grpc)
}

/// All routes, below the base path.
///
/// # Errors
/// When the base path or a header of the settings cannot be used.
pub fn router(query: QueryService, config: &Config) -> Result<Router, ConfigError> {
    let base = config.base()?;
    let headers = config.headers()?;
    let later = |what: &'static str| any(move || async move { answer::not_supported(what) });
    let api = Router::new()
        .route("/api/services", get(handlers::services))
        .route("/api/services/{service}/operations", get(handlers::operation_names))
        .route("/api/operations", get(handlers::operations))
        .route("/api/traces", get(handlers::traces))
        .route("/api/traces/{id}", get(handlers::trace))
        .route("/api/dependencies", get(handlers::dependencies))
        .route("/api/deep-dependencies", later("the graph of dependencies between operations"))
        .route("/api/quality-metrics", later("the quality of traces"))
        .route("/api/metrics/{*metric}", later("monitoring of services (/api/metrics)"))
        .route("/api/archive/{id}", post(handlers::archive))
        .route("/api/transform", later("conversion of OTLP (/api/transform)"))
        .route("/api/v3/{*path}", later("version 3 of the API (/api/v3)"))
        .method_not_allowed_fallback(handlers::wrong_method);
    let nested = if base.is_empty() { api } else { Router::new().nest(base, api) };
    let add_headers = middleware::map_response(move |response| std::future::ready(answer::with_headers(response, &headers)));
    Ok(nested.fallback(handlers::unknown).layer(add_headers).with_state(App::new(query, base)))
}
