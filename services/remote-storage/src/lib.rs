//! Any store behind Jaeger's storage gRPC API (port 17271): version 1 (`jaeger.storage.v1`), which Jaeger 1 speaks with
//! `SPAN_STORAGE_TYPE=grpc`, and version 2 (`jaeger.storage.v2` for reading, OTLP for writing), which Jaeger 2 speaks.
//!
//! It keeps nothing itself: a span is acknowledged when the store has it.

mod answer;
mod chunks;
mod config;
mod intake;
mod query;
mod serve;
mod service;
mod v1;
mod v2;

pub use config::{Config, Grpc};
pub use intake::Intake;
pub use serve::{Parts, RunError, Versions, run};
