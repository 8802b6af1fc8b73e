//! Roll-ups: a document for each kind and interval in `[prefix-]skua-rollup-<day>`, whatever Jaeger's aliases say, with the body in
//! base64 in a field that is not looked into.
//!
//! Everything goes by id, which the server answers from what was written last; a search would see it only after a refresh. A document
//! is written on condition that it is as it was read (`op_type=create`, `if_seq_no`), which the server decides on one primary shard.
//! Beside the body it has a mark of the save, `save`: a server that lost a node in between may have sent the write to two nodes, and says of
//! the second that there is a conflict.

use crate::client::{Answer, Body};
use crate::error::{self, Cause};
use crate::index::{HOUR_US, Indices};
use crate::reader::{LONGEST_URL, escaped};
use crate::store::ElasticsearchStore;
use crate::template;
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::stream::{StreamExt, TryStreamExt, iter};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use skua_store::rollups::{Rollup, RollupKind, RollupStore, Version, intervals};
use skua_store::{ErrorKind, StoreError};
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use tokio::sync::OnceCell;

const DAY_US: u64 = 24 * HOUR_US;
/// Documents of one request; of a day there are 144.
const PIECE: usize = 36;
/// Requests of one reading at a time.
const TOGETHER: usize = 2;
/// Days of one reading.
const MOST_DAYS: u64 = 400;

/// The roll-ups in an Elasticsearch or OpenSearch.
pub struct ElasticsearchRollups {
    store: Arc<ElasticsearchStore>,
    indices: Indices,
    ready: OnceCell<()>,
}

#[derive(Deserialize)]
struct Found {
    #[serde(rename = "_seq_no")]
    seq_no: u64,
    #[serde(rename = "_primary_term")]
    primary_term: u64,
    #[serde(rename = "_source")]
    source: Document,
}

#[derive(Deserialize)]
struct Document {
    body: String,
}

/// Of a document, who saved it.
#[derive(Deserialize)]
struct Marked {
    #[serde(rename = "_source")]
    source: Mark,
}

#[derive(Deserialize)]
struct Mark {
    #[serde(default)]
    save: String,
}

#[derive(Deserialize)]
struct Several {
    docs: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    #[serde(default)]
    found: bool,
    #[serde(rename = "_source")]
    source: Option<Document>,
    error: Option<Cause>,
}

impl ElasticsearchRollups {
    /// Uses the connection and the configuration of a store. The server need not be up: it is given the index template before
    /// the first write, and again until that works.
    pub fn new(store: Arc<ElasticsearchStore>) -> Self {
        Self { indices: Indices::rollups(&store.config), store, ready: OnceCell::new() }
    }

    async fn prepare(&self) -> Result<(), StoreError> {
        if !self.store.config.create_index_templates {
            return Ok(());
        }
        let major = self.store.major().await?;
        self.store.put(&template::rollups(&self.store.config, major)).await
    }

    fn index(&self, interval: u64) -> String {
        self.indices.to_write(interval / HOUR_US)
    }

    fn path(&self, operation: &str, kind: RollupKind, interval: u64) -> String {
        format!("{}/{operation}/{}", escaped(&self.index(interval)), id(kind, interval))
    }

    /// Whether the document that is there is the one with this mark.
    async fn is(&self, kind: RollupKind, interval: u64, mark: &str) -> Result<bool, StoreError> {
        const DOING: &str = "see who saved a roll-up";
        let path = format!("{}?_source_includes=save", self.path("_doc", kind, interval));
        let answer = self.store.send(DOING, Method::GET, &path, Body::Nothing, 404).await?;
        if answer.status == 404 {
            return Ok(false);
        }
        let there: Marked = serde_json::from_slice(&answer.body).map_err(|e| error::unreadable(DOING, &answer.peer, e))?;
        Ok(there.source.save == mark)
    }

    /// The documents of some intervals that are there, in their order.
    async fn several(&self, kind: RollupKind, some: Vec<u64>) -> Result<Vec<(u64, Bytes)>, StoreError> {
        const DOING: &str = "read roll-ups";
        let wanted = |interval: &u64| json!({"_index": self.index(*interval), "_id": id(kind, *interval)});
        let docs: Vec<Value> = some.iter().map(wanted).collect();
        let answer = self.store.post(DOING, "_mget", json!({"docs": docs})).await?;
        let read: Several = serde_json::from_slice(&answer.body).map_err(|e| error::unreadable(DOING, &answer.peer, e))?;
        let says = |kind, what: String| StoreError::new(kind, format!("{DOING}: Elasticsearch at {} {what}", answer.peer));
        if read.docs.len() != some.len() {
            let what = format!("answers {} documents, asked for {}", read.docs.len(), some.len());
            return Err(says(ErrorKind::Internal, what));
        }
        let mut all = Vec::new();
        for (interval, one) in some.into_iter().zip(read.docs) {
            match (one.error, one.source) {
                // A day on which nothing was counted.
                (Some(e), _) if e.kind == "index_not_found_exception" => {}
                (Some(e), _) => return Err(says(ErrorKind::Unavailable, format!("says: {}", error::shorten(e.explain())))),
                (None, Some(document)) if one.found => all.push((interval, body(DOING, &answer, &document)?)),
                (None, _) => {}
            }
        }
        Ok(all)
    }

