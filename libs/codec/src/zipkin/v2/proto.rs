//! `zipkin.proto3.ListOfSpans`.

use super::{Annotation, Endpoint, Span};
use crate::zipkin::error::{Fault, ZipkinError, at, of_list};
use crate::zipkin::group::Groups;
use crate::zipkin::ip;
use crate::zipkin::json::Text;
use skua_model::wire::{Cursor, WireError, len};
use std::borrow::Cow;

/// Appends all spans of a list.
pub(in crate::zipkin) fn decode(body: &[u8], out: &mut Vec<u8>) -> Result<(), ZipkinError> {
    let (mut span, mut groups) = (Span::default(), Groups::default());
    let mut c = Cursor::new(body);
    let mut index = 0;
    while let Some(tag) = c.tag().map_err(of_list)? {
        if tag != len(1) {
            c.skip(tag, 1 << 1).map_err(of_list)?;
            continue;
        }
        let message = c.bytes().map_err(of_list)?;
        span.clear();
        let read = read(message, &mut span);
        let put =
            read.and_then(|()| span.put(out, &mut groups, message.len() + message.len() / 8, c.remaining() + message.len()));
        put.map_err(|fault| fault.of_span(index))?;
        index += 1;
    }
    groups.close(out);
    Ok(())
}

fn read<'a>(message: &'a [u8], s: &mut Span<'a>) -> Result<(), Fault> {
    const ITSELF: &str = "span";
    let mut c = Cursor::new(message);
    let (mut timestamp, mut has_trace_id, mut has_id) = (0, false, false);
    while let Some(tag) = c.tag().map_err(at(ITSELF))? {
        match tag {
            0x0a => {
                s.trace_id = trace_id(c.bytes().map_err(at("trace_id"))?)?;
                has_trace_id = true;
            }
            0x12 => s.parent_id = span_id(c.bytes().map_err(at("parent_id"))?, "parent_id", true)?,
            0x1a => {
                s.id = span_id(c.bytes().map_err(at("id"))?, "id", false)?;
                has_id = true;
            }
            0x20 => {
                s.kind = match c.varint().map_err(at("kind"))? {
                    1 => 3,
                    2 => 2,
                    3 => 4,
                    4 => 5,
                    _ => 0,
                }
            }
            0x2a => s.name = Cow::Borrowed(c.bytes().map_err(at("name"))?),
            0x31 => timestamp = c.fixed64().map_err(at("timestamp"))?,
            0x38 => s.duration = c.varint().map_err(at("duration"))?,
            0x42 => endpoint(c.bytes().map_err(at("local_endpoint"))?, &mut s.local).map_err(at("local_endpoint"))?,
            0x4a => endpoint(c.bytes().map_err(at("remote_endpoint"))?, &mut s.remote).map_err(at("remote_endpoint"))?,
            0x52 => {
                let annotation = c.bytes().and_then(annotation);
                s.annotations.push(annotation.map_err(at("annotations"))?);
            }
            0x5a => {
                let (key, value) = c.bytes().and_then(entry).map_err(at("tags"))?;
                s.tags.push(key, value);
            }
            _ => c.skip(tag, 0xffe).map_err(at(ITSELF))?, // 12 debug and 13 shared mean nothing here
        }
    }
    // Absent is 0, and 0 is 1970: other than in JSON nothing says that there was none.
    s.timestamp = Some(timestamp);
    match (has_trace_id, has_id) {
        (true, true) => Ok(()),
        (false, _) => Err(Fault::text("trace_id", "it is absent")),
        _ => Err(Fault::text("id", "it is absent")),
    }
}

fn trace_id(b: &[u8]) -> Result<[u8; 16], Fault> {
    let mut id = [0; 16];
    match b.len() {
        16 => id.copy_from_slice(b),
        8 => id[8..].copy_from_slice(b),
        _ => return Err(wrong_length("trace_id", b, "8 or 16")),
    }
    Ok(id)
}

fn span_id(b: &[u8], field: &'static str, optional: bool) -> Result<[u8; 8], Fault> {
    if b.is_empty() && optional {
        return Ok([0; 8]);
    }
    b.try_into().map_err(|_| wrong_length(field, b, "8"))
}

fn wrong_length(field: &'static str, b: &[u8], want: &str) -> Fault {
    Fault::text(field, format!("an id of {} bytes instead of {want}", b.len()))
}

fn endpoint<'a>(message: &'a [u8], e: &mut Endpoint<'a>) -> Result<(), WireError> {
    let mut c = Cursor::new(message);
    while let Some(tag) = c.tag()? {
        match tag {
            0x0a => e.service = Cow::Borrowed(c.bytes()?),
            0x12 => e.ipv4 = ip::of_bytes(c.bytes()?),
            0x1a => e.ipv6 = ip::of_bytes(c.bytes()?),
            0x20 => e.port = c.varint()? as u16, // as the collector cuts it
            _ => c.skip(tag, 0b11110)?,
        }
    }
    Ok(())
}

fn annotation(message: &[u8]) -> Result<Annotation<'_>, WireError> {
    let mut annotation = Annotation::default();
    let mut c = Cursor::new(message);
    while let Some(tag) = c.tag()? {
        match tag {
            0x09 => annotation.timestamp = c.fixed64()?,
            0x12 => annotation.value = Cow::Borrowed(c.bytes()?),
            _ => c.skip(tag, 0b110)?,
        }
    }
    Ok(annotation)
}

/// An entry of a map.
fn entry(message: &[u8]) -> Result<(Text<'_>, Text<'_>), WireError> {
    let (mut key, mut value) = (&b""[..], &b""[..]);
    let mut c = Cursor::new(message);
    while let Some(tag) = c.tag()? {
        match tag {
            0x0a => key = c.bytes()?,
            0x12 => value = c.bytes()?,
            _ => c.skip(tag, 0b110)?,
        }
    }
    Ok((Cow::Borrowed(key), Cow::Borrowed(value)))
}
