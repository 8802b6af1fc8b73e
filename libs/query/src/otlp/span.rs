//! One span.

use super::attributes::{Any, Attributes, key_value};
use super::status::status;
use super::{SCOPE_NAME, SCOPE_VERSION, scope};
use skua_model::{Log, RefType, Reference, Span};
use skua_proto::otlp::common::v1::{AnyValue, ArrayValue};
use skua_proto::otlp::trace::v1 as otlp;
use skua_proto::otlp::trace::v1::span::{Event, Link, SpanKind};

/// Jaeger's attribute for warnings, a list of texts.
pub(crate) const WARNINGS: &str = "@jaeger@warnings";

/// The attribute of a link that says of which kind the reference was.
pub(super) const REF_TYPE: &str = "opentracing.ref_type";

pub(super) fn convert(span: &Span) -> otlp::Span {
    let mut attributes = Attributes::of(&span.tags);
    if span.tags.iter().any(|t| t.key == SCOPE_NAME) {
        take_scope(span, &mut attributes);
    }
    let kind = kind(span, &mut attributes);
    let status = status(&mut attributes, kind);
    let trace_state = attributes.take_text("w3c.tracestate").unwrap_or_default();
    if !span.warnings.is_empty() {
        put_warnings(&mut attributes, &span.warnings);
    }
    let parent = span.parent_id();
    otlp::Span {
        trace_id: id(&span.trace_id.0),
        span_id: id(&span.span_id.0),
        parent_span_id: parent.map(|p| p.0.to_vec()).unwrap_or_default(),
        trace_state,
        name: span.operation_name.clone(),
        kind: kind.into(),
        start_time_unix_nano: span.start_time,
        end_time_unix_nano: span.start_time.saturating_add(span.duration),
        attributes: attributes.into_list(),
        events: span.logs.iter().map(event).collect(),
        links: links(span),
        status: Some(status),
        ..otlp::Span::default()
    }
}

/// Zero is no id.
fn id(id: &[u8]) -> Vec<u8> {
    if id.iter().all(|b| *b == 0) { Vec::new() } else { id.to_vec() }
}

/// The scope is said once for all spans of it. What a later tag of the same key says stays.
fn take_scope(span: &Span, attributes: &mut Attributes) {
    let (name, version) = scope(span);
    for (key, said) in [(SCOPE_NAME, name), (SCOPE_VERSION, version)] {
        if attributes.text(key) == Some(said) {
            attributes.take(key);
        }
    }
}

fn kind(span: &Span, attributes: &mut Attributes) -> SpanKind {
    let kind = match span.tags.iter().rfind(|t| t.key == "span.kind").and_then(super::text) {
        Some("internal") => SpanKind::Internal,
        Some("server") => SpanKind::Server,
        Some("client") => SpanKind::Client,
        Some("producer") => SpanKind::Producer,
        Some("consumer") => SpanKind::Consumer,
        _ => SpanKind::Unspecified,
    };
    attributes.take("span.kind");
    kind
}

/// In the attribute of that name; a text that is there already is the first of them.
fn put_warnings(attributes: &mut Attributes, warnings: &[String]) {
    let before = attributes.take_text(WARNINGS);
    let values = before.iter().chain(warnings).map(|w| AnyValue { value: Some(Any::StringValue(w.clone())) });
    let values = values.collect();
    attributes.put_any(WARNINGS, Any::ArrayValue(ArrayValue { values }));
}

fn event(log: &Log) -> Event {
    let mut attributes = Attributes::of(&log.fields);
    let name = attributes.take_text("event").unwrap_or_default();
    Event { time_unix_nano: log.timestamp, name, attributes: attributes.into_list(), ..Event::default() }
}

/// All references but CHILD_OF the parent.
fn links(span: &Span) -> Vec<Link> {
    let parent = span.parent_id();
    let is_parent = |r: &&Reference| r.kind == RefType::ChildOf && r.trace_id == span.trace_id && Some(r.span_id) == parent;
    span.references.iter().filter(|r| !is_parent(r)).map(link).collect()
}

fn link(r: &Reference) -> Link {
    let kind = match r.kind {
        RefType::ChildOf => "child_of",
        RefType::FollowsFrom => "follows_from",
    };
    Link {
        trace_id: id(&r.trace_id.0),
        span_id: id(&r.span_id.0),
        attributes: vec![key_value(REF_TYPE, Any::StringValue(kind.to_owned()))],
        ..Link::default()
    }
}
