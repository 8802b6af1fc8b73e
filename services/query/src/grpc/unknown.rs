//! What is not served, in the words of Go's server; tonic has none.

use super::routes::LISTED;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tonic::Status;

/// An answer that is UNIMPLEMENTED without a text gets one.
pub(super) async fn told(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    let headers = response.headers();
    if headers.get("grpc-status").is_none_or(|code| code != "12") || headers.contains_key("grpc-message") {
        return response;
    }
    let text = match path.trim_start_matches('/').rsplit_once('/') {
        Some((service, method)) if LISTED.contains(&service) => format!("unknown method {method} for service {service}"),
        Some((service, _)) => format!("unknown service {service}"),
        None => format!("malformed method name: {path:?}"),
    };
    Status::unimplemented(text).into_http::<axum::body::Body>().into_response()
}
