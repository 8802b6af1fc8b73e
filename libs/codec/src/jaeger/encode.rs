//! Writes `jaeger.api_v2.Span`, the value of Jaeger's default Kafka encoding, from a borrowed view. The bytes are those that
//! Jaeger 1.76 writes for the same span: fields in order of their numbers, defaults left out, ids and times always there.

use skua_model::wire::{put_bytes, put_message, put_uint, put_varint};
use skua_model::{AnyValue, ProcessView, SpanView, for_each_reference, for_each_tag, json};

/// The `process` field (10) of a span, tag and length included. The same for all spans of a resource: write it once.
pub fn put_process(out: &mut Vec<u8>, p: &ProcessView<'_>) {
    put_process_with(out, 10, p, &[]);
}

/// A `Process` as field `number` of another message, with more tags after its own.
pub(super) fn put_process_with(out: &mut Vec<u8>, number: u32, p: &ProcessView<'_>, extra: &[(String, String)]) {
    put_message(out, number, |out| {
        put_text(out, 1, p.service);
        for kv in p.attributes() {
            put_key_value(out, 2, kv.key, kv.value);
        }
        for (key, value) in extra {
            put_key_value(out, 2, key.as_bytes(), AnyValue::String(value.as_bytes()));
        }
    });
}

/// The span, without a length before it; `process` is what [`put_process`] wrote. Strings are copied as they are: run
/// [`skua_model::repair`] first where a reader insists on UTF-8. Times are nanoseconds since 1970.
pub fn put_span(out: &mut Vec<u8>, s: &SpanView<'_>, process: &[u8]) {
    put_before_process(out, s);
    out.extend_from_slice(process);
    put_after_process(out, s);
}

/// Fields 1 to 9.
#[inline]
pub(super) fn put_before_process(out: &mut Vec<u8>, s: &SpanView<'_>) {
    put_bytes(out, 1, &s.trace_id);
    put_bytes(out, 2, &s.span_id);
    put_text(out, 3, s.name);
    for_each_reference(s, |trace_id, span_id, follows| {
        put_message(out, 4, |out| {
            put_bytes(out, 1, trace_id);
            put_bytes(out, 2, span_id);
            put_uint(out, 3, u64::from(follows));
        });
    });
    put_uint(out, 5, u64::from(s.jaeger_flags.unwrap_or(0)));
    put_time(out, 6, s.start);
    put_time(out, 7, s.duration());
    for_each_tag(s, |key, value| put_key_value(out, 8, key, value));
    for e in s.events() {
        put_message(out, 9, |out| {
            put_time(out, 1, e.time);
            e.for_each_field(|key, value| put_key_value(out, 2, key, value));
        });
    }
}

/// Field 12.
#[inline]
pub(super) fn put_after_process(out: &mut Vec<u8>, s: &SpanView<'_>) {
    for warning in s.warnings() {
        put_bytes(out, 12, warning);
    }
}

#[inline(always)]
pub(super) fn put_text(out: &mut Vec<u8>, number: u32, s: &[u8]) {
    if !s.is_empty() {
        put_bytes(out, number, s);
    }
}

/// Timestamp and Duration have the same fields: 1 seconds, 2 nanos.
#[inline]
pub(super) fn put_time(out: &mut Vec<u8>, number: u32, ns: u64) {
    put_message(out, number, |out| {
        put_uint(out, 1, ns / 1_000_000_000);
        put_uint(out, 2, ns % 1_000_000_000);
    });
}

/// KeyValue: 1 key, 2 v_type, 3 v_str, 4 v_bool, 5 v_int64, 6 v_float64, 7 v_binary.
#[inline]
pub(super) fn put_key_value(out: &mut Vec<u8>, number: u32, key: &[u8], value: AnyValue<'_>) {
    put_message(out, number, |out| {
        put_text(out, 1, key);
        match value {
            AnyValue::Empty => {}
            AnyValue::String(s) => put_text(out, 3, s),
            AnyValue::Bool(v) => {
                put_uint(out, 2, 1);
                put_uint(out, 4, u64::from(v));
            }
            AnyValue::Int(v) => {
                put_uint(out, 2, 2);
                put_uint(out, 5, v as u64);
            }
            AnyValue::Double(v) => {
                put_uint(out, 2, 3);
                if v.to_bits() != 0 {
                    put_varint(out, 6 << 3 | 1);
                    out.extend_from_slice(&v.to_le_bytes());
                }
            }
            AnyValue::Bytes(v) => {
                put_uint(out, 2, 4);
                put_text(out, 7, v);
            }
            AnyValue::Array(_) | AnyValue::Map(_) => put_message(out, 3, |out| json::put_nested(out, value)),
        }
    });
}
