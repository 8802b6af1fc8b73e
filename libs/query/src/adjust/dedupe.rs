//! Spans that were stored twice.

use skua_model::{Process, Span, Tag, Trace, Value};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::sync::Arc;

/// Keeps the first of spans with equal content, their tags being sorted.
pub fn dedupe(trace: &mut Trace) {
    // Two keyed 64-bit hashes stand for the content: nobody can make two spans look the same.
    let keys = [RandomState::new(), RandomState::new()];
    let mut processes: HashMap<*const Process, [u64; 2]> = HashMap::new();
    let mut seen = HashSet::with_capacity(trace.spans.len());
    trace.spans.retain(|span| {
        let process = *processes.entry(Arc::as_ptr(&span.process)).or_insert_with(|| {
            keys.each_ref().map(|k| {
                digest(k, |h| {
                    span.process.service_name.hash(h);
                    put_tags(h, &span.process.tags);
                })
            })
        });
        seen.insert([0, 1].map(|i| {
            digest(&keys[i], |h| {
                process[i].hash(h);
                put_span(h, span);
            })
        }))
    });
}

/// Of a process's content: equal ones have the same.
pub(crate) fn hash_process(process: &Process) -> u64 {
    let mut hasher = DefaultHasher::new();
    process.service_name.hash(&mut hasher);
    put_tags(&mut hasher, &process.tags);
    hasher.finish()
}

fn digest(key: &RandomState, put: impl FnOnce(&mut DefaultHasher)) -> u64 {
    let mut hasher = key.build_hasher();
    put(&mut hasher);
    hasher.finish()
}

fn put_span(h: &mut DefaultHasher, s: &Span) {
    (s.trace_id, s.span_id, &s.operation_name, s.flags, s.start_time, s.duration, &s.warnings).hash(h);
    s.references.len().hash(h);
    s.references.iter().for_each(|r| (r.kind.as_str(), r.trace_id, r.span_id).hash(h));
    put_tags(h, &s.tags);
    s.logs.len().hash(h);
    for log in &s.logs {
        log.timestamp.hash(h);
        put_tags(h, &log.fields);
    }
}

fn put_tags(h: &mut DefaultHasher, tags: &[Tag]) {
    tags.len().hash(h);
    for tag in tags {
        (&tag.key, tag.value.type_name()).hash(h);
        match &tag.value {
            Value::String(v) => v.hash(h),
            Value::Bool(v) => v.hash(h),
            Value::Int64(v) => v.hash(h),
            Value::Float64(v) => v.to_bits().hash(h),
            Value::Binary(v) => v.hash(h),
        }
    }
}
