//! HTTP receivers: [`otlp`] (4318), [`thrift`] (14268), [`zipkin`] (9411), and [`sampling`] (5778) for remote samplers.
//!
//! Each has `Options`, `router(…)` and `serve(listener, …)`. What they share: bodies are read and decompressed within bounds
//! ([`Budget`], `max_body`), a request that the intake has no room for is answered 503 with `Retry-After`, and the server is
//! [`server`](crate::server).

mod answer;
mod body;
mod budget;
mod cors;
mod media;
pub mod metrics;
pub mod otlp;
pub mod sampling;
pub mod thrift;
pub mod zipkin;

pub use body::DEFAULT_MAX_BODY;
pub use budget::Budget;
pub use cors::Cors;
