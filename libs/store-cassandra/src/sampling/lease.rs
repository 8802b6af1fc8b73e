//! The lease: a row of `leases` that is written by conditional statements and ends by its time to live, so that one clock counts,
//! the server's.

use super::CassandraSampling;
use crate::cql::{put, put_i32};
use crate::store::CassandraStore;
use async_trait::async_trait;
use scylla::statement::prepared::PreparedStatement;
use skua_store::StoreError;
use skua_store::sampling::Lease;
use std::time::Duration;

pub(super) struct Statements {
    take: PreparedStatement,
    keep: PreparedStatement,
    forfeit: PreparedStatement,
}

impl Statements {
    pub async fn prepare(store: &CassandraStore) -> Result<Self, StoreError> {
        Ok(Self {
            // Jaeger's INSERT IF NOT EXISTS leaves a row without an owner when it is kept for a shorter time than it was taken for.
            take: store.prepare("UPDATE {}.leases USING TTL ? SET owner = ? WHERE name = ? IF owner = NULL").await?,
            keep: store.prepare("UPDATE {}.leases USING TTL ? SET owner = ? WHERE name = ? IF owner = ?").await?,
            forfeit: store.prepare("DELETE FROM {}.leases WHERE name = ? IF owner = ?").await?,
        })
    }
}

#[async_trait]
impl Lease for CassandraSampling {
    /// Goes by the server's clock; `ttl` counts in whole seconds, one at least, as in Jaeger.
    async fn acquire(&self, resource: &str, owner: &str, ttl: Duration, _now: u64) -> Result<bool, StoreError> {
        let doing = format!("acquire the lease {resource}");
        let statements = &self.statements().await?.lease;
        let seconds = i32::try_from(ttl.as_secs().max(1)).unwrap_or(i32::MAX);
        let mut values = Vec::new();
        put_i32(&mut values, seconds);
        put(&mut values, owner.as_bytes());
        put(&mut values, resource.as_bytes());
        if self.store.applied(&doing, &statements.take, &values).await? {
            return Ok(true);
        }
        put(&mut values, owner.as_bytes());
        self.store.applied(&doing, &statements.keep, &values).await
    }

    async fn forfeit(&self, resource: &str, owner: &str) -> Result<bool, StoreError> {
        let mut values = Vec::new();
        put(&mut values, resource.as_bytes());
        put(&mut values, owner.as_bytes());
        self.store.applied(&format!("give back the lease {resource}"), &self.statements().await?.lease.forfeit, &values).await
    }
}
