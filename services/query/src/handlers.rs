//! One function a route.

use crate::answer::{self, Failed, answer};
use axum::extract::rejection::PathRejection;
use axum::extract::{OriginalUri, Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};
use skua_query::{QueryService, Wanted, json, params};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// What handlers share.
#[derive(Clone)]
pub(crate) struct App {
    query: QueryService,
    base: Arc<str>,
}

impl App {
    pub fn new(query: QueryService, base: &str) -> Self {
        Self { query, base: base.into() }
    }
}

/// A decoded query string, in order.
type Pairs = Query<Vec<(String, String)>>;

/// A segment of the path, decoded; an error when it is not UTF-8.
type Segment = Result<Path<String>, PathRejection>;

type Answer = Result<Response, Failed>;

pub(crate) async fn services(State(app): State<App>, Query(pairs): Pairs) -> Answer {
    let services = app.query.services().await?;
    Ok(answer(params::pretty_print(&pairs), |out| json::put_texts(out, &services), services.len(), &[]))
}

pub(crate) async fn operations(State(app): State<App>, Query(pairs): Pairs) -> Answer {
    let (service, kind) = params::operations(&pairs)?;
    let operations = app.query.operations(&service, &kind).await?;
    Ok(answer(params::pretty_print(&pairs), |out| json::put_operations(out, &operations), operations.len(), &[]))
}

/// The older form: names only, each once.
pub(crate) async fn operation_names(State(app): State<App>, service: Segment, Query(pairs): Pairs) -> Answer {
    let service = segment(service)?;
    let mut names: Vec<String> = app.query.operations(&service, "").await?.into_iter().map(|o| o.name).collect();
    names.dedup(); // sorted by name
    Ok(answer(params::pretty_print(&pairs), |out| json::put_texts(out, &names), names.len(), &[]))
}

pub(crate) async fn traces(State(app): State<App>, Query(pairs): Pairs) -> Answer {
    let wanted = params::traces(&pairs, now())?;
    let what = match wanted.trace_ids.is_empty() {
        true => Wanted::Search(wanted.query),
        false => Wanted::ByIds(wanted.trace_ids),
    };
    Ok(answer::traces(params::pretty_print(&pairs), app.query.answer(what, wanted.raw).await?).await)
}

pub(crate) async fn trace(State(app): State<App>, id: Segment, Query(pairs): Pairs) -> Answer {
    let wanted = params::trace(&segment(id)?, &pairs)?;
    Ok(answer::traces(params::pretty_print(&pairs), app.query.answer_trace(wanted.id, wanted.raw).await?).await)
}

/// Answers with two empty lists, as Jaeger.
pub(crate) async fn archive(State(app): State<App>, id: Segment, Query(pairs): Pairs) -> Answer {
    let wanted = params::trace(&segment(id)?, &pairs)?;
    if !app.query.can_archive() {
        return Err(Failed::new(StatusCode::INTERNAL_SERVER_ERROR, "archive span storage was not configured"));
    }
    app.query.archive(wanted.id).await?;
    Ok(answer::archived(params::pretty_print(&pairs)))
}

pub(crate) async fn dependencies(State(app): State<App>, Query(pairs): Pairs) -> Answer {
    let wanted = params::dependencies(&pairs, now())?;
    let calls = app.query.dependencies(wanted.start, wanted.end, &wanted.service).await?;
    Ok(answer(params::pretty_print(&pairs), |out| json::put_dependencies(out, &calls), 0, &[]))
}

pub(crate) async fn wrong_method(method: Method, OriginalUri(uri): OriginalUri) -> Failed {
    Failed::new(StatusCode::METHOD_NOT_ALLOWED, format!("{} does not take {method}", uri.path()))
}

/// Any path without a route: an error that programs can read below `/api`, else one for people.
pub(crate) async fn unknown(State(app): State<App>, OriginalUri(uri): OriginalUri) -> Response {
    let path = uri.path();
    let within = path.strip_prefix(&*app.base).unwrap_or(path);
    if within == "/api" || within.starts_with("/api/") {
        return Failed::new(StatusCode::NOT_FOUND, format!("there is no {path}")).into_response();
    }
    let base = &app.base;
    let text = format!(
        "The web UI is not part of this version of Skua. The API is at {base}/api, for example {base}/api/services; a Jaeger UI \
         or Grafana's Jaeger data source can use it.\n"
    );
    (StatusCode::NOT_FOUND, text).into_response()
}

/// Microseconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros() as u64)
}

fn segment(path: Segment) -> Result<String, Failed> {
    path.map(|Path(s)| s).map_err(|e| Failed::new(StatusCode::BAD_REQUEST, e.body_text()))
}
