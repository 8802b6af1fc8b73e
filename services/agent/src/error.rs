//! Why an agent does not start.

/// Flags that make no sense, or files that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// `reporter.type` is not `grpc`.
    #[error("--reporter.type: unknown reporter type {0:?}: only grpc exists")]
    ReporterType(String),
    /// `reporter.grpc.host-port` is empty.
    #[error("--reporter.grpc.host-port: no collector is given: host:port, several separated by commas, or dns:///host:port")]
    NoCollector,
    /// `reporter.grpc.host-port` names something else.
    #[error("--reporter.grpc.host-port: {0:?} is not host:port or dns:///host:port")]
    Target(String),
    /// A flag of TLS without TLS.
    #[error("--reporter.grpc.tls.{0} cannot be used when --reporter.grpc.tls.enabled is false")]
    TlsNotEnabled(&'static str),
    /// A certificate without its key, or the reverse.
    #[error("--reporter.grpc.tls.cert and --reporter.grpc.tls.key must be given together")]
    CertWithoutKey,
    /// A file cannot be read or used.
    #[error("--reporter.grpc.tls.{flag}: failed to use {file}: {reason}")]
    TlsFile {
        /// `ca`, `cert` or `key`.
        flag: &'static str,
        /// As it was given.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The name is neither a host name nor an address.
    #[error("--reporter.grpc.tls.server-name: {0:?} is not a host name")]
    ServerName(String),
    /// The system has no certificates to trust.
    #[error("--reporter.grpc.tls.ca: not given, and the system's certificates cannot be used: {0}")]
    SystemCertificates(String),
}
