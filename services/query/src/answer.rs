//! Answers: Jaeger's envelope, and errors with their status.

use crate::body::TracesBody;
use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures::future::ready;
use futures::stream::{self, StreamExt};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, StatusCode};
use skua_query::json::{self, ErrorItem};
use skua_query::params::ParamError;
use skua_query::{Answers, TransformError};
use skua_receive::http::Unreadable;
use skua_store::{ErrorKind, StoreError};
use std::convert::Infallible;
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

    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// A response with the error in a body that `put` writes of the status and the message.
    pub fn respond(self, put: impl FnOnce(&mut Vec<u8>, u16, String)) -> Response {
        let mut body = Vec::new();
        put(&mut body, self.status.as_u16(), self.message);
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

impl From<Unreadable> for Failed {
    fn from(e: Unreadable) -> Self {
        Self { status: e.status, message: e.message, retry_after: e.retry_after }
    }
}

impl From<TransformError> for Failed {
    fn from(e: TransformError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, e.to_string())
    }
}

impl From<ParamError> for Failed {
    fn from(e: ParamError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, e.to_string())
    }
}

/// The status of a store's failure.
fn status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::Unsupported => StatusCode::NOT_IMPLEMENTED,
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        ErrorKind::Unavailable | ErrorKind::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The store's message goes to the caller, as in Jaeger, its cause to the log.
impl From<StoreError> for Failed {
    fn from(e: StoreError) -> Self {
        let status = status(e.kind);
        let retry = status == StatusCode::SERVICE_UNAVAILABLE;
        if status.is_server_error() {
            tracing::error!(error = %e, cause = e.source().map(tracing::field::display), kind = ?e.kind, "a query failed");
        }
        Self { status, retry_after: retry.then(|| e.retry_after.unwrap_or(RETRY)), message: e.message }
    }
}

impl Failed {
    /// As an entry of `errors`.
    pub fn item(&self) -> ErrorItem {
        ErrorItem { code: self.status.as_u16(), msg: self.message.clone(), trace_id: None }
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        self.respond(|out, code, msg| {
            json::put_answer(out, json::put_null, 0, &[ErrorItem { code, msg, trace_id: None }]);
        })
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

/// As [`answer`], with traces as they are read. A failure on the way ends the list and is told of in `errors`.
pub(crate) async fn traces(pretty: bool, answers: Answers) -> Response {
    let mut body = TracesBody::new(pretty, answers);
    let first = body.next().await.unwrap_or_default();
    if body.is_done() {
        return json_body(first).into_response();
    }
    let rest = stream::unfold(body, async |mut body| body.next().await.map(|chunk| (chunk, body)));
    let all = stream::once(ready(first)).chain(rest).map(|chunk| Ok::<_, Infallible>(Bytes::from(chunk)));
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], Body::from_stream(all)).into_response()
}

/// JSON that stands alone.
pub(crate) fn json(body: Bytes) -> Response {
    json_body(body).into_response()
}

pub(crate) fn json_body(body: impl Into<Body>) -> impl IntoResponse {
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
