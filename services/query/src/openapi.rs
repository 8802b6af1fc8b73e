//! The description of the API for programs, in OpenAPI 3.1: `openapi.json`, written by hand; a test compares it with the routes.

use crate::answer;
use axum::body::Bytes;
use axum::response::Response;

/// As it stands in the repository, for an API at the root.
const DOCUMENT: &str = include_str!("openapi.json");

/// The line of it that says where the API is.
const SERVER: &str = r#""url": "/""#;

/// The document for an API below a base path, which has no slash at its end.
pub(crate) fn document(base: &str) -> Bytes {
    if base.is_empty() {
        return Bytes::from_static(DOCUMENT.as_bytes());
    }
    DOCUMENT.replacen(SERVER, &format!("\"url\": {}", serde_json::Value::from(base)), 1).into()
}

/// `GET /api/openapi.json`.
pub(crate) async fn answer(document: Bytes) -> Response {
    answer::json(document)
}
