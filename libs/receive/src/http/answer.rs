//! Answers in plain text, as Go's `http.Error` and `http.NotFound` write them and clients show them.

use super::body::Unreadable;
use crate::{Rejection, RejectionKind};
use ::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::time::Duration;

/// When a sender should come again if nothing better is known.
pub(super) const RETRY: Duration = Duration::from_secs(1);

/// `message` and a line feed.
pub(super) fn text(status: StatusCode, message: &str) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (status, headers, format!("{message}\n")).into_response()
}

/// Whatever is not served.
pub(super) async fn not_found() -> Response {
    text(StatusCode::NOT_FOUND, "404 page not found")
}

/// `Retry-After` in whole seconds, at least one (RFC 9110, 10.2.3).
pub(super) fn set_retry_after(headers: &mut HeaderMap, after: Duration) {
    let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
    headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
}

/// A body that could not be read.
pub(super) fn unreadable(what: &str, error: &Unreadable) -> Response {
    let mut response = text(error.status, &format!("{what}{}", error.message));
    if let Some(after) = error.retry_after {
        set_retry_after(response.headers_mut(), after);
    }
    response
}

/// A request that the intake did not take: 400 with `invalid` before the reason, or 503 with `later` before it.
pub(super) fn rejected(rejection: &Rejection, invalid: &str, later: &str) -> Response {
    if rejection.kind == RejectionKind::Invalid {
        return text(StatusCode::BAD_REQUEST, &format!("{invalid}{}", rejection.message));
    }
    let mut response = text(StatusCode::SERVICE_UNAVAILABLE, &format!("{later}{}", rejection.message));
    set_retry_after(response.headers_mut(), rejection.retry_after.unwrap_or(RETRY));
    response
}
