//! A trace in a few numbers, for lists.

use skua_model::TraceId;
use skua_proto::otlp::common::v1::any_value::Value;
use skua_proto::otlp::trace::v1::status::StatusCode;
use skua_proto::otlp::trace::v1::{ResourceSpans, Span, TracesData};
use std::collections::{BTreeMap, HashSet};

/// What a list of traces shows of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceSummary {
    /// The trace.
    pub trace_id: TraceId,
    /// The service of the first span without a parent; empty when every span has one.
    pub root_service: String,
    /// Its operation.
    pub root_operation: String,
    /// Nanoseconds since 1970: the earliest start.
    pub start: u64,
    /// Nanoseconds since 1970: the latest end.
    pub end: u64,
    /// All spans.
    pub spans: usize,
    /// Spans whose status is an error.
    pub errors: usize,
    /// Spans whose parent is not in the trace.
    pub orphans: usize,
    /// By name.
    pub services: Vec<ServiceSummary>,
}

/// The spans of one service in a trace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceSummary {
    /// `service.name`; empty when there is none.
    pub name: String,
    /// All of them.
    pub spans: usize,
    /// Those whose status is an error.
    pub errors: usize,
}

impl TraceSummary {
    /// Of one trace.
    pub fn of(trace: &TracesData) -> Self {
        let ids: HashSet<&[u8]> = trace.resource_spans.iter().flat_map(spans).map(|s| &s.span_id[..]).collect();
        let mut summary = Self { start: u64::MAX, ..Self::default() };
        let mut root_start = None;
        let mut services: BTreeMap<&str, ServiceSummary> = BTreeMap::new();
        for resource in &trace.resource_spans {
            let service = service(resource);
            for span in spans(resource) {
                summary.trace_id = TraceId(span.trace_id[..].try_into().unwrap_or_default());
                summary.start = summary.start.min(span.start_time_unix_nano);
                summary.end = summary.end.max(span.end_time_unix_nano);
                let of_service = services.entry(service).or_default();
                of_service.spans += 1;
                of_service.errors += usize::from(span.status.as_ref().is_some_and(|s| s.code == StatusCode::Error as i32));
                if !span.parent_span_id.is_empty() {
                    summary.orphans += usize::from(!ids.contains(&span.parent_span_id[..]));
                } else if root_start.is_none_or(|start| span.start_time_unix_nano < start) {
                    root_start = Some(span.start_time_unix_nano);
                    (summary.root_service, summary.root_operation) = (service.to_owned(), span.name.clone());
                }
            }
        }
        summary.services = services.into_iter().map(|(name, s)| ServiceSummary { name: name.to_owned(), ..s }).collect();
        summary.spans = summary.services.iter().map(|s| s.spans).sum();
        summary.errors = summary.services.iter().map(|s| s.errors).sum();
        summary.start = summary.start.min(summary.end);
        summary
    }
}

fn spans(resource: &ResourceSpans) -> impl Iterator<Item = &Span> {
    resource.scope_spans.iter().flat_map(|s| &s.spans)
}

fn service(resource: &ResourceSpans) -> &str {
    let attributes = resource.resource.iter().flat_map(|r| &r.attributes);
    let name = attributes.filter(|kv| kv.key == "service.name").filter_map(|kv| kv.value.as_ref()?.value.as_ref()).next();
    if let Some(Value::StringValue(name)) = name { name } else { "" }
}

#[cfg(test)]
mod tests;
