//! What a search by tags can find in a block.

use crate::columns::{Rows as _, Type};
use crate::head::Head;
use crate::sidecar::tag_hash;
use skua_model::{AnyValue, ProcessView, SpanView, Value, WARNINGS_KEY, kind_text};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Hashes of all tags, process tags and log fields of a head's spans, with values as text; repeated or not.
pub(super) fn tags(head: &Head) -> Vec<u64> {
    let mut hashes = Vec::new();
    columns(head, &mut hashes);
    for fields in head.resource.pool.iter() {
        let process = ProcessView::of(fields);
        process.attributes().iter().for_each(|kv| add(kv.key, kv.value, &mut hashes));
    }
    for fields in head.scope.pool.iter() {
        let scope = SpanView::of(b"", fields);
        add(b"otel.scope.name", AnyValue::String(scope.scope_name), &mut hashes);
        add(b"otel.scope.version", AnyValue::String(scope.scope_version), &mut hashes);
    }
    for row in 0..head.len() {
        let rest = head.rest(row);
        if rest.is_empty() {
            continue;
        }
        let view = SpanView::of(rest, b"");
        let is_warnings = |key: &[u8], value: AnyValue<'_>| key == WARNINGS_KEY && matches!(value, AnyValue::Array(_));
        let tags = view.attributes().filter(|kv| !is_warnings(kv.key, kv.value));
        tags.for_each(|kv| add(kv.key, kv.value, &mut hashes));
        view.events().for_each(|event| event.for_each_field(|key, value| add(key, value, &mut hashes)));
    }
    hashes
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn add(key: &[u8], value: AnyValue<'_>, hashes: &mut Vec<u64>) {
    let key = text(key);
    hashes.push(match value {
        AnyValue::String(value) => tag_hash(key.as_bytes(), text(value).as_bytes()),
        value => tag_hash(key.as_bytes(), Value::from_any(value).as_text().as_bytes()),
    });
}

/// Attribute columns, and tags that Jaeger derives from other columns.
fn columns(head: &Head, hashes: &mut Vec<u64>) {
    let mut digits = itoa::Buffer::new();
    for attribute in head.attribute_columns() {
        let key = &attribute.key;
        let number = |value: &[u8]| value.try_into().map(i64::from_le_bytes).unwrap_or_default();
        hashes.extend(attribute.column.pool.iter().map(|value| match attribute.ty {
            Type::String => tag_hash(key, value),
            Type::Int => tag_hash(key, digits.format(number(value)).as_bytes()),
            Type::Bool => tag_hash(key, if value == [1] { b"true" } else { b"false" }),
            Type::Double => tag_hash(key, Value::Float64(f64::from_bits(number(value) as u64)).as_text().as_bytes()),
        }));
    }
    let kinds: BTreeSet<u32> = head.kind.iter().copied().collect();
    let kinds = kinds.into_iter().filter_map(|kind| kind_text(u64::from(kind)));
    hashes.extend(kinds.map(|kind| tag_hash(b"span.kind", kind.as_bytes())));
    if head.status.contains(&1) {
        hashes.push(tag_hash(b"otel.status_code", b"OK"));
    }
    if head.status.contains(&2) {
        hashes.push(tag_hash(b"otel.status_code", b"ERROR"));
        hashes.push(tag_hash(b"error", b"true"));
    }
    hashes.extend(head.message.pool.iter().map(|value| tag_hash(b"otel.status_description", value)));
    hashes.extend(head.trace_state.pool.iter().map(|value| tag_hash(b"w3c.tracestate", value)));
}
