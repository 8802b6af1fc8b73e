//! Tags that a collector adds to what passes through it (`--collector.tags`): to the process of a Jaeger span, to the resource
//! of an OTLP span. Spans are copied as they lie.

use crate::check::DecodeError;
use crate::header::{ResourceHeader, for_each_field, put_text_attribute};
use crate::otlp::resource;
use crate::rewrite::Rewrite;
use crate::view::{AnyValue, KeyValue, SERVICE_NAME};
use crate::{SpanBatch, Value};
use std::cmp::Ordering;

/// Adds `tags` (no two with the same key) to every resource that has spans.
///
/// - Spans that came as OTLP or Zipkin: as resource attributes, unless the key is there already.
/// - Spans that came in Jaeger's own model: appended to the process's tags, unless one with the same key and, as text, the
///   same value is there; then the tags are sorted by key, type and value (Jaeger 1.76, `addCollectorTags`).
///
/// The first span of a resource tells which it is: no request mixes them. A batch without anything to add is returned as it is.
///
/// # Errors
/// When the new batch is longer than an index can address.
pub fn tag_resources(batch: SpanBatch, tags: &[(String, String)]) -> Result<SpanBatch, DecodeError> {
    if tags.is_empty() || batch.is_empty() {
        return Ok(batch);
    }
    let (mut rewrite, mut last, mut fields) = (Rewrite::new(&batch), None, Vec::new());
    for entry in batch.spans() {
        let resource = batch.resource_of(entry);
        if last.replace(resource) == Some(resource) {
            continue;
        }
        fields.clear();
        batch.resource_pieces(resource).for_each(|piece| fields.extend_from_slice(piece));
        let mut header = ResourceHeader::read(&fields);
        let changed = if entry.is_jaeger() { tag_process(&mut header, tags) } else { tag_resource(&mut header, tags) };
        rewrite.resource(resource, |out| {
            header.put(out);
            changed
        });
    }
    Ok(rewrite.finish()?.unwrap_or(batch))
}

fn tag_resource(header: &mut ResourceHeader, tags: &[(String, String)]) -> bool {
    let before = header.resource.len();
    for (key, value) in tags {
        if !header.attributes().any(|kv| kv.key == key.as_bytes()) {
            put_text_attribute(&mut header.resource, resource::ATTRIBUTES >> 3, key.as_bytes(), value.as_bytes());
        }
    }
    header.resource.len() > before
}

fn tag_process(header: &mut ResourceHeader, tags: &[(String, String)]) -> bool {
    let before = header.resource.clone();
    for (key, value) in tags {
        let same = |kv: KeyValue<'_>| kv.key == key.as_bytes() && Value::from_any(kv.value).as_text() == value.as_str();
        if !process_tags(&before).any(|(_, kv)| same(kv)) {
            put_text_attribute(&mut header.resource, resource::ATTRIBUTES >> 3, key.as_bytes(), value.as_bytes());
        }
    }
    let mut sorted: Vec<_> = process_tags(&header.resource).collect();
    sorted.sort_by(|(_, a), (_, b)| a.key.cmp(b.key).then_with(|| by_type_and_value(a.value, b.value)));
    let (mut out, mut service, mut rest) = (Vec::with_capacity(header.resource.len()), None, Vec::new());
    for_each_field(&header.resource, |tag, field, payload| match payload {
        Some(b) if tag == resource::ATTRIBUTES => {
            if service.is_none() && KeyValue::read(b).key == SERVICE_NAME {
                service = Some(field);
            }
        }
        _ => rest.extend_from_slice(field),
    });
    out.extend_from_slice(service.unwrap_or_default());
    sorted.iter().for_each(|(field, _)| out.extend_from_slice(field));
    out.extend_from_slice(&rest);
    header.resource = out;
    header.resource != before
}

/// The attributes of a resource but the one that names the service, each with its whole field.
fn process_tags(body: &[u8]) -> impl Iterator<Item = (&[u8], KeyValue<'_>)> {
    let (mut tags, mut named) = (Vec::new(), false);
    for_each_field(body, |tag, field, payload| {
        if let (resource::ATTRIBUTES, Some(b)) = (tag, payload) {
            let kv = KeyValue::read(b);
            if !named && kv.key == SERVICE_NAME {
                named = true;
            } else {
                tags.push((field, kv));
            }
        }
    });
    tags.into_iter()
}

/// Jaeger's order of the values of one key: string, bool, int, float, binary; false before true.
fn by_type_and_value(a: AnyValue<'_>, b: AnyValue<'_>) -> Ordering {
    use AnyValue::{Array, Bool, Bytes, Double, Empty, Int, Map, String};
    let kind = |v: &AnyValue<'_>| match v {
        Empty | String(_) | Array(_) | Map(_) => 0, // Jaeger has no lists, maps and absent values: they are strings to it
        Bool(_) => 1,
        Int(_) => 2,
        Double(_) => 3,
        Bytes(_) => 4,
    };
    match (a, b) {
        (String(a), String(b)) | (Bytes(a), Bytes(b)) => a.cmp(b),
        (Bool(a), Bool(b)) => a.cmp(&b),
        (Int(a), Int(b)) => a.cmp(&b),
        (Double(a), Double(b)) => a.total_cmp(&b),
        _ => kind(&a).cmp(&kind(&b)),
    }
}
