//! Owned spans, as a store returns them, as `jaeger.api_v2.Span`: the bytes that [`super::encode`] writes for the same span.

use super::encode::{put_key_value, put_text, put_time};
use super::owned::any;
use skua_model::wire::{put_bytes, put_message, put_uint};
use skua_model::{Process, RefType, Span, Tag};

/// The `process` field (10) of a span, tag and length included. The same for all spans of a process: write it once.
pub fn put_process(out: &mut Vec<u8>, process: &Process) {
    put_message(out, 10, |out| {
        put_text(out, 1, process.service_name.as_bytes());
        put_tags(out, 2, &process.tags);
    });
}

/// The span, without a length before it; `process` is what [`put_process`] wrote.
pub fn put_span(out: &mut Vec<u8>, span: &Span, process: &[u8]) {
    put_bytes(out, 1, &span.trace_id.0);
    put_bytes(out, 2, &span.span_id.0);
    put_text(out, 3, span.operation_name.as_bytes());
    for reference in &span.references {
        put_message(out, 4, |out| {
            put_bytes(out, 1, &reference.trace_id.0);
            put_bytes(out, 2, &reference.span_id.0);
            put_uint(out, 3, u64::from(reference.kind == RefType::FollowsFrom));
        });
    }
    put_uint(out, 5, u64::from(span.flags));
    put_time(out, 6, span.start_time);
    put_time(out, 7, span.duration);
    put_tags(out, 8, &span.tags);
    for log in &span.logs {
        put_message(out, 9, |out| {
            put_time(out, 1, log.timestamp);
            put_tags(out, 2, &log.fields);
        });
    }
    out.extend_from_slice(process);
    span.warnings.iter().for_each(|warning| put_bytes(out, 12, warning.as_bytes()));
}

fn put_tags(out: &mut Vec<u8>, number: u32, tags: &[Tag]) {
    tags.iter().for_each(|tag| put_key_value(out, number, tag.key.as_bytes(), any(&tag.value)));
}
