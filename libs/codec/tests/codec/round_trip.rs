//! Jaeger → OTLP → Jaeger loses nothing.

use crate::api_v2;
use crate::golden::{batch, encode, encode_json};
use opentelemetry_proto::tonic::trace::v1::TracesData;
use proptest::prelude::*;
use prost::Message;
use skua_codec::jaeger;
use skua_codec::otlp_json;
use skua_model::SpanBatch;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn through_otlp(span in api_v2::span()) {
        let b = batch(|out| jaeger::decode::span(&span.encode_to_vec(), out));
        prop_assert_eq!(api_v2::Span::decode(&encode(&b)[..]).unwrap(), span);
    }

    #[test]
    fn through_json(span in api_v2::span()) {
        let text = encode_json(&batch(|out| jaeger::decode::span(&span.encode_to_vec(), out)));
        let b = batch(|out| jaeger::json::decode(text.as_bytes(), out));
        prop_assert_eq!(api_v2::Span::decode(&encode(&b)[..]).unwrap(), span);
    }

    #[test]
    fn through_otlp_json(span in api_v2::span()) {
        let b = batch(|out| jaeger::decode::span(&span.encode_to_vec(), out));
        let (mut text, mut proto) = (Vec::new(), Vec::new());
        otlp_json::put_spans(&mut text, &b, &[0]);
        otlp_json::decode(&text, &mut proto).unwrap();
        let b = SpanBatch::parse(proto).unwrap();
        prop_assert_eq!(api_v2::Span::decode(&encode(&b)[..]).unwrap(), span);
    }

    /// What other readers see is OTLP to a strict decoder, with the parent by Jaeger's rule and the kind where OTLP has it.
    #[test]
    fn otlp_readers_understand_it(span in api_v2::span()) {
        let mut out = Vec::new();
        jaeger::decode::span(&span.encode_to_vec(), &mut out).unwrap();
        let data = TracesData::decode(&out[..]).unwrap();
        prop_assert_eq!(data.resource_spans.len(), 1);
        let got = &data.resource_spans[0].scope_spans[0].spans[0];
        let (refs, trace_id) = (&span.references, &span.trace_id);
        let first = |kind| refs.iter().find(|r| r.ref_type == kind && r.trace_id == *trace_id && r.span_id != [0; 8]);
        let parent = first(0).or(first(1));
        prop_assert_eq!(&got.parent_span_id, &parent.map(|r| r.span_id.clone()).unwrap_or_default());
        let start = span.start_time.unwrap();
        prop_assert_eq!(got.start_time_unix_nano, start.seconds as u64 * 1_000_000_000 + start.nanos as u64);
        let error = span.tags.iter().any(|t| t.key == "error" && (t.v_bool || t.v_str == "true"));
        prop_assert_eq!(got.status.as_ref().map(|s| s.code), error.then_some(2));
        let kind = span.tags.iter().filter(|t| t.key == "span.kind").find_map(|t| match &t.v_str[..] {
            "Server" => Some(2),
            "client" => Some(3),
            _ => None,
        });
        prop_assert_eq!(got.kind, kind.unwrap_or(0));
        prop_assert_eq!(got.events.len(), span.logs.len());
    }
}
