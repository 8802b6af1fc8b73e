//! gRPC: OTLP (4317), Jaeger's own collector service and its sampling manager (14250); all unary, gzip and zstd accepted.
//! [`serve_routes`] serves any other services within the same bounds.

mod collector;
mod sampling;
mod serve;
mod unary;

pub use serve::{Limits, serve_jaeger, serve_otlp, serve_routes};
pub use unary::too_large_is_final;
#[cfg(test)]
pub(crate) use {collector::Otlp, unary::Unary};
