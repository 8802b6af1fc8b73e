//! Cut, flipped or made up: an error or a batch, never a panic, and nothing written with an error.

use crate::api_v2::{Batch, PostSpansRequest, span};
use crate::golden::{encode, encode_json, full, full_json};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use skua_codec::{Encoding, decode_message, jaeger, otlp_json};
use skua_model::SpanBatch;

fn damaged(mut bytes: Vec<u8>, cut: prop::sample::Index, flips: Vec<(prop::sample::Index, u8)>) -> Vec<u8> {
    bytes.truncate(cut.index(bytes.len() + 1).max(bytes.len() / 2));
    for (at, b) in flips {
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = b;
        }
    }
    bytes
}

/// What a decoder accepted is OTLP that can be written in every encoding.
fn check(decode: impl FnOnce(&mut Vec<u8>) -> bool) {
    let mut out = Vec::new();
    if !decode(&mut out) {
        assert!(out.is_empty(), "an error writes nothing");
        return;
    }
    let batch = SpanBatch::parse(out).expect("what a decoder writes can be parsed");
    assert!(batch.refused().iter().all(|(why, _)| why != skua_model::Refusal::Malformed));
    let mut text = Vec::new();
    otlp_json::put_spans(&mut text, &batch, &(0..batch.len() as u32).collect::<Vec<_>>());
    otlp_json::decode(&text, &mut Vec::new()).expect("our own JSON");
    if !batch.is_empty() {
        let text = encode_json(&batch);
        jaeger::json::decode(text.as_bytes(), &mut Vec::new()).expect("our own JSON");
        jaeger::decode::span(&encode(&batch), &mut Vec::new()).expect("our own protobuf");
    }
}

type Flips = Vec<(prop::sample::Index, u8)>;

fn flips() -> impl Strategy<Value = Flips> {
    vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_damaged_span(span in span(), cut in any::<prop::sample::Index>(), flips in flips()) {
        let message = damaged(span.encode_to_vec(), cut, flips);
        check(|out| jaeger::decode::span(&message, out).is_ok());
    }

    #[test]
    fn a_damaged_batch(spans in vec(span(), 0..4), cut in any::<prop::sample::Index>(), flips in flips()) {
        let request = PostSpansRequest { batch: Some(Batch { spans, process: None }) };
        let message = damaged(request.encode_to_vec(), cut, flips);
        check(|out| jaeger::decode::batch(&message, Some("proto"), out).is_ok());
    }

    #[test]
    fn damaged_json(cut in any::<prop::sample::Index>(), flips in flips()) {
        let message = damaged(full_json().as_bytes().to_vec(), cut, flips.clone());
        check(|out| jaeger::json::decode(&message, out).is_ok());
        let batch = crate::golden::batch(|out| jaeger::decode::span(&full(), out));
        let mut text = Vec::new();
        otlp_json::put_spans(&mut text, &batch, &[0]);
        let message = damaged(text, cut, flips);
        check(|out| otlp_json::decode(&message, out).is_ok());
    }

    #[test]
    fn noise(bytes in vec(any::<u8>(), 0..200)) {
        for encoding in [Encoding::Protobuf, Encoding::Json, Encoding::OtlpJson] {
            check(|out| decode_message(encoding, &bytes, out).is_ok());
        }
        check(|out| jaeger::decode::batch(&bytes, None, out).is_ok());
    }
}
