//! The JSON of v2 spans.

use super::{Annotation, Endpoint, Span, kind};
use crate::zipkin::error::{Fault, ZipkinError, at, of_list};
use crate::zipkin::group::Groups;
use crate::zipkin::json::{Json, Text};
use crate::zipkin::json_values::{integer, is_absent, list, text};
use crate::zipkin::{hex, ip};

/// A key of a span. Go finds keys of any case, so clients may have any.
#[derive(Clone, Copy)]
enum Key {
    TraceId,
    Id,
    ParentId,
    Name,
    Kind,
    Timestamp,
    Duration,
    LocalEndpoint,
    RemoteEndpoint,
    Annotations,
    Tags,
}

impl Key {
    #[inline]
    fn of(key: &[u8]) -> Option<Self> {
        Self::exact(key).or_else(|| Self::of_any_case(key))
    }

    #[inline]
    fn exact(key: &[u8]) -> Option<Self> {
        Some(match key {
            b"traceId" => Self::TraceId,
            b"id" => Self::Id,
            b"parentId" => Self::ParentId,
            b"name" => Self::Name,
            b"kind" => Self::Kind,
            b"timestamp" => Self::Timestamp,
            b"duration" => Self::Duration,
            b"localEndpoint" => Self::LocalEndpoint,
            b"remoteEndpoint" => Self::RemoteEndpoint,
            b"annotations" => Self::Annotations,
            b"tags" => Self::Tags,
            _ => return None,
        })
    }

    #[cold]
    fn of_any_case(key: &[u8]) -> Option<Self> {
        let names = [
            "traceId",
            "id",
            "parentId",
            "name",
            "kind",
            "timestamp",
            "duration",
            "localEndpoint",
            "remoteEndpoint",
            "annotations",
            "tags",
        ];
        Self::exact(names.iter().find(|name| key.eq_ignore_ascii_case(name.as_bytes()))?.as_bytes())
    }
}

/// Appends all spans of a list.
pub(in crate::zipkin) fn decode(body: &[u8], out: &mut Vec<u8>) -> Result<(), ZipkinError> {
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
                if json.null().map_err(at("span"))? {
                    return Ok(());
                }
                read(&mut json, &mut span)?;
                span.put(out, &mut groups, json.position() - from, json.remaining())
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
    let mut first = true;
    while let Some(key) = json.key(&mut first).map_err(at("span"))? {
        match Key::of(&key) {
            Some(Key::TraceId) => {
                let text = json.string().map_err(at("traceId"))?;
                let id = hex::trace_id(&text);
                s.trace_id = id.ok_or_else(|| Fault::value("traceId", &text, "an id of at most 32 hex digits"))?;
            }
            Some(Key::Id) => s.id = span_id(json, "id")?,
            // As it is when the trace begins here, in some clients.
            Some(Key::ParentId) => s.parent_id = if is_absent(json, "parentId")? { [0; 8] } else { span_id(json, "parentId")? },
            Some(Key::Name) => text(json, "name", &mut s.name)?,
            Some(Key::Kind) => {
                let mut name = Text::default();
                text(json, "kind", &mut name)?;
                s.kind = kind(&name);
            }
            Some(Key::Timestamp) => s.timestamp = integer(json, "timestamp")?.filter(|v| *v > 0),
            Some(Key::Duration) => s.duration = integer(json, "duration")?.unwrap_or(0),
            Some(Key::LocalEndpoint) => endpoint(json, &LOCAL, &mut s.local)?,
            Some(Key::RemoteEndpoint) => endpoint(json, &REMOTE, &mut s.remote)?,
            Some(Key::Annotations) => annotations(json, &mut s.annotations)?,
            Some(Key::Tags) => tags(json, s)?,
            None => json.skip().map_err(at("span"))?,
        }
    }
    if s.id == [0; 8] {
        return Err(Fault::text("id", "it is absent or zero"));
    }
    Ok(())
}

