//! What clients send to an agent: a whole message of `agent.thrift` in each packet.

use super::error::at;
use super::reader::{Reader, Type};
use super::{ThriftError, batch};
use crate::zipkin::{self, core::Way};

/// What a datagram was, beside its spans.
#[derive(Debug, Clone, PartialEq)]
pub struct Datagram {
    /// `emitBatch` or `emitZipkinBatch`.
    pub method: Method,
    /// Spans in it.
    pub spans: usize,
    /// What the client says of itself; only when its process has a text tag `client-uuid` that is not empty, and the batch
    /// a `seqNo`.
    pub client: Option<ClientReport>,
}

/// The methods of `agent.thrift`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// `emitBatch`, a `jaeger.Batch`.
    EmitBatch,
    /// `emitZipkinBatch`, a list of `zipkincore.Span`.
    EmitZipkinBatch,
}

/// Counters that a Jaeger client sends along, all since its start. They never fall: one that is lower than in an earlier
/// batch of the same client (0 where the batch has no `stats`) says nothing new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientReport {
    /// Tag `client-uuid` of the process; what is not UTF-8 in it is U+FFFD.
    pub client_uuid: String,
    /// `Batch.seqNo`.
    pub seq_no: i64,
    /// `ClientStats.fullQueueDroppedSpans`.
    pub full_queue_dropped_spans: i64,
    /// `ClientStats.tooLargeDroppedSpans`.
    pub too_large_dropped_spans: i64,
    /// `ClientStats.failedToEmitSpans`.
    pub failed_to_emit_spans: i64,
}

/// Reads a message and appends its spans; what follows the message is ignored. With an error `out` is to be truncated.
pub(super) fn put<'a, R: Reader<'a>>(mut r: R, format_tag: Option<&str>, out: &mut Vec<u8>) -> Result<Datagram, ThriftError> {
    match r.message().map_err(at("message"))? {
        b"emitBatch" => emit_batch(&mut r, format_tag, out),
        b"emitZipkinBatch" => emit_zipkin_batch(&mut r, format_tag, out),
        name => Err(ThriftError::UnknownMethod(String::from_utf8_lossy(&name[..name.len().min(64)]).into_owned())),
    }
}

/// Arguments: 1 a `jaeger.Batch`.
fn emit_batch<'a, R: Reader<'a>>(r: &mut R, format_tag: Option<&str>, out: &mut Vec<u8>) -> Result<Datagram, ThriftError> {
    let (from, mut batch, mut last) = (out.len(), None, 0);
    while let Some(field) = r.field(&mut last).map_err(at("emitBatch"))? {
        if (field.id, field.kind) == (1, Type::Struct) {
            out.truncate(from); // the last one counts
            batch = Some(batch::put(r, format_tag, out)?);
        } else {
            r.skip(&field).map_err(at("emitBatch"))?;
        }
    }
    let batch = batch.ok_or(ThriftError::Missing("emitBatch.batch"))?;
    Ok(Datagram { method: Method::EmitBatch, spans: batch.spans, client: batch.client })
}

/// Arguments: 1 a list of `zipkincore.Span`.
fn emit_zipkin_batch<'a, R: Reader<'a>>(r: &mut R, format_tag: Option<&str>, out: &mut Vec<u8>) -> Result<Datagram, ThriftError> {
    let (from, mut spans, mut last) = (out.len(), None, 0);
    while let Some(field) = r.field(&mut last).map_err(at("emitZipkinBatch"))? {
        if (field.id, field.kind) == (1, Type::List) {
            out.truncate(from); // the last one counts
            spans = Some(zipkin::core::list(r, Way::Agent(format_tag), out)?);
        } else {
            r.skip(&field).map_err(at("emitZipkinBatch"))?;
        }
    }
    let spans = spans.ok_or(ThriftError::Missing("emitZipkinBatch.spans"))?;
    Ok(Datagram { method: Method::EmitZipkinBatch, spans, client: None })
}
