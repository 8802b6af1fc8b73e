//! `jaeger.thrift` and `agent.thrift` from their definitions, written with Apache's own library. The content comes as `api_v2`.

use crate::api_v2::{KeyValue, Process, Span, SpanRef, Time};
use skua_codec::thrift::Protocol;
use thrift::protocol::{
    TBinaryOutputProtocol, TCompactOutputProtocol, TFieldIdentifier, TListIdentifier, TMessageIdentifier, TMessageType,
    TOutputProtocol, TStructIdentifier, TType,
};

type Output<'a> = &'a mut dyn TOutputProtocol;

/// A `jaeger.Batch`. The spans' own processes and warnings are not written.
#[derive(Debug, Clone)]
pub struct Batch {
    pub process: Process,
    pub spans: Vec<Span>,
    pub seq_no: Option<i64>,
    /// Full queue, too large, failed.
    pub stats: Option<[i64; 3]>,
    /// A first reference that is the parent goes as `parentSpanId` alone.
    pub parent_ids: bool,
}

impl Default for Batch {
    fn default() -> Self {
        let process = Process { service_name: "s".into(), tags: vec![] };
        Self { process, spans: vec![], seq_no: None, stats: None, parent_ids: false }
    }
}

/// What `write` writes in a protocol.
pub fn bytes(protocol: Protocol, write: impl FnOnce(Output<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    match protocol {
        Protocol::Compact => write(&mut TCompactOutputProtocol::new(&mut out)),
        Protocol::Binary => write(&mut TBinaryOutputProtocol::new(&mut out, true)),
    }
    out
}

/// The body of `POST /api/traces`.
pub fn body(batch: &Batch) -> Vec<u8> {
    bytes(Protocol::Binary, |o| put_batch(o, batch))
}

/// A packet that calls `emitBatch`.
pub fn packet(protocol: Protocol, batch: &Batch) -> Vec<u8> {
    bytes(protocol, |o| call(o, "emitBatch", |o| field(o, 1, TType::Struct, |o| put_batch(o, batch))))
}

/// A message whose arguments `args` writes.
pub fn call(o: Output<'_>, method: &str, args: impl FnOnce(Output<'_>)) {
    o.write_message_begin(&TMessageIdentifier::new(method, TMessageType::OneWay, 77)).expect("written");
    structure(o, args);
    o.write_message_end().expect("written");
}

pub fn structure(o: Output<'_>, fields: impl FnOnce(Output<'_>)) {
    o.write_struct_begin(&TStructIdentifier::new("")).expect("written");
    fields(o);
    o.write_field_stop().expect("written");
    o.write_struct_end().expect("written");
}

pub fn field(o: Output<'_>, id: i16, kind: TType, value: impl FnOnce(Output<'_>)) {
    o.write_field_begin(&TFieldIdentifier::new("", kind, id)).expect("written");
    value(o);
    o.write_field_end().expect("written");
}

pub fn i32(o: Output<'_>, id: i16, v: i32) {
    field(o, id, TType::I32, |o| o.write_i32(v).expect("written"));
}

pub fn i64(o: Output<'_>, id: i16, v: i64) {
    field(o, id, TType::I64, |o| o.write_i64(v).expect("written"));
}

pub fn string(o: Output<'_>, id: i16, v: &str) {
    field(o, id, TType::String, |o| o.write_string(v).expect("written"));
}

pub fn list<T>(o: Output<'_>, id: i16, items: &[T], item: impl Fn(Output<'_>, &T)) {
    field(o, id, TType::List, |o| {
        o.write_list_begin(&TListIdentifier::new(TType::Struct, items.len() as i32)).expect("written");
        items.iter().for_each(|i| item(o, i));
        o.write_list_end().expect("written");
    });
}

fn microseconds(t: Option<Time>) -> i64 {
    let t = t.unwrap_or_default();
    t.seconds * 1_000_000 + i64::from(t.nanos) / 1_000
}

/// Low, high.
fn halves(trace_id: &[u8]) -> [i64; 2] {
    let half = |at: usize| i64::from_be_bytes(trace_id[at..at + 8].try_into().expect("8 bytes"));
    [half(8), half(0)]
}

fn span_id(id: &[u8]) -> i64 {
    i64::from_be_bytes(id.try_into().expect("8 bytes"))
}

pub fn put_batch(o: Output<'_>, b: &Batch) {
    structure(o, |o| {
        field(o, 1, TType::Struct, |o| put_process(o, &b.process));
        list(o, 2, &b.spans, |o, s| put_span(o, s, b.parent_ids));
        if let Some(v) = b.seq_no {
            i64(o, 3, v);
        }
        if let Some(stats) = b.stats {
            field(o, 4, TType::Struct, |o| structure(o, |o| (1..).zip(stats).for_each(|(id, v)| i64(o, id, v))));
        }
    });
}

pub fn put_process(o: Output<'_>, p: &Process) {
    structure(o, |o| {
        string(o, 1, &p.service_name);
        if !p.tags.is_empty() {
            list(o, 2, &p.tags, put_tag);
        }
    });
}

fn put_span(o: Output<'_>, s: &Span, parent_id: bool) {
    let is = |a: &SpanRef, b: &SpanRef| (&a.trace_id, &a.span_id) == (&b.trace_id, &b.span_id);
    let parent = s.references.first().filter(|p| {
        let plain = p.ref_type == 0 && p.trace_id == s.trace_id && p.span_id != [0; 8];
        parent_id && plain && !s.references[1..].iter().any(|r| is(r, p))
    });
    let [low, high] = halves(&s.trace_id);
    structure(o, |o| {
        i64(o, 1, low);
        i64(o, 2, high);
        i64(o, 3, span_id(&s.span_id));
        i64(o, 4, parent.map_or(0, |p| span_id(&p.span_id)));
        string(o, 5, &s.operation_name);
        let references = &s.references[usize::from(parent.is_some())..];
        if !references.is_empty() {
            list(o, 6, references, put_reference);
        }
        i32(o, 7, s.flags as i32);
        i64(o, 8, microseconds(s.start_time));
        i64(o, 9, microseconds(s.duration));
        list(o, 10, &s.tags, put_tag);
        list(o, 11, &s.logs, |o, log| {
            structure(o, |o| {
                i64(o, 1, microseconds(log.timestamp));
                list(o, 2, &log.fields, put_tag);
            });
        });
    });
}

fn put_reference(o: Output<'_>, r: &SpanRef) {
    let [low, high] = halves(&r.trace_id);
    structure(o, |o| {
        i32(o, 1, r.ref_type);
        i64(o, 2, low);
        i64(o, 3, high);
        i64(o, 4, span_id(&r.span_id));
    });
}

/// `v_type` is `api_v2`'s; a type that it does not have is written as it is.
pub fn put_tag(o: Output<'_>, t: &KeyValue) {
    structure(o, |o| {
        string(o, 1, &t.key);
        i32(o, 2, [0, 2, 3, 1].get(t.v_type as usize).copied().unwrap_or(t.v_type));
        match t.v_type {
            1 => field(o, 5, TType::Bool, |o| o.write_bool(t.v_bool).expect("written")),
            2 => i64(o, 6, t.v_int64),
            3 => field(o, 4, TType::Double, |o| o.write_double(t.v_float64).expect("written")),
            4 => field(o, 7, TType::String, |o| o.write_bytes(&t.v_binary).expect("written")),
            _ => string(o, 3, &t.v_str),
        }
    });
}
