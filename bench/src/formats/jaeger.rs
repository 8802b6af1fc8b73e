//! `jaeger.thrift` and `jaeger.api_v2`: the tags are those that Jaeger reads from the OTLP span, times are microseconds in Thrift.

use super::thrift::{Protocol, Type, Writer};
use skua_codec::jaeger::encode;
use skua_model::wire::{put_bytes, put_message};
use skua_model::{AnyValue, ProcessView, SpanBatch, SpanEntry, SpanView, for_each_tag, json};

/// `PostSpansRequest{1 batch{1 spans, 2 process}}`.
pub fn post_spans(batch: &SpanBatch, spans: &[SpanEntry]) -> Vec<u8> {
    let mut out = Vec::new();
    put_message(&mut out, 1, |out| {
        let mut body = Vec::new();
        for span in spans {
            body.clear();
            encode::put_span(&mut body, &batch.view(span), b"");
            put_bytes(out, 1, &body);
        }
        if let Some(span) = spans.first() {
            // The field of a span's process is field 10, that of a batch's 2: the body is the same.
            body.clear();
            encode::put_process(&mut body, &batch.process(batch.resource_of(span)));
            const SPAN_PROCESS: u32 = 10 << 3 | 2;
            skua_model::wire::messages(&body, SPAN_PROCESS).for_each(|process| put_bytes(out, 2, process));
        }
    });
    out
}

/// A `Batch` in the binary protocol.
pub fn thrift_batch(batch: &SpanBatch, spans: &[SpanEntry]) -> Vec<u8> {
    let mut w = Writer::new(Protocol::Binary);
    w.structure(|w| put_batch(w, batch, spans));
    w.finish()
}

/// `emitBatch(1: Batch)` as one datagram.
pub fn datagram(protocol: Protocol, batch: &SpanBatch, spans: &[SpanEntry], number: i32) -> Vec<u8> {
    let mut w = Writer::new(protocol);
    w.oneway("emitBatch", number, |w| w.field(1, |w| put_batch(w, batch, spans)));
    w.finish()
}

fn put_batch(w: &mut Writer, batch: &SpanBatch, spans: &[SpanEntry]) {
    if let Some(span) = spans.first() {
        let process = batch.process(batch.resource_of(span));
        w.field(1, |w| put_process(w, &process));
    }
    w.list(2, Type::Struct, spans.len());
    spans.iter().for_each(|span| w.structure(|w| put_span(w, &batch.view(span))));
}

fn put_process(w: &mut Writer, process: &ProcessView<'_>) {
    w.binary(1, process.service);
    let tags: Vec<_> = process.attributes().iter().map(|kv| (kv.key, kv.value)).collect();
    put_tags(w, 2, &tags);
}

fn put_span(w: &mut Writer, s: &SpanView<'_>) {
    let half = |b: &[u8]| b.iter().fold(0_i64, |v, b| v << 8 | i64::from(*b));
    let micros = |ns: u64| (ns / 1000) as i64;
    w.i64(1, half(&s.trace_id[8..]));
    w.i64(2, half(&s.trace_id[..8]));
    w.i64(3, half(&s.span_id));
    w.i64(4, half(&s.parent_span_id));
    w.binary(5, s.name);
    w.i32(7, 1); // sampled
    w.i64(8, micros(s.start));
    w.i64(9, micros(s.end) - micros(s.start));
    let mut tags = Vec::new();
    for_each_tag(s, |key, value| tags.push((key, value)));
    put_tags(w, 10, &tags);
    let events: Vec<_> = s.events().collect();
    if events.is_empty() {
        return;
    }
    w.list(11, Type::Struct, events.len());
    for event in events {
        w.structure(|w| {
            let mut fields = Vec::new();
            event.for_each_field(|key, value| fields.push((key, value)));
            w.i64(1, micros(event.time));
            put_tags(w, 2, &fields);
        });
    }
}

/// `Tag`: 1 key, 2 type, then the field of that type.
fn put_tags(w: &mut Writer, number: i16, tags: &[(&[u8], AnyValue<'_>)]) {
    w.list(number, Type::Struct, tags.len());
    for (key, value) in tags {
        w.structure(|w| {
            w.binary(1, key);
            w.i32(
                2,
                match value {
                    AnyValue::Double(_) => 1,
                    AnyValue::Bool(_) => 2,
                    AnyValue::Int(_) => 3,
                    AnyValue::Bytes(_) => 4,
                    _ => 0,
                },
            );
            match value {
                AnyValue::Empty => w.binary(3, b""),
                AnyValue::String(v) => w.binary(3, v),
                AnyValue::Double(v) => w.double(4, *v),
                AnyValue::Bool(v) => w.bool(5, *v),
                AnyValue::Int(v) => w.i64(6, *v),
                AnyValue::Bytes(v) => w.binary(7, v),
                AnyValue::Array(_) | AnyValue::Map(_) => {
                    let mut text = Vec::new();
                    json::put_nested(&mut text, *value);
                    w.binary(3, &text);
                }
            }
        });
    }
}
