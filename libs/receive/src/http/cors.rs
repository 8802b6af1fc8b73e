//! Which web pages may send (`….cors.{allowed-origins,allowed-headers}`).

use ::http::{HeaderName, HeaderValue, Method, header};
use axum::Router;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// What browsers are told about pages of other origins.
#[derive(Debug, Clone, Default)]
pub struct Cors {
    /// `*` means any; a `*` inside an origin stands for any text, as in `https://*.example.com`. Empty: none.
    pub allowed_origins: Vec<String>,
    /// Request headers beside those that the protocol itself needs; `*` means any.
    pub allowed_headers: Vec<String>,
}

impl Cors {
    /// The router with answers to browsers' questions; as it is when no origin is allowed.
    pub(super) fn around(&self, router: Router) -> Router {
        if self.allowed_origins.is_empty() { router } else { router.layer(self.layer()) }
    }

    fn layer(&self) -> CorsLayer {
        let origins = self.allowed_origins.clone();
        let allowed = move |origin: &HeaderValue, _: &_| {
            let origin = origin.to_str().unwrap_or_default().to_ascii_lowercase();
            origins.iter().any(|allowed| matches(&allowed.to_ascii_lowercase(), &origin))
        };
        let headers = if self.allowed_headers.iter().any(|h| h == "*") {
            AllowHeaders::mirror_request()
        } else {
            let usual = [header::ACCEPT, header::CONTENT_TYPE, header::CONTENT_ENCODING, header::ORIGIN];
            let more = self.allowed_headers.iter().filter_map(|h| h.parse::<HeaderName>().ok());
            AllowHeaders::list(usual.into_iter().chain(more))
        };
        CorsLayer::new()
            .allow_origin(AllowOrigin::predicate(allowed))
            .allow_methods([Method::POST])
            .allow_headers(headers)
            .allow_credentials(true)
    }
}

/// One `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        Some((head, tail)) => text.len() >= head.len() + tail.len() && text.starts_with(head) && text.ends_with(tail),
        None => pattern == text,
    }
}
