//! gRPC: OTLP (4317), Jaeger's own collector service and its sampling manager (14250); all unary, gzip and zstd accepted.

mod collector;
mod raw;
mod sampling;
mod serve;
mod unary;

pub use serve::{Limits, serve_jaeger, serve_otlp};
#[cfg(test)]
pub(crate) use {collector::Otlp, raw::Raw, unary::Unary};
