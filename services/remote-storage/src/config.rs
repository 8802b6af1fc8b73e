//! The settings: flags under `grpc.`, by the same names.

use serde::Deserialize;

/// What a remote storage is told.
#[derive(Debug, Clone)]
pub struct Config {
    /// Flags under `grpc.`.
    pub grpc: Grpc,
}

/// Flags under `grpc.`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Grpc {
    /// 17271.
    pub host_port: String,
    /// Bytes of one message that is taken, before and after decompression.
    pub max_message_size: usize,
    /// Bytes of spans that may be on their way to the store. Beyond that streams wait, and single requests are refused.
    pub max_in_flight_bytes: usize,
}
