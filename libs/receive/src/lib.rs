//! Sockets: bytes come in, their format is told, an answer goes out. What becomes of the bytes is an [`Intake`]'s business.
//!
//! - [`grpc`]: OTLP `TraceService/Export`, Jaeger's `CollectorService/PostSpans` and `SamplingManager`, messages undecoded.
//! - [`http`]: OTLP, Jaeger's Thrift, Zipkin, and what remote samplers ask; gzip, deflate, zstd and snappy.
//! - [`server`]: the HTTP server under all of these, with bounds on time and connections.

pub mod grpc;
pub mod http;
mod intake;
pub mod server;
mod strategies;
#[cfg(test)]
mod tests;
pub mod udp;

pub use intake::{Accepted, Format, Intake, Rejection, RejectionKind};
pub use strategies::Strategies;