fn span_id(json: &mut Json<'_>, field: &'static str) -> Result<[u8; 8], Fault> {
    let text = json.string().map_err(at(field))?;
    let id = hex::number(&text).ok_or_else(|| Fault::value(field, &text, "an id of at most 16 hex digits"))?;
    Ok(id.to_be_bytes())
}

/// How the fields of an endpoint are called in errors.
struct Names {
    itself: &'static str,
    service: &'static str,
    ipv4: &'static str,
    ipv6: &'static str,
    port: &'static str,
}

const LOCAL: Names = Names {
    itself: "localEndpoint",
    service: "localEndpoint.serviceName",
    ipv4: "localEndpoint.ipv4",
    ipv6: "localEndpoint.ipv6",
    port: "localEndpoint.port",
};

const REMOTE: Names = Names {
    itself: "remoteEndpoint",
    service: "remoteEndpoint.serviceName",
    ipv4: "remoteEndpoint.ipv4",
    ipv6: "remoteEndpoint.ipv6",
    port: "remoteEndpoint.port",
};

fn endpoint<'a>(json: &mut Json<'a>, names: &Names, e: &mut Endpoint<'a>) -> Result<(), Fault> {
    if json.null().map_err(at(names.itself))? {
        *e = Endpoint::default();
        return Ok(());
    }
    json.object().map_err(at(names.itself))?;
    let mut first = true;
    while let Some(key) = json.key(&mut first).map_err(at(names.itself))? {
        let is = |name: &[u8]| key.eq_ignore_ascii_case(name);
        if is(b"serviceName") {
            text(json, names.service, &mut e.service)?;
        } else if is(b"ipv4") {
            e.ipv4 = address(json, names.ipv4)?;
        } else if is(b"ipv6") {
            e.ipv6 = address(json, names.ipv6)?;
        } else if is(b"port") {
            e.port = integer(json, names.port)?.unwrap_or(0);
        } else {
            json.skip().map_err(at(names.itself))?;
        }
    }
    Ok(())
}

fn address<'a>(json: &mut Json<'a>, field: &'static str) -> Result<Text<'a>, Fault> {
    if is_absent(json, field)? {
        return Ok(Text::default());
    }
    let text = json.string().map_err(at(field))?;
    ip::parse(text.clone()).ok_or_else(|| Fault::value(field, &text, "an IP address"))
}

fn annotations<'a>(json: &mut Json<'a>, annotations: &mut Vec<Annotation<'a>>) -> Result<(), Fault> {
    const FIELD: &str = "annotations";
    annotations.clear();
    if !list(json, FIELD)? {
        return Ok(());
    }
    let mut first = true;
    while json.element(&mut first).map_err(at(FIELD))? {
        let mut annotation = Annotation::default();
        json.object().map_err(at(FIELD))?;
        let mut first = true;
        while let Some(key) = json.key(&mut first).map_err(at(FIELD))? {
            if key.eq_ignore_ascii_case(b"timestamp") {
                annotation.timestamp = integer(json, "annotations.timestamp")?.unwrap_or(0);
            } else if key.eq_ignore_ascii_case(b"value") {
                text(json, "annotations.value", &mut annotation.value)?;
            } else {
                json.skip().map_err(at(FIELD))?;
            }
        }
        if annotation.timestamp == 0 {
            return Err(Fault::text("annotations.timestamp", "it is absent or zero"));
        }
        annotations.push(annotation);
    }
    Ok(())
}

fn tags<'a>(json: &mut Json<'a>, s: &mut Span<'a>) -> Result<(), Fault> {
    const FIELD: &str = "tags";
    if json.null().map_err(at(FIELD))? {
        s.tags.clear();
        return Ok(());
    }
    json.object().map_err(at(FIELD))?;
    let mut first = true;
    while let Some(key) = json.key(&mut first).map_err(at(FIELD))? {
        let mut value = Text::default();
        text(json, FIELD, &mut value)?;
        s.tags.push(key, value);
    }
    Ok(())
}
