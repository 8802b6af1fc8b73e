//! The query tier's settings: the flags that begin with `query.`, by the same names.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use skua_query::Limits;
use std::time::Duration;

/// Flags under `query.`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Config {
    /// The listener of HTTP.
    pub http_server: HttpServer,
    /// The listener of gRPC.
    pub grpc_server: GrpcServer,
    /// Where all routes lie: `/`, or a path that begins with a slash and does not end with one.
    pub base_path: String,
    /// `Name: value`, added to every response that does not have a header of that name.
    pub additional_headers: Vec<String>,
    /// Directory of a build of Jaeger's UI, with `index.html` and `static/`; empty: our own page.
    pub static_files: String,
    /// File with the UI's configuration, `.json` or `.js`; empty: the UI's defaults.
    pub ui_config: String,
    /// Log each request for a page or a file of the UI.
    pub log_static_assets_access: bool,
    /// Hand the caller's bearer token to a storage that takes it.
    pub bearer_token_propagation: bool,
    /// The most that a span's times may be shifted to fit its parent's; zero: not at all.
    pub max_clock_skew_adjustment: Duration,
    /// Spans of one trace that an answer holds; zero: no limit.
    pub max_trace_size: usize,
    /// Bytes that the spans of one answer take in memory; zero: no limit.
    pub max_result_size: usize,
    /// Bytes that the spans of all answers under way take in memory; zero: no limit.
    pub max_memory: usize,
    /// Queries that read the storage at a time; zero: no limit.
    pub max_concurrent_requests: usize,
    /// Longest time for one query; zero: no limit.
    pub timeout: Duration,
}

/// Flags under `query.http-server.`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct HttpServer {
    /// 16686.
    pub host_port: String,
}

/// Flags under `query.grpc-server.`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct GrpcServer {
    /// 16685; empty: not served here, only on the port of HTTP.
    pub host_port: String,
}

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The base path.
    #[error("--query.base-path: {0:?} must be / or begin with a slash, not end with one, and have no {{ }} * ? #")]
    BasePath(String),
    /// The UI's files.
    #[error("--query.static-files: {0}")]
    StaticFiles(String),
    /// The UI's configuration.
    #[error("--query.ui-config: {0}")]
    UiConfig(String),
    /// An additional header.
    #[error("--query.additional-headers: {0:?} is not \"Name: value\"")]
    Header(String),
}

impl Config {
    /// The base path without the slash of the root.
    pub(crate) fn base(&self) -> Result<&str, ConfigError> {
        match self.base_path.as_str() {
            "" | "/" => Ok(""),
            path if path.starts_with('/') && !path.ends_with('/') && !path.contains(['{', '}', '*', '?', '#']) => Ok(path),
            path => Err(ConfigError::BasePath(path.to_owned())),
        }
    }

    /// What queries may take.
    pub fn limits(&self) -> Limits {
        Limits {
            max_trace_size: self.max_trace_size,
            max_result_size: self.max_result_size,
            max_memory: self.max_memory,
            max_concurrent: self.max_concurrent_requests,
            timeout: self.timeout,
        }
    }

    pub(crate) fn headers(&self) -> Result<HeaderMap, ConfigError> {
        let header = |line: &String| {
            let (name, value) = line.split_once(':')?;
            Some((name.trim().parse::<HeaderName>().ok()?, value.trim().parse::<HeaderValue>().ok()?))
        };
        let mut headers = HeaderMap::new();
        for line in &self.additional_headers {
            let (name, value) = header(line).ok_or_else(|| ConfigError::Header(line.clone()))?;
            headers.append(name, value);
        }
        Ok(headers)
    }
}
