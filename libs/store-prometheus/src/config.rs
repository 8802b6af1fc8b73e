//! The flags under `prometheus.`, with Jaeger's names and defaults.

use serde::Deserialize;
use std::time::Duration;

/// Whom to ask, and how.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Config {
    /// URL of the server; spaces in it are passed over.
    pub server_url: String,
    /// How long connecting may take; 0 means no limit but that of a request.
    pub connect_timeout: Duration,
    /// A file with a bearer token, read again every 10 s; empty means none.
    pub token_file: String,
    /// Send the caller's token, where there is one, in place of the file's.
    pub token_override_from_context: bool,
    /// What is asked for.
    pub query: Query,
    /// TLS of the connection.
    pub tls: Tls,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            server_url: "http://localhost:9090".to_owned(),
            connect_timeout: Duration::from_secs(30),
            token_file: String::new(),
            token_override_from_context: true,
            query: Query::default(),
            tls: Tls::default(),
        }
    }
}

/// The flags under `prometheus.query.`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Query {
    /// Start of the names of the metrics, without the `_` that follows; empty means that they have none.
    pub namespace: String,
    /// `ms` or `s`: the unit of the histogram of durations.
    pub duration_unit: String,
    /// The counter is `calls_total`, not `calls`.
    pub normalize_calls: bool,
    /// The histogram is `duration_milliseconds` or `duration_seconds`, not `duration`.
    pub normalize_duration: bool,
    /// `name=value,name=value`: added to the URL of every request; spaces are passed over.
    pub extra_query_params: String,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            namespace: "traces_span_metrics".to_owned(),
            duration_unit: "ms".to_owned(),
            normalize_calls: false,
            normalize_duration: false,
            extra_query_params: String::new(),
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
    /// Name that the server's certificate must have; empty means the host of the URL.
    pub server_name: String,
    /// Do not check the server's certificate at all.
    pub skip_host_verify: bool,
}

/// What of the names was set by somebody, so that it is not looked up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Set {
    /// `query.namespace`.
    pub namespace: bool,
    /// One of `query.normalize-calls` and `query.normalize-duration`: nothing is looked up.
    pub normalize: bool,
}
