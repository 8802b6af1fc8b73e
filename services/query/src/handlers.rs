//! One function a route.

use crate::answer::{self, Failed, answer};
use crate::forms::Form;
use crate::ui::Ui;
use axum::extract::rejection::PathRejection;
use axum::extract::{OriginalUri, Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::ALLOW;
use http::{Method, StatusCode};
use skua_query::json::{self, ErrorItem};
use skua_query::{QueryService, params};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// What handlers share.
#[derive(Clone)]
pub(crate) struct App {
    query: QueryService,
    base: Arc<str>,
    ui: Arc<Ui>,
}

impl App {
    pub fn new(query: QueryService, base: &str, ui: Arc<Ui>) -> Self {
        Self { query, base: base.into(), ui }
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
    let (traces, errors) = if wanted.trace_ids.is_empty() {
        let found = app.query.find(&wanted.query, wanted.raw).await?;
        let partial = found.partial.into_iter().map(|msg| ErrorItem { msg, ..ErrorItem::default() });
        (found.traces, partial.collect())
    } else {
        let by_id = app.query.by_ids(&wanted.trace_ids, wanted.raw).await?;
        let missing = |id| ErrorItem { code: 0, msg: "trace not found".to_owned(), trace_id: Some(id) };
        (by_id.traces, by_id.missing.into_iter().map(missing).collect::<Vec<_>>())
    };
    Ok(answer(params::pretty_print(&pairs), |out| json::put_traces(out, &traces), 0, &errors))
}

pub(crate) async fn trace(State(app): State<App>, id: Segment, Query(pairs): Pairs) -> Answer {
    let wanted = params::trace(&segment(id)?, &pairs)?;
    let trace = app.query.trace(wanted.id, wanted.raw).await?;
    Ok(answer(params::pretty_print(&pairs), |out| json::put_traces(out, &[trace]), 0, &[]))
}

/// Answers with two empty lists, as Jaeger.
pub(crate) async fn archive(State(app): State<App>, id: Segment, Form(pairs): Form) -> Answer {
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

/// Latencies: their parameters are read before there is nothing to ask, as in Jaeger.
pub(crate) async fn latencies(Query(pairs): Pairs) -> Answer {
    params::metrics::latencies(&pairs, now())?;
    Err(no_metrics())
}

/// Rates of calls and of errors.
pub(crate) async fn call_rates(Query(pairs): Pairs) -> Answer {
    params::metrics::rates(&pairs, now())?;
    Err(no_metrics())
}

/// The least step of metrics.
pub(crate) async fn min_step() -> Failed {
    no_metrics()
}

/// There is no store of metrics yet.
fn no_metrics() -> Failed {
    Failed::new(StatusCode::NOT_IMPLEMENTED, "metrics querying is currently disabled")
}

pub(crate) async fn wrong_method(method: Method, OriginalUri(uri): OriginalUri) -> Failed {
    Failed::new(StatusCode::METHOD_NOT_ALLOWED, format!("{} does not take {method}", uri.path()))
}

/// Any path without a route: an error that programs can read below `/api`, else the page.
pub(crate) async fn unknown(State(app): State<App>, method: Method, OriginalUri(uri): OriginalUri) -> Response {
    let path = uri.path();
    let within = path.strip_prefix(&*app.base).unwrap_or(path);
    if within == "/api" || within.starts_with("/api/") {
        return Failed::new(StatusCode::NOT_FOUND, format!("there is no {path}")).into_response();
    }
    if !matches!(method, Method::GET | Method::HEAD) {
        let failed = Failed::new(StatusCode::METHOD_NOT_ALLOWED, format!("{path} does not take {method}"));
        return ([(ALLOW, "GET,HEAD")], failed).into_response();
    }
    app.ui.log(&uri);
    if within.starts_with("/static/") {
        return (StatusCode::NOT_FOUND, format!("there is no {path}\n")).into_response();
    }
    if within.is_empty() && !app.base.is_empty() {
        // Links of the page are relative, and so is what its script makes of the address.
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        return Redirect::permanent(&format!("{path}/{query}")).into_response();
    }
    answer::page(app.ui.page())
}

/// Microseconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros() as u64)
}

fn segment(path: Segment) -> Result<String, Failed> {
    path.map(|Path(s)| s).map_err(|e| Failed::new(StatusCode::BAD_REQUEST, e.body_text()))
}
