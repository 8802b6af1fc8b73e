//! Answers: Jaeger's envelope, and errors with their status.

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, StatusCode};
use skua_query::json::{self, ErrorItem};
use skua_query::params::ParamError;
use skua_store::{ErrorKind, StoreError};
use std::error::Error;
use std::time::Duration;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

/// Bytes: a shorter answer takes one packet anyway.
const WORTH_COMPRESSING: u16 = 1024;

/// What a caller should wait when the store did not say.
const RETRY: Duration = Duration::from_secs(1);

/// A request that failed.
#[derive(Debug)]
pub(crate) struct Failed {
    status: StatusCode,
    message: String,
    retry_after: Option<Duration>,
}

impl Failed {
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), retry_after: None }
    }
}

impl From<ParamError> for Failed {
    fn from(e: ParamError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, e.to_string())
    }
}

/// The store's message goes to the caller, as in Jaeger, its cause to the log.
impl From<StoreError> for Failed {
    fn from(e: StoreError) -> Self {
        let (status, retry) = match e.kind {
            ErrorKind::NotFound => (StatusCode::NOT_FOUND, false),
            ErrorKind::Invalid => (StatusCode::BAD_REQUEST, false),
            ErrorKind::Unsupported => (StatusCode::NOT_IMPLEMENTED, false),
            ErrorKind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, false),
            ErrorKind::Timeout => (StatusCode::GATEWAY_TIMEOUT, false),
            ErrorKind::Unavailable | ErrorKind::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, true),
        };
        if status.is_server_error() {
            tracing::error!(error = %e, cause = e.source().map(tracing::field::display), kind = ?e.kind, "a query failed");
        }
        Self { status, retry_after: retry.then(|| e.retry_after.unwrap_or(RETRY)), message: e.message }
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let mut body = Vec::new();
        let error = ErrorItem { code: self.status.as_u16(), msg: self.message, trace_id: None };
        json::put_answer(&mut body, json::put_null, 0, &[error]);
        body.push(b'\n');
        let mut response = (self.status, json_body(body)).into_response();
        response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(after) = self.retry_after {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}

/// The envelope around `data`.
pub(crate) fn answer(pretty: bool, data: impl FnOnce(&mut Vec<u8>), total: usize, errors: &[ErrorItem]) -> Response {
    let mut body = Vec::new();
    json::put_answer(&mut body, data, total, errors);
    json_body(if pretty { json::indent(&body) } else { body }).into_response()
}

/// What Jaeger says of a trace that it has archived: both lists are there, and empty.
pub(crate) fn archived(pretty: bool) -> Response {
    let body = br#"{"data":[],"total":0,"limit":0,"offset":0,"errors":[]}"#.to_vec();
    json_body(if pretty { json::indent(&body) } else { body }).into_response()
}

/// JSON that stands alone.
pub(crate) fn json(body: Bytes) -> Response {
    json_body(body).into_response()
}

fn json_body(body: impl Into<Body>) -> impl IntoResponse {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body.into())
}

/// A page of HTML. It is never to be kept without asking: it tells what the server can and which files the UI has.
pub(crate) fn page(html: Bytes) -> Response {
    let headers = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CACHE_CONTROL, "no-cache")];
    (headers, Body::from(html)).into_response()
}

/// Compresses answers for clients that take gzip or zstd; not short ones, nor pictures, nor parts of a file.
pub(crate) fn compression() -> CompressionLayer<impl Predicate> {
    let worth_it = SizeAbove::new(WORTH_COMPRESSING).and(NotForContentType::IMAGES);
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(worth_it)
}

/// 501 for what Jaeger has and this version has not.
pub(crate) fn not_supported(what: &str) -> Failed {
    Failed::new(StatusCode::NOT_IMPLEMENTED, format!("{what} is not supported by this version of Skua"))
}

/// The headers of the settings, where the answer has none of that name.
pub(crate) fn with_headers(mut response: Response, headers: &HeaderMap) -> Response {
    for name in headers.keys() {
        if !response.headers().contains_key(name) {
            for value in headers.get_all(name) {
                response.headers_mut().append(name, value.clone());
            }
        }
    }
    response
}
