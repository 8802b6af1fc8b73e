//! Zipkin v2 in JSON, as OpenTelemetry's exporters map a span to it: every attribute of span, scope and resource is a tag of text,
//! an event with attributes the annotation `name|{attributes in JSON}|0`. Times are microseconds.

use skua_model::{AnyValue, KeyValue, SpanBatch, SpanEntry, SpanView};
use std::io::Write as _;

/// A list of spans.
pub fn json(batch: &SpanBatch, spans: &[SpanEntry]) -> Vec<u8> {
    let mut out = b"[".to_vec();
    let Some(first) = spans.first() else { return b"[]".to_vec() };
    let process = batch.process(batch.resource_of(first));
    for (i, span) in spans.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        put_span(&mut out, &batch.view(span), process.service, process.attributes());
    }
    out.push(b']');
    out
}

fn put_span(out: &mut Vec<u8>, s: &SpanView<'_>, service: &[u8], resource: &[KeyValue<'_>]) {
    put(out, format_args!("{{\"traceId\":\"{}\",\"id\":\"{}\"", hex(&s.trace_id), hex(&s.span_id)));
    if s.parent_span_id != [0; 8] {
        put(out, format_args!(",\"parentId\":\"{}\"", hex(&s.parent_span_id)));
    }
    put(out, format_args!(",\"name\":{}", quoted(s.name)));
    let kind = ["", "", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"].get(s.kind as usize).copied().unwrap_or_default();
    if !kind.is_empty() {
        put(out, format_args!(",\"kind\":\"{kind}\""));
    }
    let (start, end) = (s.start / 1000, s.end / 1000);
    put(out, format_args!(",\"timestamp\":{start},\"duration\":{}", end - start));
    put(out, format_args!(",\"localEndpoint\":{{\"serviceName\":{}}}", quoted(service)));
    for (i, event) in s.events().enumerate() {
        let attributes: Vec<String> = event.attributes().map(|kv| format!("{}:{}", quoted(kv.key), value(kv.value))).collect();
        let name = String::from_utf8_lossy(event.name);
        let text = if attributes.is_empty() { name.into_owned() } else { format!("{name}|{{{}}}|0", attributes.join(",")) };
        out.extend_from_slice(if i == 0 { b",\"annotations\":[" } else { b"," });
        put(out, format_args!("{{\"timestamp\":{},\"value\":{}}}", event.time / 1000, quoted(text.as_bytes())));
    }
    if s.events().next().is_some() {
        out.push(b']');
    }
    out.extend_from_slice(b",\"tags\":{");
    for (i, (key, value)) in tags(s, resource).into_iter().enumerate() {
        out.extend_from_slice(if i == 0 { b"" } else { b"," });
        put(out, format_args!("{}:{}", quoted(key), quoted(value.as_bytes())));
    }
    out.extend_from_slice(b"}}");
}

/// What has no field of its own.
fn tags<'a>(s: &SpanView<'a>, resource: &[KeyValue<'a>]) -> Vec<(&'a [u8], String)> {
    let mut tags: Vec<(&[u8], String)> =
        s.attributes().chain(resource.iter().copied()).map(|kv| (kv.key, text(kv.value))).collect();
    let words: [(&[u8], &[u8]); 4] = [
        (b"otel.library.name", s.scope_name),
        (b"otel.library.version", s.scope_version),
        (b"otel.status_description", s.status_message),
        (b"w3c.tracestate", s.trace_state),
    ];
    tags.extend(words.iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| (*k, text(AnyValue::String(v)))));
    if s.kind == 1 {
        tags.push((b"span.kind", "internal".to_owned()));
    }
    match s.status_code {
        1 => tags.push((b"otel.status_code", "STATUS_CODE_OK".to_owned())),
        2 => {
            tags.push((b"otel.status_code", "STATUS_CODE_ERROR".to_owned()));
            tags.push((b"error", "true".to_owned()));
        }
        _ => {}
    }
    tags
}

/// Writing to a Vec cannot fail.
fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    drop(out.write_fmt(text));
}

fn hex(b: &[u8]) -> String {
    b.iter().map(|b| format!("{b:02x}")).collect()
}

fn quoted(text: &[u8]) -> String {
    serde_json::Value::from(String::from_utf8_lossy(text)).to_string()
}

/// The value of a tag.
fn text(v: AnyValue<'_>) -> String {
    match v {
        AnyValue::String(s) => String::from_utf8_lossy(s).into_owned(),
        AnyValue::Bytes(b) => hex(b),
        other => value(other),
    }
}

/// The value in JSON.
fn value(v: AnyValue<'_>) -> String {
    match v {
        AnyValue::Empty => "null".to_owned(),
        AnyValue::String(s) => quoted(s),
        AnyValue::Bool(v) => v.to_string(),
        AnyValue::Int(v) => v.to_string(),
        AnyValue::Double(v) => v.to_string(),
        AnyValue::Bytes(b) => quoted(hex(b).as_bytes()),
        AnyValue::Array(_) | AnyValue::Map(_) => {
            let mut text = Vec::new();
            skua_model::json::put_nested(&mut text, v);
            String::from_utf8_lossy(&text).into_owned()
        }
    }
}
