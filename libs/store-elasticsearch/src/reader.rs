//! Answering questions.

use crate::answer::{List, Searched};
use crate::client::Body;
use crate::error;
use crate::fetch::{Pages, Reading};
use crate::index::{Indices, now_us};
use crate::search;
use crate::store::ElasticsearchStore;
use async_trait::async_trait;
use futures::stream::{StreamExt, TryStreamExt, iter, once, try_unfold};
use reqwest::Method;
use serde_json::Value;
use skua_model::{Trace, TraceId};
use skua_store::{
    ErrorKind, Found, FoundItem, FoundStream, Operation, SpanReader, SpanStream, StoreError, TraceQuery, all_found, whole_trace,
};
use std::collections::VecDeque;

/// Bytes of index names in a URL; Elasticsearch takes 4096 with the method and the path.
pub(crate) const LONGEST_URL: usize = 3400;
/// Bytes of index names in the body of an `_msearch`, where they are repeated for each trace.
const LONGEST_LIST: usize = 8000;
/// Traces asked for at a time.
const TOGETHER: usize = 25;
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
        whole_trace(self.spans(id)).await
    }

    fn searches_any_service(&self) -> bool {
        true
    }

    async fn find(&self, query: &TraceQuery) -> Result<Found, StoreError> {
        all_found(self.search(query.clone())).await
    }

    fn spans(&self, id: TraceId) -> SpanStream<'_> {
        let now = now_us();
        let indices = self.span_indices(now.saturating_sub(self.max_span_age.as_micros() as u64), now);
        let pages = Pages::new(self, &indices, None);
        let trace = pages.start(id);
        let some = false;
        try_unfold((pages, trace, some), move |(mut pages, mut trace, some)| async move {
            while trace.more {
                pages.next(std::slice::from_mut(&mut trace)).await?;
                let mut spans = std::mem::take(&mut trace.spans);
                if let Some(first) = spans.first_mut() {
                    // There is no other place to say so.
                    let lacks = trace.lacks.drain(..);
                    first.warnings.extend(lacks.map(|why| format!("the trace is not complete: {why}")));
                    return Ok(Some((spans, (pages, trace, true))));
                }
            }
            match trace.lacks.first() {
                _ if some => Ok(None),
                None => Err(StoreError::new(ErrorKind::NotFound, "trace not found")),
                Some(why) => Err(StoreError::new(ErrorKind::Unavailable, format!("read the trace {id}: {why}"))),
            }
        })
        .boxed()
    }

    fn search(&self, query: TraceQuery) -> FoundStream<'_> {
        once(self.find_ids(query)).map_ok(|found| self.traces(found)).try_flatten().boxed()
    }
}

/// Traces that match, latest first, and where their spans are.
struct FoundIds {
    ids: VecDeque<TraceId>,
    partial: Option<String>,
    indices: Vec<String>,
    around_ms: Option<(u64, u64)>,
}

impl ElasticsearchStore {
    async fn find_ids(&self, query: TraceQuery) -> Result<FoundIds, StoreError> {
        validate(&query)?;
        let indices = self.shape.spans.to_read(query.start_min, query.start_max, LONGEST_URL);
        let body = search::find(&query, &self.shape.rules);
        let (list, partial) = self.list("find traces", &indices, body).await?;
        let around = |by: u64| (query.start_min / 1000).saturating_sub(by)..(query.start_max / 1000).saturating_add(by);
        Ok(FoundIds {
            ids: list.buckets.iter().filter_map(|b| b.key.parse().ok()).collect(),
            partial,
            indices: self.span_indices(query.start_min, query.start_max),
            // Behind an alias the time is all that tells the server which indices to pass over.
            around_ms: self.shape.spans.aliased().then(|| around(DAY_MS)).map(|r| (r.start, r.end)),
        })
    }

    /// The traces, a few at a time.
    fn traces(&self, found: FoundIds) -> FoundStream<'_> {
        let FoundIds { ids, partial, indices, around_ms } = found;
        let pages = Pages::new(self, &indices, around_ms);
        let read = try_unfold((pages, ids), async |(mut pages, mut ids)| {
            if ids.is_empty() {
                return Ok(None);
            }
            let few = ids.drain(..TOGETHER.min(ids.len()));
            let mut traces: Vec<Reading> = few.map(|id| pages.start(id)).collect();
            let all = traces.len() > 1 && pages.together(&mut traces).await?;
            while !all && traces.iter().any(|trace| trace.more) {
                pages.next(&mut traces).await?;
            }
            let mut items = Vec::with_capacity(traces.len());
            for Reading { id, spans, lacks, .. } in traces {
                items.extend(lacks.into_iter().map(|why| Ok(FoundItem::Partial(format!("trace {id}: {why}")))));
                if !spans.is_empty() {
                    items.push(Ok(FoundItem::Trace(Trace { spans })));
                }
            }
            Ok(Some((iter(items), (pages, ids))))
        });
        iter(partial.map(|why| Ok(FoundItem::Partial(why)))).chain(read.try_flatten()).boxed()
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
