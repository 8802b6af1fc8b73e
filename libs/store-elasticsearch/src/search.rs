//! The bodies of searches.

use crate::document::TagRules;
use serde_json::{Map, Value, json};
use skua_model::TraceId;
use skua_store::TraceQuery;

/// The aggregation that every list comes from.
pub(crate) const LIST: &str = "list";
/// Jaeger's limit of traces when none is given.
const DEFAULT_LIMIT: i32 = 100;

/// Names of all services.
pub(crate) fn services(size: u64) -> Value {
    json!({"size": 0, "aggs": {LIST: {"terms": {"field": "serviceName", "size": size}}}})
}

/// Operations of a service.
pub(crate) fn operations(service: &str, size: u64) -> Value {
    json!({
        "size": 0,
        "query": {"term": {"serviceName": service}},
        "aggs": {LIST: {"terms": {"field": "operationName", "size": size}}},
    })
}

/// The ids of the traces with the latest matching spans. The order is exact over all shards: a trace that a shard leaves out
/// has as many later ones before it.
pub(crate) fn find(q: &TraceQuery, rules: &TagRules) -> Value {
    let limit = if q.limit > 0 { q.limit } else { DEFAULT_LIMIT };
    json!({
        "size": 0,
        "query": {"bool": {"filter": conditions(q, rules)}},
        "aggs": {LIST: {
            "terms": {"field": "traceID", "size": limit, "order": [{"startTime": "desc"}]},
            "aggs": {"startTime": {"max": {"field": "startTime"}}},
        }},
    })
}

fn conditions(q: &TraceQuery, rules: &TagRules) -> Vec<Value> {
    // The date lets the server pass over shards; the number, which Jaeger does not ask for, is exact to the microsecond.
    let mut all = vec![
        json!({"range": {"startTimeMillis": {"gte": q.start_min / 1000, "lte": q.start_max / 1000}}}),
        json!({"range": {"startTime": {"gte": q.start_min, "lte": q.start_max}}}),
    ];
    if q.duration_min > 0 || q.duration_max > 0 {
        // Jaeger leaves out spans over 24 h when there is a minimum alone.
        let mut bounds = Map::new();
        bounds.insert("gte".to_owned(), json!(q.duration_min));
        if q.duration_max > 0 {
            bounds.insert("lte".to_owned(), json!(q.duration_max));
        }
        all.push(json!({"range": {"duration": bounds}}));
    }
    if !q.service.is_empty() {
        all.push(json!({"match": {"process.serviceName": {"query": q.service}}}));
    }
    if !q.operation.is_empty() {
        all.push(json!({"match": {"operationName": {"query": q.operation}}}));
    }
    all.extend(q.tags.iter().map(|(key, value)| tag(key, value, rules)));
    all
}

/// A tag in any of the places where it can be; the value is a Lucene regular expression over the whole of it.
fn tag(key: &str, value: &str, rules: &TagRules) -> Value {
    let mut places = Vec::with_capacity(5);
    if !key.trim().is_empty() {
        places.extend(["tag", "process.tag"].map(|object| regexp(&format!("{object}.{}", rules.field(key)), value)));
    }
    places.extend(["tags", "process.tags", "logs.fields"].map(|path| {
        let mut equal = Map::new();
        equal.insert(format!("{path}.key"), json!({"query": key}));
        let both = json!([{"match": equal}, regexp(&format!("{path}.value"), value)]);
        json!({"nested": {"path": path, "query": {"bool": {"filter": both}}}})
    }));
    json!({"bool": {"should": places}})
}

fn regexp(field: &str, value: &str) -> Value {
    let mut of = Map::new();
    of.insert(field.to_owned(), json!({"value": value}));
    json!({"regexp": of})
}

/// One page of a trace's spans: the first, or the one that begins at `after`.
///
/// The order is total but for spans that share their start and their id; pages overlap by those (see `fetch`).
pub(crate) fn page(id: TraceId, around_ms: Option<(u64, u64)>, size: u64, after: Option<&[Value]>) -> Value {
    let mut filter = vec![json!({"term": {"traceID": id.to_string()}})];
    if let Some((from, to)) = around_ms {
        filter.push(json!({"range": {"startTimeMillis": {"gte": from, "lte": to}}}));
    }
    let mut body = json!({
        "size": size,
        "query": {"bool": {"filter": filter}},
        "sort": [
            {"startTime": {"order": "asc", "unmapped_type": "long"}},
            {"spanID": {"order": "asc", "unmapped_type": "keyword"}},
        ],
        "track_total_hits": false,
    });
    if let (Some(after), Some(body)) = (after, body.as_object_mut()) {
        body.insert("search_after".to_owned(), json!(after));
    }
    body
}

/// All spans of some traces, in no order; `size` at most.
pub(crate) fn together(ids: &[TraceId], around_ms: Option<(u64, u64)>, size: u64) -> Value {
    let ids: Vec<String> = ids.iter().map(TraceId::to_string).collect();
    let mut filter = vec![json!({"terms": {"traceID": ids}})];
    if let Some((from, to)) = around_ms {
        filter.push(json!({"range": {"startTimeMillis": {"gte": from, "lte": to}}}));
    }
    json!({"size": size, "query": {"bool": {"filter": filter}}, "sort": ["_doc"], "track_total_hits": false})
}
