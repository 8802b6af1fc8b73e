//! `cargo run --release -p skua-codec --example speed`: nanoseconds of one core for one span of about 470 bytes, by format.
//! Best of many rounds, so that a busy machine does not show.

#![expect(clippy::print_stdout, reason = "a program that prints figures")]

use prost::Message;
use skua_codec::thrift::{self, Protocol};
use skua_codec::{Encoding, decode_message, jaeger, otlp_json, zipkin};
use skua_model::wire::{put_bytes, put_message, put_uint, put_varint};
use skua_model::{BatchBuilder, DecodeError, SpanBatch};
use std::hint::black_box;
use std::time::Instant;

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../tests/codec/api_v2.rs"]
mod api_v2;
#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../tests/codec/thrift_oracle.rs"]
mod thrift_oracle;
#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../tests/codec/zipkin_thrift.rs"]
mod zipkin_thrift;

fn main() {
    let process = process();
    let message = span(&process);
    let request = request(&message);
    let mut otlp = Vec::new();
    jaeger::decode::span(&message, &mut otlp).expect("a span");
    let batch = SpanBatch::parse(otlp.clone()).expect("OTLP");
    let (mut json, mut text) = (Vec::new(), Vec::new());
    let entry = &batch.spans()[0];
    jaeger::json::put_span(&mut json, &batch.view(entry), &batch.process(0));
    otlp_json::put_spans(&mut text, &batch, &[0]);
    println!("{} bytes of api_v2, {} of OTLP, {} of jsonpb, {} of OTLP JSON", message.len(), otlp.len(), json.len(), text.len());

    let spans = vec![api_v2::Span::decode(&message[..]).expect("a span"); 100];
    let own = spans[0].process.clone().expect("a process");
    let sent = thrift_oracle::Batch { process: own, spans, parent_ids: true, ..Default::default() };
    let packets = [Protocol::Compact, Protocol::Binary].map(|p| (p, thrift_oracle::packet(p, &sent)));
    for (protocol, packet) in &packets {
        println!("{} bytes of {protocol:?} Thrift for one of 100", packet.len() / 100);
    }

    let mut out = Vec::new();
    let mut step = |name: &str, spans: u32, f: &mut dyn FnMut(&mut Vec<u8>)| {
        let mut best = f64::MAX;
        for _ in 0..300 {
            let start = Instant::now();
            for _ in 0..200 {
                out.clear();
                f(&mut out);
                black_box(&out);
            }
            best = best.min(start.elapsed().as_nanos() as f64 / 200.0);
        }
        println!("{:8.0} ns  {name}", best / f64::from(spans));
    };
    step("jaeger::decode::span", 1, &mut |out| jaeger::decode::span(black_box(&message), out).expect("a span"));
    step("jaeger::decode::batch of 100", 100, &mut |out| {
        jaeger::decode::batch(black_box(&request), Some("proto"), out).expect("a batch");
    });
    step("  the same into a BatchBuilder, indexed and checked", 100, &mut |_| {
        let mut builder = BatchBuilder::default();
        let added = builder.push_with(|out| -> Result<(), DecodeError> {
            jaeger::decode::batch(black_box(&request), Some("proto"), out).map_err(|_| DecodeError::TooLong)
        });
        black_box(added.expect("a batch"));
    });
    for (protocol, packet) in &packets {
        step(&format!("thrift::datagram of 100, {protocol:?}"), 100, &mut |out| {
            thrift::datagram(*protocol, black_box(packet), Some("jaeger"), out).expect("a batch");
        });
    }
    let zipkin = zipkin_v2_json();
    println!("{} bytes of Zipkin v2 JSON for one of 100", zipkin.len() / 100);
    step("zipkin::v2_json of 100", 100, &mut |out| zipkin::v2_json(black_box(&zipkin), out).expect("spans"));
    let (v2, v1, core) = (zipkin_v2_proto(), zipkin_v1_json(), zipkin_core());
    step("zipkin::v2_proto of 100", 100, &mut |out| zipkin::v2_proto(black_box(&v2), out).expect("spans"));
    step("zipkin::v1_json of 100", 100, &mut |out| zipkin::v1_json(black_box(&v1), 0, out).expect("spans"));
    step("zipkin::v1_thrift of 100", 100, &mut |out| zipkin::v1_thrift(black_box(&core), out).expect("spans"));
    step("zipkin::core_thrift of 100", 100, &mut |out| zipkin::core_thrift(black_box(&core), out).expect("spans"));
    step("view and jaeger::encode::put_span", 1, &mut |out| {
        jaeger::encode::put_span(out, &black_box(&batch).view(entry), &process);
    });
    step("view, put_process and put_span", 1, &mut |out| {
        let mut process = Vec::with_capacity(128);
        jaeger::encode::put_process(&mut process, &black_box(&batch).process(0));
        jaeger::encode::put_span(out, &batch.view(entry), &process);
    });
    step("jaeger::json::put_span", 1, &mut |out| jaeger::json::put_span(out, &batch.view(entry), &batch.process(0)));
    step("otlp_json::put_spans", 1, &mut |out| otlp_json::put_spans(out, black_box(&batch), &[0]));
    for (encoding, message) in [(Encoding::Json, &json), (Encoding::OtlpJson, &text)] {
        step(&format!("decode_message({encoding})"), 1, &mut |out| {
            decode_message(encoding, black_box(message), out).expect("a span");
        });
    }
}

