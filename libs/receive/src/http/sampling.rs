//! What remote samplers ask on the agent's port (5778): `GET /sampling?service=`, `GET /?service=` in the form of Thrift 0.9.2
//! (the type as a number), and `GET /baggageRestrictions?service=`, which Jaeger had until 1.64 and never implemented.

use super::answer;
use super::metrics::{Sampling, ServerError};
use crate::{Strategies, server};
use ::http::{StatusCode, Uri, header};
use axum::extract::Query;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What the listener is asked to bound and to count.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Times and connections.
    pub limits: server::Limits,
    /// Where requests are counted.
    pub metrics: Arc<Sampling>,
}

/// Serves until `stop`; then finishes what is under way.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    options: &Options,
    strategies: Arc<dyn Strategies>,
    stop: CancellationToken,
) -> std::io::Result<()> {
    server::serve(listener, router(options, strategies), options.limits.clone(), stop).await
}

/// The routes alone, for tests.
pub fn router(options: &Options, strategies: Arc<dyn Strategies>) -> Router {
    Router::new()
        .route("/", get(legacy_strategy))
        .route("/sampling", get(strategy))
        .route("/baggageRestrictions", get(baggage))
        .fallback(answer::not_found)
        .layer(Extension(Sampler { strategies, metrics: options.metrics.clone() }))
}

/// Who is asked, and where it is counted.
#[derive(Clone)]
pub(super) struct Sampler {
    pub strategies: Arc<dyn Strategies>,
    pub metrics: Arc<Sampling>,
}

/// The strategy of one service, its type by name.
pub(super) async fn strategy(Extension(sampler): Extension<Sampler>, uri: Uri) -> Response {
    match sampler.ask(&uri).await {
        Ok(response) => {
            sampler.metrics.answered();
            json(response.to_json())
        }
        Err(response) => response,
    }
}

async fn legacy_strategy(Extension(sampler): Extension<Sampler>, uri: Uri) -> Response {
    match sampler.ask(&uri).await.map(|response| response.to_legacy_json()) {
        Ok(Ok(text)) => {
            sampler.metrics.answered_legacy();
            json(text)
        }
        Ok(Err(_)) => sampler.fail(ServerError::Thrift, "cannot marshall to JSON"),
        Err(response) => response,
    }
}

async fn baggage(Extension(sampler): Extension<Sampler>, uri: Uri) -> Response {
    match sampler.service(&uri) {
        Ok(_) => sampler.fail(ServerError::CollectorProxy, "collector error: baggage not implemented"),
        Err(response) => response,
    }
}

type Answer = skua_codec::sampling::Response;

#[expect(clippy::result_large_err, reason = "the error is the answer, built once a request")]
impl Sampler {
    async fn ask(&self, uri: &Uri) -> Result<Answer, Response> {
        let service = self.service(uri)?;
        let asked = self.strategies.strategy(&service).await;
        asked.map_err(|e| self.fail(ServerError::CollectorProxy, &format!("collector error: {e}")))
    }

    fn service(&self, uri: &Uri) -> Result<String, Response> {
        let query = Query::<Vec<(String, String)>>::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default();
        let mut services = query.into_iter().filter_map(|(key, value)| (key == "service").then_some(value));
        match (services.next(), services.next()) {
            (Some(service), None) => Ok(service),
            _ => {
                self.metrics.refused();
                Err(answer::text(StatusCode::BAD_REQUEST, "'service' parameter must be provided once"))
            }
        }
    }

    fn fail(&self, error: ServerError, message: &str) -> Response {
        self.metrics.failed(error);
        answer::text(StatusCode::INTERNAL_SERVER_ERROR, message)
    }
}

fn json(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}
