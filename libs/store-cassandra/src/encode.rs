//! Writes the values of a row of `traces` from a borrowed view: exactly what Jaeger writes, but for `span_hash`.

use crate::cql::{put, put_i32, put_i64, put_list, put_null, put_unset, put_with};
use skua_model::json::put_nested;
use skua_model::{AnyValue, ProcessView, SpanView, for_each_reference, for_each_tag};
use twox_hash::XxHash3_128;

/// Jaeger keeps warnings as string tags of this key and a number from 1 on.
pub(crate) const WARNING: &str = "$$span.warning.";

/// A `process` as a cell. The same for all spans of a resource: write it once.
pub(crate) fn put_process(out: &mut Vec<u8>, p: &ProcessView<'_>) {
    put_with(out, |out| {
        put(out, p.service);
        put_list(out, |out| {
            p.attributes().iter().for_each(|kv| put_tag(out, kv.key, kv.value));
            p.attributes().len() as i32
        });
    });
}

/// The values of a row, in the order of `INSERT`; `process` is what [`put_process`] wrote. Returns the `span_hash`.
///
/// Jaeger's hash is one of Go's own encoding of the span, and nobody compares it: it keeps apart the spans of one id. Ours is one
/// of the row's other values, so that a span that is written again replaces itself.
pub(crate) fn put_span(out: &mut Vec<u8>, s: &SpanView<'_>, process: &[u8]) -> i64 {
    put(out, &s.trace_id);
    put_i64(out, i64::from_be_bytes(s.span_id));
    let hash_at = out.len();
    put_i64(out, 0);
    let content = out.len();
    put_i64(out, 0); // parent_id: parents are in refs
    put(out, s.name);
    put_i32(out, s.jaeger_flags.unwrap_or(0) as i32);
    put_i64(out, start(s) as i64);
    put_i64(out, (s.duration() / 1000) as i64);
    put_some(out, |out| {
        let mut count = 0;
        for_each_tag(s, |key, value| {
            put_tag(out, key, value);
            count += 1;
        });
        for (i, warning) in s.warnings().enumerate() {
            put_tag(out, format!("{WARNING}{}", i + 1).as_bytes(), AnyValue::String(warning));
            count += 1;
        }
        count
    });
    put_some(out, |out| {
        let mut count = 0;
        for event in s.events() {
            put_with(out, |out| {
                put_i64(out, (event.time / 1000) as i64);
                put_list(out, |out| {
                    let mut fields = 0;
                    event.for_each_field(|key, value| {
                        put_tag(out, key, value);
                        fields += 1;
                    });
                    fields
                });
            });
            count += 1;
        }
        count
    });
    put_some(out, |out| {
        let mut count = 0;
        for_each_reference(s, |trace_id, span_id, follows| {
            put_with(out, |out| {
                put(out, if follows { b"follows-from" } else { b"child-of" });
                put(out, trace_id);
                put_i64(out, i64::from_be_bytes(*span_id));
            });
            count += 1;
        });
        count
    });
    let seed = XxHash3_128::oneshot(process) as u64;
    out.extend_from_slice(process);
    let hash = XxHash3_128::oneshot_with_seed(seed, &out[content..out.len() - process.len()]) as i64;
    out[hash_at + 4..hash_at + 12].copy_from_slice(&hash.to_be_bytes());
    hash
}

/// When a span begins, in microseconds since 1970.
pub(crate) fn start(s: &SpanView<'_>) -> u64 {
    s.start / 1000
}

/// A list, or nothing where it has no items.
fn put_some(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> i32) {
    let at = out.len();
    put_list(out, write);
    if out.len() == at + 8 {
        out.truncate(at);
        put_unset(out);
    }
}

/// A `keyvalue` as a cell: the fields that are not its type's have zero values, as Go writes them.
fn put_tag(out: &mut Vec<u8>, key: &[u8], value: AnyValue<'_>) {
    let (kind, string, flag, long, double): (&[u8], &[u8], bool, i64, f64) = match value {
        AnyValue::String(s) => (b"string", s, false, 0, 0.0),
        AnyValue::Bool(v) => (b"bool", b"", v, 0, 0.0),
        AnyValue::Int(v) => (b"int64", b"", false, v, 0.0),
        AnyValue::Double(v) => (b"float64", b"", false, 0, v),
        AnyValue::Bytes(_) => (b"binary", b"", false, 0, 0.0),
        AnyValue::Empty | AnyValue::Array(_) | AnyValue::Map(_) => (b"string", b"", false, 0, 0.0),
    };
    put_with(out, |out| {
        put(out, key);
        put(out, kind);
        match value {
            AnyValue::Array(_) | AnyValue::Map(_) => put_with(out, |out| put_nested(out, value)),
            _ => put(out, string),
        }
        put(out, &[u8::from(flag)]);
        put_i64(out, long);
        put(out, &double.to_be_bytes());
        match value {
            AnyValue::Bytes(b) if !b.is_empty() => put(out, b),
            _ => put_null(out),
        }
    });
}
