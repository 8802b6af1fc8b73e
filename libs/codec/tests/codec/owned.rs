//! Owned spans become a batch and are the same spans again.

use proptest::prelude::*;
use skua_codec::jaeger::{decode, encode, owned, owned_proto};
use skua_model::wire::put_bytes;
use skua_model::{Log, Process, RefType, Reference, Span, SpanBatch, SpanId, Tag, TraceId, Value};
use std::sync::Arc;

/// What a store would return of these spans.
fn again(spans: &[Span]) -> Vec<Span> {
    let mut out = Vec::new();
    owned::spans(spans, &mut out);
    let batch = SpanBatch::parse(out).expect("a sound batch");
    let process = |s| Arc::new(Process::from_view(&batch.process(batch.resource_of(s))));
    batch.spans().iter().map(|s| Span::from_view(&batch.view(s), process(s))).collect()
}

/// Spans of one process lie together.
fn grouped(spans: &[Span]) -> Vec<Span> {
    let mut out: Vec<Span> = Vec::new();
    for s in spans {
        let place = out.iter().rposition(|o| o.process == s.process).map_or(out.len(), |i| i + 1);
        out.insert(place, s.clone());
    }
    out
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        ".{0,9}".prop_map(Value::String),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int64),
        any::<f64>().prop_map(Value::Float64),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(Value::Binary),
    ]
}

fn tags() -> impl Strategy<Value = Vec<Tag>> {
    const KNOWN: &[&str] = &["event", "span.kind", "error", "@jaeger@warnings", "@jaeger@format", "otel.scope.name", ""];
    let key = prop_oneof![2 => "[a-z.]{0,6}", 1 => prop::sample::select(KNOWN).prop_map(str::to_owned)];
    prop::collection::vec((key, value()).prop_map(|(key, value)| Tag { key, value }), 0..5)
}

/// Of few ids, so that parents are met.
fn references() -> impl Strategy<Value = Vec<Reference>> {
    let one = (1_u8..3, 0_u64..4, any::<bool>()).prop_map(|(trace, span, follows)| Reference {
        kind: if follows { RefType::FollowsFrom } else { RefType::ChildOf },
        trace_id: TraceId([trace; 16]),
        span_id: SpanId(span.to_be_bytes()),
    });
    prop::collection::vec(one, 0..4)
}

fn span() -> impl Strategy<Value = Span> {
    let times = (0..u64::MAX / 2, 0..u64::MAX / 2);
    let log = (any::<u64>(), tags()).prop_map(|(timestamp, fields)| Log { timestamp, fields });
    let lists = (tags(), references(), prop::collection::vec(log, 0..3), prop::collection::vec(".{0,9}", 0..3));
    (1..u64::MAX, ".{0,9}", any::<u32>(), times, lists, 0..3_u8).prop_map(|(id, name, flags, times, lists, process)| Span {
        trace_id: TraceId([1; 16]),
        span_id: SpanId(id.to_be_bytes()),
        operation_name: name,
        flags,
        start_time: times.0,
        duration: times.1,
        tags: lists.0,
        references: lists.1,
        logs: lists.2,
        warnings: lists.3,
        process: Arc::new(Process { service_name: format!("s{process}"), tags: vec![Tag::string("zone", "é")] }),
    })
}

/// `NaN` is not equal to itself.
fn shown(spans: &[Span]) -> String {
    format!("{spans:#?}")
}

/// As a list of `jaeger.api_v2.Span` with their processes.
fn listed(spans: &[Span]) -> Vec<u8> {
    let mut list = Vec::new();
    for span in spans {
        let (mut process, mut message) = (Vec::new(), Vec::new());
        owned_proto::put_process(&mut process, &span.process);
        owned_proto::put_span(&mut message, span, &process);
        put_bytes(&mut list, 1, &message);
    }
    list
}

/// The same by way of a batch's views.
fn listed_from_batch(spans: &[Span]) -> Vec<u8> {
    let (mut out, mut list) = (Vec::new(), Vec::new());
    owned::spans(spans, &mut out);
    let batch = SpanBatch::parse(out).expect("a sound batch");
    for span in batch.spans() {
        let (mut process, mut message) = (Vec::new(), Vec::new());
        encode::put_process(&mut process, &batch.process(batch.resource_of(span)));
        encode::put_span(&mut message, &batch.view(span), &process);
        put_bytes(&mut list, 1, &message);
    }
    list
}

proptest! {
    #[test]
    fn an_owned_span_has_the_bytes_of_its_view(spans in prop::collection::vec(span(), 0..6)) {
        let spans = again(&spans);
        prop_assert_eq!(listed(&spans), listed_from_batch(&spans));
    }

    #[test]
    fn a_list_of_spans_is_read_back(spans in prop::collection::vec(span(), 0..6)) {
        let spans = again(&spans);
        let mut otlp = Vec::new();
        decode::spans(&listed(&spans), &mut otlp).expect("a list of spans");
        let batch = SpanBatch::parse(otlp).expect("a sound batch");
        let process = |s| Arc::new(Process::from_view(&batch.process(batch.resource_of(s))));
        let read: Vec<Span> = batch.spans().iter().map(|s| Span::from_view(&batch.view(s), process(s))).collect();
        prop_assert_eq!(shown(&read), shown(&spans));
    }

    #[test]
    fn spans_are_the_same_again(spans in prop::collection::vec(span(), 0..6)) {
        let got = again(&spans);
        prop_assert_eq!(shown(&got), shown(&grouped(&spans)));
        prop_assert_eq!(shown(&again(&got)), shown(&got), "and once more");
    }
}
