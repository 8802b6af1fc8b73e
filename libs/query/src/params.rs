//! The parameters of Jaeger's HTTP API: its defaults, the order in which it reads them (the first wrong one is told of) and the
//! texts of its errors. Of a parameter given several times the first counts, except where a list is meant.

pub mod graph;
pub mod metrics;
pub mod v3;

use crate::go;
use skua_model::TraceId;
use skua_store::TraceQuery;
use std::collections::BTreeMap;
use std::time::Duration;

/// How far back a search goes when it names no start.
pub const LOOKBACK: Duration = Duration::from_secs(48 * 3600);

/// Traces that a search returns when it names no limit.
pub const DEFAULT_LIMIT: i32 = 100;

/// How far back dependencies are added up when nothing else is asked for.
pub const DEPENDENCIES_LOOKBACK: Duration = Duration::from_secs(24 * 3600);

/// A parameter that cannot be used; the text is for the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParamError(String);

/// `GET /api/traces`.
#[derive(Debug, Clone, PartialEq)]
pub struct TracesParams {
    /// What to search for, unless ids are given.
    pub query: TraceQuery,
    /// Traces to look up instead of searching; often empty.
    pub trace_ids: Vec<TraceId>,
    /// Leave the traces as they were stored.
    pub raw: bool,
}

/// `GET /api/traces/{traceID}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParams {
    /// The trace.
    pub id: TraceId,
    /// Microseconds since 1970: no span starts before; a hint for stores that keep an index for each day.
    pub start: Option<u64>,
    /// Microseconds since 1970: no span starts after.
    pub end: Option<u64>,
    /// Leave the trace as it was stored.
    pub raw: bool,
}

/// `GET /api/dependencies`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DependenciesParams {
    /// Microseconds since 1970, inclusive.
    pub start: u64,
    /// Microseconds since 1970, exclusive.
    pub end: u64,
    /// Only links from or to it; empty means all.
    pub service: String,
}

/// Decoded pairs of a query string.
#[derive(Debug, Clone, Copy)]
struct Pairs<'a>(&'a [(String, String)]);

impl<'a> Pairs<'a> {
    fn all(self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    fn first(self, name: &str) -> &'a str {
        self.all(name).next().unwrap_or_default()
    }

