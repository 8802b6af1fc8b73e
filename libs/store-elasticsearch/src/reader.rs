//! Answering questions.

use crate::answer::{List, Searched};
use crate::client::Body;
use crate::error;
use crate::index::{Indices, now_us};
use crate::search;
use crate::store::ElasticsearchStore;
use async_trait::async_trait;
use reqwest::Method;
use serde_json::Value;
use skua_model::{Trace, TraceId};
use skua_store::{ErrorKind, Found, Operation, SpanReader, StoreError, TraceQuery};

/// Bytes of index names in a URL; Elasticsearch takes 4096 with the method and the path.
pub(crate) const LONGEST_URL: usize = 3400;
/// Bytes of index names in the body of an `_msearch`, where they are repeated for each trace.
const LONGEST_LIST: usize = 8000;
const DAY_MS: u64 = 86_400_000;

#[async_trait]
impl SpanReader for ElasticsearchStore {
    async fn services(&self) -> Result<Vec<String>, StoreError> {
        let (list, lacks) = self.list("list services", &self.service_indices(), search::services(self.max_doc_count)).await?;
        Ok(self.names("services", list, lacks))
    }

    async fn operations(&self, service: &str, _kind: &str) -> Result<Vec<Operation>, StoreError> {
        let body = search::operations(service, self.max_doc_count);
        let (list, lacks) = self.list("list operations", &self.service_indices(), body).await?;
        let names = self.names("operations", list, lacks);
        Ok(names.into_iter().map(|name| Operation { name, kind: String::new() }).collect())
    }

    async fn trace(&self, id: TraceId) -> Result<Trace, StoreError> {
        let now = now_us();
        let indices = self.span_indices(now.saturating_sub(self.max_span_age.as_micros() as u64), now);
        let mut fetched = self.fetch(&[id], &indices, None).await?;
        let lacks = fetched.lacks.remove(&id).unwrap_or_default();
        let Some(mut trace) = fetched.traces.pop() else {
            return Err(match lacks.first() {
                None => StoreError::new(ErrorKind::NotFound, "trace not found"),
                Some(why) => StoreError::new(ErrorKind::Unavailable, format!("read the trace {id}: {why}")),
            });
        };
        // There is no other place to say so.
        if let Some(first) = trace.spans.first_mut() {
            first.warnings.extend(lacks.into_iter().map(|why| format!("the trace is not complete: {why}")));
        }
        Ok(trace)
    }

    async fn find(&self, query: &TraceQuery) -> Result<Found, StoreError> {
        validate(query)?;
        let indices = self.shape.spans.to_read(query.start_min, query.start_max, LONGEST_URL);
        let body = search::find(query, &self.shape.rules);
        let (list, lacks) = self.list("find traces", &indices, body).await?;
        let mut partial: Vec<String> = lacks.into_iter().collect();
        let ids: Vec<TraceId> = list.buckets.iter().filter_map(|b| b.key.parse().ok()).collect();
        if ids.is_empty() {
            return Ok(Found { traces: Vec::new(), partial });
        }
        let around = |by: u64| (query.start_min / 1000).saturating_sub(by)..(query.start_max / 1000).saturating_add(by);
        // Behind an alias the time is all that tells the server which indices to pass over.
        let around = self.shape.spans.aliased().then(|| around(DAY_MS)).map(|r| (r.start, r.end));
        let fetched = self.fetch(&ids, &self.span_indices(query.start_min, query.start_max), around).await?;
        for (id, lacks) in fetched.lacks {
            partial.extend(lacks.into_iter().map(|why| format!("trace {id}: {why}")));
        }
        partial.sort_unstable();
        Ok(Found { traces: fetched.traces, partial }) // in the order of `ids`
    }

    fn searches_any_service(&self) -> bool {
        true
    }
}

impl ElasticsearchStore {
    /// Service indices of the look-back.
    fn service_indices(&self) -> Vec<String> {
        let now = now_us();
        self.shape.services.to_read(now.saturating_sub(self.max_span_age.as_micros() as u64), now, LONGEST_URL)
    }

    /// Span indices of a time and one more on either side, for spans of the same traces. Jaeger adds an hour.
    fn span_indices(&self, from_us: u64, to_us: u64) -> Vec<String> {
        let spans: &Indices = &self.shape.spans;
        let more = spans.period().as_micros() as u64;
        // The server has no index after the day after tomorrow.
        let to = to_us.saturating_add(more).min(now_us().saturating_add(2 * DAY_MS * 1000)).max(from_us);
        spans.to_read(from_us.saturating_sub(more), to, LONGEST_LIST)
    }

    /// Searches for a list, and says why it is not complete.
    async fn list(&self, doing: &str, indices: &[String], body: Value) -> Result<(List, Option<String>), StoreError> {
        let path = format!("{}/_search?ignore_unavailable=true", escaped(&indices.join(",")));
        let answer = self.call(doing, Method::POST, &path, Body::Json(body.to_string().into())).await?;
        let found: Searched<'_> = serde_json::from_slice(&answer.body).map_err(|e| error::unreadable(doing, &answer.peer, e))?;
        if let Some(why) = found.refuses() {
            return Err(StoreError::new(ErrorKind::Invalid, format!("{doing}: {why}")));
        }
        let lacks = found.lacks();
        // Without a single index there is no aggregation.
        let list = found.aggregations.and_then(|a| a.list);
        Ok((list.unwrap_or(List { sum_other_doc_count: 0, buckets: Vec::new() }), lacks))
    }

    /// The sorted names of a list. What it lacks goes to the log: the answer has no place for it.
    fn names(&self, of: &str, list: List, lacks: Option<String>) -> Vec<String> {
        if let Some(why) = lacks {
            tracing::warn!(why, "the list of {of} is not complete");
        }
        if list.sum_other_doc_count > 0 {
            tracing::warn!(max_doc_count = self.max_doc_count, "the list of {of} is cut, raise es.max-doc-count");
        }
        let mut names: Vec<String> = list.buckets.into_iter().map(|b| b.key).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// Index names as a segment of a path.
pub(crate) fn escaped(names: &str) -> String {
    let mut out = String::with_capacity(names.len() + 64);
    for b in names.bytes() {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'*' | b':' => out.push(b as char),
            _ => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

fn validate(q: &TraceQuery) -> Result<(), StoreError> {
    let invalid = |text: &str| Err(StoreError::new(ErrorKind::Invalid, text));
    if q.start_max < q.start_min {
        return invalid("start Time Minimum is above Maximum");
    }
    if q.duration_max > 0 && q.duration_min > q.duration_max {
        return invalid("duration Minimum is above Maximum");
    }
    Ok(())
}
