//! OTLP over HTTP (4318): `POST /v1/traces`, protobuf and JSON. `/api/v1/traces` is the same, for exporters made for CnosDB.
//! Their `Authorization`, `tenant` and `db` headers are accepted and mean nothing here.

use super::{Options, Receiver, answer};
use crate::{Accepted, Format, Intake, Rejection, RejectionKind, server};
use ::http::{HeaderMap, StatusCode, header};
use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use skua_codec::otlp;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

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
    let receiver = Receiver::new(options, "collector.otlp.http.max-request-body-size", intake);
    let router = Router::new()
        .route("/v1/traces", post(traces))
        .route("/api/v1/traces", post(traces))
        .method_not_allowed_fallback(wrong_method)
        .fallback(answer::not_found)
        .with_state(receiver);
    options.cors.around(router)
}

async fn traces(State(receiver): State<Receiver>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(format) = format(&parts.headers) else { return unsupported_type() };
    let body = match receiver.bounds.read(&parts.headers, body).await {
        Ok(body) => body,
        Err(e) => {
            let code = if e.retry_after.is_some() { RESOURCE_EXHAUSTED } else { INVALID_ARGUMENT };
            return failure(format, e.status, code, &e.message, e.retry_after);
        }
    };
    match receiver.intake.accept(body, format).await {
        Ok(accepted) => success(format, &accepted),
        Err(rejection) => refusal(format, &rejection),
    }
}

const INVALID_ARGUMENT: i32 = 3;
const RESOURCE_EXHAUSTED: i32 = 8;

/// By the media type alone; parameters such as `charset` do not matter.
fn format(headers: &HeaderMap) -> Option<Format> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let media = value.split(';').next().unwrap_or_default().trim();
    if media.eq_ignore_ascii_case(PROTOBUF) {
        Some(Format::OtlpProto)
    } else if media.eq_ignore_ascii_case(JSON) {
        Some(Format::OtlpJson)
    } else {
        None
    }
}

fn unsupported_type() -> Response {
    let text = format!("415 unsupported media type, supported: [{JSON}, {PROTOBUF}]");
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, [(header::CONTENT_TYPE, "text/plain")], text).into_response()
}

async fn wrong_method() -> Response {
    let text = "405 method not allowed, supported: [POST]";
    (StatusCode::METHOD_NOT_ALLOWED, [(header::CONTENT_TYPE, "text/plain")], text).into_response()
}

fn success(format: Format, accepted: &Accepted) -> Response {
    let body = match format {
        Format::OtlpJson => otlp::export_response_json(accepted.refused, &accepted.why),
        _ => otlp::export_response(accepted.refused, &accepted.why),
    };
    (StatusCode::OK, [(header::CONTENT_TYPE, media(format))], body).into_response()
}

fn media(format: Format) -> &'static str {
    if format == Format::OtlpJson { JSON } else { PROTOBUF }
}

fn refusal(format: Format, rejection: &Rejection) -> Response {
    let status = match rejection.kind {
        RejectionKind::Invalid => StatusCode::BAD_REQUEST,
        RejectionKind::Full | RejectionKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    };
    failure(format, status, rejection.grpc_code(), &rejection.message, rejection.retry_after)
}

/// A `google.rpc.Status` in the request's own encoding.
fn failure(format: Format, status: StatusCode, code: i32, message: &str, retry: Option<Duration>) -> Response {
    let body = match format {
        Format::OtlpJson => otlp::status_json(code, message, retry),
        _ => otlp::status(code, message, retry),
    };
    let mut response = (status, [(header::CONTENT_TYPE, media(format))], body).into_response();
    if let Some(retry) = retry {
        answer::set_retry_after(response.headers_mut(), retry);
    }
    response
}
