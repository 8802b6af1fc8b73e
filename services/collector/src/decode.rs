//! From a request's bytes to a batch.

use bytes::Bytes;
use skua_codec::{jaeger, otlp_json};
use skua_model::SpanBatch;
use skua_receive::Format;

/// The spans of a request; OTLP in protobuf is already in the form that travels.
///
/// # Errors
/// What is wrong with the request, for its sender.
pub fn decode(request: Bytes, format: Format) -> Result<SpanBatch, String> {
    match format {
        Format::OtlpProto => SpanBatch::parse(request).map_err(|e| e.to_string()),
        Format::OtlpJson => {
            let mut otlp = Vec::with_capacity(request.len());
            otlp_json::decode(&request, &mut otlp).map_err(|e| e.to_string())?;
            SpanBatch::parse(otlp).map_err(|e| e.to_string())
        }
        Format::JaegerProto => {
            let mut otlp = Vec::with_capacity(request.len() + request.len() / 4);
            jaeger::decode::batch(&request, Some("proto"), &mut otlp).map_err(|e| e.to_string())?;
            SpanBatch::parse(otlp).map_err(|e| e.to_string())
        }
    }
}
