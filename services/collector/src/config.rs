//! The collector's settings: the flags that begin with `collector.`, by the same names.

use serde::Deserialize;
use skua_pipeline::{Acknowledge, Options};
use skua_receive::{grpc, http};
use std::time::Duration;

/// Flags under `collector.`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Config {
    /// `stored` or `queued`.
    pub ack: String,
    /// MiB; 0 means 32.
    pub queue_size_memory: u64,
    /// Jaeger's own gRPC.
    pub grpc_server: GrpcServer,
    /// OpenTelemetry's protocol.
    pub otlp: Otlp,
}

/// Flags under `collector.otlp.`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Otlp {
    /// Both receivers.
    pub enabled: bool,
    /// 4317.
    pub grpc: GrpcServer,
    /// 4318.
    pub http: HttpServer,
}

/// A gRPC listener.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct GrpcServer {
    /// Empty: not served.
    pub host_port: String,
    /// Bytes, before and after decompression.
    pub max_message_size: usize,
    /// Zero: for ever.
    pub max_connection_age: Duration,
    /// Zero: as long as it takes.
    pub max_connection_age_grace: Duration,
}

/// An HTTP listener.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct HttpServer {
    /// Empty: not served.
    pub host_port: String,
    /// Bytes, before and after decompression.
    pub max_request_body_size: usize,
    /// Which web pages may send.
    pub cors: Cors,
}

/// Flags under `….http.cors.`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Cors {
    /// `*` means any; empty means none.
    pub allowed_origins: Vec<String>,
    /// Beside the usual ones.
    pub allowed_headers: Vec<String>,
}

impl GrpcServer {
    /// As the receiver takes them.
    pub fn limits(&self) -> grpc::Limits {
        grpc::Limits {
            max_message_size: self.max_message_size,
            max_connection_age: self.max_connection_age,
            max_connection_age_grace: self.max_connection_age_grace,
            ..grpc::Limits::default()
        }
    }
}

impl HttpServer {
    /// As the receiver takes them.
    pub fn options(&self) -> http::otlp::Options {
        let Cors { allowed_origins, allowed_headers } = self.cors.clone();
        let cors = http::Cors { allowed_origins, allowed_headers };
        http::otlp::Options { max_body: self.max_request_body_size, cors, ..Default::default() }
    }
}

impl Config {
    /// As the pipeline takes them.
    pub fn options(&self) -> Options {
        const DEFAULT_MIB: u64 = 32;
        let mib = if self.queue_size_memory == 0 { DEFAULT_MIB } else { self.queue_size_memory };
        Options {
            acknowledge: if self.ack == "queued" { Acknowledge::Queued } else { Acknowledge::Stored },
            max_in_flight_bytes: usize::try_from(mib << 20).unwrap_or(usize::MAX),
            ..Options::default()
        }
    }
}
