//! What is counted.

use super::*;
use crate::json;
use crate::otlp::traces_data;
use skua_model::{Process, RefType, Reference, Span, SpanId, Tag, Trace, Value};
use std::sync::Arc;

const TRACE: TraceId = TraceId([7; 16]);

fn span(n: u64, parent: u64, service: &str, start: u64, duration: u64, error: bool) -> Span {
    let id = |n: u64| SpanId(n.to_be_bytes());
    Span {
        trace_id: TRACE,
        span_id: id(n),
        operation_name: format!("op{n}"),
        references: (parent != 0)
            .then(|| Reference { kind: RefType::ChildOf, trace_id: TRACE, span_id: id(parent) })
            .into_iter()
            .collect(),
        start_time: start,
        duration,
        tags: vec![Tag { key: "error".to_owned(), value: Value::Bool(error) }],
        process: Arc::new(Process { service_name: service.to_owned(), tags: vec![] }),
        ..Span::default()
    }
}

/// Scenario: two roots, the later one first; an orphan; errors in one of two services.
#[test]
fn a_summary() {
    let spans = vec![
        span(1, 0, "b<>", 20, 5, false),
        span(2, 0, "a", 10, 2, false),
        span(3, 2, "b<>", 11, 90, true),
        span(4, 99, "b<>", 5, 1, true),
    ];
    let summary = TraceSummary::of(&traces_data(&Trace { spans }));
    let service = |name: &str, spans, errors| ServiceSummary { name: name.to_owned(), spans, errors };
    let want = TraceSummary {
        trace_id: TRACE,
        root_service: "a".to_owned(),
        root_operation: "op2".to_owned(),
        start: 5,
        end: 101,
        spans: 4,
        errors: 2,
        orphans: 1,
        services: vec![service("a", 1, 0), service("b<>", 3, 2)],
    };
    assert_eq!(summary, want);
    let mut out = Vec::new();
    let partial = ["one store is away".to_owned()];
    json::v3::put_summaries(&mut out, &[summary], &partial);
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}

#[test]
fn a_trace_without_a_root() {
    let summary =
        TraceSummary::of(&traces_data(&Trace { spans: vec![span(1, 2, "a", 1, 1, false), span(2, 1, "a", 2, 1, false)] }));
    assert_eq!((summary.root_service.as_str(), summary.root_operation.as_str(), summary.orphans), ("", "", 0));
    assert_eq!(TraceSummary::of(&TracesData::default()), TraceSummary::default());
}
