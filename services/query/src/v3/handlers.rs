//! One function a route.

use super::answer::{Failed, answer};
use crate::handlers::{App, Pairs, Segment, segment};
use axum::extract::{Query, State};
use axum::response::Response;
use skua_query::json::v3 as json;
use skua_query::params::v3 as params;

type Answer = Result<Response, Failed>;

pub(crate) async fn services(State(app): State<App>) -> Answer {
    let services = app.query.services().await?;
    Ok(answer(|out| json::put_services(out, &services)))
}

/// Without a service there are none: this is not an error, as in Jaeger.
pub(crate) async fn operations(State(app): State<App>, Query(pairs): Pairs) -> Answer {
    let (service, kind) = params::operations(&pairs);
    let operations = if service.is_empty() { Vec::new() } else { app.query.operations(&service, &kind).await? };
    Ok(answer(|out| json::put_operations(out, &operations)))
}

pub(crate) async fn trace(State(app): State<App>, id: Segment, Query(pairs): Pairs) -> Answer {
    let wanted = params::trace(&segment(id)?, &pairs)?;
    let trace = app.query.otlp_trace(wanted.id, wanted.raw).await?;
    Ok(answer(|out| json::put_traces(out, &[trace], &[])))
}

pub(crate) async fn traces(State(app): State<App>, Query(pairs): Pairs) -> Answer {
    let wanted = params::search(&pairs)?;
    let found = app.query.otlp_find(&wanted.query, wanted.raw).await?;
    if found.traces.is_empty() {
        return Err(Failed::nothing(&found.partial));
    }
    Ok(answer(|out| json::put_traces(out, &found.traces, &found.partial)))
}

/// Of adjusted traces, whatever is said of raw ones.
pub(crate) async fn summaries(State(app): State<App>, Query(pairs): Pairs) -> Answer {
    let wanted = params::search(&pairs)?;
    let found = app.query.summaries(&wanted.query).await?;
    Ok(answer(|out| json::put_summaries(out, &found.traces, &found.partial)))
}
