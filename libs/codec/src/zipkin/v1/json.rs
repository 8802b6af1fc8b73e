//! The JSON of v1 spans.

use super::{Host, Span, Value};
use crate::zipkin::error::{Fault, ZipkinError, at, of_list};
use crate::zipkin::group::Groups;
use crate::zipkin::hex;
use crate::zipkin::json::{Json, Text};
use crate::zipkin::json_values::{integer, list, text};
use std::borrow::Cow;

/// Appends all spans of a list.
pub(in crate::zipkin) fn decode(body: &[u8], now: u64, out: &mut Vec<u8>) -> Result<(), ZipkinError> {
    let mut json = Json::new(body);
    let (mut span, mut groups) = (Span::default(), Groups::default());
    if !json.null().map_err(of_list)? {
        json.list().map_err(of_list)?;
        let mut first = true;
        let mut index = 0;
        while json.element(&mut first).map_err(of_list)? {
            let from = json.position();
            let mut put = || {
                span.clear();
                if !json.null().map_err(at("span"))? {
                    read(&mut json, &mut span)?;
                    span.put(out, &mut groups, Some(now), json.position() - from, json.remaining());
                }
                Ok(())
            };
            put().map_err(|fault: Fault| fault.of_span(index))?;
            index += 1;
        }
    }
    groups.close(out);
    json.end().map_err(of_list)
}

fn read<'a>(json: &mut Json<'a>, s: &mut Span<'a>) -> Result<(), Fault> {
    json.object().map_err(at("span"))?;
    let (mut trace_id, mut id, mut parent_id) = (Text::default(), Text::default(), Text::default());
    let mut first = true;
    while let Some(key) = json.key(&mut first).map_err(at("span"))? {
        let is = |name: &[u8]| key.eq_ignore_ascii_case(name);
        if is(b"traceId") {
            text(json, "traceId", &mut trace_id)?;
        } else if is(b"id") {
            text(json, "id", &mut id)?;
        } else if is(b"parentId") {
            text(json, "parentId", &mut parent_id)?;
        } else if is(b"name") {
            text(json, "name", &mut s.name)?;
        } else if is(b"timestamp") {
            s.timestamp = integer(json, "timestamp")?.filter(|v| *v != 0);
        } else if is(b"duration") {
            s.duration = integer(json, "duration")?.unwrap_or(0);
        } else if is(b"annotations") {
            s.clear_annotations();
            elements(json, "annotations", |json| annotation(json, s))?;
        } else if is(b"binaryAnnotations") {
            s.clear_binary_annotations();
            elements(json, "binaryAnnotations", |json| binary_annotation(json, s))?;
        } else {
            json.skip().map_err(at("span"))?;
        }
    }
    s.trace_id = match hex::bytes::<8>(&trace_id) {
        Some(low) => u128::from(u64::from_be_bytes(low)).to_be_bytes(),
        None => hex::bytes(&trace_id).unwrap_or_default(),
    };
    if s.trace_id == [0; 16] {
        return Err(Fault::value("traceId", &trace_id, "an id of 16 or 32 hex digits that are not all 0"));
    }
    s.id = span_id("id", &id)?;
    if !parent_id.is_empty() {
        s.parent_id = span_id("parentId", &parent_id)?;
    }
    Ok(())
}

fn span_id(field: &'static str, text: &[u8]) -> Result<[u8; 8], Fault> {
    let id = hex::bytes(text).filter(|id| *id != [0; 8]);
    id.ok_or_else(|| Fault::value(field, text, "an id of 16 hex digits that are not all 0"))
}

/// The objects of a list, each after its opening bracket.
fn elements<'a>(
    json: &mut Json<'a>,
    field: &'static str,
    mut element: impl FnMut(&mut Json<'a>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    if list(json, field)? {
        let mut first = true;
        while json.element(&mut first).map_err(at(field))? {
            if !json.null().map_err(at(field))? {
                json.object().map_err(at(field))?;
                element(json)?;
            }
        }
    }
    Ok(())
}

