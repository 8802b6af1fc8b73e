//! References that can be followed, the parent first.

use skua_model::{RefType, Trace};

/// Removes references to the trace id 0, each with a warning. (Jaeger's warning goes on with the innards of a Go struct.)
pub fn valid_references(trace: &mut Trace) {
    for span in &mut trace.spans {
        for r in span.references.extract_if(.., |r| r.trace_id.is_zero()) {
            let (trace_id, span_id, kind) = (r.trace_id, r.span_id, r.kind.as_str());
            span.warnings.push(format!("Invalid span reference removed {{TraceID:{trace_id} SpanID:{span_id} RefType:{kind}}}"));
        }
    }
}

/// Swaps the reference to the parent to the first place: the first CHILD_OF of the same trace, else the first other of it.
pub fn parent_first(trace: &mut Trace) {
    for span in &mut trace.spans {
        let of_trace = || span.references.iter().enumerate().filter(|(_, r)| r.trace_id == span.trace_id);
        let parent = of_trace().find(|(_, r)| r.kind == RefType::ChildOf).or_else(|| of_trace().next());
        if let Some((at, _)) = parent {
            span.references.swap(0, at);
        }
    }
}
