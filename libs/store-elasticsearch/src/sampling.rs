//! What adaptive sampling keeps, in Jaeger's documents: a real Jaeger reads them, and the reverse.
//!
//! Jaeger 1.76 cannot run adaptive sampling on Elasticsearch, for want of a lease (`lease`). What it reads and writes there is
//! mended where it is wrong: it counts what lies on the border of two intervals twice, loses all documents after the first page
//! and lets the server make a field of every operation (see `template::sampling`).

mod document;
mod lease;
#[cfg(test)]
mod tests;

use crate::bulk_answer::{self, BULK_PATH, Fate};
use crate::client::Body;
use crate::error;
use crate::index::{HOUR_US, Indices, now_us};
use crate::pages::{LONGEST_PAGE, Wanted, complete};
use crate::reader::{LONGEST_URL, escaped};
use crate::store::ElasticsearchStore;
use crate::template;
use async_trait::async_trait;
use document::{put_probabilities, put_throughput, read_probabilities, read_throughput};
use reqwest::Method;
use serde_json::json;
use skua_store::sampling::{ByOperation, SamplingStore, Throughput};
use skua_store::{ErrorKind, StoreError};
use std::sync::Arc;
use tokio::sync::OnceCell;

/// Adaptive sampling's part of an Elasticsearch or OpenSearch.
pub struct ElasticsearchSampling {
    store: Arc<ElasticsearchStore>,
    indices: Indices,
    ready: OnceCell<()>,
}

impl ElasticsearchSampling {
    /// Uses the connection and the configuration of a store. The server need not be up: it is given the index template before
    /// the first write, and again until that works.
    pub fn new(store: Arc<ElasticsearchStore>) -> Self {
        Self { indices: Indices::sampling(&store.config), store, ready: OnceCell::new() }
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.ready.get_or_try_init(|| self.prepare()).await.copied()
    }

    async fn prepare(&self) -> Result<(), StoreError> {
        if !self.store.config.create_index_templates {
            return Ok(());
        }
        let major = self.store.major().await?;
        self.store.put(&template::sampling(&self.store.config, major)).await
    }

    /// Sends documents until all have their answer, or one request fails.
    async fn bulk(&self, body: Vec<u8>, count: usize) -> Result<(), StoreError> {
        const DOING: &str = "write the throughput of adaptive sampling";
        let answer = self.store.call(DOING, Method::POST, BULK_PATH, self.store.body(&body.into())).await?;
        let fates = bulk_answer::read(&answer.body, count).map_err(|e| error::unreadable(DOING, &answer.peer, e))?;
        let failed = fates.unwrap_or_default().into_iter().filter_map(|fate| match fate {
            Fate::Stored => None,
            Fate::Later { busy: true, detail } => Some((ErrorKind::Overloaded, detail)),
            Fate::Later { busy: false, detail } => Some((ErrorKind::Unavailable, detail)),
            Fate::Refused { detail, .. } => Some((ErrorKind::Invalid, detail)),
        });
        let failed: Vec<_> = failed.collect();
        match failed.first() {
            None => Ok(()),
            Some((kind, detail)) => {
                let some = format!("{} of {count} documents", failed.len());
                Err(StoreError::new(*kind, format!("{DOING}: Elasticsearch at {} refused {some}: {detail}", answer.peer)))
            }
        }
    }
}

#[async_trait]
impl SamplingStore for ElasticsearchSampling {
    async fn insert_throughput(&self, at: u64, throughput: &[Throughput]) -> Result<(), StoreError> {
        if throughput.is_empty() {
            return Ok(());
        }
        self.ready().await?;
        let action = format!("{}\n", json!({"create": {"_index": self.indices.to_write(at / HOUR_US)}}));
        let shape = &self.store.shape;
        let (mut body, mut count) = (Vec::new(), 0);
        for one in throughput {
            body.extend_from_slice(action.as_bytes());
            put_throughput(&mut body, at, one);
            body.push(b'\n');
            count += 1;
            if body.len() >= shape.size || count >= shape.actions {
                self.bulk(std::mem::take(&mut body), std::mem::take(&mut count)).await?;
            }
        }
        if count > 0 { self.bulk(body, count).await } else { Ok(()) }
    }

    async fn throughput(&self, after: u64, until: u64) -> Result<Vec<Throughput>, StoreError> {
        const DOING: &str = "read the throughput of adaptive sampling";
        if until <= after {
            return Ok(Vec::new());
        }
        let indices = self.indices.to_read(after, until, LONGEST_URL);
        let path = format!("{}/_search?ignore_unavailable=true", escaped(&indices.join(",")));
        // The server's dates have milliseconds: so have the borders, and a document is on one side of each.
        let range = json!({"gt": after / 1000, "lte": until / 1000, "format": "epoch_millis"});
        let wanted = Wanted {
            doing: DOING,
            path,
            filter: json!([{"range": {"timestamp": range}}, {"exists": {"field": "throughputs.Count"}}]),
            size: self.store.max_doc_count.min(LONGEST_PAGE),
            read: |source: &str, all: &mut Vec<Throughput>| {
                all.extend(read_throughput(source)?);
                Ok(())
            },
        };
        self.store.all(&wanted).await
    }

    async fn insert_probabilities_and_qps(
        &self,
        at: u64,
        host: &str,
        probabilities: &ByOperation,
        qps: &ByOperation,
    ) -> Result<(), StoreError> {
        self.ready().await?;
        let mut body = Vec::new();
        put_probabilities(&mut body, at, host, probabilities, qps);
        // Visible at once, once a minute: else a collector may read what was before and go back to it.
        let path = format!("{}/_doc?refresh=true", escaped(&self.indices.to_write(at / HOUR_US)));
        self.store.call("write the sampling probabilities", Method::POST, &path, Body::Json(body.into())).await.map(drop)
    }

    async fn latest_probabilities(&self) -> Result<ByOperation, StoreError> {
        const DOING: &str = "read the sampling probabilities";
        let now = now_us();
        let from = now.saturating_sub(self.store.config.adaptive_sampling.lookback.as_micros() as u64);
        let indices = self.indices.to_read(from, now, LONGEST_URL);
        let path = format!("{}/_search?ignore_unavailable=true", escaped(&indices.join(",")));
        let body = json!({
            "size": 1,
            "sort": [{"timestamp": {"order": "desc", "unmapped_type": "date"}}],
            "query": {"bool": {"filter": [{"exists": {"field": "probabilitiesandqps.Hostname"}}]}},
            "track_total_hits": false,
        });
        let answer = self.store.post(DOING, &path, body).await?;
        let found = complete(DOING, &answer)?;
        let Some(source) = found.hits.hits.first().and_then(|hit| hit.source) else { return Ok(ByOperation::new()) };
        read_probabilities(source.get()).map_err(|e| error::unreadable(DOING, &answer.peer, e))
    }
}
