//! The admin port: health on `/` (and every unknown path, as in Jaeger), `/metrics`, `/metrics/spans`, `/version`.

use crate::health::Health;
use crate::{metrics, version};
use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::registry::Registry;
use std::convert::Infallible;
use std::sync::Arc;

/// What the admin port shows.
#[derive(Clone)]
pub struct Admin {
    /// The tier's health.
    pub health: Health,
    /// All metrics of the process.
    pub registry: Arc<Registry>,
    /// Called before each scrape, to refresh what is read rather than counted.
    pub before_scrape: Arc<dyn Fn() + Send + Sync>,
    /// What was counted of the spans themselves; `None` where nobody counts.
    pub spans: Option<SpanMetrics>,
}

/// Answers a scrape, of which these are the header `Accept` and the query, each empty if absent; an error is a text for the caller.
pub type SpanMetrics = Arc<dyn Fn(&str, &str) -> Result<Text, String> + Send + Sync>;

/// A text that is written while it is sent.
pub struct Text {
    /// Of the text.
    pub content_type: &'static str,
    /// Each is asked for when the one before has been taken.
    pub pieces: Box<dyn Iterator<Item = String> + Send>,
}

impl Admin {
    /// The routes, for whoever has a server. Metrics of spans are at `spans` below `metrics_route`; an empty one serves no metrics.
    pub fn router(self, metrics_route: &str) -> Router {
        let mut router = Router::new().route("/version", get(show_version)).fallback(show_health);
        if metrics_route.starts_with('/') && metrics_route != "/" && metrics_route != "/version" {
            let of_spans = format!("{}/spans", metrics_route.trim_end_matches('/'));
            router = router.route(metrics_route, get(show_metrics)).route(&of_spans, get(show_spans));
        }
        router.with_state(self)
    }
}

async fn show_health(State(admin): State<Admin>) -> Response {
    let (status, body) = admin.health.report();
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn show_metrics(State(admin): State<Admin>) -> Response {
    (admin.before_scrape)();
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics::encode(&admin.registry)).into_response()
}

async fn show_spans(State(admin): State<Admin>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let Some(spans) = &admin.spans else {
        return (StatusCode::NOT_FOUND, "spans are not counted here\n").into_response();
    };
    let accept: Vec<&str> = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    match spans(&accept.join(","), &query.unwrap_or_default()) {
        Ok(Text { content_type, pieces }) => {
            let body = Body::from_stream(futures::stream::iter(pieces.map(Ok::<_, Infallible>)));
            ([(header::CONTENT_TYPE, content_type)], body).into_response()
        }
        Err(why) => (StatusCode::BAD_REQUEST, why).into_response(),
    }
}

async fn show_version() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], version::json()).into_response()
}
