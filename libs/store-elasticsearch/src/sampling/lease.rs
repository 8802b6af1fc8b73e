//! A lease that Jaeger lacks on Elasticsearch: a document `{"owner","expires"}` for each resource, in the index `jaeger-leases`.
//!
//! It is written only on condition that it is as it was read (`op_type=create`, `if_seq_no`), which the server decides on one
//! primary shard: of several writers one succeeds. When it expires (milliseconds since 1970) is judged by the clock of who
//! reads it, so the clocks of the collectors have to agree to less than the difference between the lease's length and how
//! often it is renewed: 55 s by default.

use super::ElasticsearchSampling;
use crate::client::Body;
use crate::error;
use crate::index::prefixed;
use crate::reader::escaped;
use async_trait::async_trait;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use skua_store::StoreError;
use skua_store::sampling::Lease;
use std::time::Duration;

#[derive(Deserialize)]
struct Found {
    #[serde(rename = "_seq_no")]
    seq_no: i64,
    #[serde(rename = "_primary_term")]
    primary_term: i64,
    #[serde(rename = "_source")]
    source: Document,
}

#[derive(Deserialize)]
struct Document {
    owner: String,
    expires: u64,
}

impl Found {
    /// The query that makes a write depend on nothing having changed.
    fn unchanged(&self) -> String {
        format!("if_seq_no={}&if_primary_term={}", self.seq_no, self.primary_term)
    }
}

impl ElasticsearchSampling {
    /// The path of a resource's document below `_doc`, `_create` and so on.
    fn lease_path(&self, operation: &str, resource: &str) -> String {
        let index = prefixed(&self.store.config.index_prefix, "jaeger-leases");
        format!("{}/{operation}/{}", escaped(&index), escaped(resource))
    }

    /// The document as it is now; reading by id sees every write.
    async fn read_lease(&self, doing: &str, resource: &str) -> Result<Option<Found>, StoreError> {
        let answer = self.store.send(doing, Method::GET, &self.lease_path("_doc", resource), Body::Nothing, 404).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        serde_json::from_slice(&answer.body).map(Some).map_err(|e| error::unreadable(doing, &answer.peer, e))
    }
}

#[async_trait]
impl Lease for ElasticsearchSampling {
    async fn acquire(&self, resource: &str, owner: &str, ttl: Duration, now: u64) -> Result<bool, StoreError> {
        let doing = format!("acquire the lease {resource}");
        let now = now / 1000;
        let path = match self.read_lease(&doing, resource).await? {
            None => self.lease_path("_create", resource),
            Some(found) if found.source.owner == owner || found.source.expires <= now => {
                format!("{}?{}", self.lease_path("_doc", resource), found.unchanged())
            }
            Some(_) => return Ok(false),
        };
        let document = json!({"owner": owner, "expires": now.saturating_add(ttl.as_millis() as u64)});
        let answer = self.store.send(&doing, Method::PUT, &path, Body::Json(document.to_string().into()), 409).await?;
        Ok(answer.status != 409)
    }

    async fn forfeit(&self, resource: &str, owner: &str) -> Result<bool, StoreError> {
        let doing = format!("give back the lease {resource}");
        let Some(found) = self.read_lease(&doing, resource).await?.filter(|found| found.source.owner == owner) else {
            return Ok(false);
        };
        let path = format!("{}?{}", self.lease_path("_doc", resource), found.unchanged());
        let answer = self.store.send(&doing, Method::DELETE, &path, Body::Nothing, 409).await?;
        Ok(answer.status != 409)
    }
}
