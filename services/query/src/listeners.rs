//! The sockets of the query tier.

use crate::Config;
use skua_runtime::listen::{self, ListenError};
use tokio::net::TcpListener;

/// Where queries come in.
#[derive(Debug)]
pub struct Listeners {
    /// `query.http-server.host-port`.
    pub http: TcpListener,
    /// `query.grpc-server.host-port`; `None` when it is empty.
    pub grpc: Option<TcpListener>,
}

impl Listeners {
    /// Opens what the configuration asks for.
    ///
    /// # Errors
    /// Names the flag and the address that cannot be listened on.
    pub fn bind(config: &Config) -> Result<Self, ListenError> {
        let grpc = &config.grpc_server.host_port;
        Ok(Self {
            http: listen::tcp("query.http-server.host-port", &config.http_server.host_port)?,
            grpc: (!grpc.is_empty()).then(|| listen::tcp("query.grpc-server.host-port", grpc)).transpose()?,
        })
    }

    /// The address of gRPC, for the log and for a person; `None` when there is none.
    pub fn grpc_address(&self) -> Option<String> {
        self.grpc.as_ref().and_then(|l| l.local_addr().ok()).map(|a| a.to_string())
    }
}
