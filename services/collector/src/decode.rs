//! From a request's bytes to a batch.

use bytes::Bytes;
use skua_codec::{jaeger, otlp_json, thrift, zipkin};
use skua_model::SpanBatch;
use skua_receive::Format;
use std::time::{SystemTime, UNIX_EPOCH};

/// The spans of a request; OTLP in protobuf is already in the form that travels.
///
/// # Errors
/// What is wrong with the request, for its sender.
pub fn decode(request: Bytes, format: Format) -> Result<SpanBatch, String> {
    match format {
        Format::OtlpProto => SpanBatch::parse(request).map_err(|e| e.to_string()),
        Format::OtlpJson => written(&request, |out| otlp_json::decode(&request, out)),
        Format::JaegerProto => written(&request, |out| jaeger::decode::batch(&request, Some("proto"), out)),
        Format::JaegerThrift => written(&request, |out| thrift::batch(&request, Some("jaeger"), out)),
        Format::ZipkinV1Json => written(&request, |out| zipkin::v1_json(&request, now(), out)),
        Format::ZipkinV1Thrift => written(&request, |out| zipkin::v1_thrift(&request, out)),
        Format::ZipkinV2Json => written(&request, |out| zipkin::v2_json(&request, out)),
        Format::ZipkinV2Proto => written(&request, |out| zipkin::v2_proto(&request, out)),
    }
}

/// The batch that `write` writes from a request.
fn written<E: std::fmt::Display>(
    request: &Bytes,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<SpanBatch, String> {
    let mut otlp = Vec::with_capacity(request.len() + request.len() / 4);
    write(&mut otlp).map_err(|e| e.to_string())?;
    SpanBatch::parse(otlp).map_err(|e| e.to_string())
}

/// Nanoseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
