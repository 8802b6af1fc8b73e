//! Making the table where a keyspace lacks it: one that a Jaeger made, or an older Skua.

use crate::config::SchemaConfig;
use crate::error;
use crate::random;
use crate::sampling::CassandraSampling;
use crate::schema::{self, Schema};
use crate::store::CassandraStore;
use skua_store::sampling::Lease;
use skua_store::{ErrorKind, StoreError};
use std::sync::Arc;
use std::time::Duration;

const TABLE: &str = "skua_rollups";
/// How long the nodes may take to agree on the table.
const TTL: Duration = Duration::from_secs(120);

/// Whether the table is there.
///
/// # Errors
/// `Unsupported` when it is other than ours.
pub(super) async fn exists(store: &CassandraStore) -> Result<bool, StoreError> {
    schema::has_rollups(&store.connected().await?.session, &store.config.keyspace).await
}

/// Makes the table if it is not there. Of several processes one does: each that makes a table at the same time gives it an id of its
/// own, and a Cassandra that gets two ids for one table has to be mended by hand.
///
/// # Errors
/// Says what to run when it cannot be made. `Unavailable` while another makes it.
pub(super) async fn table(store: &Arc<CassandraStore>) -> Result<(), StoreError> {
    if exists(store).await? {
        return Ok(());
    }
    let keyspace = &store.config.keyspace;
    let lacks = |why: &str| {
        format!("the keyspace {keyspace} lacks the table {TABLE}{why}: run `skua cassandra schema --keyspace={keyspace}`")
    };
    if !store.connected().await?.schema.sampling {
        let text = lacks(" and those of adaptive sampling, one of which says who makes it");
        return Err(StoreError::new(ErrorKind::Unavailable, text));
    }
    let (lease, owner) = (CassandraSampling::new(Arc::clone(store)), format!("{:016x}", random::number()));
    let could_not = |e: StoreError| StoreError::new(e.kind, lacks(&format!(", which could not be made ({e})"))).caused_by(e);
    if !lease.acquire(TABLE, &owner, TTL, 0).await.map_err(could_not)? {
        let text = format!("the keyspace {keyspace} lacks the table {TABLE}, which another process is making");
        return Err(StoreError::new(ErrorKind::Unavailable, text));
    }
    let made = make(store).await;
    if let Err(error) = lease.forfeit(TABLE, &owner).await {
        tracing::debug!(%error, "failed to give back the lease on making {TABLE}; it ends by itself");
    }
    made.map_err(could_not)
}

async fn make(store: &CassandraStore) -> Result<(), StoreError> {
    // Another may have been faster.
    if exists(store).await? {
        return Ok(());
    }
    let statement = Schema::new(&store.config.keyspace, &SchemaConfig::default())?.rollups();
    // Returns when the nodes agree.
    let made = store.connected().await?.session.query_unpaged(statement, ()).await;
    made.map_err(|e| error::of_execution("make it", e))?;
    tracing::info!(keyspace = store.config.keyspace, "the table {TABLE} is there");
    Ok(())
}
