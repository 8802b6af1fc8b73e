//! Zipkin over HTTP (9411): whatever the path and the method, a body of spans.
//!
//! A path with `api/v1/spans` in it is version 1, `application/x-thrift` or else JSON; any other is version 2,
//! `application/x-protobuf` or else JSON. The media type has to be exactly that, as in Jaeger.

use super::{Budget, Cors, DEFAULT_MAX_BODY, answer, body::Bounds};
use crate::{Format, Intake, server};
use ::http::{HeaderMap, StatusCode, header};
use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What the receiver is asked to bound.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bytes of one request's body, before and after decompression.
    pub max_body: usize,
    /// Bytes of all bodies.
    pub budget: Budget,
    /// Which web pages may send (`collector.zipkin.cors.*`).
    pub cors: Cors,
    /// Times and connections; `collector.zipkin.keep-alive` is [`server::Limits::keep_alive`].
    pub limits: server::Limits,
}

impl Default for Options {
    fn default() -> Self {
        let (budget, cors, limits) = (Budget::default(), Cors::default(), server::Limits::default());
        Self { max_body: DEFAULT_MAX_BODY, budget, cors, limits }
    }
}

#[derive(Clone)]
struct Shared {
    intake: Arc<dyn Intake>,
    bounds: Bounds,
}

/// Serves until `stop`; then finishes what is under way.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    options: &Options,
    intake: Arc<dyn Intake>,
    stop: CancellationToken,
) -> std::io::Result<()> {
    server::serve(listener, router(options, intake), options.limits.clone(), stop).await
}

/// The routes alone, for tests.
pub fn router(options: &Options, intake: Arc<dyn Intake>) -> Router {
    let bounds = Bounds { max: options.max_body, flag: "", budget: options.budget.clone() };
    options.cors.around(Router::new().fallback(spans).with_state(Shared { intake, bounds }))
}

async fn spans(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let format = format(parts.uri.path(), &parts.headers);
    let body = match shared.bounds.read(&parts.headers, body).await {
        Ok(body) => body,
        Err(e) => return answer::unreadable("", &e),
    };
    match shared.intake.accept(body, format).await {
        Ok(_) => StatusCode::ACCEPTED.into_response(),
        Err(rejection) => answer::rejected(&rejection, "", ""),
    }
}

fn format(path: &str, headers: &HeaderMap) -> Format {
    let media = headers.get(header::CONTENT_TYPE).map_or(&b""[..], |v| v.as_bytes());
    match (path.contains("api/v1/spans"), media) {
        (true, b"application/x-thrift") => Format::ZipkinV1Thrift,
        (true, _) => Format::ZipkinV1Json,
        (false, b"application/x-protobuf") => Format::ZipkinV2Proto,
        (false, _) => Format::ZipkinV2Json,
    }
}
