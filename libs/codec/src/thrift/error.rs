//! Why bytes are not the Thrift that was asked for.

use super::Malformed;
use crate::zipkin::ZipkinError;

/// Why a batch or datagram cannot be read. Nothing of it was then written.
#[derive(Debug, thiserror::Error)]
pub enum ThriftError {
    /// Not Thrift.
    #[error("thrift {place}: {source}")]
    Malformed {
        /// Struct and field, for example `Span.tags`.
        place: &'static str,
        /// What is wrong there.
        source: Malformed,
    },
    /// A field that `jaeger.thrift` calls required is not there, or has another type; so Go's reader says it too.
    #[error("thrift {0}: required field is not set")]
    Missing(
        /// Struct and field, for example `Span.traceIdLow`.
        &'static str,
    ),
    /// A span of a batch cannot be read.
    #[error("span {index} of the batch: {source}")]
    InBatch {
        /// Counted from 0.
        index: usize,
        /// What is wrong with it.
        source: Box<ThriftError>,
    },
    /// A datagram calls neither `emitBatch` nor `emitZipkinBatch`.
    #[error("thrift message: unknown method {0:?}: one of emitBatch, emitZipkinBatch")]
    UnknownMethod(
        /// Its first 64 bytes.
        String,
    ),
    /// A span of `emitZipkinBatch` cannot be read.
    #[error("thrift emitZipkinBatch: {0}")]
    Zipkin(
        /// What is wrong with it.
        #[from]
        ZipkinError,
    ),
}

/// Says where something is malformed.
#[inline(always)]
pub(crate) fn at(place: &'static str) -> impl Fn(Malformed) -> ThriftError {
    move |source| ThriftError::Malformed { place, source }
}

/// `seen` has a bit for each field id that was there; `required` names those that must have been.
#[inline(always)]
pub(super) fn require(seen: u32, required: &[(u32, &'static str)]) -> Result<(), ThriftError> {
    match required.iter().find(|(id, _)| seen >> id & 1 == 0) {
        None => Ok(()),
        Some((_, place)) => Err(ThriftError::Missing(place)),
    }
}
