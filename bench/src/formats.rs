//! A load of OTLP requests as other clients would send the same spans: Jaeger over gRPC, Thrift, Zipkin.
//!
//! The Thrift and Zipkin writers are written by hand and apart from the product's readers on purpose, as the OTLP ones.

mod jaeger;
pub mod thrift;
mod zipkin;

use crate::Failure;
use crate::spans::Load;
use skua_model::{SpanBatch, SpanEntry};

/// The largest datagram that Jaeger's agent reads (`server-max-packet-size`) and its clients send, bytes.
pub const MAX_DATAGRAM: usize = 65_000;

/// What a request is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `jaeger.api_v2.PostSpansRequest`, for gRPC on 14250.
    JaegerProto,
    /// A bare `jaeger.Batch` in Thrift's binary protocol, for HTTP on 14268.
    ThriftBatch,
    /// `emitBatch` in Thrift's compact (UDP 6831) or binary protocol (UDP 6832), one datagram.
    ThriftDatagram(thrift::Protocol),
    /// A list of Zipkin v2 spans in JSON, for HTTP on 9411.
    ZipkinJson,
}

/// Writes every request of a load in another format, one service a request: the last requests of a load, which mix several,
/// become more. A datagram that would be too long becomes several.
///
/// # Errors
/// When a request is not OTLP, or a single span is longer than a datagram.
pub fn convert(load: &mut Load, format: Format) -> Result<(), Failure> {
    let (requests, mut sizes) = (std::mem::take(&mut load.requests), Vec::new());
    for request in requests {
        let batch = SpanBatch::parse(request)?;
        for spans in batch.spans().chunk_by(|a, b| batch.resource_of(a) == batch.resource_of(b)) {
            put(load, &mut sizes, format, &batch, spans)?;
        }
    }
    load.sizes = sizes;
    Ok(())
}

fn put(load: &mut Load, sizes: &mut Vec<u32>, format: Format, batch: &SpanBatch, spans: &[SpanEntry]) -> Result<(), Failure> {
    let request = write(format, batch, spans, load.requests.len() as i32);
    if matches!(format, Format::ThriftDatagram(_)) && request.len() > MAX_DATAGRAM {
        if spans.len() < 2 {
            return Err(format!("failed to send a span of {} bytes as one datagram", request.len()).into());
        }
        let (first, second) = spans.split_at(spans.len() / 2);
        put(load, sizes, format, batch, first)?;
        return put(load, sizes, format, batch, second);
    }
    load.requests.push(request.into());
    sizes.push(spans.len() as u32);
    Ok(())
}

/// One request of spans that share a resource. `number` is the sequence number of a datagram.
pub fn write(format: Format, batch: &SpanBatch, spans: &[SpanEntry], number: i32) -> Vec<u8> {
    match format {
        Format::JaegerProto => jaeger::post_spans(batch, spans),
        Format::ThriftBatch => jaeger::thrift_batch(batch, spans),
        Format::ThriftDatagram(protocol) => jaeger::datagram(protocol, batch, spans, number),
        Format::ZipkinJson => zipkin::json(batch, spans),
    }
}

#[cfg(test)]
mod tests;
