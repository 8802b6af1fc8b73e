//! All that a search finds, in as many pages as it takes.

use crate::answer::Searched;
use crate::client::{Answer, Body};
use crate::error;
use crate::store::ElasticsearchStore;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use skua_store::{ErrorKind, StoreError};

/// `index.max_result_window`.
pub(crate) const LONGEST_PAGE: u64 = 10_000;
/// Items of one reading.
const MOST_ITEMS: usize = 500_000;

/// A search for documents, of which each holds items.
pub(crate) struct Wanted<R> {
    /// For messages.
    pub doing: &'static str,
    /// Index names and `_search`, with a query string.
    pub path: String,
    pub filter: Value,
    /// Documents of a page.
    pub size: u64,
    /// Adds the items of a document.
    pub read: R,
}

#[derive(Deserialize)]
struct Scroll {
    #[serde(rename = "_scroll_id")]
    id: String,
}

impl ElasticsearchStore {
    pub(crate) async fn post(&self, doing: &str, path: &str, body: Value) -> Result<Answer, StoreError> {
        self.call(doing, Method::POST, path, Body::Json(body.to_string().into())).await
    }

    /// The items of all documents, in any order.
    ///
    /// # Errors
    /// When a part is missing, or there are more items than anybody needs.
    pub(crate) async fn all<T, R>(&self, wanted: &Wanted<R>) -> Result<Vec<T>, StoreError>
    where
        R: Fn(&str, &mut Vec<T>) -> Result<(), serde_json::Error>,
    {
        let mut all = Vec::new();
        let body = json!({
            "size": wanted.size,
            "sort": ["_doc"],
            "query": {"bool": {"filter": wanted.filter}},
            "track_total_hits": false,
        });
        let answer = self.post(wanted.doing, &wanted.path, body.clone()).await?;
        if page(wanted, &answer, &mut all)? as u64 >= wanted.size {
            all.clear();
            // A scroll counts the total, and refuses to be told not to.
            let mut body = body;
            body.as_object_mut().map(|body| body.remove("track_total_hits"));
            self.scroll(wanted, body, &mut all).await?;
        }
        Ok(all)
    }

    /// All pages of a search whose answer does not fit one, through a scroll, which every version has.
    async fn scroll<T, R>(&self, wanted: &Wanted<R>, body: Value, all: &mut Vec<T>) -> Result<(), StoreError>
    where
        R: Fn(&str, &mut Vec<T>) -> Result<(), serde_json::Error>,
    {
        let doing = wanted.doing;
        let mut answer = self.post(doing, &format!("{}&scroll=1m", wanted.path), body).await?;
        let mut last = None;
        let outcome = loop {
            match page(wanted, &answer, all) {
                Ok(0) => break Ok(()),
                Ok(_) if all.len() > MOST_ITEMS => {
                    let what = format!("{doing}: there are more than {MOST_ITEMS}");
                    break Err(StoreError::new(ErrorKind::Overloaded, what));
                }
                Ok(_) => {}
                Err(e) => break Err(e),
            }
            let id = match serde_json::from_slice::<Scroll>(&answer.body) {
                Ok(scroll) => last.insert(scroll.id).clone(),
                Err(e) => break Err(error::unreadable(doing, &answer.peer, e)),
            };
            answer = match self.post(doing, "_search/scroll", json!({"scroll": "1m", "scroll_id": id})).await {
                Ok(answer) => answer,
                Err(e) => break Err(e),
            };
        };
        if let Some(id) = last {
            let body = Body::Json(json!({"scroll_id": [id]}).to_string().into());
            if let Err(error) = self.call("end a scroll", Method::DELETE, "_search/scroll", body).await {
                tracing::debug!(%error, "failed to end a scroll; it ends by itself");
            }
        }
        outcome
    }
}

/// Adds the documents of an answer, which has to be complete; says how many there are.
fn page<T, R>(wanted: &Wanted<R>, answer: &Answer, all: &mut Vec<T>) -> Result<usize, StoreError>
where
    R: Fn(&str, &mut Vec<T>) -> Result<(), serde_json::Error>,
{
    let documents = complete(wanted.doing, answer)?.hits.hits;
    for source in documents.iter().filter_map(|hit| hit.source) {
        (wanted.read)(source.get(), all).map_err(|e| error::unreadable(wanted.doing, &answer.peer, e))?;
    }
    Ok(documents.len())
}

/// What a search found, or why that is not all.
pub(crate) fn complete<'a>(doing: &str, answer: &'a Answer) -> Result<Searched<'a>, StoreError> {
    let found: Searched<'_> = serde_json::from_slice(&answer.body).map_err(|e| error::unreadable(doing, &answer.peer, e))?;
    match found.refuses().or_else(|| found.lacks()) {
        None => Ok(found),
        Some(why) => Err(StoreError::new(ErrorKind::Unavailable, format!("{doing}: Elasticsearch at {}: {why}", answer.peer))),
    }
}
