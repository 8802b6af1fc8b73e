//! Clocks of different hosts.

use super::{span_id, spans_mut, warn};
use crate::adjust::{self, Finding, Timed};
use crate::otlp::attributes::{Any, KeyValue};
use crate::otlp::span::REF_TYPE;
use skua_proto::otlp::trace::v1::span::Link;
use skua_proto::otlp::trace::v1::{ResourceSpans, Span, TracesData};
use std::collections::HashMap;
use std::time::Duration;

/// [`adjust::clock_skew`] with other words and another key of hosts.
pub(super) fn correct(data: &mut TracesData, max: Duration) {
    let mut numbers = HashMap::new();
    let mut timed = Vec::new();
    for resource in &data.resource_spans {
        let host = host(resource).filter(|key| !key.is_empty()).map(|key| {
            let next = numbers.len();
            *numbers.entry(key.to_owned()).or_insert(next)
        });
        timed.extend(resource.scope_spans.iter().flat_map(|s| &s.spans).map(|span| Timed {
            id: span_id(&span.span_id),
            parent: Some(span_id(&span.parent_span_id)).filter(|p| !p.is_zero()),
            follows: follows(span),
            host,
            start: span.start_time_unix_nano,
            duration: span.end_time_unix_nano.saturating_sub(span.start_time_unix_nano),
        }));
    }
    let mut findings = vec![None; timed.len()];
    adjust::correct(timed, max, |i, finding| findings[i] = Some(finding));
    for (span, finding) in spans_mut(data).zip(findings) {
        let Some(finding) = finding else { continue };
        if let Finding::Moved(delta) = finding {
            shift(span, delta);
        }
        warn(span, finding.text(max));
    }
}

/// Whether a link says that the parent does not wait for the span.
fn follows(span: &Span) -> bool {
    let of_parent = |l: &&Link| l.span_id == span.parent_span_id && l.trace_id == span.trace_id;
    span.links.iter().filter(of_parent).any(|l| l.attributes.iter().any(|a| a.key == REF_TYPE && text(a) == Some("follows_from")))
}

fn shift(span: &mut Span, delta: i64) {
    let times = [&mut span.start_time_unix_nano, &mut span.end_time_unix_nano];
    let events = span.events.iter_mut().map(|e| &mut e.time_unix_nano);
    times.into_iter().chain(events).for_each(|time| *time = time.saturating_add_signed(delta));
}

/// The first of these attributes that is there, whatever it is.
fn host(resource: &ResourceSpans) -> Option<&str> {
    let attributes = &resource.resource.as_ref()?.attributes;
    let of = |key| attributes.iter().find(|kv| kv.key == key);
    ["host.id", "host.ip", "host.name"].into_iter().find_map(of).and_then(text)
}

fn text(attribute: &KeyValue) -> Option<&str> {
    match attribute.value.as_ref()?.value.as_ref()? {
        Any::StringValue(s) => Some(s),
        _ => None,
    }
}
