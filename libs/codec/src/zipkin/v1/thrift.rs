//! A list of `zipkincore.Span`, as the collector reads it: the same conversion as of v1's JSON.

use super::{Host, Span, Value};
use crate::thrift::binary::Binary;
use crate::thrift::reader::Reader as _;
use crate::zipkin::core::structs::{self, Annotation, BinaryAnnotation, Endpoint, Look, first, kind};
use crate::zipkin::error::{Fault, ZipkinError, of_list};
use crate::zipkin::group::Groups;
use crate::zipkin::ip;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// Appends all spans of a list.
pub(in crate::zipkin) fn decode(body: &[u8], out: &mut Vec<u8>) -> Result<(), ZipkinError> {
    let mut r = Binary::new(body);
    let (mut span, mut groups) = (Span::default(), Groups::default());
    let count = r.structs().map_err(of_list)?;
    for index in 0..count {
        let mut put = || {
            span.clear();
            let read = structs::Span::read(&mut r, &mut span)?;
            span.trace_id = read.trace_id;
            span.id = read.id.to_be_bytes();
            span.parent_id = read.parent_id.unwrap_or(0).to_be_bytes();
            span.name = Cow::Borrowed(read.name);
            span.timestamp = read.timestamp;
            span.duration = read.duration.unwrap_or(0);
            span.put(out, &mut groups, None, read.len, read.len + r.remaining());
            Ok(())
        };
        put().map_err(|fault: Fault| fault.of_span(index))?;
    }
    groups.close(out);
    Ok(())
}

impl<'a> Look<'a> for Span<'a> {
    fn annotations(&mut self) {
        self.clear_annotations();
    }

    fn annotation(&mut self, a: &Annotation<'a>) {
        let host = a.host.unwrap_or_default();
        self.add_annotation(a.timestamp, Cow::Borrowed(a.value), host.service, || converted(&host));
    }

    fn binary_annotations(&mut self) {
        self.clear_binary_annotations();
    }

    fn binary_annotation(&mut self, b: &BinaryAnnotation<'a>) {
        if let Some(host) = b.host {
            self.service = Cow::Borrowed(host.service);
        }
        self.add_binary_annotation(Cow::Borrowed(b.key), value(b), || Cow::Borrowed(b.value));
    }
}

/// A port above 32767 is negative, as Jaeger shows it.
fn converted<'a>(e: &Endpoint<'a>) -> Host<'a> {
    Host {
        service: Cow::Borrowed(e.service),
        ipv4: if e.ipv4 == 0 { Cow::default() } else { ip::of_bytes(&e.ipv4.to_be_bytes()) },
        ipv6: ip::of_bytes(e.ipv6.unwrap_or_default()),
        port: i32::from(e.port),
    }
}

/// Integers are read without a sign, and bytes are base64.
fn value<'a>(b: &BinaryAnnotation<'a>) -> Value<'a> {
    let number = match b.kind {
        kind::BOOL => return Value::Bool(b.value == [1]),
        kind::STRING => return Value::Text(Cow::Borrowed(b.value)),
        kind::BYTES => return Value::Text(Cow::Owned(STANDARD.encode(b.value).into_bytes())),
        kind::I16 => first(b.value).map(|v| Value::Int(i64::from(u16::from_be_bytes(v)))),
        kind::I32 => first(b.value).map(|v| Value::Int(i64::from(u32::from_be_bytes(v)))),
        kind::I64 => first(b.value).map(|v| Value::Int(i64::from_be_bytes(v))), // above 2⁶³ it is negative all the same
        kind::DOUBLE => first(b.value).map(|v| Value::Double(f64::from_be_bytes(v))),
        other => return Value::Text(Cow::Owned(format!("<unknown zipkin v1 binary annotation type ({other})>").into_bytes())),
    };
    number.unwrap_or(Value::Text(Cow::Borrowed(b"<not enough bytes representing the number>")))
}
