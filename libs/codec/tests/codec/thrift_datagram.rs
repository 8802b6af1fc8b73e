//! Packets to an agent: heads, methods, and what clients say of themselves.

use crate::api_v2::{KeyValue, Process, a_span, string};
use crate::thrift_golden::{binary, compact};
use crate::thrift_oracle::{self as oracle, Batch, bytes, call, field, packet};
use skua_codec::thrift::{Datagram, Method, Protocol, ThriftError, datagram};
use thrift::protocol::TType;

const BOTH: [Protocol; 2] = [Protocol::Compact, Protocol::Binary];

fn read(protocol: Protocol, packet: &[u8]) -> Result<Datagram, ThriftError> {
    let mut out = b"kept".to_vec();
    let got = datagram(protocol, packet, Some("jaeger"), &mut out);
    assert!(got.is_ok() || out == b"kept");
    got
}

fn error(protocol: Protocol, packet: &[u8]) -> String {
    read(protocol, packet).expect_err("not a datagram").to_string()
}

/// A server looks only for the message; Jaeger replaces its buffer for the next packet.
#[test]
fn what_follows_the_message_is_ignored() {
    for (protocol, packet) in [(Protocol::Compact, compact()), (Protocol::Binary, binary())] {
        let want = read(protocol, &packet).expect("a batch");
        for rest in [&b"\0"[..], b"\xff\xff\xff", &packet] {
            assert_eq!(read(protocol, &[&packet, rest].concat()).expect("a batch"), want);
        }
    }
}

/// CALL instead of ONEWAY, and the binary protocol's old head without a version.
#[test]
fn other_heads() {
    let mut called = compact();
    assert_eq!(called[1], 0x81);
    called[1] = 0x21;
    assert_eq!(read(Protocol::Compact, &called).expect("a batch").spans, 4);
    let mut called = binary();
    called[3] = 1;
    assert_eq!(read(Protocol::Binary, &called).expect("a batch").spans, 4);
    let old = [&[0, 0, 0, 9][..], b"emitBatch", &[4, 0, 0, 0, 1], &binary()[21..]].concat();
    assert_eq!(read(Protocol::Binary, &old).expect("a batch").spans, 4);
}

/// A client that speaks to the wrong port is told so.
#[test]
fn the_other_protocol_is_an_error() {
    assert_eq!(error(Protocol::Compact, &binary()), "thrift message: not a message of the compact protocol, version 1");
    assert_eq!(error(Protocol::Binary, &compact()), "thrift message: not a message of the binary protocol, version 1");
    assert_eq!(error(Protocol::Compact, b""), "thrift message: the message ends inside a value");
}

#[test]
fn unknown_methods_are_named() {
    for protocol in BOTH {
        let packet = bytes(protocol, |o| call(o, "submitBatches", |_| ()));
        let want = r#"thrift message: unknown method "submitBatches": one of emitBatch, emitZipkinBatch"#;
        assert_eq!(error(protocol, &packet), want);
        let packet = bytes(protocol, |o| call(o, &"x".repeat(60_000), |_| ()));
        assert!(error(protocol, &packet).len() < 200);
    }
}

#[test]
fn a_call_without_its_argument_is_an_error() {
    for protocol in BOTH {
        for (method, field) in [("emitBatch", "batch"), ("emitZipkinBatch", "spans")] {
            let packet = bytes(protocol, |o| call(o, method, |o| oracle::i64(o, 1, 5)));
            assert_eq!(error(protocol, &packet), format!("thrift {method}.{field}: required field is not set"));
        }
    }
}

/// The last argument counts, and only its spans are written.
#[test]
fn two_batches_are_one() {
    for protocol in BOTH {
        let batch = |n| Batch { spans: vec![a_span(); n], seq_no: Some(n as i64), ..Batch::default() };
        let packet = bytes(protocol, |o| {
            call(o, "emitBatch", |o| {
                [3, 1].into_iter().for_each(|n| field(o, 1, TType::Struct, |o| oracle::put_batch(o, &batch(n))));
            });
        });
        let mut out = Vec::new();
        assert_eq!(datagram(protocol, &packet, None, &mut out).expect("a batch").spans, 1);
        assert_eq!(skua_model::SpanBatch::parse(out).expect("OTLP").len(), 1);
    }
}

/// A client is known by a text `client-uuid` and a sequence number; without counters they are 0.
#[test]
fn clients_that_name_themselves_report() {
    let number = KeyValue { key: "client-uuid".into(), v_type: 2, v_int64: 5, ..Default::default() };
    let (uuid, other) = (string("client-uuid", "u"), string("client-uuid", "v"));
    let x = string("x", "y");
    for (tags, seq_no, stats, want) in [
        (vec![x.clone(), uuid.clone()], Some(8), Some([1, 2, 3]), Some(("u", 8, [1, 2, 3]))),
        (vec![uuid.clone()], Some(-1), None, Some(("u", -1, [0, 0, 0]))),
        (vec![uuid.clone(), other], Some(8), None, Some(("u", 8, [0, 0, 0]))),
        (vec![uuid.clone()], None, Some([1, 2, 3]), None),
        (vec![x], Some(8), Some([1, 2, 3]), None),
        (vec![string("client-uuid", "")], Some(8), None, None),
        (vec![number, uuid], Some(8), None, None),
    ] {
        for spans in [vec![], vec![a_span()]] {
            let process = Process { service_name: "s".into(), tags: tags.clone() };
            let count = spans.len();
            let sent = Batch { process, spans, seq_no, stats, ..Batch::default() };
            for protocol in BOTH {
                let got = read(protocol, &packet(protocol, &sent)).expect("a batch");
                assert_eq!((got.method, got.spans), (Method::EmitBatch, count));
                let client = got.client.as_ref().map(|c| {
                    let stats = [c.full_queue_dropped_spans, c.too_large_dropped_spans, c.failed_to_emit_spans];
                    (&c.client_uuid[..], c.seq_no, stats)
                });
                assert_eq!(client, want);
            }
        }
    }
}
