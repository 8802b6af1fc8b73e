//! Traces as `jaeger.api_v2` has them on the wire: the answers of Jaeger's gRPC API.

use prost::Message;
use skua_model::{Log, Process, RefType, Reference, Span, Tag, Trace, Value};
use skua_proto::jaeger::api_v2;

/// Spans of a chunk, as in Jaeger.
pub const CHUNK_SPANS: usize = 10;

/// Bytes of a chunk: what a client of gRPC takes by default (4 MiB), less the length of the message's own fields.
pub const CHUNK_BYTES: usize = (4 << 20) - 1024;

/// The spans of one trace in their order, in chunks of at most [`CHUNK_SPANS`] spans and [`CHUNK_BYTES`] bytes; a span that is
/// larger is a chunk of its own. Each chunk is made when it is asked for.
pub fn chunks(trace: Trace) -> Chunks {
    Chunks { spans: trace.spans.into_iter(), next: None }
}

/// See [`chunks`].
#[derive(Debug)]
pub struct Chunks {
    spans: std::vec::IntoIter<Span>,
    /// Did not fit into the chunk before, and its length.
    next: Option<(api_v2::Span, usize)>,
}

impl Iterator for Chunks {
    type Item = api_v2::SpansResponseChunk;

    fn next(&mut self) -> Option<Self::Item> {
        let (first, mut bytes) = self.next.take().or_else(|| self.spans.next().map(measured))?;
        let mut spans = Vec::with_capacity(CHUNK_SPANS);
        spans.push(first);
        while spans.len() < CHUNK_SPANS {
            let Some((span, length)) = self.spans.next().map(measured) else { break };
            if bytes + length > CHUNK_BYTES {
                self.next = Some((span, length));
                break;
            }
            bytes += length;
            spans.push(span);
        }
        Some(api_v2::SpansResponseChunk { spans })
    }
}

/// With its bytes in a message: tag, length, content.
fn measured(s: Span) -> (api_v2::Span, usize) {
    let s = span(s);
    let length = s.encoded_len();
    (s, 1 + prost::length_delimiter_len(length) + length)
}

/// A span with a process of its own, as Jaeger sends it. Ids have 16 and 8 bytes; times are always there.
pub fn span(s: Span) -> api_v2::Span {
    api_v2::Span {
        trace_id: s.trace_id.0.to_vec(),
        span_id: s.span_id.0.to_vec(),
        operation_name: s.operation_name,
        references: s.references.iter().map(reference).collect(),
        flags: s.flags,
        start_time: Some(time(s.start_time)),
        duration: Some(duration(s.duration)),
        tags: s.tags.into_iter().map(tag).collect(),
        logs: s.logs.into_iter().map(log).collect(),
        process: Some(process(&s.process)),
        process_id: String::new(),
        warnings: s.warnings,
    }
}

fn reference(r: &Reference) -> api_v2::SpanRef {
    let kind = match r.kind {
        RefType::ChildOf => api_v2::SpanRefType::ChildOf,
        RefType::FollowsFrom => api_v2::SpanRefType::FollowsFrom,
    };
    api_v2::SpanRef { trace_id: r.trace_id.0.to_vec(), span_id: r.span_id.0.to_vec(), ref_type: kind.into() }
}

fn log(log: Log) -> api_v2::Log {
    api_v2::Log { timestamp: Some(time(log.timestamp)), fields: log.fields.into_iter().map(tag).collect() }
}

fn process(p: &Process) -> api_v2::Process {
    api_v2::Process { service_name: p.service_name.clone(), tags: p.tags.iter().cloned().map(tag).collect() }
}

fn tag(tag: Tag) -> api_v2::KeyValue {
    let mut kv = api_v2::KeyValue { key: tag.key, ..Default::default() };
    let kind = match tag.value {
        Value::String(v) => {
            kv.v_str = v;
            api_v2::ValueType::String
        }
        Value::Bool(v) => {
            kv.v_bool = v;
            api_v2::ValueType::Bool
        }
        Value::Int64(v) => {
            kv.v_int64 = v;
            api_v2::ValueType::Int64
        }
        Value::Float64(v) => {
            kv.v_float64 = v;
            api_v2::ValueType::Float64
        }
        Value::Binary(v) => {
            kv.v_binary = v;
            api_v2::ValueType::Binary
        }
    };
    kv.v_type = kind.into();
    kv
}

const SECOND: u64 = 1_000_000_000;

/// Nanoseconds since 1970.
fn time(ns: u64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: (ns / SECOND) as i64, nanos: (ns % SECOND) as i32 }
}

/// Nanoseconds.
fn duration(ns: u64) -> prost_types::Duration {
    prost_types::Duration { seconds: (ns / SECOND) as i64, nanos: (ns % SECOND) as i32 }
}

#[cfg(test)]
mod tests;