    /// The indices that there are, by the number of their day since 1970.
    async fn days(&self) -> Result<BTreeMap<u64, String>, StoreError> {
        const DOING: &str = "list the indices of roll-ups";
        let path = format!("{}*/_settings/index.creation_date?expand_wildcards=open,closed", escaped(self.indices.base()));
        let answer = self.store.call(DOING, Method::GET, &path, Body::Nothing).await?;
        let indices: BTreeMap<String, Value> =
            serde_json::from_slice(&answer.body).map_err(|e| error::unreadable(DOING, &answer.peer, e))?;
        Ok(indices.into_keys().filter_map(|name| Some((self.indices.day_of(&name)?, name))).collect())
    }
}

#[async_trait]
impl RollupStore for ElasticsearchRollups {
    async fn rollup(&self, kind: RollupKind, interval: u64) -> Result<Option<Rollup>, StoreError> {
        const DOING: &str = "read a roll-up";
        let answer = self.store.send(DOING, Method::GET, &self.path("_doc", kind, interval), Body::Nothing, 404).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        let found: Found = serde_json::from_slice(&answer.body).map_err(|e| error::unreadable(DOING, &answer.peer, e))?;
        let version = Version(found.seq_no, found.primary_term);
        Ok(Some(Rollup { version, body: body(DOING, &answer, &found.source)? }))
    }

    async fn save_rollup(&self, kind: RollupKind, interval: u64, body: Bytes, was: Option<Version>) -> Result<bool, StoreError> {
        self.ready.get_or_try_init(|| self.prepare()).await?;
        let path = match was {
            None => self.path("_create", kind, interval),
            Some(Version(seq_no, term)) => {
                format!("{}?if_seq_no={seq_no}&if_primary_term={term}", self.path("_doc", kind, interval))
            }
        };
        let mark = new_mark();
        let mut document = String::with_capacity(body.len().div_ceil(3) * 4 + 64);
        document.push_str("{\"body\":\"");
        STANDARD.encode_string(&body, &mut document);
        document.push_str(&format!("\",\"save\":\"{mark}\"}}"));
        let answer = self.store.send("save a roll-up", Method::PUT, &path, Body::Json(document.into()), 409).await?;
        if answer.status == 409 { self.is(kind, interval, &mark).await } else { Ok(true) }
    }

    /// 400 days at most.
    async fn rollups(&self, kind: RollupKind, from: u64, until: u64) -> Result<Vec<(u64, Bytes)>, StoreError> {
        if until.saturating_sub(from) > MOST_DAYS * DAY_US {
            return Err(StoreError::new(ErrorKind::Invalid, format!("read roll-ups: more than {MOST_DAYS} days at once")));
        }
        let all: Vec<u64> = intervals(from, until).collect();
        let pieces: Vec<Vec<u64>> = all.chunks(PIECE).map(<[u64]>::to_vec).collect();
        iter(pieces).map(|some| self.several(kind, some)).buffered(TOGETHER).try_concat().await
    }

    /// Whole days.
    async fn delete_rollups(&self, before: u64) -> Result<(), StoreError> {
        let mut days = self.days().await?;
        days.retain(|day, _| (day + 1) * DAY_US <= before);
        let names: Vec<String> = days.into_values().collect();
        for some in names.chunks((LONGEST_URL / (self.indices.base().len() + 14)).max(1)) {
            let path = format!("{}?ignore_unavailable=true", escaped(&some.join(",")));
            self.store.call("delete roll-ups", Method::DELETE, &path, Body::Nothing).await?;
            tracing::info!(indices = some.join(","), "roll-ups deleted");
        }
        Ok(())
    }
}

/// That no other save has.
fn new_mark() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}

/// `red-1769324400`.
fn id(kind: RollupKind, interval: u64) -> String {
    format!("{}-{}", kind.name(), interval / 1_000_000)
}

fn body(doing: &str, answer: &Answer, document: &Document) -> Result<Bytes, StoreError> {
    STANDARD.decode(&document.body).map(Bytes::from).map_err(|e| {
        let text = format!("{doing}: a document of Elasticsearch at {} has a body that is not base64: {e}", answer.peer);
        StoreError::new(ErrorKind::Internal, text).caused_by(e)
    })
}

#[cfg(test)]
mod tests;
