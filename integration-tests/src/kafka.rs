//! Kafka: the shared one, or one of a test's own.

use crate::ports::free_port;
use crate::servers::{KAFKA_VARIABLE, Ready, Server, shared};
use crate::{Error, Result};

/// A Kafka broker.
pub struct Kafka {
    address: String,
    server: Option<Server>,
}

impl Kafka {
    /// The broker that all tests of a run share.
    pub fn shared() -> Result<Self> {
        Ok(Self { address: shared(KAFKA_VARIABLE)?, server: None })
    }

    /// Starts a broker on a free port.
    pub async fn start_private() -> Result<Self> {
        Self::start_private_on(free_port()?).await
    }

    /// Starts a broker on `port`, which may have been promised to a client before.
    pub async fn start_private_on(port: u16) -> Result<Self> {
        let env =
            vec![("KAFKA_PORT".to_owned(), port.to_string()), ("KAFKA_CONTROLLER_PORT".to_owned(), free_port()?.to_string())];
        let server = Server::start("kafka", "KAFKA_DATA", env, Ready::Tcp(port)).await?;
        Ok(Self { address: format!("127.0.0.1:{port}"), server: Some(server) })
    }

    /// `host:port` of the broker.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The private server, to stop and to start again.
    pub fn server(&mut self) -> Result<&mut Server> {
        self.server.as_mut().ok_or_else(|| Error::new("a test must not stop the shared Kafka: start a private one"))
    }
}
