//! Summaries of traces as messages.

use skua_proto::jaeger::api_v3;
use skua_query::{ServiceSummary, TraceSummary};

/// The id has 32 hex digits.
pub(super) fn message(summary: TraceSummary) -> api_v3::TraceSummary {
    api_v3::TraceSummary {
        trace_id: format!("{:032x}", u128::from_be_bytes(summary.trace_id.0)),
        root_service_name: summary.root_service,
        root_operation_name: summary.root_operation,
        min_start_time_unix_nano: summary.start,
        max_end_time_unix_nano: summary.end,
        span_count: count(summary.spans),
        error_span_count: count(summary.errors),
        orphan_span_count: count(summary.orphans),
        services: summary.services.into_iter().map(service).collect(),
    }
}

fn service(summary: ServiceSummary) -> api_v3::ServiceSummary {
    api_v3::ServiceSummary { name: summary.name, span_count: count(summary.spans), error_span_count: count(summary.errors) }
}

fn count(spans: usize) -> i32 {
    i32::try_from(spans).unwrap_or(i32::MAX)
}
