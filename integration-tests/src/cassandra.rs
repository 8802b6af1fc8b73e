//! Cassandra: the shared one, or one of a test's own; and what spans are in it.

use crate::ports::free_port;
use crate::servers::{CASSANDRA_VARIABLE, Ready, Server, shared};
use crate::spans::hex;
use crate::store::{Store, StoredSpans};
use crate::{Context, Error, Result, SpanKey};
use futures::TryStreamExt;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::statement::Statement;

/// The older version that a schema must suit; `scripts/setup.sh` fetches it.
const VERSION_4_1: &str = "4.1.10";
const PAGE: i32 = 10_000;

/// A Cassandra node.
pub struct Cassandra {
    port: u16,
    server: Option<Server>,
}

impl Cassandra {
    /// The Cassandra 5.0 that all tests of a run share.
    pub fn shared() -> Result<Self> {
        let address = shared(CASSANDRA_VARIABLE)?;
        let port = address.strip_prefix("127.0.0.1:").and_then(|port| port.parse().ok());
        let wrong = || Error::new(format!("{CASSANDRA_VARIABLE}={address} is not 127.0.0.1:PORT"));
        Ok(Self { port: port.ok_or_else(wrong)?, server: None })
    }

    /// Starts a Cassandra 5.0 of one's own.
    pub async fn start_private() -> Result<Self> {
        Self::start(None).await
    }

    /// Starts a Cassandra 4.1 of one's own.
    pub async fn start_private_4_1() -> Result<Self> {
        Self::start(Some(VERSION_4_1)).await
    }

    async fn start(version: Option<&str>) -> Result<Self> {
        let (port, storage) = (free_port()?, free_port()?);
        let mut env =
            vec![("CASSANDRA_PORT".to_owned(), port.to_string()), ("CASSANDRA_STORAGE_PORT".to_owned(), storage.to_string())];
        env.extend(version.map(|version| ("CASSANDRA_VERSION".to_owned(), version.to_owned())));
        let server = Server::start("cassandra", "CASSANDRA_DATA", env, Ready::Tcp(port)).await?;
        Ok(Self { port, server: Some(server) })
    }

    /// `127.0.0.1:PORT` of its CQL port.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The flags that say where it is, to a tier or to `skua cassandra schema`.
    pub fn location_flags(&self) -> Vec<String> {
        vec!["--cassandra.servers=127.0.0.1".to_owned(), format!("--cassandra.port={}", self.port)]
    }

    /// The flags of a tier that uses a keyspace as it is.
    pub fn keyspace_flags(&self, keyspace: &str) -> Vec<String> {
        let mut flags = self.location_flags();
        flags.push(format!("--cassandra.keyspace={keyspace}"));
        flags
    }

    /// Runs statements, one after another; the first that is refused is the error.
    pub async fn run(&self, statements: &[String]) -> Result<()> {
        let session = self.session().await?;
        for statement in statements {
            session.query_unpaged(statement.as_str(), ()).await.context(format!("run {statement}"))?;
        }
        Ok(())
    }

    /// A session for one question: the server may have been away since the last.
    async fn session(&self) -> Result<Session> {
        let session = SessionBuilder::new().known_node(self.address()).fetch_schema_metadata(false).build().await;
        session.context(format!("connect to Cassandra at {}", self.address()))
    }
}

impl Store for Cassandra {
    fn storage_type(&self) -> &'static str {
        "cassandra"
    }

    fn flags(&self, name: &str) -> Vec<String> {
        let mut flags = self.keyspace_flags(name);
        flags.push("--cassandra.schema.create=true".to_owned());
        flags
    }

    fn server(&mut self) -> Result<&mut Server> {
        self.server.as_mut().ok_or_else(|| Error::new("a test must not stop the shared Cassandra: start a private one"))
    }

    async fn count(&self, name: &str) -> Result<u64> {
        let what = format!("count the spans of {name}");
        let session = self.session().await?;
        let answer = session.query_unpaged(format!("SELECT count(*) FROM {name}.traces"), ()).await;
        let answer = answer.context(&what)?.into_rows_result().context(&what)?;
        let (count,) = answer.single_row::<(i64,)>().context(&what)?;
        Ok(count as u64)
    }

    async fn spans(&self, name: &str) -> Result<StoredSpans> {
        let what = format!("read the spans of {name}");
        let statement = Statement::new(format!("SELECT trace_id, span_id FROM {name}.traces")).with_page_size(PAGE);
        let session = self.session().await?;
        let answer = session.query_iter(statement, ()).await.context(&what)?;
        let mut rows = answer.rows_stream::<(Vec<u8>, i64)>().context(&what)?;
        let mut stored = StoredSpans::default();
        while let Some((trace, span)) = rows.try_next().await.context(&what)? {
            stored.add(SpanKey { trace: hex(&trace), span: hex(&span.to_be_bytes()) });
        }
        Ok(stored)
    }
}
