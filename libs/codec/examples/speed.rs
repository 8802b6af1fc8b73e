//! `cargo run --release -p skua-codec --example speed`: nanoseconds of one core for one span of about 470 bytes, by format.
//! Best of many rounds, so that a busy machine does not show.

#![expect(clippy::print_stdout, reason = "a program that prints figures")]

use skua_codec::{Encoding, decode_message, jaeger, otlp_json};
use skua_model::wire::{put_bytes, put_message, put_uint, put_varint};
use skua_model::{BatchBuilder, DecodeError, SpanBatch};
use std::hint::black_box;
use std::time::Instant;

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
