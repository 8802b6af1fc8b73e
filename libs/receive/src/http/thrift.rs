//! Jaeger's Thrift over HTTP (14268): `POST /api/traces` with a `jaeger.Batch` in the binary protocol, and
//! `GET /api/sampling?service=` for remote samplers.
//!
//! Statuses and texts are Jaeger's, except that a batch for which there is no room is answered 503 with `Retry-After`, where
//! Jaeger answers 202 and drops it, and that a compressed body is taken.

use super::metrics::{Requests, Sampling};
use super::{Options, Receiver, answer, media::media_type, sampling};
use crate::{Format, Intake, Strategies, server};
use ::http::{HeaderMap, StatusCode, header};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::time::Instant;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Where what comes here is counted. The default counts for nobody.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    requests: Arc<Requests>,
    sampling: Arc<Sampling>,
}

impl Metrics {
    /// Registers under `prefix`, such as `jaeger_collector`.
    pub fn new(prefix: &str, registry: &mut Registry) -> Self {
        Self { requests: Arc::new(Requests::new(prefix, registry)), sampling: Arc::new(Sampling::new(prefix, registry)) }
    }
}

/// Serves until `stop`; then finishes what is under way.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    options: &Options,
    metrics: &Metrics,
    intake: Arc<dyn Intake>,
    strategies: Arc<dyn Strategies>,
    stop: CancellationToken,
) -> std::io::Result<()> {
    server::serve(listener, router(options, metrics, intake, strategies), options.limits.clone(), stop).await
}

/// The routes alone, for tests.
pub fn router(options: &Options, metrics: &Metrics, intake: Arc<dyn Intake>, strategies: Arc<dyn Strategies>) -> Router {
    let receiver = Receiver::new(options, "collector.http-server.max-request-body-size", intake);
    let sampler = sampling::Sampler { strategies, metrics: metrics.sampling.clone() };
    Router::new()
        .route("/api/traces", post(traces))
        .route("/api/sampling", get(sampling::strategy).layer(Extension(sampler)))
        .fallback(answer::not_found)
        .layer(from_fn_with_state(metrics.requests.clone(), measure))
        .with_state(receiver)
}

async fn measure(State(requests): State<Arc<Requests>>, request: Request, next: Next) -> Response {
    let (start, method, path) = (Instant::now(), request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    requests.observe(method.as_str(), path, response.status().as_u16(), start.elapsed());
    response
}

async fn traces(State(receiver): State<Receiver>, request: Request) -> Response {
    const UNREADABLE: &str = "Unable to process request body: ";
    let (parts, body) = request.into_parts();
    if let Err(message) = check_type(&parts.headers) {
        return answer::text(StatusCode::BAD_REQUEST, &message);
    }
    let body = match receiver.bounds.read(&parts.headers, body).await {
        Ok(body) => body,
        Err(e) => return answer::unreadable(UNREADABLE, &e),
    };
    match receiver.intake.accept(body, Format::JaegerThrift).await {
        Ok(_) => StatusCode::ACCEPTED.into_response(),
        Err(rejection) => answer::rejected(&rejection, UNREADABLE, "Cannot submit Jaeger batch: "),
    }
}

fn check_type(headers: &HeaderMap) -> Result<(), String> {
    let value = headers.get(header::CONTENT_TYPE).map(|v| String::from_utf8_lossy(v.as_bytes())).unwrap_or_default();
    match media_type(&value) {
        Ok(media) if media == "application/x-thrift" || media == "application/vnd.apache.thrift.binary" => Ok(()),
        // Of what HTML would read, a media type can have these two.
        Ok(other) => Err(format!("Unsupported content type: {}", other.replace('&', "&amp;").replace('\'', "&#39;"))),
        Err(e) => Err(format!("Cannot parse content type: {e}")),
    }
}
