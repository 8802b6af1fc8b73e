//! Jaeger's reading of an OTLP span: which tags and references it has. Each writer of a Jaeger format goes through here, so
//! that all of them agree.

use crate::view::{AnyValue, KeyValue, LinkView, SpanView};

/// The attribute in which warnings travel inside OTLP, an array of strings; Jaeger's own convention. It is never a tag.
pub const WARNINGS_KEY: &[u8] = b"@jaeger@warnings";

/// The tag that Jaeger gives to spans that did not come as OTLP or Zipkin: `jaeger` (Thrift) or `proto` (gRPC).
pub const FORMAT_TAG: &[u8] = b"@jaeger@format";

/// Jaeger's text for a span kind tag; `None` for unspecified.
pub fn kind_text(kind: u64) -> Option<&'static str> {
    Some(match kind {
        1 => "internal",
        2 => "server",
        3 => "client",
        4 => "producer",
        5 => "consumer",
        _ => return None,
    })
}

/// The tags Jaeger gives a span, in its order: scope, attributes, kind, status, trace state. A span that came in Jaeger's own
/// model has them among its attributes already.
#[inline]
pub fn for_each_tag<'a>(s: &SpanView<'a>, mut tag: impl FnMut(&'a [u8], AnyValue<'a>)) {
    use AnyValue::{Array, Bool, String};
    if s.jaeger_flags.is_some() {
        let is_warnings = |kv: &KeyValue<'_>| kv.key == WARNINGS_KEY && matches!(kv.value, Array(_)); // no tag is a list
        s.attributes().filter(|kv| !is_warnings(kv)).for_each(|kv| tag(kv.key, kv.value));
        return;
    }
    if !s.scope_name.is_empty() {
        tag(b"otel.scope.name", String(s.scope_name));
    }
    if !s.scope_version.is_empty() {
        tag(b"otel.scope.version", String(s.scope_version));
    }
    for kv in s.attributes() {
        if kv.key != WARNINGS_KEY {
            tag(kv.key, kv.value);
        }
    }
    if let Some(kind) = kind_text(s.kind) {
        tag(b"span.kind", String(kind.as_bytes()));
    }
    match s.status_code {
        1 => tag(b"otel.status_code", String(b"OK")),
        2 => {
            tag(b"otel.status_code", String(b"ERROR"));
            tag(b"error", Bool(true));
        }
        _ => {}
    }
    if !s.status_message.is_empty() {
        tag(b"otel.status_description", String(s.status_message));
    }
    if !s.trace_state.is_empty() {
        tag(b"w3c.tracestate", String(s.trace_state));
    }
}

/// A span's references as Jaeger stores them: the parent first. The third argument is true for FOLLOWS_FROM. The links of a span
/// that came in Jaeger's own model are all of its references in their order, if the parent is among them.
#[inline]
pub fn for_each_reference(s: &SpanView<'_>, mut reference: impl FnMut(&[u8; 16], &[u8; 8], bool)) {
    let child_of = |l: &LinkView<'_>| {
        l.attributes().any(|kv| kv.key == b"opentracing.ref_type" && matches!(kv.value, AnyValue::String(b"child_of")))
    };
    let parent = |l: &LinkView<'_>| l.trace_id == s.trace_id && l.span_id == s.parent_span_id;
    if s.jaeger_flags.is_some() && s.links().any(|l| parent(&l)) {
        return s.links().for_each(|l| reference(&l.trace_id, &l.span_id, !child_of(&l)));
    }
    if s.parent_span_id != [0; 8] {
        let follows = s.links().find(|l| parent(l)).is_some_and(|l| !child_of(&l));
        reference(&s.trace_id, &s.parent_span_id, follows);
    }
    for l in s.links() {
        if s.parent_span_id == [0; 8] || !parent(&l) {
            reference(&l.trace_id, &l.span_id, !child_of(&l));
        }
    }
}