/// The `process` field of a span.
fn process() -> Vec<u8> {
    let mut out = Vec::new();
    put_message(&mut out, 10, |out| {
        put_bytes(out, 1, b"frontend");
        text(out, 2, b"hostname", b"frontend-7d9c5b8f6-x2x7k");
        text(out, 2, b"jaeger.version", b"Go-2.30.0");
        text(out, 2, b"ip", b"10.42.0.17");
    });
    out
}

fn text(out: &mut Vec<u8>, number: u32, key: &[u8], value: &[u8]) {
    put_message(out, number, |out| {
        put_bytes(out, 1, key);
        put_bytes(out, 3, value);
    });
}

fn number(out: &mut Vec<u8>, key: &[u8], value: u64) {
    put_message(out, 8, |out| {
        put_bytes(out, 1, key);
        put_uint(out, 2, 2);
        put_uint(out, 5, value);
    });
}

fn time(out: &mut Vec<u8>, number: u32, seconds: u64, nanos: u64) {
    put_message(out, number, |out| {
        put_uint(out, 1, seconds);
        put_uint(out, 2, nanos);
    });
}

fn span(process: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_bytes(&mut out, 1, &[7; 16]);
    put_bytes(&mut out, 2, &[8; 8]);
    put_bytes(&mut out, 3, b"HTTP GET /dispatch");
    put_message(&mut out, 4, |out| {
        put_bytes(out, 1, &[7; 16]);
        put_bytes(out, 2, &[9; 8]);
    });
    put_uint(&mut out, 5, 1);
    time(&mut out, 6, 1_700_000_000, 123_456_789);
    time(&mut out, 7, 0, 1_500_000);
    text(&mut out, 8, b"span.kind", b"server");
    text(&mut out, 8, b"http.method", b"GET");
    text(&mut out, 8, b"http.url", b"http://frontend:8080/dispatch?customer=123&nonse=0.6");
    number(&mut out, b"http.status_code", 200);
    text(&mut out, 8, b"component", b"net/http");
    text(&mut out, 8, b"peer.service", b"customer");
    put_message(&mut out, 9, |out| {
        time(out, 1, 1_700_000_000, 123_556_789);
        text(out, 2, b"event", b"Searching for nearby drivers");
        text(out, 2, b"level", b"info");
    });
    out.extend_from_slice(process);
    out
}

/// A hundred of them.
fn request(span: &[u8]) -> Vec<u8> {
    let mut batch = Vec::new();
    (0..100).for_each(|_| put_bytes(&mut batch, 1, span));
    let mut out = Vec::new();
    put_varint(&mut out, 1 << 3 | 2);
    put_varint(&mut out, batch.len() as u64);
    out.extend_from_slice(&batch);
    out
}

/// The tags of Zipkin's spans below, as Brave has them.
const ZIPKIN_TAGS: [(&str, &str); 10] = [
    ("http.method", "GET"),
    ("http.path", "/dispatch"),
    ("http.url", "http://frontend:8080/dispatch?customer=123&nonse=0.6"),
    ("http.status_code", "200"),
    ("mvc.controller.class", "DispatchController"),
    ("mvc.controller.method", "dispatch"),
    ("component", "net/http"),
    ("customer", "123"),
    ("error", "true"),
    ("span.id", "8"),
];

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(",")
}

