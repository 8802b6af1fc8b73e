//! Wire bytes to JSON.

use super::{Dialect, Field, Kind, Table, When, time};
use skua_model::json::{Commas, put_base64, put_float, put_hex, put_html_safe, put_int, put_string};
use skua_model::wire::Cursor;

/// A field's payload as it lies on the wire.
#[derive(Clone, Copy)]
enum Payload<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// Appends a message as a JSON object. Fields come in wire order; those that the table lacks and those that hold defaults
/// are left out; malformed bytes end their message. Recursion goes as deep as the message, which must have been checked.
pub(crate) fn write(out: &mut Vec<u8>, table: &Table, body: &[u8]) {
    let from = out.len();
    out.push(b'{');
    if table.oneof {
        write_last(out, table, body);
    } else if !write_in_order(out, table, body) {
        out.truncate(from + 1);
        write_by_field(out, table, body);
    }
    out.push(b'}');
}

/// The next field that the table has.
fn next<'a, 't>(table: &'t Table, c: &mut Cursor<'a>) -> Option<(usize, &'t Field, Payload<'a>)> {
    while let Some(tag) = c.tag().ok()? {
        let Some((i, field)) = table.fields.iter().enumerate().find(|(_, f)| f.tag() == tag) else {
            c.skip(tag, 0).ok()?;
            continue;
        };
        let payload = match tag & 7 {
            0 => c.varint().map(Payload::Number),
            1 => c.fixed64().map(Payload::Number),
            5 => c.fixed32().map(|v| Payload::Number(u64::from(v))),
            _ => c.bytes().map(Payload::Bytes),
        };
        return Some((i, field, payload.ok()?));
    }
    None
}

/// One pass over what every encoder writes: repeated fields side by side, others once. False when it is otherwise.
fn write_in_order(out: &mut Vec<u8>, table: &Table, body: &[u8]) -> bool {
    let (mut c, mut commas, mut seen, mut open) = (Cursor::new(body), Commas::default(), 0_u32, None);
    while let Some((i, field, payload)) = next(table, &mut c) {
        if open == Some(i) {
            out.push(b',');
            write_payload(out, table, field, payload);
            continue;
        }
        if seen >> i & 1 == 1 {
            return false;
        }
        seen |= 1 << i;
        if open.take().is_some() {
            out.push(b']');
        }
        if field.repeated {
            open = Some(i);
        } else if is_default(field, payload) {
            continue;
        }
        write_key(out, &mut commas, field);
        write_payload(out, table, field, payload);
    }
    if open.is_some() {
        out.push(b']');
    }
    for (_, field) in table.fields.iter().enumerate().filter(|(i, f)| f.when == When::Always && seen >> i & 1 == 0) {
        write_absent(out, &mut commas, field);
    }
    true
}

fn write_absent(out: &mut Vec<u8>, commas: &mut Commas, field: &Field) {
    write_key(out, commas, field);
    out.extend_from_slice(if field.repeated { &b"]"[..] } else { b"\"\"" });
}

/// For messages with fields in odd places: one pass for each field; the last one of those that are not repeated counts.
#[cold]
fn write_by_field(out: &mut Vec<u8>, table: &Table, body: &[u8]) {
    let mut commas = Commas::default();
    for field in table.fields {
        let mut c = Cursor::new(body);
        let payloads = std::iter::from_fn(|| next(table, &mut c)).filter(|(_, f, _)| f.number == field.number).map(|(_, _, p)| p);
        let mut any = false;
        if field.repeated {
            for payload in payloads {
                if std::mem::replace(&mut any, true) {
                    out.push(b',');
                } else {
                    write_key(out, &mut commas, field);
                }
                write_payload(out, table, field, payload);
            }
            if any {
                out.push(b']');
            }
        } else if let Some(payload) = payloads.last().filter(|p| !is_default(field, *p)) {
            any = true;
            write_key(out, &mut commas, field);
            write_payload(out, table, field, payload);
        }
        if !any && field.when == When::Always {
            write_absent(out, &mut commas, field);
        }
    }
}

fn write_last(out: &mut Vec<u8>, table: &Table, body: &[u8]) {
    let mut c = Cursor::new(body);
    if let Some((_, field, payload)) = std::iter::from_fn(|| next(table, &mut c)).last() {
        write_key(out, &mut Commas::default(), field);
        write_payload(out, table, field, payload);
    }
}

fn is_default(field: &Field, payload: Payload<'_>) -> bool {
    field.when == When::Filled
        && match (payload, &field.kind) {
            (Payload::Bytes(_), Kind::Message(_)) => false,
            (Payload::Bytes(b), Kind::Timestamp | Kind::Duration) => time::parts(b) == (0, 0),
            (Payload::Bytes(b), _) => b.is_empty(),
            (Payload::Number(n), _) => n == 0,
        }
}

/// The key, and the bracket of a list.
fn write_key(out: &mut Vec<u8>, commas: &mut Commas, field: &Field) {
    commas.next(out);
    out.push(b'"');
    out.extend_from_slice(field.camel.as_bytes());
    out.extend_from_slice(if field.repeated { b"\":[" } else { b"\":" });
}

fn write_payload(out: &mut Vec<u8>, table: &Table, field: &Field, payload: Payload<'_>) {
    match payload {
        Payload::Number(n) => write_number(out, table, field, n),
        Payload::Bytes(b) => match field.kind {
            Kind::Message(inner) => write(out, inner, b),
            Kind::Text if table.dialect == Dialect::Gogo => put_html_safe(out, b),
            Kind::Text => put_string(out, b),
            _ => quoted(out, |out| {
                let (seconds, nanos) = time::parts(b);
                match field.kind {
                    Kind::Hex => put_hex(out, b),
                    Kind::Timestamp => time::put_timestamp(out, seconds, nanos),
                    Kind::Duration => time::put_duration(out, seconds, nanos),
                    _ => put_base64(out, b),
                }
            }),
        },
    }
}

fn write_number(out: &mut Vec<u8>, table: &Table, field: &Field, n: u64) {
    match field.kind {
        Kind::Bool => out.extend_from_slice(if n != 0 { b"true" } else { b"false" }),
        Kind::Int64 => quoted(out, |out| put_int(out, n as i64)),
        Kind::Fixed64 => quoted(out, |out| put_int(out, n)),
        Kind::Double => match f64::from_bits(n) {
            v if v.is_nan() => out.extend_from_slice(b"\"NaN\""),
            f64::INFINITY => out.extend_from_slice(b"\"Infinity\""),
            f64::NEG_INFINITY => out.extend_from_slice(b"\"-Infinity\""),
            v => put_float(out, v),
        },
        Kind::Enum(names) => match names.get(n as usize) {
            Some(name) if table.dialect == Dialect::Gogo => quoted(out, |out| out.extend_from_slice(name.as_bytes())),
            _ => put_int(out, n as i32),
        },
        _ => put_int(out, n as u32),
    }
}

fn quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}
