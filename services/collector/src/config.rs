//! The collector's settings: the flags that begin with `collector.`, by the same names.

use serde::Deserialize;
use skua_model::{Over, SpanLimit};
use skua_pipeline::{Acknowledge, Options};
use skua_receive::http::Budget;
use skua_receive::{grpc, http, server};
use std::time::Duration;

/// Flags under `collector.`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Config {
    /// `stored` or `queued`.
    pub ack: String,
    /// MiB; 0 means 32.
    pub queue_size_memory: u64,
    /// Batches that are written at a time, when nobody waits for them (`ack` is `queued`).
    pub num_workers: usize,
    /// Bytes; 0 means no limit.
    pub max_span_size: usize,
    /// `trim` or `refuse`.
    pub oversize_spans: String,
    /// `jaeger_collector_spans_bytes`.
    pub enable_span_size_metrics: bool,
    /// Jaeger's Thrift over HTTP, and sampling strategies.
    pub http_server: HttpServer,
    /// Jaeger's own gRPC.
    pub grpc_server: GrpcServer,
    /// OpenTelemetry's protocol.
    pub otlp: Otlp,
    /// Zipkin over HTTP.
    pub zipkin: Zipkin,
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

/// 14268 or 4318.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct HttpServer {
    /// Empty: not served.
    pub host_port: String,
    /// Bytes, before and after decompression.
    pub max_request_body_size: usize,
    /// [`server::Limits::idle_timeout`].
    pub idle_timeout: Duration,
    /// [`server::Limits::read_timeout`].
    pub read_timeout: Duration,
    /// [`server::Limits::read_header_timeout`].
    pub read_header_timeout: Duration,
    /// Which web pages may send. 14268 has no such flags: none may.
    #[serde(default)]
    pub cors: Cors,
}

/// 9411.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Zipkin {
    /// Empty: not served, unless `http_port` is given.
    pub host_port: String,
    /// The flag's older name, which wins when it is given.
    pub http_port: String,
    /// More than one request on a connection.
    pub keep_alive: bool,
    /// Bytes, before and after decompression.
    pub max_request_body_size: usize,
    /// Which web pages may send.
    pub cors: Cors,
}

/// Flags under `….cors.`.
#[derive(Debug, Clone, Default, Deserialize)]
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

impl Cors {
    fn of_pages(&self) -> http::Cors {
        http::Cors { allowed_origins: self.allowed_origins.clone(), allowed_headers: self.allowed_headers.clone() }
    }
}

impl HttpServer {
    /// As the receiver takes them; `budget` is that of all receivers.
    pub fn options(&self, budget: &Budget) -> http::Options {
        let Self { max_request_body_size: max_body, idle_timeout, read_timeout, read_header_timeout, .. } = *self;
        let limits = server::Limits { idle_timeout, read_timeout, read_header_timeout, ..server::Limits::default() };
        http::Options { max_body, budget: budget.clone(), cors: self.cors.of_pages(), limits }
    }
}

impl Zipkin {
    /// Where it listens; empty when it does not.
    pub fn address(&self) -> &str {
        if self.http_port.is_empty() { &self.host_port } else { &self.http_port }
    }

    /// As the receiver takes them.
    pub fn options(&self, budget: &Budget) -> http::Options {
        let limits = server::Limits { keep_alive: self.keep_alive, ..server::Limits::default() };
        let cors = self.cors.of_pages();
        http::Options { max_body: self.max_request_body_size, budget: budget.clone(), cors, limits }
    }
}

impl Config {
    /// As the pipeline takes them, without what does not begin with `collector.`.
    pub fn options(&self) -> Options {
        const DEFAULT_MIB: u64 = 32;
        let mib = if self.queue_size_memory == 0 { DEFAULT_MIB } else { self.queue_size_memory };
        let over = if self.oversize_spans == "refuse" { Over::Refuse } else { Over::Trim };
        Options {
            acknowledge: if self.ack == "queued" { Acknowledge::Queued } else { Acknowledge::Stored },
            max_in_flight_bytes: usize::try_from(mib << 20).unwrap_or(usize::MAX),
            span_limit: (self.max_span_size > 0).then_some(SpanLimit { max_bytes: self.max_span_size, over }),
            span_size_metrics: self.enable_span_size_metrics,
            workers: Some(self.num_workers),
            ..Options::default()
        }
    }
}
