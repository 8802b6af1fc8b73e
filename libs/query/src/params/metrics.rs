//! The parameters of `/api/metrics/…`. Times and durations are in milliseconds there.

use super::{Pairs, ParamError};
use crate::go;
use skua_store::span_metrics::MetricsQuery;
use std::time::Duration;

/// How far back metrics go when nothing else is asked for.
pub const LOOKBACK: Duration = Duration::from_secs(3600);

/// Between two points of a metric when nothing else is asked for.
pub const STEP: Duration = Duration::from_secs(5);

/// What a rate is taken over when nothing else is asked for.
pub const RATE_PER: Duration = Duration::from_secs(600);

/// The kinds that `spanKind` names.
const KINDS: [&str; 6] = ["unspecified", "internal", "server", "client", "producer", "consumer"];

/// Reads the parameters of rates, of calls and of errors; `now` is in microseconds since 1970. Of the kinds of spans `server` alone
/// counts when nothing else is asked for.
///
/// # Errors
/// With Jaeger's text for the first wrong parameter in the order service, groupByOperation, spanKind, endTs, lookback, step,
/// ratePer.
pub fn rates(pairs: &[(String, String)], now: u64) -> Result<MetricsQuery, ParamError> {
    let pairs = Pairs(pairs);
    let services: Vec<String> = pairs.all("service").map(str::to_owned).collect();
    if services.is_empty() {
        return Err(ParamError("unable to parse param 'service': please provide at least one service name".to_owned()));
    }
    let group_by_operation = pairs.parse("groupByOperation", go::parse_bool)?.unwrap_or(false);
    let mut span_kinds = pairs.all("spanKind").map(kind).collect::<Result<Vec<_>, _>>()?;
    if span_kinds.is_empty() {
        span_kinds.push("server");
    }
    let end = pairs.parse("endTs", go::parse_int::<i64>)?.map_or(now, |ms| u64::try_from(ms).unwrap_or(0).saturating_mul(1000));
    let lookback = pairs.parse("lookback", go::parse_int::<i64>)?.unwrap_or(LOOKBACK.as_millis() as i64);
    let step = pairs.parse("step", go::parse_int::<i64>)?.unwrap_or(STEP.as_millis() as i64);
    let rate_per = pairs.parse("ratePer", go::parse_int::<i64>)?.unwrap_or(RATE_PER.as_millis() as i64);
    Ok(MetricsQuery { services, group_by_operation, span_kinds, end, lookback, step, rate_per })
}

/// Reads the parameters of `GET /api/metrics/latencies`: the quantile, and those of [`rates`].
///
/// # Errors
/// As [`rates`], the quantile being the first.
pub fn latencies(pairs: &[(String, String)], now: u64) -> Result<(f64, MetricsQuery), ParamError> {
    let wrong = |e| ParamError(format!("unable to parse param 'quantile': {e}"));
    let quantile = go::parse_float(Pairs(pairs).first("quantile")).map_err(wrong)?;
    Ok((quantile, rates(pairs, now)?))
}

fn kind(text: &str) -> Result<&'static str, ParamError> {
    let known = KINDS.into_iter().find(|kind| *kind == text);
    known.ok_or_else(|| ParamError(format!("unable to parse param 'spanKind': unsupported span kind: '{text}'")))
}
