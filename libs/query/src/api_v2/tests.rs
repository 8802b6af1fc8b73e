//! Spans and chunks, there and back.

use super::*;
use proptest::prelude::*;
use skua_codec::jaeger::decode;
use skua_model::{SpanBatch, SpanId, TraceId};
use std::sync::Arc;

fn any_span() -> Span {
    let tags = vec![
        Tag::string("s", "x"),
        Tag { key: "b".to_owned(), value: Value::Bool(true) },
        Tag { key: "i".to_owned(), value: Value::Int64(-5) },
        Tag { key: "f".to_owned(), value: Value::Float64(0.25) },
        Tag { key: "z".to_owned(), value: Value::Binary(vec![0, 255]) },
        Tag::string("s", ""),
    ];
    let reference = |kind, trace, span: u64| Reference {
        kind,
        trace_id: TraceId(u128::to_be_bytes(trace)),
        span_id: SpanId(span.to_be_bytes()),
    };
    Span {
        trace_id: TraceId(0xabc_u128.to_be_bytes()),
        span_id: SpanId(7_u64.to_be_bytes()),
        operation_name: "GET /".to_owned(),
        references: vec![reference(RefType::ChildOf, 0xabc, 1), reference(RefType::FollowsFrom, 0xdef, 2)],
        flags: 3,
        start_time: 1_700_000_000_000_000_001,
        duration: 2_000_000_003,
        logs: vec![Log { timestamp: 5, fields: tags.clone() }],
        process: Arc::new(Process { service_name: "shop".to_owned(), tags: tags.clone() }),
        tags,
        warnings: vec!["late".to_owned()],
    }
}

/// Scenario: a span with everything that the model has is sent, and read by the decoder of Jaeger's own spans.
/// Guarantee: nothing of it is lost or changed.
#[test]
fn a_span_keeps_everything() {
    let span = any_span();
    let message = super::span(span.clone());
    assert_eq!((message.trace_id.len(), message.span_id.len()), (16, 8));
    let mut otlp = Vec::new();
    decode::span(&message.encode_to_vec(), &mut otlp).unwrap();
    let batch = SpanBatch::parse(otlp).unwrap();
    let entry = &batch.spans()[0];
    let process = Process::from_view(&batch.process(batch.resource_of(entry)));
    assert_eq!(Span::from_view(&batch.view(entry), Arc::new(process)), span);
}

/// Guarantee: a span with nothing in it still says when and how long, as Jaeger's do.
#[test]
fn an_empty_span_has_its_times() {
    let span = super::span(Span::default());
    assert_eq!((span.start_time, span.duration), (Some(Default::default()), Some(Default::default())));
    assert!(span.process.is_some());
    assert_eq!((span.trace_id, span.span_id), (vec![0; 16], vec![0; 8]));
}

proptest! {
    /// Guarantee: chunks hold all spans once and in order, ten at most, and never more bytes than a client takes unless a single
    /// span does.
    #[test]
    fn chunks_are_bounded(sizes in proptest::collection::vec(prop_oneof![8 => 0_usize..2000, 1 => 400_000_usize..5_000_000], 0..40)) {
        let spans = sizes.iter().enumerate().map(|(i, size)| Span {
            span_id: SpanId((i as u64 + 1).to_be_bytes()),
            operation_name: "x".repeat(*size),
            ..Span::default()
        });
        let spans: Vec<Span> = spans.collect();
        let chunks: Vec<_> = chunks(Trace { spans: spans.clone() }).collect();
        for chunk in &chunks {
            prop_assert!((1..=CHUNK_SPANS).contains(&chunk.spans.len()));
            prop_assert!(chunk.encoded_len() < 4 << 20 || chunk.spans.len() == 1, "{} bytes", chunk.encoded_len());
        }
        let sent: Vec<_> = chunks.into_iter().flat_map(|c| c.spans).collect();
        prop_assert_eq!(sent, spans.into_iter().map(super::span).collect::<Vec<_>>());
    }
}
