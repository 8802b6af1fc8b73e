//! `zipkincore.thrift` from its definition, written with Apache's own library.

use crate::thrift_oracle::{call, field, i32, i64, list, string, structure};
use thrift::protocol::{TListIdentifier, TOutputProtocol, TType};

type Output<'a> = &'a mut dyn TOutputProtocol;

#[derive(Debug, Clone)]
pub struct Span {
    pub trace_id: i64,
    pub trace_id_high: Option<i64>,
    pub id: i64,
    pub parent_id: Option<i64>,
    pub name: String,
    pub debug: bool,
    pub timestamp: Option<i64>,
    pub duration: Option<i64>,
    pub annotations: Vec<Annotation>,
    pub binary: Vec<Binary>,
}

impl Default for Span {
    fn default() -> Self {
        Self {
            trace_id: 0xa1,
            trace_id_high: None,
            id: 0xb2,
            parent_id: None,
            name: "get".into(),
            debug: false,
            timestamp: None,
            duration: None,
            annotations: vec![],
            binary: vec![],
        }
    }
}

#[derive(Debug, Clone)]
pub struct Annotation {
    pub timestamp: i64,
    pub value: String,
    pub host: Option<Host>,
}

#[derive(Debug, Clone)]
pub struct Binary {
    key: String,
    value: Vec<u8>,
    kind: i32,
    host: Option<Host>,
}

impl Binary {
    pub fn new(key: &str, value: &[u8], kind: i32) -> Self {
        Self { key: key.into(), value: value.into(), kind, host: None }
    }

    pub fn on(self, host: &Host) -> Self {
        Self { host: Some(host.clone()), ..self }
    }
}

#[derive(Debug, Clone, Default)]
pub struct Host {
    pub service: &'static str,
    pub ipv4: i32,
    pub port: i16,
    pub ipv6: Option<Vec<u8>>,
}

/// The list alone, as over HTTP.
pub fn list_of(o: Output<'_>, spans: &[Span]) {
    o.write_list_begin(&TListIdentifier::new(TType::Struct, spans.len() as i32)).expect("written");
    spans.iter().for_each(|s| put_span(o, s));
    o.write_list_end().expect("written");
}

/// A packet to an agent.
pub fn emit(o: Output<'_>, spans: &[Span]) {
    call(o, "emitZipkinBatch", |o| list(o, 1, spans, put_span));
}

fn put_span(o: Output<'_>, s: &Span) {
    structure(o, |o| {
        i64(o, 1, s.trace_id);
        string(o, 3, &s.name);
        i64(o, 4, s.id);
        put_some(o, 5, s.parent_id);
        list(o, 6, &s.annotations, |o, a| {
            structure(o, |o| {
                i64(o, 1, a.timestamp);
                string(o, 2, &a.value);
                put_host(o, 3, &a.host);
            });
        });
        list(o, 8, &s.binary, |o, b| {
            structure(o, |o| {
                string(o, 1, &b.key);
                field(o, 2, TType::String, |o| o.write_bytes(&b.value).expect("written"));
                i32(o, 3, b.kind);
                put_host(o, 4, &b.host);
            });
        });
        if s.debug {
            field(o, 9, TType::Bool, |o| o.write_bool(true).expect("written"));
        }
        put_some(o, 10, s.timestamp);
        put_some(o, 11, s.duration);
        put_some(o, 12, s.trace_id_high);
    });
}

fn put_some(o: Output<'_>, id: i16, v: Option<i64>) {
    if let Some(v) = v {
        i64(o, id, v);
    }
}

fn put_host(o: Output<'_>, id: i16, host: &Option<Host>) {
    let Some(h) = host else { return };
    field(o, id, TType::Struct, |o| {
        structure(o, |o| {
            i32(o, 1, h.ipv4);
            field(o, 2, TType::I16, |o| o.write_i16(h.port).expect("written"));
            string(o, 3, h.service);
            if let Some(ipv6) = &h.ipv6 {
                field(o, 4, TType::String, |o| o.write_bytes(ipv6).expect("written"));
            }
        });
    });
}
