//! Why bytes are not a Jaeger span.

use skua_model::DecodeError;
use skua_model::wire::WireError;

/// Why a message in Jaeger's model cannot be read. Nothing of it was then written.
#[derive(Debug, thiserror::Error)]
pub enum JaegerError {
    /// Not protobuf, or a field of another type.
    #[error("jaeger.api_v2.{place}: {source}")]
    Wire {
        /// Message and field, for example `Span.tags`.
        place: &'static str,
        /// What is wrong there.
        source: WireError,
    },
    /// An id that is neither absent nor as long as it must be: 8 or 16 bytes for a trace, 8 for a span.
    #[error("jaeger.api_v2.{place}: an id of {len} bytes instead of {want}")]
    IdLength {
        /// Message and field, for example `Span.trace_id`.
        place: &'static str,
        /// `8 or 16`, or `8`.
        want: &'static str,
        /// What it has.
        len: usize,
    },
    /// A span of a batch cannot be read.
    #[error("span {index} of the batch: {source}")]
    InBatch {
        /// Counted from 0.
        index: usize,
        /// What is wrong with it.
        source: Box<JaegerError>,
    },
    /// Not the JSON of a `jaeger.api_v2.Span`; the text ends with line and column.
    #[error("jaeger.api_v2.Span in JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// What came of it cannot be indexed.
    #[error(transparent)]
    Otlp(#[from] DecodeError),
}

/// Says where a [`WireError`] was met.
pub(crate) fn at(place: &'static str) -> impl Fn(WireError) -> JaegerError {
    move |source| JaegerError::Wire { place, source }
}
