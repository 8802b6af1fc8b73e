//! A server that speaks S3: the shared one, or one of a test's own. Buckets are of a test's own.

use crate::ports::{free_port, unique};
use crate::servers::{Ready, S3_VARIABLE, Server, shared};
use crate::{Context, Error, Result, ensure};
use std::time::Duration;

/// A server that speaks S3. It takes any key and secret.
pub struct S3 {
    url: String,
    server: Option<Server>,
}

impl S3 {
    /// The server that all tests of a run share.
    pub fn shared() -> Result<Self> {
        Ok(Self { url: shared(S3_VARIABLE)?, server: None })
    }

    /// Starts one on a free port. It keeps everything in memory: after a stop it is empty.
    pub async fn start_private() -> Result<Self> {
        let port = free_port()?;
        let env = vec![("S3_PORT".to_owned(), port.to_string())];
        let server = Server::start("s3", "S3_DATA", env, Ready::Tcp(port)).await?;
        Ok(Self { url: format!("http://127.0.0.1:{port}"), server: Some(server) })
    }

    /// Its address, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes a bucket that no other test uses, whose name begins so: lower-case letters, digits and `-`.
    pub async fn bucket(&self, name: &str) -> Result<String> {
        let bucket = unique(name);
        let made = reqwest::Client::new().put(format!("{}/{bucket}", self.url)).timeout(Duration::from_secs(30)).send().await;
        let made = made.context(format!("make the bucket {bucket}"))?;
        ensure(made.status().is_success(), || format!("make the bucket {bucket}: {}", made.status()))?;
        Ok(bucket)
    }

    /// The private server, to stop and to start again.
    pub fn server(&mut self) -> Result<&mut Server> {
        self.server.as_mut().ok_or_else(|| Error::new("a test must not stop the shared S3: start a private one"))
    }
}
