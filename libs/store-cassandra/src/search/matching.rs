//! Whether a span meets all conditions of a search, and when.

use skua_model::{Span, Tag, Trace};
use skua_store::TraceQuery;

/// The start, in microseconds since 1970, of the latest span that meets all conditions; `None` when no span does.
pub(super) fn latest_match(trace: &Trace, query: &TraceQuery) -> Option<u64> {
    trace.spans.iter().filter(|span| matches(span, query)).map(|span| span.start_time / 1000).max()
}

fn matches(span: &Span, query: &TraceQuery) -> bool {
    let longest = if query.duration_max == 0 { u64::MAX } else { query.duration_max };
    (query.service.is_empty() || span.process.service_name == query.service)
        && (query.operation.is_empty() || span.operation_name == query.operation)
        && (query.start_min..=query.start_max).contains(&(span.start_time / 1000))
        && (query.duration_min..=longest).contains(&(span.duration / 1000))
        && query.tags.iter().all(|(key, value)| has_tag(span, key, value))
}

/// A tag of the span, of its process, or a field of one of its logs, compared as text.
fn has_tag(span: &Span, key: &str, value: &str) -> bool {
    let of_logs = span.logs.iter().flat_map(|log| &log.fields);
    let mut all = span.tags.iter().chain(&span.process.tags).chain(of_logs);
    all.any(|tag: &Tag| tag.key == key && tag.value.as_text() == value)
}
