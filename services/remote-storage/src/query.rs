//! Questions of clients in the terms of a store.

use prost_types::{Duration, Timestamp};
use skua_model::TraceId;
use skua_proto::jaeger::storage::{v1, v2};
use skua_store::TraceQuery;
use std::time::{SystemTime, UNIX_EPOCH};
use tonic::Status;

/// 16 bytes, or the lower 8.
pub(crate) fn trace_id(bytes: &[u8]) -> Result<TraceId, Status> {
    let mut id = [0; 16];
    match bytes.len() {
        16 => id.copy_from_slice(bytes),
        8 => id[8..].copy_from_slice(bytes),
        length => return Err(Status::invalid_argument(format!("a trace id has 16 bytes, not {length}"))),
    }
    Ok(TraceId(id))
}

/// Of version 1.
pub(crate) fn of_v1(query: Option<v1::TraceQueryParameters>) -> Result<TraceQuery, Status> {
    let query = query.ok_or_else(missing)?;
    Ok(TraceQuery {
        service: query.service_name,
        operation: query.operation_name,
        tags: query.tags.into_iter().collect(),
        start_min: query.start_time_min.map_or(0, |t| since_1970(&t)),
        start_max: latest(query.start_time_max),
        duration_min: microseconds(query.duration_min),
        duration_max: microseconds(query.duration_max),
        limit: query.num_traces,
    })
}

/// Of version 2.
pub(crate) fn of_v2(query: Option<v2::TraceQueryParameters>) -> Result<TraceQuery, Status> {
    let query = query.ok_or_else(missing)?;
    let tag = |attribute: v2::KeyValue| {
        let value = text(&attribute.key, attribute.value.and_then(|v| v.value))?;
        Ok((attribute.key, value))
    };
    Ok(TraceQuery {
        service: query.service_name,
        operation: query.operation_name,
        tags: query.attributes.into_iter().map(tag).collect::<Result<_, Status>>()?,
        start_min: query.start_time_min.map_or(0, |t| since_1970(&t)),
        start_max: latest(query.start_time_max),
        duration_min: microseconds(query.duration_min),
        duration_max: microseconds(query.duration_max),
        limit: query.search_depth,
    })
}

fn missing() -> Status {
    Status::invalid_argument("missing query")
}

/// The text that a tag of this value is searched by.
fn text(key: &str, value: Option<v2::any_value::Value>) -> Result<String, Status> {
    use skua_model::Value;
    use v2::any_value::Value as Any;
    let value = match value {
        None => return Ok(String::new()),
        Some(Any::StringValue(s)) => return Ok(s),
        Some(Any::BoolValue(b)) => Value::Bool(b),
        Some(Any::IntValue(v)) => Value::Int64(v),
        Some(Any::DoubleValue(v)) => Value::Float64(v),
        Some(Any::BytesValue(b)) => Value::Binary(b),
        Some(Any::ArrayValue(_) | Any::KvlistValue(_)) => {
            return Err(Status::invalid_argument(format!("a search for lists and maps is not possible (attribute {key:?})")));
        }
    };
    Ok(value.as_text().into_owned())
}

/// Microseconds since 1970, at least 0.
pub(crate) fn since_1970(t: &Timestamp) -> u64 {
    u64::try_from(t.seconds).map_or(0, |s| s.saturating_mul(1_000_000) + u64::from(t.nanos.max(0).unsigned_abs()) / 1000)
}

/// As a client says it, else now. Go's zero time is before 1970.
pub(crate) fn latest(t: Option<Timestamp>) -> u64 {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(u64::MAX, |d| d.as_micros() as u64);
    t.filter(|t| t.seconds >= 0).map_or_else(now, |t| since_1970(&t))
}

/// 0 when absent or negative.
fn microseconds(d: Option<Duration>) -> u64 {
    let of = |d: Duration| since_1970(&Timestamp { seconds: d.seconds, nanos: d.nanos });
    d.map_or(0, of)
}
