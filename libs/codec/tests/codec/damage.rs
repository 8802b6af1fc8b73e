//! Cut, flipped or made up: an error or a batch, never a panic, and nothing written with an error.

use crate::api_v2::{Batch, PostSpansRequest, span};
use crate::golden::{encode, encode_json, full, full_json};
use crate::thrift_golden;
use crate::thrift_oracle::{self, bytes, packet};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use skua_codec::thrift::{self, Protocol};
use skua_codec::{Encoding, decode_message, jaeger, otlp_json};
use skua_model::SpanBatch;

pub fn damaged(mut bytes: Vec<u8>, cut: prop::sample::Index, flips: Vec<(prop::sample::Index, u8)>) -> Vec<u8> {
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
pub fn check(decode: impl FnOnce(&mut Vec<u8>) -> bool) {
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

pub type Flips = Vec<(prop::sample::Index, u8)>;

pub fn flips() -> impl Strategy<Value = Flips> {
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

    /// Packets that a client wrote, and random ones.
    #[test]
    fn damaged_thrift(spans in vec(span(), 0..4), cut in any::<prop::sample::Index>(), flips in flips()) {
        let batch = thrift_oracle::Batch { spans, seq_no: Some(1), stats: Some([1; 3]), ..Default::default() };
        for (protocol, golden) in [(Protocol::Compact, thrift_golden::compact()), (Protocol::Binary, thrift_golden::binary())] {
            for message in [golden, packet(protocol, &batch)] {
                let message = damaged(message, cut, flips.clone());
                check(|out| thrift::datagram(protocol, &message, Some("jaeger"), out).is_ok());
            }
        }
        let message = damaged(thrift_oracle::body(&batch), cut, flips);
        check(|out| thrift::batch(&message, Some("jaeger"), out).is_ok());
    }

    #[test]
    fn noise(bytes in vec(any::<u8>(), 0..200)) {
        for encoding in [Encoding::Protobuf, Encoding::Json, Encoding::OtlpJson] {
            check(|out| decode_message(encoding, &bytes, out).is_ok());
        }
        check(|out| jaeger::decode::batch(&bytes, None, out).is_ok());
        check(|out| thrift::batch(&bytes, None, out).is_ok());
        for (protocol, golden) in [(Protocol::Compact, thrift_golden::compact()), (Protocol::Binary, thrift_golden::binary())] {
            check(|out| thrift::datagram(protocol, &bytes, None, out).is_ok());
            let message = [&golden[..30], &bytes].concat(); // noise where a batch was
            check(|out| thrift::datagram(protocol, &message, None, out).is_ok());
        }
    }
}

/// A message that ends early is an error wherever it ends.
#[test]
fn every_truncation_of_thrift() {
    let body = thrift_golden::body();
    let body = &body[..body.len() - 1]; // it ends with a byte that is not the batch's
    let (compact, binary) = (thrift_golden::compact(), thrift_golden::binary());
    let mut out = Vec::new();
    for cut in 0..compact.len() {
        assert!(thrift::datagram(Protocol::Compact, &compact[..cut], None, &mut out).is_err(), "{cut}");
    }
    for cut in 0..binary.len() {
        assert!(thrift::datagram(Protocol::Binary, &binary[..cut], None, &mut out).is_err(), "{cut}");
    }
    for cut in 0..body.len() {
        assert!(thrift::batch(&body[..cut], None, &mut out).is_err(), "{cut}");
    }
    assert!(out.is_empty());
}

/// Every byte of a packet in turn, at its lowest, its highest and with each bit flipped.
#[test]
fn every_byte_of_thrift() {
    for (protocol, golden) in [(Protocol::Compact, thrift_golden::compact()), (Protocol::Binary, thrift_golden::binary())] {
        for at in 0..golden.len() {
            let mut message = golden.clone();
            for b in (0..8).map(|bit| golden[at] ^ 1 << bit).chain([0, 0x7f, 0x80, 0xff]) {
                message[at] = b;
                let mut out = Vec::new();
                match thrift::datagram(protocol, &message, None, &mut out) {
                    Ok(_) => drop(SpanBatch::parse(out).expect("what a decoder writes can be parsed")),
                    Err(_) => assert!(out.is_empty()),
                }
            }
        }
    }
}

/// The worst that few bytes can ask for: structs of nothing but what they must have. What is written stays in proportion, and a
/// long process is written for no more than one list of spans.
#[test]
fn thrift_stays_in_proportion() {
    // Compact: 1, 2 ids of the trace, 3 id, 4 parent, 5 no name, 7 flags, 8 start, 9 duration.
    const SPAN: &[u8] = &[0x16, 2, 0x16, 0, 0x16, 2, 0x16, 0, 0x18, 0, 0x25, 0, 0x16, 0, 0x16, 0];
    const REFERENCE: &[u8] = &[0x15, 2, 0x16, 2, 0x16, 0, 0x16, 2, 0];
    const TAG: &[u8] = &[0x18, 0, 0x15, 18, 0]; // of a type that does not exist
    const LOG: &[u8] = &[0x16, 0, 0x19, 0x0c, 0];
    const PROCESS: &[u8] = &[0x1c, 0x18, 0, 0];
    let list = |head: u8, item: &[u8], n: usize| {
        [&[head, 0xfc, 0x80 | n as u8, 0x80 | (n >> 7) as u8, (n >> 14) as u8][..], &item.repeat(n)].concat()
    };
    let n = 100_000;
    let head = [&compact_head()[..], PROCESS].concat();
    let ended = |span: &[u8]| [span, &[0]].concat();
    let one_span = |more: Vec<u8>| [&head[..], &[0x19, 0x1c], SPAN, &more, &[0, 0, 0]].concat();
    let mut references_first = [0x16, 2, 0x16, 0, 0x16, 2, 0x16, 0, 0x18, 0].to_vec();
    references_first.extend(list(0x19, REFERENCE, n));
    references_first.extend([0x15, 0, 0x16, 0, 0x16, 0, 0]);
    let spans = [&head[..], &list(0x19, &ended(SPAN), n), &[0, 0]].concat();
    let long_process = [&[0x1c, 0x18, 0xc0, 0x84, 0x3d][..], &vec![b'n'; 1_000_000], &[0]].concat();
    let empty_spans = [0x09, 4, 0x1c].to_vec(); // id 2 again, and again: one span each
    let again = [&empty_spans[..], &ended(SPAN)].concat().repeat(n / 10);
    let messages = [
        spans,
        one_span(list(0x19, TAG, n)),
        one_span(list(0x29, LOG, n)),
        [&head[..], &[0x19, 0x1c], &references_first, &[0, 0]].concat(),
        [&compact_head()[..], &long_process, &again, &[0, 0]].concat(),
    ];
    for (number, message) in messages.into_iter().enumerate() {
        let mut out = Vec::new();
        let got = thrift::datagram(Protocol::Compact, &message, None, &mut out).unwrap_or_else(|e| panic!("{number}: {e}"));
        assert!(got.spans == 1 || got.spans == n, "{number}");
        assert!(out.capacity() < 24 * message.len(), "{number}: {} bytes from {}", out.capacity(), message.len());
    }
}

/// Logs whose list of fields says that it holds a bool each, while that byte begins a struct with a text up to the end of the
/// message: were it read as such, every log would copy that text.
#[test]
fn thrift_lists_are_what_they_say() {
    const SPAN: &[u8] = &[0x16, 2, 0x16, 0, 0x16, 2, 0x16, 0, 0x18, 0, 0x25, 0, 0x16, 0, 0x16, 0];
    let log = [0x16, 0, 0x19, 0x11, 0x18, 0];
    let logs = [&[0x29, 0xfc, 0xe8, 0x07][..], &log.repeat(1_000)].concat();
    let message = [&compact_head()[..], &[0x1c, 0x18, 0, 0, 0x19, 0x1c], SPAN, &logs, &[0, 0, 0]].concat();
    let mut out = Vec::new();
    let error = thrift::datagram(Protocol::Compact, &message, None, &mut out).expect_err("not a list of tags");
    assert_eq!(error.to_string(), "span 0 of the batch: thrift Log.fields: a list holds something else than structs");
}

/// A message up to the fields of its batch.
fn compact_head() -> Vec<u8> {
    let mut head = bytes(Protocol::Compact, |o| thrift_oracle::call(o, "emitBatch", |_| ()));
    head.pop();
    head.push(0x1c);
    head
}
