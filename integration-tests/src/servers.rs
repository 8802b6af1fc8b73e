//! Real servers, started from the recipes in `servers/`.
//!
//! Shared servers are started once a run by the `with-servers` binary and found through the environment; a test that
//! must stop or restart a server starts a private one.

use crate::process::{Process, new_log};
use crate::{Context, Error, Result, wait};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// Where the shared Kafka is, as `127.0.0.1:19092`.
pub const KAFKA_VARIABLE: &str = "SKUA_TEST_KAFKA";
/// Where the shared Elasticsearch 7 is, as `http://127.0.0.1:9200`.
pub const ELASTICSEARCH_VARIABLE: &str = "SKUA_TEST_ELASTICSEARCH";
/// Where the shared Elasticsearch 8 is, as `http://127.0.0.1:9202`.
pub const ELASTICSEARCH8_VARIABLE: &str = "SKUA_TEST_ELASTICSEARCH8";

/// Where the shared Cassandra is, as `127.0.0.1:9042`.
pub const CASSANDRA_VARIABLE: &str = "SKUA_TEST_CASSANDRA";
/// Where the shared server that speaks S3 is, as `http://127.0.0.1:9000`.
pub const S3_VARIABLE: &str = "SKUA_TEST_S3";

/// The value of an environment variable, if it is set and not empty.
#[expect(clippy::disallowed_methods, reason = "the harness is no part of Skua: it reads where the shared servers are")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The address of a shared server, or an error that says how to get one.
pub fn shared(name: &str) -> Result<String> {
    let hint = || Error::new(format!("{name} is not set: run `make test` or `make integration-test`, which start the servers"));
    variable(name).ok_or_else(hint)
}

/// How a server shows that it is ready.
pub enum Ready {
    /// It accepts connections on this port of 127.0.0.1.
    Tcp(u16),
    /// It answers this address with a success.
    Http(String),
}

impl Ready {
    async fn probe(&self) -> Result<Option<()>> {
        match self {
            Ready::Tcp(port) => {
                tokio::net::TcpStream::connect(("127.0.0.1", *port)).await?;
            }
            Ready::Http(url) => {
                reqwest::Client::new().get(url).timeout(Duration::from_secs(5)).send().await?.error_for_status()?;
            }
        }
        Ok(Some(()))
    }
}

/// A server of ours: a process, its data folder, and what is needed to start it again on them.
pub struct Server {
    name: &'static str,
    env: Vec<(String, String)>,
    ready: Ready,
    data: TempDir,
    log: PathBuf,
    process: Option<Process>,
}

impl Server {
    /// Starts `servers/<name>/run.sh` on an empty data folder, whose path it is given in `data_variable`, and waits until
    /// it is ready.
    pub async fn start(name: &'static str, data_variable: &str, mut env: Vec<(String, String)>, ready: Ready) -> Result<Self> {
        let data = tempfile::Builder::new().prefix(&format!("skua-{name}-")).tempdir()?;
        let folder = data.path().join("data");
        env.push((data_variable.to_owned(), folder.display().to_string()));
        let log = new_log(data.path(), name)?;
        let mut server = Self { name, env, ready, data, log, process: None };
        server.start_again().await?;
        Ok(server)
    }

    /// Starts the server again on the same ports and data, after [`stop`](Self::stop) or [`kill`](Self::kill).
    pub async fn start_again(&mut self) -> Result<()> {
        let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("servers").join(self.name).join("run.sh");
        let mut process = Process::spawn(self.name, &recipe, &[], &self.env, true, &self.log)?;
        let (ready, name) = (&self.ready, self.name);
        let outcome = wait::until(format!("{name} to be ready"), async || match process.ended()? {
            Some(status) => Ok(Some(Err(Error::new(format!("{name} ended with {status}"))))),
            None => Ok(ready.probe().await?.map(Ok)),
        });
        let outcome = outcome.await.and_then(|result| result);
        if outcome.is_err() {
            eprintln!("{}", process.tail(40));
        }
        self.process = Some(process);
        outcome.context(format!("start {name} in {}", self.data.path().display()))
    }

    /// Stops the server as an operator does, with SIGTERM, and waits until it is gone.
    pub async fn stop(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.terminate(wait::PATIENCE).await?;
        }
        Ok(())
    }

    /// Stops the server in its tracks (SIGSTOP): its connections stay open and nothing answers, as when a disk hangs.
    pub fn freeze(&self) -> Result<()> {
        self.process.as_ref().map_or(Ok(()), |process| process.signal("STOP"))
    }

    /// Lets a frozen server go on (SIGCONT).
    pub fn thaw(&self) -> Result<()> {
        self.process.as_ref().map_or(Ok(()), |process| process.signal("CONT"))
    }

    /// Kills the server with SIGKILL.
    pub fn kill(&mut self) -> Result<()> {
        self.process.take().map_or(Ok(()), |mut process| process.kill())
    }
}
