//! A store behind Jaeger's storage gRPC API (`SPAN_STORAGE_TYPE=grpc`): a `skua remote-storage`, a `jaeger-remote-storage`, or any
//! backend that speaks it. Version 1 (`jaeger.storage.v1`) is spoken where the server knows it, else version 2 (`jaeger.storage.v2`
//! for reading, OTLP for writing).

mod call;
mod channel;
mod config;
mod error;
mod metrics;
mod protocol;
mod store;
mod target;
mod times;
mod tls;
mod traces;
mod v1;
mod v2;

pub use config::{Config, Tls};
pub use store::RemoteStore;
