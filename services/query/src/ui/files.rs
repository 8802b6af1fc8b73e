//! The UI's files below `/static`, from the disk.

use super::Ui;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::header::{
    CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use std::sync::Arc;
use tower_http::services::ServeDir;

/// Serves the folder `static` of the UI's build below `/static`; nothing when there is no build.
pub(crate) fn static_files<S: Clone + Send + Sync + 'static>(ui: &Arc<Ui>) -> Router<S> {
    let Some(directory) = ui.directory() else { return Router::new() };
    let files = ServeDir::new(directory.join("static")).append_index_html_on_directories(false);
    let served = Router::<()>::new().fallback_service(files).layer(middleware::from_fn_with_state(ui.clone(), around));
    Router::new().nest_service("/static", served)
}

/// Adds what files on a disk do not have of themselves: an entity tag, by which a client asks whether its copy is still good.
async fn around(State(ui): State<Arc<Ui>>, mut request: Request, next: Next) -> Response {
    let uri = request.extensions().get::<axum::extract::OriginalUri>().map_or_else(|| request.uri().clone(), |uri| uri.0.clone());
    ui.log(&uri);
    let known = request.headers().get(IF_NONE_MATCH).cloned();
    if known.is_some() {
        request.headers_mut().remove(IF_MODIFIED_SINCE); // the tag says more
    }
    if request.headers().contains_key(IF_RANGE) {
        request.headers_mut().remove(RANGE); // a weak tag is no promise that the parts fit
    }
    let mut response = next.run(request).await;
    if response.status() == StatusCode::NOT_FOUND {
        return (StatusCode::NOT_FOUND, format!("there is no {}\n", uri.path())).into_response();
    }
    let Some(tag) = entity_tag(response.headers()) else { return response };
    if response.status() == StatusCode::OK && known.is_some_and(|known| names(&known, &tag)) {
        response = StatusCode::NOT_MODIFIED.into_response();
    }
    response.headers_mut().insert(ETAG, tag);
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// A weak tag of the time of the last change and the length of the whole file.
fn entity_tag(headers: &HeaderMap) -> Option<HeaderValue> {
    let text = |name| headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok());
    let changed = text(LAST_MODIFIED)?;
    let length = match text(CONTENT_RANGE) {
        Some(range) => range.rsplit('/').next()?,
        None => text(CONTENT_LENGTH)?,
    };
    let digits: String = changed.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    format!("W/\"{digits}-{length}\"").parse().ok()
}

/// Whether a list of tags has this one.
fn names(list: &HeaderValue, tag: &HeaderValue) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let (Ok(list), Ok(tag)) = (list.to_str(), tag.to_str()) else { return false };
    list.split(',').any(|one| one.trim() == "*" || opaque(one) == opaque(tag))
}
