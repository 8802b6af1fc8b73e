//! OTLP/JSON: the JSON of `ExportTraceServiceRequest` and `TracesData`, with ids in hex. A span that came in Jaeger's own model
//! carries its flags in the key `jaegerFlags`, which other readers pass over.

use crate::protojson::{self, tables::TRACES_DATA};
use skua_model::{DecodeError, SpanBatch, write_subset};

/// Why a text is not an OTLP/JSON request.
#[derive(Debug, thiserror::Error)]
pub enum OtlpJsonError {
    /// Not JSON, or a value of another type than its field; the text names the field and ends with line and column.
    #[error("not an OTLP JSON request: {0}")]
    Json(#[from] serde_json::Error),
    /// What came of it cannot be indexed.
    #[error(transparent)]
    Otlp(#[from] DecodeError),
}

/// Appends a JSON `ExportTraceServiceRequest` as one OTLP `TracesData` in protobuf. Keys may be in camel or snake case, hex of
/// either case, integers numbers or strings, enums numbers or names; unknown keys are passed over. Ids of a wrong length and
/// strings that are not UTF-8 are kept: [`SpanBatch::parse`] refuses the span, [`skua_model::repair`] mends the string.
///
/// # Errors
/// When the text is not JSON of that shape or nests deeper than 128 levels; `out` is then as before.
pub fn decode(body: &[u8], out: &mut Vec<u8>) -> Result<(), OtlpJsonError> {
    let from = out.len();
    protojson::read(&TRACES_DATA, body, out).inspect_err(|_| out.truncate(from))?;
    Ok(())
}

/// Appends the spans with these numbers (ascending) as one JSON `TracesData`: ids in hex, 64-bit integers as strings, enums as
/// numbers, defaults left out. Bytes that are not UTF-8 become U+FFFD.
pub fn put_spans(out: &mut Vec<u8>, batch: &SpanBatch, spans: &[u32]) {
    let mut proto = Vec::new();
    write_subset(batch, spans, &mut proto);
    put_traces_data(out, &proto);
}

/// Appends a protobuf `TracesData` of an encoder, checked or our own, as JSON of the same form. Messages that are there and empty
/// are `{}`.
pub fn put_traces_data(out: &mut Vec<u8>, traces_data: &[u8]) {
    out.reserve(2 * traces_data.len());
    protojson::write(out, &TRACES_DATA, traces_data);
}