    /// `None` when the parameter is absent or empty.
    fn parse<T>(self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<Option<T>, ParamError> {
        match self.first(name) {
            "" => Ok(None),
            text => parse(text).map(Some).map_err(|e| ParamError(format!("unable to parse param '{name}': {e}"))),
        }
    }

    /// Microseconds since 1970; what lies before is 1970.
    fn time(self, name: &str) -> Result<Option<u64>, ParamError> {
        let time = self.parse(name, go::parse_int::<i64>)?;
        Ok(time.map(|t| u64::try_from(t).unwrap_or(0)))
    }
}

/// Reads the parameters of a search; `now` is in microseconds since 1970.
///
/// # Errors
/// With Jaeger's text for the first wrong parameter in the order start, end, tag, tags, limit, minDuration, maxDuration,
/// traceID, raw; then for a missing service and for a maximum below the minimum.
pub fn traces(pairs: &[(String, String)], now: u64) -> Result<TracesParams, ParamError> {
    let pairs = Pairs(pairs);
    let start = pairs.time("start")?.unwrap_or(now.saturating_sub(LOOKBACK.as_micros() as u64));
    let end = pairs.time("end")?.unwrap_or(now);
    let tags = tags(pairs)?;
    let limit = match pairs.first("limit") {
        "" => DEFAULT_LIMIT,
        text => go::parse_int(text).map_err(ParamError)?,
    };
    let duration_min = pairs.parse("minDuration", go::parse_duration)?.unwrap_or(0);
    let duration_max = pairs.parse("maxDuration", go::parse_duration)?.unwrap_or(0);
    let ids = pairs.all("traceID").map(str::parse).collect::<Result<Vec<TraceId>, _>>();
    let trace_ids = ids.map_err(|e| ParamError(format!("cannot parse traceID param: {e}")))?;
    let raw = pairs.parse("raw", go::parse_bool)?.unwrap_or(false);
    let service = pairs.first("service").to_owned();

    if trace_ids.is_empty() {
        required_service(&service)?;
    }
    if duration_min != 0 && duration_max != 0 && duration_max < duration_min {
        return Err(ParamError("'maxDuration' should be greater than 'minDuration'".to_owned()));
    }
    if duration_max < 0 {
        return Err(ParamError(format!("unable to parse param 'maxDuration': {NO_SHORTER}")));
    }
    let query = TraceQuery {
        service,
        operation: pairs.first("operation").to_owned(),
        tags,
        start_min: start,
        start_max: end,
        duration_min: shortest(duration_min),
        duration_max: longest(duration_max),
        limit,
    };
    Ok(TracesParams { query, trace_ids, raw })
}

const NO_SHORTER: &str = "no span is shorter than 0s";

/// Nanoseconds in microseconds; no span is shorter than 0.
fn shortest(ns: i64) -> u64 {
    u64::try_from(ns).unwrap_or(0) / 1000
}

/// Nanoseconds in microseconds; under a microsecond is not "no bound".
fn longest(ns: i64) -> u64 {
    if ns <= 0 { 0 } else { (ns as u64 / 1000).max(1) }
}

/// Reads the parameters of one trace; `id` is from the path.
///
/// # Errors
/// With Jaeger's text for the first wrong parameter in the order id, start, end, raw.
pub fn trace(id: &str, pairs: &[(String, String)]) -> Result<TraceParams, ParamError> {
    let pairs = Pairs(pairs);
    let id = id.parse().map_err(|e: skua_model::IdError| ParamError(e.to_string()))?;
    let (start, end) = (pairs.time("start")?, pairs.time("end")?);
    Ok(TraceParams { id, start, end, raw: pairs.parse("raw", go::parse_bool)?.unwrap_or(false) })
}

/// Reads the parameters of `GET /api/dependencies`: `endTs` and `lookback`, in milliseconds, and `service`; `now` is in
/// microseconds since 1970.
///
/// # Errors
/// With Jaeger's text for the first wrong parameter in the order endTs, lookback.
pub fn dependencies(pairs: &[(String, String)], now: u64) -> Result<DependenciesParams, ParamError> {
    let pairs = Pairs(pairs);
    let end = pairs.parse("endTs", go::parse_int::<i64>)?.map_or(now as i64, |ms| ms.saturating_mul(1000));
    let lookback = pairs.parse("lookback", go::parse_int::<i64>)?;
    let lookback = lookback.map_or(DEPENDENCIES_LOOKBACK.as_micros() as i64, |ms| ms.saturating_mul(1000));
    let since_1970 = |us: i64| u64::try_from(us).unwrap_or(0);
    let start = since_1970(end.saturating_sub(lookback));
    Ok(DependenciesParams { start, end: since_1970(end), service: pairs.first("service").to_owned() })
}

/// Reads the parameters of `GET /api/operations`: the service, and the kind or nothing.
///
/// # Errors
/// Without a service.
pub fn operations(pairs: &[(String, String)]) -> Result<(String, String), ParamError> {
    let pairs = Pairs(pairs);
    let service = pairs.first("service").to_owned();
    required_service(&service)?;
    Ok((service, pairs.first("spanKind").to_owned()))
}

/// Whether to indent the answer: any value of `prettyPrint` but the empty one and `false`.
pub fn pretty_print(pairs: &[(String, String)]) -> bool {
    !matches!(Pairs(pairs).first("prettyPrint"), "" | "false")
}

fn required_service(service: &str) -> Result<(), ParamError> {
    if service.is_empty() { Err(ParamError("parameter 'service' is required".to_owned())) } else { Ok(()) }
}

/// `tag=key:value`, then `tags={"key":"value"}`; of equal keys the last counts.
fn tags(pairs: Pairs<'_>) -> Result<Vec<(String, String)>, ParamError> {
    let mut all = BTreeMap::new();
    for tag in pairs.all("tag") {
        let malformed = || ParamError(format!("malformed 'tag' parameter, expecting key:value, received: {tag}"));
        let (key, value) = tag.split_once(':').ok_or_else(malformed)?;
        all.insert(key.to_owned(), value.to_owned());
    }
    for tags in pairs.all("tags") {
        let malformed = |e| ParamError(format!("malformed 'tags' parameter, cannot unmarshal JSON: {e}"));
        all.extend(tags_object(tags).map_err(malformed)?);
    }
    Ok(all.into_iter().collect())
}

/// An object of strings. The texts of errors are Go's where one is likely to meet them, else serde's.
fn tags_object(text: &str) -> Result<Vec<(String, String)>, String> {
    use serde_json::Value;
    let value: Value = serde_json::from_str(text).map_err(|e| syntax_error(text, &e))?;
    let wrong = |v: &Value, wanted: &str| {
        let is = match v {
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
            Value::String(_) | Value::Null => "string",
        };
        format!("json: cannot unmarshal {is} into Go value of type {wanted}")
    };
    let tag = |(key, value)| match value {
        Value::String(s) => Ok((key, s)),
        Value::Null => Ok((key, String::new())),
        other => Err(wrong(&other, "string")),
    };
    match value {
        Value::Object(entries) => entries.into_iter().map(tag).collect(),
        Value::Null => Ok(Vec::new()),
        other => Err(wrong(&other, "map[string]string")),
    }
}

/// What Go's `encoding/json` says of text that is not JSON.
fn syntax_error(text: &str, e: &serde_json::Error) -> String {
    if e.is_eof() {
        return "unexpected end of JSON input".to_owned();
    }
    let message = e.to_string();
    let wanted = [
        ("expected value", "looking for beginning of value"),
        ("key must be a string", "looking for beginning of object key string"),
        ("expected `:`", "after object key"),
        ("expected `,` or `}`", "after object key:value pair"),
        ("trailing characters", "after top-level value"),
    ];
    let found = text.get(e.column().saturating_sub(1)..).and_then(|rest| rest.chars().next()).filter(|_| e.line() == 1);
    match (wanted.iter().find(|(serde, _)| message.starts_with(serde)), found) {
        (Some((_, go)), Some('\'')) => format!("invalid character '\\'' {go}"),
        (Some((_, go)), Some('"')) => format!("invalid character '\"' {go}"),
        (Some((_, go)), Some(c)) => format!("invalid character '{}' {go}", go::quote(&c.to_string()).trim_matches('"')),
        _ => message,
    }
}

#[cfg(test)]
mod tests;
