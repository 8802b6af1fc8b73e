//! Sockets: bytes come in, their format is told, an answer goes out. What becomes of the bytes is an [`Intake`]'s business.
//!
//! - [`grpc`]: OTLP `TraceService/Export` and Jaeger's `CollectorService/PostSpans`, messages handed over undecoded.
//! - [`http`]: OTLP `POST /v1/traces`, protobuf and JSON, gzip and zstd.

pub mod grpc;
pub mod http;
mod intake;
mod raw;
#[cfg(test)]
mod tests;

pub use intake::{Accepted, Format, Intake, Rejection, RejectionKind};
