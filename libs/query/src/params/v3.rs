//! The parameters of version 3 of Jaeger's HTTP API as of 2.20, with its defaults and the texts of its errors. Names are in camel
//! case; the older ones in snake case go too, and the camel-case one counts when both are there.

use super::{NO_SHORTER, Pairs, ParamError, TraceParams, longest, shortest, tags_object};
use crate::go;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, Engine, GeneralPurpose, GeneralPurposeConfig};
use skua_model::TraceId;
use skua_store::TraceQuery;

/// Traces that a search returns when it names no number.
pub const DEFAULT_SEARCH_DEPTH: i32 = 100;

/// `GET /api/v3/traces` and `/api/v3/trace-summaries`.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchParams {
    /// Of any service, where the store can search for that, unless one is named.
    pub query: TraceQuery,
    /// Leave the traces as they were stored.
    pub raw: bool,
}

/// A value and the name that it was given by.
fn either<'a>(pairs: Pairs<'a>, camel: &'static str, snake: &'static str) -> (&'a str, &'static str) {
    match pairs.first(camel) {
        "" => (pairs.first(snake), snake),
        value => (value, camel),
    }
}

fn malformed(name: &str) -> impl Fn(String) -> ParamError {
    move |e| ParamError(format!("malformed parameter {name}: {e}"))
}

/// `None` when the parameter is absent or empty.
fn parse<T>((value, name): (&str, &str), parse: impl FnOnce(&str) -> Result<T, String>) -> Result<Option<T>, ParamError> {
    if value.is_empty() { Ok(None) } else { parse(value).map(Some).map_err(malformed(name)) }
}

/// Nanoseconds since 1970. Clients forget to encode the plus of a zone (Grafana does), which then comes as a space.
fn time(text: &str) -> Result<i128, String> {
    match text.rsplit_once(' ') {
        Some((before, zone)) if zone.len() == 5 => go::parse_time(&format!("{before}+{zone}")).or_else(|_| go::parse_time(text)),
        _ => go::parse_time(text),
    }
}

/// What lies before 1970 is 1970.
fn micros(ns: i128) -> u64 {
    u64::try_from(ns.div_euclid(1000).max(0)).unwrap_or(u64::MAX)
}

/// Reads the parameters of one trace; `id` is from the path, in hex of 1 to 32 digits, or 8 or 16 bytes in base64.
///
/// # Errors
/// With Jaeger's text for the first wrong parameter in the order `trace_id`, `startTime`, `endTime`, `rawTraces`.
pub fn trace(id: &str, pairs: &[(String, String)]) -> Result<TraceParams, ParamError> {
    let pairs = Pairs(pairs);
    let id = trace_id(id).map_err(malformed("trace_id"))?;
    let start = parse(either(pairs, "startTime", "start_time"), time)?.map(micros);
    let end = parse(either(pairs, "endTime", "end_time"), time)?.map(micros);
    let raw = parse(either(pairs, "rawTraces", "raw_traces"), go::parse_bool)?.unwrap_or(false);
    Ok(TraceParams { id, start, end, raw })
}

fn trace_id(text: &str) -> Result<TraceId, String> {
    let of_hex = text.parse::<TraceId>();
    match of_hex {
        Ok(id) => return Ok(id),
        Err(e) if text.len() > 24 => return Err(e.to_string()),
        Err(_) => {}
    }
    let decode = |alphabet: &Alphabet| {
        let config = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
        let config = config.with_decode_padding_mode(DecodePaddingMode::Indifferent);
        GeneralPurpose::new(alphabet, config).decode(text).ok()
    };
    let Some(bytes) = decode(&STANDARD).or_else(|| decode(&URL_SAFE)) else {
        return of_hex.map_err(|e| e.to_string());
    };
    match bytes.len() {
        16 => Ok(TraceId(bytes.try_into().unwrap_or_default())),
        8 => {
            let mut id = [0; 16];
            id[8..].copy_from_slice(&bytes);
            Ok(TraceId(id))
        }
        _ => Err("invalid length for TraceID".to_owned()),
    }
}

/// Reads the parameters of a search.
///
/// # Errors
/// With Jaeger's text for the first wrong parameter in the order `query.attributes`, `query.startTimeMin`, `query.startTimeMax`,
/// `query.searchDepth`, `query.durationMin`, `query.durationMax`, `query.rawTraces`; both times are required.
pub fn search(pairs: &[(String, String)]) -> Result<SearchParams, ParamError> {
    let pairs = Pairs(pairs);
    let service = either(pairs, "query.serviceName", "query.service_name").0.to_owned();
    let operation = either(pairs, "query.operationName", "query.operation_name").0.to_owned();
    let attributes = "query.attributes";
    let mut tags = parse((pairs.first(attributes), attributes), tags_object)?.unwrap_or_default();
    tags.sort();

    let min = either(pairs, "query.startTimeMin", "query.start_time_min");
    let max = either(pairs, "query.startTimeMax", "query.start_time_max");
    let required = || ParamError("query.startTimeMin and query.startTimeMax are required".to_owned());
    if min.0.is_empty() || max.0.is_empty() {
        return Err(required());
    }
    let (start, end) = (parse(min, time)?.ok_or_else(required)?, parse(max, time)?.ok_or_else(required)?);
    if start >= end {
        return Err(ParamError("query.startTimeMin must be before query.startTimeMax".to_owned()));
    }
    let depth = match either(pairs, "query.searchDepth", "query.search_depth") {
        ("", _) => (pairs.first("query.num_traces"), "query.num_traces"),
        depth => depth,
    };
    let depth = parse(depth, go::atoi)?.map(|n| n.clamp(i32::MIN.into(), i32::MAX.into()) as i32);
    let duration_min = parse(either(pairs, "query.durationMin", "query.duration_min"), go::parse_duration)?.unwrap_or(0);
    let most = either(pairs, "query.durationMax", "query.duration_max");
    let duration_max = parse(most, go::parse_duration)?.unwrap_or(0);
    if duration_max < 0 {
        return Err(malformed(most.1)(NO_SHORTER.to_owned()));
    }
    let raw = parse(either(pairs, "query.rawTraces", "query.raw_traces"), go::parse_bool)?.unwrap_or(false);
    let query = TraceQuery {
        service,
        operation,
        tags,
        start_min: micros(start),
        start_max: micros(end),
        duration_min: shortest(duration_min),
        duration_max: longest(duration_max),
        limit: depth.unwrap_or(DEFAULT_SEARCH_DEPTH),
    };
    Ok(SearchParams { query, raw })
}

/// Reads the parameters of `GET /api/v3/operations`: the service and the kind, both or either of them empty.
pub fn operations(pairs: &[(String, String)]) -> (String, String) {
    let pairs = Pairs(pairs);
    (pairs.first("service").to_owned(), either(pairs, "spanKind", "span_kind").0.to_owned())
}

#[cfg(test)]
mod tests;
