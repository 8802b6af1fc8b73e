//! The query tier: Jaeger's HTTP API (port 16686) over a store's reader, with its version 3 as of Jaeger 2.20.
//!
//! What differs from Jaeger 1.76 on purpose: connections are kept alive; errors are `application/json`; lists of services and
//! operations are `[]` when empty, not null; an unknown path below `/api` is 404, not the UI's page; the order of spans is
//! always the same; an answer that is not complete says so in `errors`; a trace is
//! archived as it was stored, not adjusted; a store that is away or full is 503 with `Retry-After`.

mod answer;
mod body;
mod config;
mod handlers;
#[cfg(test)]
mod tests;
mod v3;

pub use config::{Config, ConfigError, HttpServer};
pub use skua_query::{Archive, Stores};

use axum::routing::{any, get, post};
use axum::{Router, middleware};
use handlers::App;
use skua_query::{LimitMetrics, QueryService};
use skua_receive::server;
use std::io;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Serves the API on a listener until `stop`; then answers what is under way and closes idle connections.
///
/// # Errors
/// With [`io::ErrorKind::InvalidInput`] when the settings cannot be used.
pub async fn run(config: Config, listener: TcpListener, stores: Stores, stop: CancellationToken) -> io::Result<()> {
    let query = QueryService::with(stores, config.max_clock_skew_adjustment, config.limits(), LimitMetrics::default());
    let router = router(query, &config).map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
    server::serve(listener, router, server::Limits::default(), stop).await
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
        .route("/api/transform", post(handlers::transform))
        .route("/api/v3/services", get(v3::services))
        .route("/api/v3/operations", get(v3::operations))
        .route("/api/v3/traces", get(v3::traces))
        .route("/api/v3/traces/{id}", get(v3::trace))
        .route("/api/v3/trace-summaries", get(v3::summaries))
        .method_not_allowed_fallback(handlers::wrong_method);
    let nested = if base.is_empty() { api } else { Router::new().nest(base, api) };
    let add_headers = middleware::map_response(move |response| std::future::ready(answer::with_headers(response, &headers)));
    Ok(nested.fallback(handlers::unknown).layer(add_headers).with_state(App::new(query, base)))
}
