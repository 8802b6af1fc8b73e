//! One function a route.

use crate::answer::{self, Failed, answer};
use crate::forms::Form;
use crate::ui::Ui;
use crate::v3;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{OriginalUri, Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::ALLOW;
use http::{HeaderMap, Method, StatusCode};
use skua_query::json::{self, ErrorItem};
use skua_query::{QueryService, Wanted, params};
use skua_receive::http::{Bounds, Budget, DEFAULT_MAX_BODY};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// What handlers share.
#[derive(Clone)]
pub(crate) struct App {
    pub query: QueryService,
    base: Arc<str>,
    bodies: Bounds,
    ui: Arc<Ui>,
}

impl App {
    pub fn new(query: QueryService, base: &str, ui: Arc<Ui>) -> Self {
        let flag = "the default of --collector.otlp.http.max-request-body-size";
        Self { query, base: base.into(), bodies: Bounds { max: DEFAULT_MAX_BODY, flag, budget: Budget::default() }, ui }
    }

    /// A path without the base path.
    fn within<'a>(&self, path: &'a str) -> &'a str {
        path.strip_prefix(&*self.base).unwrap_or(path)
    }

    /// An error in the form of the API that the path is of.
    fn failed(&self, path: &str, failed: Failed) -> Response {
        if self.within(path).starts_with("/api/v3/") { v3::Failed::from(failed).into_response() } else { failed.into_response() }
    }
}

/// A decoded query string, in order.
pub(crate) type Pairs = Query<Vec<(String, String)>>;

/// A segment of the path, decoded; an error when it is not UTF-8.
pub(crate) type Segment = Result<Path<String>, PathRejection>;

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

/// OTLP JSON in, Jaeger's JSON out; spans that cannot be read are told of in `errors`.
pub(crate) async fn transform(State(app): State<App>, Query(pairs): Pairs, headers: HeaderMap, body: Body) -> Answer {
    let body = app.bodies.read(&headers, body).await?;
    let transformed = skua_query::transform(&body)?;
    let refused = (transformed.refused.total() > 0).then(|| transformed.refused.to_string());
    let errors: Vec<ErrorItem> = refused.into_iter().map(|msg| ErrorItem { msg, ..ErrorItem::default() }).collect();
    Ok(answer(params::pretty_print(&pairs), |out| json::put_traces(out, &transformed.traces), 0, &errors))
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

pub(crate) async fn wrong_method(State(app): State<App>, method: Method, OriginalUri(uri): OriginalUri) -> Response {
    let path = uri.path();
    app.failed(path, Failed::new(StatusCode::METHOD_NOT_ALLOWED, format!("{path} does not take {method}")))
}

/// Any path without a route: an error that programs can read below `/api`, else the page.
pub(crate) async fn unknown(State(app): State<App>, method: Method, OriginalUri(uri): OriginalUri) -> Response {
    let path = uri.path();
    let within = app.within(path);
    if within == "/api" || within.starts_with("/api/") {
        return app.failed(path, Failed::new(StatusCode::NOT_FOUND, format!("there is no {path}")));
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
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros() as u64)
}

pub(crate) fn segment(path: Segment) -> Result<String, Failed> {
    path.map(|Path(s)| s).map_err(|e| Failed::new(StatusCode::BAD_REQUEST, e.body_text()))
}
