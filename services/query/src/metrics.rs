//! `/api/metrics/…`: RED metrics over time. Wrong parameters are told of before there is nothing to ask, as in Jaeger.

use crate::answer::{self, Failed, answer};
use crate::handlers::{Answer, App, Pairs, now};
use axum::extract::{Query, State};
use http::StatusCode;
use skua_model::json::put_int;
use skua_query::json::metrics::{pretty_family, put_family};
use skua_query::{Metric, params};
use skua_store::span_metrics::MetricsQuery;

pub(crate) async fn latencies(State(app): State<App>, Query(pairs): Pairs) -> Answer {
    let (quantile, query) = params::metrics::latencies(&pairs, now())?;
    family(&app, &pairs, Metric::Latencies(quantile), &query).await
}

pub(crate) async fn call_rates(State(app): State<App>, Query(pairs): Pairs) -> Answer {
    let query = params::metrics::rates(&pairs, now())?;
    family(&app, &pairs, Metric::Calls, &query).await
}

pub(crate) async fn error_rates(State(app): State<App>, Query(pairs): Pairs) -> Answer {
    let query = params::metrics::rates(&pairs, now())?;
    family(&app, &pairs, Metric::Errors, &query).await
}

/// The least step of metrics, in milliseconds.
pub(crate) async fn min_step(State(app): State<App>, Query(pairs): Pairs) -> Answer {
    let step = app.query.min_step().await?.ok_or_else(disabled)?;
    Ok(answer(params::pretty_print(&pairs), |out| put_int(out, step), 0, &[]))
}

async fn family(app: &App, pairs: &[(String, String)], metric: Metric, query: &MetricsQuery) -> Answer {
    let answer = app.query.metric(metric, query).await?.ok_or_else(disabled)?;
    let family = &answer.family;
    let body = if params::pretty_print(pairs) {
        pretty_family(family)
    } else {
        let mut compact = Vec::new();
        put_family(&mut compact, family);
        compact
    };
    Ok(answer::json(body.into()))
}

/// There is no store of metrics.
fn disabled() -> Failed {
    Failed::new(StatusCode::NOT_IMPLEMENTED, "metrics querying is currently disabled")
}
