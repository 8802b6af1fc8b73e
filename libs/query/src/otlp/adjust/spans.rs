//! Spans that are there twice, ids that are, and links that lead nowhere.

use super::{span_id, spans_mut, warn};
use prost::Message;
use skua_model::SpanId;
use skua_proto::otlp::trace::v1::span::SpanKind;
use skua_proto::otlp::trace::v1::{Span, TracesData};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

/// [`crate::adjust::unique_span_ids`].
pub(super) fn unique_ids(data: &mut TracesData) {
    let clients: HashSet<SpanId> =
        spans_mut(data).filter(|s| s.kind == SpanKind::Client as i32).map(|s| span_id(&s.span_id)).collect();
    let is_shared = |s: &Span| s.kind == SpanKind::Server as i32 && clients.contains(&span_id(&s.span_id));
    if !spans_mut(data).any(|s| is_shared(s)) {
        return;
    }
    let used: HashSet<SpanId> = spans_mut(data).map(|s| span_id(&s.span_id)).collect();
    let mut free = (1_u64..).map(|n| SpanId(n.to_be_bytes())).filter(|id| !used.contains(id));
    let mut renamed = HashMap::new();
    for span in spans_mut(data).filter(|s| is_shared(s)) {
        let Some(id) = free.next() else { break };
        renamed.insert(span_id(&span.span_id), id);
        span.parent_span_id = std::mem::replace(&mut span.span_id, id.0.to_vec());
    }
    for span in spans_mut(data) {
        if let Some(id) = renamed.get(&span_id(&span.parent_span_id))
            && span_id(&span.span_id) != *id
        {
            span.parent_span_id = id.0.to_vec();
        }
    }
}

/// Keeps the first of spans with equal content, their attributes being sorted.
pub(super) fn dedupe(data: &mut TracesData) {
    // Two keyed 64-bit hashes stand for the content: nobody can make two spans look the same.
    let keys = [RandomState::new(), RandomState::new()];
    let digest = |bytes: &[u8]| keys.each_ref().map(|k| k.hash_one(bytes));
    let mut seen = HashSet::new();
    let mut bytes = Vec::new();
    for resource in &mut data.resource_spans {
        let of_resource = digest(&resource.resource.as_ref().map(Message::encode_to_vec).unwrap_or_default());
        for scope in &mut resource.scope_spans {
            let of_scope = digest(&scope.scope.as_ref().map(Message::encode_to_vec).unwrap_or_default());
            scope.spans.retain(|span| {
                bytes.clear();
                // A Vec grows as it has to.
                span.encode(&mut bytes).is_ok_and(|()| seen.insert((of_resource, of_scope, digest(&bytes))))
            });
        }
        resource.scope_spans.retain(|s| !s.spans.is_empty());
    }
    data.resource_spans.retain(|r| !r.scope_spans.is_empty());
}

/// Removes links to the trace id 0, each with a warning.
pub(super) fn valid_links(data: &mut TracesData) {
    for span in spans_mut(data) {
        let before = span.links.len();
        span.links.retain(|l| l.trace_id.iter().any(|b| *b != 0));
        for _ in span.links.len()..before {
            warn(span, "Invalid span link removed");
        }
    }
}
