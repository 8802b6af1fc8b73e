//! Parameters of requests that change something: a form in the body counts before the query string, as in Go.

use crate::answer::Failed;
use axum::body::to_bytes;
use axum::extract::{FromRequest, Query, Request};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};

/// Bytes of a form at most.
const LONGEST: usize = 64 * 1024;

/// The pairs of a form and of the query string, in this order.
pub(crate) struct Form(pub Vec<(String, String)>);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Failed;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failed> {
        let bad = |why: String| Failed::new(StatusCode::BAD_REQUEST, why);
        let (parts, body) = request.into_parts();
        let Query(in_query) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).map_err(|e| bad(e.body_text()))?;
        if !is_form(&parts.headers) {
            return Ok(Self(in_query));
        }
        let too_long =
            |e| Failed::new(StatusCode::PAYLOAD_TOO_LARGE, format!("failed to read a form of at most {LONGEST} bytes: {e}"));
        let body = to_bytes(body, LONGEST).await.map_err(too_long)?;
        let mut pairs: Vec<_> = form_urlencoded::parse(&body).into_owned().collect();
        pairs.extend(in_query);
        Ok(Self(pairs))
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
