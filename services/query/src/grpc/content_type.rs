//! gRPC on the port of HTTP: what is asked as `application/grpc` goes to the gRPC services.

use crate::answer::Failed;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode, Version};
use tower::ServiceExt;

/// `router`, with `grpc` beside it, whatever the base path.
pub(crate) fn layer(router: Router, grpc: Router) -> Router {
    router.layer(middleware::from_fn_with_state(grpc, by_content_type))
}

async fn by_content_type(State(grpc): State<Router>, request: Request, next: Next) -> Response {
    if !is_grpc(request.headers()) {
        return next.run(request).await;
    }
    if request.version() != Version::HTTP_2 {
        return Failed::new(StatusCode::HTTP_VERSION_NOT_SUPPORTED, "gRPC needs HTTP/2").into_response();
    }
    grpc.oneshot(request).await.into_response()
}

/// `application/grpc`, `application/grpc+proto` and the like, not `application/grpc-web`.
fn is_grpc(headers: &HeaderMap) -> bool {
    const GRPC: &[u8] = b"application/grpc";
    let value = headers.get(CONTENT_TYPE).map(|v| v.as_bytes());
    value.and_then(|v| v.strip_prefix(GRPC)).is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';' | b' ')))
}
