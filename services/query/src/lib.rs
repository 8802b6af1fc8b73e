//! The query tier: Jaeger's HTTP API (port 16686) over a store's reader.
//!
//! What differs from Jaeger 1.76 on purpose: connections are kept alive; errors are `application/json`; lists of services and
//! operations are `[]` when empty, not null; an unknown path below `/api` is 404, not the UI's page; the order of spans is
//! always the same; an answer that is not complete says so in `errors`; a trace is
//! archived as it was stored, not adjusted; a store that is away or full is 503 with `Retry-After`.

mod answer;
mod config;
mod forms;
mod handlers;
mod openapi;
#[cfg(test)]
mod tests;
mod ui;

pub use config::{Config, ConfigError, HttpServer};
pub use skua_query::{Archive, Stores};
pub use ui::Ui;

use axum::routing::{any, get, post};
use axum::{Router, middleware};
use handlers::App;
use skua_query::QueryService;
use skua_receive::server;
use std::io;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Serves the API and the UI on a listener until `stop`; then answers what is under way and closes idle connections.
///
/// # Errors
/// With [`io::ErrorKind::InvalidInput`] when the settings cannot be used.
pub async fn run(config: Config, ui: Arc<Ui>, listener: TcpListener, stores: Stores, stop: CancellationToken) -> io::Result<()> {
    let query = QueryService::new(stores, config.max_clock_skew_adjustment);
    let router = router(query, &config, &ui).map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
    tokio::select! {
        ended = server::serve(listener, router, server::Limits::default(), stop) => ended,
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
    let later = |what: &'static str| any(move || async move { answer::not_supported(what) });
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
        .route("/api/deep-dependencies", never("the graph of dependencies between operations"))
        .route("/api/quality-metrics", never("the quality of traces"))
        .route("/api/metrics/latencies", get(handlers::latencies))
        .route("/api/metrics/calls", get(handlers::call_rates))
        .route("/api/metrics/errors", get(handlers::call_rates))
        .route("/api/metrics/minstep", get(handlers::min_step))
        .route("/api/archive/{id}", post(handlers::archive))
        .route("/api/transform", later("conversion of OTLP (/api/transform)"))
        .route("/api/v3/{*path}", later("version 3 of the API (/api/v3)"))
        .method_not_allowed_fallback(handlers::wrong_method)
        .merge(ui::static_files(ui));
    let nested = if base.is_empty() { api } else { Router::new().nest(base, api) };
    let add_headers = middleware::map_response(move |response| std::future::ready(answer::with_headers(response, &headers)));
    let app = App::new(query, base, ui.clone());
    Ok(nested.fallback(handlers::unknown).layer(add_headers).layer(answer::compression()).with_state(app))
}