fn annotation<'a>(json: &mut Json<'a>, s: &mut Span<'a>) -> Result<(), Fault> {
    const FIELD: &str = "annotations";
    let (mut timestamp, mut value, mut host) = (0, Text::default(), Host::default());
    let mut first = true;
    while let Some(key) = json.key(&mut first).map_err(at(FIELD))? {
        let is = |name: &[u8]| key.eq_ignore_ascii_case(name);
        if is(b"timestamp") {
            timestamp = integer(json, "annotations.timestamp")?.unwrap_or(0);
        } else if is(b"value") {
            text(json, "annotations.value", &mut value)?;
        } else if is(b"endpoint") {
            endpoint(json, "annotations.endpoint", &mut host)?;
        } else {
            json.skip().map_err(at(FIELD))?;
        }
    }
    let service = host.service.clone();
    s.add_annotation(timestamp, value, &service, || host);
    Ok(())
}

fn binary_annotation<'a>(json: &mut Json<'a>, s: &mut Span<'a>) -> Result<(), Fault> {
    const FIELD: &str = "binaryAnnotations";
    let (mut name, mut value, mut host) = (Text::default(), Value::Text(Text::default()), Host::default());
    let mut first = true;
    while let Some(key) = json.key(&mut first).map_err(at(FIELD))? {
        let is = |name: &[u8]| key.eq_ignore_ascii_case(name);
        if is(b"key") {
            text(json, "binaryAnnotations.key", &mut name)?;
        } else if is(b"value") {
            value = typed(json)?;
        } else if is(b"endpoint") {
            endpoint(json, "binaryAnnotations.endpoint", &mut host)?;
        } else {
            json.skip().map_err(at(FIELD))?;
        }
    }
    if !host.service.is_empty() {
        s.service = host.service;
    }
    let raw = match &value {
        Value::Text(text) => text.clone(),
        _ => Text::default(),
    };
    s.add_binary_annotation(name, value, || raw);
    Ok(())
}

/// Nearly always a text. Addresses (`sa`, `ca`) are `true` in Zipkin's own clients, and those that tell the type write numbers:
/// Jaeger refuses such requests; here they get the type that the same has in Thrift.
fn typed<'a>(json: &mut Json<'a>) -> Result<Value<'a>, Fault> {
    const FIELD: &str = "binaryAnnotations.value";
    Ok(match json.peek() {
        b't' | b'f' => Value::Bool(json.bool().map_err(at(FIELD))?),
        b'-' | b'0'..=b'9' => {
            let number = json.number().map_err(at(FIELD))?;
            match number.parse() {
                Ok(v) => Value::Int(v),
                Err(_) => Value::Double(number.parse().unwrap_or_default()), // JSON's numbers are all of Rust's
            }
        }
        _ => {
            let mut value = Cow::default();
            text(json, FIELD, &mut value)?;
            Value::Text(value)
        }
    })
}

fn endpoint<'a>(json: &mut Json<'a>, field: &'static str, host: &mut Host<'a>) -> Result<(), Fault> {
    if json.null().map_err(at(field))? {
        return Ok(());
    }
    json.object().map_err(at(field))?;
    let mut first = true;
    while let Some(key) = json.key(&mut first).map_err(at(field))? {
        let is = |name: &[u8]| key.eq_ignore_ascii_case(name);
        if is(b"serviceName") {
            text(json, field, &mut host.service)?;
        } else if is(b"ipv4") {
            text(json, field, &mut host.ipv4)?;
        } else if is(b"ipv6") {
            text(json, field, &mut host.ipv6)?;
        } else if is(b"port") {
            host.port = integer(json, field)?.unwrap_or(0);
        } else {
            json.skip().map_err(at(field))?;
        }
    }
    Ok(())
}
