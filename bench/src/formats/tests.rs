//! What is written for other clients is the same trace, as Skua's own readers see it.

use super::*;
use crate::spans::{Config, generate};
use skua_codec::jaeger as codec_jaeger;
use skua_model::{AnyValue, SpanView, for_each_tag};
use std::collections::BTreeMap;

/// A span with everything that each format can carry: times in microseconds, values as text where the format has only text.
#[derive(Debug, PartialEq)]
struct Seen {
    service: String,
    name: String,
    parent: [u8; 8],
    kind: u64,
    start: u64,
    end: u64,
    failed: bool,
    tags: Vec<(String, String)>,
    events: Vec<(u64, Vec<(String, String)>)>,
}

type Ids = ([u8; 16], [u8; 8]);

fn lossy(b: &[u8]) -> String {
    String::from_utf8_lossy(b).into_owned()
}

/// With its type, or as text only.
fn shown(v: AnyValue<'_>, typed: bool) -> String {
    match v {
        _ if typed && !matches!(v, AnyValue::String(_)) => format!("{v:?}"),
        AnyValue::String(s) => lossy(s),
        AnyValue::Bool(v) => v.to_string(),
        AnyValue::Int(v) => v.to_string(),
        AnyValue::Double(v) => v.to_string(),
        other => format!("{other:?}"),
    }
}

fn fields<'a>(typed: bool, all: impl FnOnce(&mut dyn FnMut(&'a [u8], AnyValue<'a>))) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    all(&mut |key, v| fields.push((lossy(key), shown(v, typed))));
    if !typed {
        fields.sort();
    }
    fields
}

/// Every span of a batch; without types the tags of span and process are one sorted set.
fn see(batch: &SpanBatch, typed: bool, into: &mut BTreeMap<Ids, Seen>) {
    for entry in batch.spans() {
        let s: SpanView<'_> = batch.view(entry);
        let process = batch.process(batch.resource_of(entry));
        let tags = fields(typed, |put| {
            for_each_tag(&s, &mut *put);
            process.attributes().iter().for_each(|kv| put(kv.key, kv.value));
        });
        let events = s.events().map(|e| (e.time / 1000, fields(typed, |put| e.for_each_field(put)))).collect();
        let failed = s.status_code == 2;
        let seen = Seen {
            service: lossy(process.service),
            name: lossy(s.name),
            parent: s.parent_span_id,
            kind: s.kind,
            start: s.start / 1000,
            end: s.end / 1000,
            failed,
            tags,
            events,
        };
        assert_eq!(into.insert((s.trace_id, s.span_id), seen).map(|s| s.name), None, "each span once");
    }
}

/// Spans of a load: as generated, and as `decode` reads what was written of them.
fn both(format: Format, typed: bool, decode: impl Fn(&[u8], &mut Vec<u8>)) -> [BTreeMap<Ids, Seen>; 2] {
    let mut load = generate(&Config::new(1990, 60));
    let [mut wanted, mut got] = [BTreeMap::new(), BTreeMap::new()];
    load.requests.iter().for_each(|r| see(&SpanBatch::parse(r.clone()).unwrap(), typed, &mut wanted));
    convert(&mut load, format).unwrap();
    assert_eq!(load.requests.len(), load.sizes.len());
    for (request, size) in load.requests.iter().zip(&load.sizes) {
        let mut out = Vec::new();
        decode(request, &mut out);
        let batch = SpanBatch::parse(out).unwrap();
        assert_eq!(batch.len(), *size as usize);
        see(&batch, typed, &mut got);
    }
    assert_eq!(wanted.len(), 1990);
    [wanted, got]
}

fn same(format: Format, typed: bool, decode: impl Fn(&[u8], &mut Vec<u8>)) {
    let [wanted, got] = both(format, typed, decode);
    assert_eq!(got.len(), wanted.len());
    for (ids, span) in wanted {
        assert_eq!(got.get(&ids), Some(&span));
    }
}

#[test]
fn jaeger_over_grpc_holds_the_same_spans() {
    same(Format::JaegerProto, true, |request, out| codec_jaeger::decode::batch(request, None, out).unwrap());
}

#[test]
fn thrift_over_http_holds_the_same_spans() {
    same(Format::ThriftBatch, true, |request, out| skua_codec::thrift::batch(request, None, out).unwrap());
}

#[test]
fn datagrams_of_thrift_hold_the_same_spans() {
    use skua_codec::thrift::{Method, Protocol, datagram};
    for (ours, theirs) in [(thrift::Protocol::Compact, Protocol::Compact), (thrift::Protocol::Binary, Protocol::Binary)] {
        same(Format::ThriftDatagram(ours), true, |packet, out| {
            assert!(packet.len() <= MAX_DATAGRAM);
            assert_eq!(datagram(theirs, packet, None, out).unwrap().method, Method::EmitBatch);
        });
    }
}

#[test]
fn zipkin_holds_the_same_spans_with_their_values_as_text() {
    same(Format::ZipkinJson, false, |request, out| skua_codec::zipkin::v2_json(request, out).unwrap());
}

#[test]
fn what_does_not_fit_a_datagram_becomes_several() {
    let mut load = generate(&Config::new(1000, 400));
    convert(&mut load, Format::ThriftDatagram(thrift::Protocol::Binary)).unwrap();
    assert!(load.requests.iter().all(|r| r.len() <= MAX_DATAGRAM));
    assert_eq!(load.sizes.iter().sum::<u32>(), 1000);
    assert!(load.sizes.iter().all(|n| *n < 400));
}

#[test]
fn the_head_of_a_compact_message_is_as_clients_write_it() {
    let load = generate(&Config::new(1, 1));
    let batch = SpanBatch::parse(load.requests[0].clone()).unwrap();
    let packet = write(Format::ThriftDatagram(thrift::Protocol::Compact), &batch, batch.spans(), 300);
    // Version 1 and ONEWAY, sequence number 300, the method, field 1 a struct, in it field 1 a struct (the process).
    assert!(packet.starts_with(b"\x82\x81\xac\x02\x09emitBatch\x1c\x1c\x18"), "{:x?}", &packet[..20]);
    let packet = write(Format::ThriftDatagram(thrift::Protocol::Binary), &batch, batch.spans(), 1);
    assert!(
        packet.starts_with(b"\x80\x01\x00\x04\0\0\0\x09emitBatch\0\0\0\x01\x0c\0\x01\x0c\0\x01\x0b\0\x01"),
        "{:x?}",
        &packet[..40]
    );
}
