//! The flags under `grpc-storage.`, with Jaeger's names and defaults.

use serde::Deserialize;
use std::time::Duration;

/// Whom to connect to, and how.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Config {
    /// `host:port`, `:port` (this machine) or `dns:///host:port`.
    pub server: String,
    /// How long connecting may take, encryption included.
    pub connection_timeout: Duration,
    /// How long a call may take, to the last byte of its answer; 0 means for ever. Not a flag of Jaeger.
    pub request_timeout: Duration,
    /// Bytes of an answer to one search, or of one trace, as they come; past that a search is marked partial and a trace is an error.
    /// 0 means no limit. Not a flag of Jaeger.
    pub max_answer_bytes: usize,
    /// TLS of the connection.
    pub tls: Tls,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            server: String::new(),
            connection_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
            max_answer_bytes: 512 << 20,
            tls: Tls::default(),
        }
    }
}

/// TLS of a connection that we open.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Tls {
    /// The other fields count.
    pub enabled: bool,
    /// PEM file of the CA that must have signed the server's certificate; empty means the system's.
    pub ca: String,
    /// PEM file of the client's certificate.
    pub cert: String,
    /// PEM file of the client's private key.
    pub key: String,
    /// Name that the server's certificate must have; empty means the host of `server`.
    pub server_name: String,
    /// Do not check the server's certificate at all.
    pub skip_host_verify: bool,
}
