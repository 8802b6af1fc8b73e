//! What searches are answered.

use crate::error::{Cause, Reported};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// The answer to a search, or to one of several.
#[derive(Deserialize)]
pub(crate) struct Searched<'a> {
    #[serde(default, rename = "_shards")]
    pub shards: Shards,
    #[serde(default)]
    pub timed_out: bool,
    #[serde(default, borrow)]
    pub hits: Hits<'a>,
    #[serde(default)]
    pub aggregations: Option<Aggregations>,
    /// One search of several that failed.
    pub error: Option<Reported>,
    #[serde(default)]
    pub status: u16,
}

/// The answer to several searches, in their order.
#[derive(Deserialize)]
pub(crate) struct MultiSearched<'a> {
    #[serde(borrow)]
    pub responses: Vec<Searched<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Shards {
    total: u64,
    failed: u64,
    failures: Vec<ShardFailure>,
}

#[derive(Deserialize)]
struct ShardFailure {
    reason: Option<Cause>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Hits<'a> {
    #[serde(borrow)]
    pub hits: Vec<Hit<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct Hit<'a> {
    #[serde(rename = "_id")]
    pub id: String,
    #[serde(borrow, rename = "_source")]
    pub source: Option<&'a RawValue>,
    #[serde(default)]
    pub sort: Vec<Value>,
}

#[derive(Deserialize)]
pub(crate) struct Aggregations {
    pub list: Option<List>,
}

#[derive(Deserialize)]
pub(crate) struct List {
    #[serde(default)]
    pub sum_other_doc_count: i64,
    pub buckets: Vec<Bucket>,
}

#[derive(Deserialize)]
pub(crate) struct Bucket {
    pub key: String,
}

impl Searched<'_> {
    /// What is wrong with the query. An empty shard does not look at it, so that some shards may fail for it and others not.
    pub fn refuses(&self) -> Option<String> {
        let causes = self.shards.failures.iter().filter_map(|f| f.reason.as_ref());
        causes.into_iter().find(|c| c.kind == "query_shard_exception").map(Cause::explain)
    }

    /// Why the answer is not complete.
    pub fn lacks(&self) -> Option<String> {
        if self.shards.failed > 0 {
            let reason = self.shards.failures.iter().find_map(|f| f.reason.as_ref()).map(Cause::explain).unwrap_or_default();
            return Some(format!("{} of {} shards failed: {reason}", self.shards.failed, self.shards.total));
        }
        self.timed_out.then(|| "the search timed out".to_owned())
    }
}
