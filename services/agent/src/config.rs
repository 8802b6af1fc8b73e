//! The agent's settings: Jaeger's flags, by the same names.

use serde::Deserialize;

/// All that an agent is told. The sections are the flags under their names.
#[derive(Debug, Clone)]
pub struct Config {
    /// Flags under `processor.`.
    pub processor: Processors,
    /// Flags under `http-server.`.
    pub http_server: HttpServer,
    /// Bytes of decoded spans that may be on their way to a collector; beyond that datagrams wait undecoded, and their queue
    /// drops and counts. [`Config::MAX_WAITING`] unless a test needs another.
    pub max_waiting_bytes: usize,
}

impl Config {
    /// 8 MiB: about half a second of 50,000 spans a second.
    pub const MAX_WAITING: usize = 8 << 20;
}

/// Flags under `processor.`: one UDP port each. Each takes `emitBatch` and `emitZipkinBatch`, as in Jaeger.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Processors {
    /// 5775.
    pub zipkin_compact: Processor,
    /// 6831.
    pub jaeger_compact: Processor,
    /// 6832.
    pub jaeger_binary: Processor,
}

/// One UDP port.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Processor {
    /// Tasks that decode; 0 means 10. Unlike Jaeger's they do not wait for a collector's answers.
    pub workers: usize,
    /// Datagrams that may wait; 0 means 1000. They may also take [`Processor::BYTES_PER_PACKET`] bytes each on average.
    pub server_queue_size: usize,
    /// Bytes of a datagram; 0 means 65000.
    pub server_max_packet_size: usize,
    /// Bytes of the kernel's receive buffer; 0 asks for 4 MiB.
    pub server_socket_buffer_size: usize,
    /// Empty: not served.
    pub server_host_port: String,
    /// Sockets that share the port; for machines on which one core cannot read all that comes. Not a flag of Jaeger's.
    pub server_sockets: usize,
}

impl Processor {
    /// Memory is bounded by bytes: 4 MiB for 1000 datagrams, where Jaeger's agent would take 65 MB.
    pub const BYTES_PER_PACKET: usize = 4 << 10;
}

/// Flags under `reporter.`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Reporter {
    /// `grpc`, the only one.
    pub r#type: String,
    /// Flags under `reporter.grpc.`.
    pub grpc: Grpc,
}

/// Flags under `reporter.grpc.`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Grpc {
    /// Collectors, separated by commas: `host:port`, `:port` (this machine) or `dns:///host:port`. Spans go to all addresses of
    /// all of them in turn.
    pub host_port: String,
    /// `retry.max`.
    pub retry: Retry,
    /// `discovery.min-peers`.
    pub discovery: Discovery,
    /// Encryption.
    pub tls: Tls,
}

/// Flags under `reporter.grpc.retry.`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Retry {
    /// How often a batch is sent again.
    pub max: u32,
}

/// Flags under `reporter.grpc.discovery.`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Discovery {
    /// Has no effect, as in Jaeger's own binary, which has no discovery service to ask: all addresses are used.
    pub min_peers: u64,
}

/// Flags under `reporter.grpc.tls.`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Tls {
    /// The others must be empty without it.
    pub enabled: bool,
    /// File of certificates to trust; empty: the system's.
    pub ca: String,
    /// File of the certificate to show.
    pub cert: String,
    /// File of its key.
    pub key: String,
    /// Name that the collector's certificate must have; empty: the host of its address.
    pub server_name: String,
    /// Takes any certificate.
    pub skip_host_verify: bool,
}

/// Flags under `http-server.`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct HttpServer {
    /// 5778; empty: not served.
    pub host_port: String,
}
