//! Zipkin's shared span ids.

use skua_model::{RefType, Reference, Span, SpanId, Trace};
use std::collections::{HashMap, HashSet};

/// Zipkin gives the client's and the server's span of one call the same id. The server's gets one of its own (the smallest
/// free one, counting from 1) and becomes the client's child; children of the old id become children of the server's span.
pub fn unique_span_ids(trace: &mut Trace) {
    let clients: HashSet<SpanId> = trace.spans.iter().filter(|s| s.kind() == "client").map(|s| s.span_id).collect();
    let is_shared = |s: &Span| s.kind() == "server" && clients.contains(&s.span_id);
    if !trace.spans.iter().any(is_shared) {
        return;
    }
    let used: HashSet<SpanId> = trace.spans.iter().map(|s| s.span_id).collect();
    let mut free = (1_u64..).map(|n| SpanId(n.to_be_bytes())).filter(|id| !used.contains(id));
    let mut renamed = HashMap::new();
    for span in trace.spans.iter_mut().filter(|s| is_shared(s)) {
        let Some(id) = free.next() else { break };
        let shared = std::mem::replace(&mut span.span_id, id);
        renamed.insert(shared, id);
        replace_parent(span, shared);
    }
    for span in &mut trace.spans {
        if let Some(id) = span.parent_id().and_then(|p| renamed.get(&p))
            && span.span_id != *id
        {
            replace_parent(span, *id);
        }
    }
}

/// Points the reference to the parent, or a new first one, to another span of the trace.
fn replace_parent(span: &mut Span, parent: SpanId) {
    let trace_id = span.trace_id;
    if let Some(old) = span.parent_id()
        && let Some(r) = span.references.iter_mut().find(|r| r.span_id == old && r.trace_id == trace_id)
    {
        r.span_id = parent;
    } else if !span.references.iter().any(|r| r.trace_id == trace_id && r.span_id == parent) {
        span.references.insert(0, Reference { kind: RefType::ChildOf, trace_id, span_id: parent });
    }
}
