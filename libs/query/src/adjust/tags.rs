//! Order and form of tags.

use super::for_each_process;
use skua_model::{Tag, Trace, Value};
use std::cmp::Ordering;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Sorts tags, process tags and fields of logs by key, type and value; a log's field `event`, if it is a string, stays first.
pub fn sort_tags(trace: &mut Trace) {
    for span in &mut trace.spans {
        span.tags.sort_by(compare);
        for log in &mut span.logs {
            let event = log.fields.iter().position(|f| f.key == "event" && matches!(f.value, Value::String(_)));
            if let Some(at) = event {
                log.fields.swap(0, at);
            }
            log.fields[usize::from(event.is_some())..].sort_by(compare);
        }
    }
    for_each_process(trace, |p| p.tags.sort_by(compare));
}

/// Jaeger's order of tags: by key, then by the number of the type, then by value.
fn compare(a: &Tag, b: &Tag) -> Ordering {
    a.key.cmp(&b.key).then_with(|| match (&a.value, &b.value) {
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Int64(a), Value::Int64(b)) => a.cmp(b),
        (Value::Float64(a), Value::Float64(b)) => a.total_cmp(b),
        (Value::Binary(a), Value::Binary(b)) => a.cmp(b),
        (a, b) => number(a).cmp(&number(b)),
    })
}

fn number(v: &Value) -> u8 {
    match v {
        Value::String(_) => 0,
        Value::Bool(_) => 1,
        Value::Int64(_) => 2,
        Value::Float64(_) => 3,
        Value::Binary(_) => 4,
    }
}

/// Keys of tags that may hold an address as a number.
pub(crate) const IP: [&str; 2] = ["ip", "peer.ipv4"];

/// Numeric tags `ip` and `peer.ipv4`, of spans and processes, become text: `8.8.8.8`.
pub fn ip_tags(trace: &mut Trace) {
    for span in &mut trace.spans {
        dotted(&mut span.tags);
    }
    if trace.spans.iter().any(|s| s.process.tags.iter().any(|t| ip(t).is_some())) {
        for_each_process(trace, |p| {
            dotted(&mut p.tags);
            p.tags.sort_by(compare);
        });
    }
}

fn dotted(tags: &mut [Tag]) {
    for tag in tags {
        if let Some(ip) = ip(tag) {
            tag.value = Value::String(ip.to_string());
        }
    }
}

fn ip(tag: &Tag) -> Option<Ipv4Addr> {
    match tag.value {
        _ if !IP.contains(&tag.key.as_str()) => None,
        Value::Int64(v) => Some(Ipv4Addr::from_bits(v as u32)),
        Value::Float64(v) => Some(Ipv4Addr::from_bits(v as i64 as u32)),
        _ => None,
    }
}

/// Tags that tell of the library which made a span.
pub(crate) const LIBRARY: [&str; 5] = [
    "telemetry.sdk.language",
    "telemetry.sdk.name",
    "telemetry.sdk.version",
    "telemetry.distro.name",
    "telemetry.distro.version",
];

/// Moves tags that tell of the library (`telemetry.sdk.*`, `telemetry.distro.*`) from spans to their processes.
pub fn library_tags(trace: &mut Trace) {
    let mut last = None;
    for span in &mut trace.spans {
        let is_library = |t: &mut Tag| LIBRARY.contains(&t.key.as_str());
        let moved: Vec<Tag> = span.tags.extract_if(.., is_library).collect();
        if moved.is_empty() {
            continue;
        }
        // Neighbours mostly come from one process with one library: they go on sharing.
        if let Some((old, tags, new)) = &last
            && Arc::ptr_eq(old, &span.process)
            && *tags == moved
        {
            span.process = Arc::clone(new);
            continue;
        }
        let old = Arc::clone(&span.process);
        let process = Arc::make_mut(&mut span.process);
        process.tags.extend(moved.iter().cloned());
        process.tags.sort_by(compare);
        last = Some((old, moved, Arc::clone(&span.process)));
    }
}
