//! The store: what it is made of, and getting it ready.

use crate::config::Config;
use crate::cql::{Cells, Raw};
use crate::error;
use crate::index::text::TagFilter;
use crate::metrics::Metrics;
use crate::names::StoredNames;
use crate::schema::{self, Found, Schema};
use crate::session::Connector;
use crate::statements::Statements;
use prometheus_client::registry::Registry;
use scylla::client::session::Session;
use scylla::statement::prepared::PreparedStatement;
use skua_store::{ErrorKind, StoreError};
use std::sync::Arc;
use tokio::sync::{OnceCell, Semaphore};

/// Writes and reads spans in Cassandra or Scylla.
pub struct CassandraStore {
    connector: Connector,
    pub(crate) config: Config,
    pub(crate) filter: TagFilter,
    pub(crate) metrics: Metrics,
    pub(crate) names: StoredNames,
    /// One for each request that may be under way.
    pub(crate) permits: Semaphore,
    connected: OnceCell<Connected>,
}

/// A session, and what there is behind it.
pub(crate) struct Connected {
    pub session: Session,
    pub statements: Statements,
    pub schema: Found,
}

impl CassandraStore {
    /// Prepares a store. No server need be up: the store connects, and looks at the schema, before the first request, and again
    /// until that works. `kind` (`cassandra` or `scylla`) and `role` (`primary` or `archive`) are the labels of its metrics.
    ///
    /// # Errors
    /// `Invalid` when the configuration contradicts itself or names a file that cannot be read.
    pub fn new(config: Config, kind: &str, role: &str, registry: &mut Registry) -> Result<Arc<Self>, StoreError> {
        Ok(Arc::new(Self {
            connector: Connector::new(&config)?,
            filter: TagFilter::new(&config.index)?,
            metrics: Metrics::register(registry, kind, role),
            names: StoredNames::new(config.span_store_write_cache_ttl),
            permits: Semaphore::new(config.max_in_flight_requests.clamp(1, 1 << 15)),
            connected: OnceCell::new(),
            config,
        }))
    }

    /// Connects and looks at the schema, once; at once `Ok` after that.
    ///
    /// # Errors
    /// `Unavailable` when no server can be reached or the schema is not there; `Unsupported` for a schema that is not Jaeger's.
    pub async fn ready(&self) -> Result<(), StoreError> {
        self.connected().await.map(drop)
    }

    pub(crate) async fn connected(&self) -> Result<&Connected, StoreError> {
        self.connected.get_or_try_init(|| self.connect()).await
    }

    async fn connect(&self) -> Result<Connected, StoreError> {
        let keyspace = &self.config.keyspace;
        let session = self.connector.connect().await?;
        let schema = match schema::detect(&session, keyspace).await {
            Err(e) if e.kind == ErrorKind::Unavailable && self.config.schema.create => {
                Schema::new(keyspace, &self.config.schema)?.create_with(&session).await?;
                schema::detect(&session, keyspace).await?
            }
            found => found?,
        };
        let statements = Statements::prepare(&session, keyspace, schema.operation_names).await?;
        tracing::info!(servers = self.connector.servers(), keyspace, ?schema, "Cassandra found");
        Ok(Connected { session, statements, schema })
    }

    /// Prepares a statement that is not among the usual ones. `{}` stands for the keyspace.
    pub(crate) async fn prepare(&self, cql: &str) -> Result<PreparedStatement, StoreError> {
        let connected = self.connected().await?;
        let cql = cql.replace("{}", &self.config.keyspace);
        connected.session.prepare(cql.as_str()).await.map_err(|e| error::of_prepare(&format!("prepare {cql:?}"), e))
    }

    /// Carries out a conditional statement; true when its condition held. Of several at a time on one partition one is carried out
    /// after the other. An error means that it may or may not have been.
    pub(crate) async fn applied(&self, doing: &str, statement: &PreparedStatement, values: &[u8]) -> Result<bool, StoreError> {
        self.applied_or(doing, statement, values, "").await.map(|(applied, _)| applied)
    }

    /// As [`applied`](Self::applied), and what the row has in a column, of seven at most, when the condition did not hold; empty when that
    /// is null or not told.
    pub(crate) async fn applied_or(
        &self,
        doing: &str,
        statement: &PreparedStatement,
        values: &[u8],
        column: &str,
    ) -> Result<(bool, Vec<u8>), StoreError> {
        let connected = self.connected().await?;
        let _permit = self.permit().await?;
        let answer = connected.session.execute_unpaged(statement, Cells(values)).await;
        let answer = answer.map_err(|e| error::of_execution(doing, e))?;
        let rows = answer.into_rows_result().map_err(|e| error::unreadable(doing, e))?;
        let place = rows.column_specs().get_by_name(column).map(|(place, _)| place);
        let row = rows.maybe_first_row::<Raw<'_, 8>>().map_err(|e| error::unreadable(doing, e))?;
        let no_answer = || StoreError::new(ErrorKind::Internal, format!("{doing}: Cassandra does not say whether it did it"));
        let row = row.ok_or_else(no_answer)?;
        Ok((row.bytes(0) == [1], place.map_or(&b""[..], |place| row.bytes(place)).to_vec()))
    }

    pub(crate) async fn permit(&self) -> Result<tokio::sync::SemaphorePermit<'_>, StoreError> {
        let closed = |e| StoreError::new(ErrorKind::Internal, "the store is closed").caused_by(e);
        self.permits.acquire().await.map_err(closed)
    }
}