/// A hundred spans of ten tags, an annotation and both endpoints.
fn zipkin_v2_json() -> Vec<u8> {
    let tags = joined(ZIPKIN_TAGS.iter().map(|(k, v)| format!("{k:?}:{v:?}")));
    let one = format!(
        r#"{{"traceId":"0707070707070707","id":"0808080808080808","parentId":"0909090909090909","name":"http get /dispatch","kind":"SERVER","timestamp":1700000000123456,"duration":1500,"localEndpoint":{{"serviceName":"frontend","ipv4":"10.42.0.17","port":8080}},"remoteEndpoint":{{"ipv4":"10.42.0.18","port":40312}},"annotations":[{{"timestamp":1700000000123556,"value":"Searching for nearby drivers"}}],"tags":{{{tags}}}}}"#
    );
    format!("[{}]", joined((0..100).map(|_| one.clone()))).into_bytes()
}

/// The same in protobuf.
fn zipkin_v2_proto() -> Vec<u8> {
    let mut out = Vec::new();
    let time = |out: &mut Vec<u8>, number: u32, t: u64| {
        put_varint(out, u64::from(number << 3 | 1));
        out.extend_from_slice(&t.to_le_bytes());
    };
    let endpoint = |out: &mut Vec<u8>, name: &[u8], ip: [u8; 4], port| {
        put_bytes(out, 1, name);
        put_bytes(out, 2, &ip);
        put_uint(out, 4, port);
    };
    for _ in 0..100 {
        put_message(&mut out, 1, |out| {
            put_bytes(out, 1, &[7; 16]);
            put_bytes(out, 2, &[9; 8]);
            put_bytes(out, 3, &[8; 8]);
            put_uint(out, 4, 2);
            put_bytes(out, 5, b"http get /dispatch");
            time(out, 6, 1_700_000_000_123_456);
            put_uint(out, 7, 1500);
            put_message(out, 8, |out| endpoint(out, b"frontend", [10, 42, 0, 17], 8080));
            put_message(out, 9, |out| endpoint(out, b"", [10, 42, 0, 18], 40_312));
            put_message(out, 10, |out| {
                time(out, 1, 1_700_000_000_123_556);
                put_bytes(out, 2, b"Searching for nearby drivers");
            });
            for (key, value) in ZIPKIN_TAGS {
                put_message(out, 11, |out| {
                    put_bytes(out, 1, key.as_bytes());
                    put_bytes(out, 2, value.as_bytes());
                });
            }
        });
    }
    out
}

/// The same in v1.
fn zipkin_v1_json() -> Vec<u8> {
    let host = r#""endpoint":{"serviceName":"frontend","ipv4":"10.42.0.17","port":8080}"#;
    let tags = joined(ZIPKIN_TAGS.iter().map(|(k, v)| format!(r#"{{"key":{k:?},"value":{v:?},{host}}}"#)));
    let notes = [(123_456, "sr"), (123_556, "Searching for nearby drivers"), (124_956, "ss")];
    let notes = joined(notes.iter().map(|(t, v)| format!(r#"{{"timestamp":1700000000{t},"value":{v:?},{host}}}"#)));
    let one = format!(
        r#"{{"traceId":"0707070707070707","id":"0808080808080808","parentId":"0909090909090909","name":"http get /dispatch","timestamp":1700000000123456,"duration":1500,"annotations":[{notes}],"binaryAnnotations":[{tags}]}}"#
    );
    format!("[{}]", joined((0..100).map(|_| one.clone()))).into_bytes()
}

/// The same in Thrift.
fn zipkin_core() -> Vec<u8> {
    use zipkin_thrift::{Annotation, Binary, Host, Span};
    let host = Host { service: "frontend", ipv4: 0x0a2a_0011, port: 8080, ipv6: None };
    let note = |timestamp, value: &str| Annotation { timestamp, value: value.into(), host: Some(host.clone()) };
    let notes = [(123_456, "sr"), (123_556, "Searching for nearby drivers"), (124_956, "ss")];
    let span = Span {
        parent_id: Some(9),
        timestamp: Some(1_700_000_000_123_456),
        duration: Some(1500),
        annotations: notes.iter().map(|(t, v)| note(1_700_000_000_000_000 + t, v)).collect(),
        binary: ZIPKIN_TAGS.iter().map(|(k, v)| Binary::new(k, v.as_bytes(), 6).on(&host)).collect(),
        ..Span::default()
    };
    thrift_oracle::bytes(Protocol::Binary, |o| zipkin_thrift::list_of(o, &vec![span; 100]))
}
