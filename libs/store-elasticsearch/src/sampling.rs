//! What adaptive sampling keeps, in Jaeger's documents: a real Jaeger reads them, and the reverse.
//!
//! Jaeger 1.76 cannot run adaptive sampling on Elasticsearch, for want of a lease (`lease`). What it reads and writes there is
//! mended where it is wrong: it counts what lies on the border of two intervals twice, loses all documents after the first page
//! and lets the server make a field of every operation (see `template::sampling`).

mod document;
mod lease;
#[cfg(test)]
mod tests;

use crate::answer::Searched;
use crate::bulk_answer::{self, BULK_PATH, Fate};
use crate::client::{Answer, Body};
use crate::error;
use crate::index::{Indices, now_us};
use crate::reader::{LONGEST_URL, escaped};
use crate::store::ElasticsearchStore;
use crate::template;
use async_trait::async_trait;
use document::{put_probabilities, put_throughput, read_probabilities, read_throughput};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use skua_store::sampling::{ByOperation, SamplingStore, Throughput};
use skua_store::{ErrorKind, StoreError};
use std::sync::Arc;
use tokio::sync::OnceCell;

const HOUR_US: u64 = 3_600_000_000;
/// `index.max_result_window`.
const LONGEST_PAGE: u64 = 10_000;
/// Documents of one reading: one for each operation, collector and interval.
const MOST_DOCUMENTS: usize = 500_000;

/// Adaptive sampling's part of an Elasticsearch or OpenSearch.
pub struct ElasticsearchSampling {
    store: Arc<ElasticsearchStore>,
    indices: Indices,
    ready: OnceCell<()>,
}

#[derive(Deserialize)]
struct Scroll {
    #[serde(rename = "_scroll_id")]
    id: String,
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

    async fn search(&self, doing: &str, path: &str, body: Value) -> Result<Answer, StoreError> {
        self.store.call(doing, Method::POST, path, Body::Json(body.to_string().into())).await
    }

    /// All pages of a search whose answer does not fit one, through a scroll, which every version has.
    async fn scroll(&self, doing: &str, path: &str, body: Value, all: &mut Vec<Throughput>) -> Result<(), StoreError> {
        let mut answer = self.search(doing, &format!("{path}&scroll=1m"), body).await?;
        let mut last = None;
        let outcome = loop {
            match self.page(doing, &answer, all) {
                Ok(0) => break Ok(()),
                Ok(_) if all.len() > MOST_DOCUMENTS => {
                    let what = format!("{doing}: there are more than {MOST_DOCUMENTS} documents; too many operations are traced");
                    break Err(StoreError::new(ErrorKind::Overloaded, what));
                }
                Ok(_) => {}
                Err(e) => break Err(e),
            }
            let id = match serde_json::from_slice::<Scroll>(&answer.body) {
                Ok(scroll) => last.insert(scroll.id).clone(),
                Err(e) => break Err(error::unreadable(doing, &answer.peer, e)),
            };
            answer = match self.search(doing, "_search/scroll", json!({"scroll": "1m", "scroll_id": id})).await {
                Ok(answer) => answer,
                Err(e) => break Err(e),
            };
        };
        if let Some(id) = last {
            let body = Body::Json(json!({"scroll_id": [id]}).to_string().into());
            if let Err(error) = self.store.call("end a scroll", Method::DELETE, "_search/scroll", body).await {
                tracing::debug!(%error, "failed to end a scroll; it ends by itself");
            }
        }
        outcome
    }

    /// Adds the documents of an answer, which has to be complete; says how many there are.
    fn page(&self, doing: &str, answer: &Answer, all: &mut Vec<Throughput>) -> Result<usize, StoreError> {
        let unreadable = |e| error::unreadable(doing, &answer.peer, e);
        let found = complete(doing, answer)?;
        let documents = found.hits.hits;
        for source in documents.iter().filter_map(|hit| hit.source) {
            all.extend(read_throughput(source.get()).map_err(unreadable)?);
        }
        Ok(documents.len())
    }
}

/// What a search found, or why that is not all.
fn complete<'a>(doing: &str, answer: &'a Answer) -> Result<Searched<'a>, StoreError> {
    let found: Searched<'_> = serde_json::from_slice(&answer.body).map_err(|e| error::unreadable(doing, &answer.peer, e))?;
    match found.refuses().or_else(|| found.lacks()) {
        None => Ok(found),
        Some(why) => Err(StoreError::new(ErrorKind::Unavailable, format!("{doing}: Elasticsearch at {}: {why}", answer.peer))),
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
        let size = self.store.max_doc_count.min(LONGEST_PAGE);
        // The server's dates have milliseconds: so have the borders, and a document is on one side of each.
        let body = json!({
            "size": size,
            "sort": ["_doc"],
            "query": {"bool": {"filter": [
                {"range": {"timestamp": {"gt": after / 1000, "lte": until / 1000, "format": "epoch_millis"}}},
                {"exists": {"field": "throughputs.Count"}},
            ]}},
            "track_total_hits": false,
        });
        let mut all = Vec::new();
        let answer = self.search(DOING, &path, body.clone()).await?;
        if self.page(DOING, &answer, &mut all)? as u64 >= size {
            all.clear();
            // A scroll counts the total, and refuses to be told not to.
            let mut body = body;
            body.as_object_mut().map(|body| body.remove("track_total_hits"));
            self.scroll(DOING, &path, body, &mut all).await?;
        }
        Ok(all)
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
        let answer = self.search(DOING, &path, body).await?;
        let found = complete(DOING, &answer)?;
        let Some(source) = found.hits.hits.first().and_then(|hit| hit.source) else { return Ok(ByOperation::new()) };
        read_probabilities(source.get()).map_err(|e| error::unreadable(DOING, &answer.peer, e))
    }
}
