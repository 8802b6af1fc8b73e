//! Traces in a few numbers.

use futures::stream::{self, Stream};
use skua_model::Trace;
use skua_proto::jaeger::storage::v2::{FindTraceSummariesResponse, ServiceSummary, TraceSummary};
use skua_query::otlp::traces_data;
use tonic::Status;

/// Summaries of one message.
const TOGETHER: usize = 100;

/// The summaries of these traces, made when they are asked for.
pub(super) fn messages(traces: Vec<Trace>) -> impl Stream<Item = Result<FindTraceSummariesResponse, Status>> {
    let mut traces = traces.into_iter();
    stream::iter(std::iter::from_fn(move || {
        let summaries: Vec<_> = traces.by_ref().take(TOGETHER).map(|trace| summary(&trace)).collect();
        (!summaries.is_empty()).then_some(Ok(FindTraceSummariesResponse { summaries }))
    }))
}

fn summary(trace: &Trace) -> TraceSummary {
    let summary = skua_query::TraceSummary::of(&traces_data(trace));
    let services = summary.services.into_iter().map(|s| ServiceSummary {
        name: s.name,
        span_count: count(s.spans),
        error_span_count: count(s.errors),
    });
    TraceSummary {
        trace_id: summary.trace_id.0.to_vec(),
        root_service_name: summary.root_service,
        root_operation_name: summary.root_operation,
        min_start_time_unix_nano: summary.start,
        max_end_time_unix_nano: summary.end,
        span_count: count(summary.spans),
        error_span_count: count(summary.errors),
        orphan_span_count: count(summary.orphans),
        services: services.collect(),
    }
}

fn count(spans: usize) -> i32 {
    i32::try_from(spans).unwrap_or(i32::MAX)
}
