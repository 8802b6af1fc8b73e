//! Zipkin over HTTP (9411): whatever the path and the method, a body of spans.
//!
//! A path with `api/v1/spans` in it is version 1, `application/x-thrift` or else JSON; any other is version 2,
//! `application/x-protobuf` or else JSON. The media type has to be exactly that, as in Jaeger.

use super::{Options, Receiver, answer};
use crate::{Format, Intake, server};
use ::http::{HeaderMap, StatusCode, header};
use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

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
    let receiver = Receiver::new(options, "collector.zipkin.max-request-body-size", intake);
    options.cors.around(Router::new().fallback(spans).with_state(receiver))
}

async fn spans(State(receiver): State<Receiver>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let format = format(parts.uri.path(), &parts.headers);
    let body = match receiver.bounds.read(&parts.headers, body).await {
        Ok(body) => body,
        Err(e) => return answer::unreadable("", &e),
    };
    match receiver.intake.accept(body, format).await {
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
