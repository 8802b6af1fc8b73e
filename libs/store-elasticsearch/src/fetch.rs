//! Whole traces, page after page.
//!
//! Jaeger orders a trace's spans by their start alone and asks for those after the last one's: spans that share the
//! microsecond at the end of a page are lost. Here the order is by start and span id; the next page begins just before
//! the last span of the page, and documents that come twice are told by their `_id`.

use crate::answer::{Hit, MultiSearched, Searched};
use crate::client::Body;
use crate::error::{self, Reported};
use crate::read_document::DocumentReader;
use crate::search;
use crate::store::ElasticsearchStore;
use foldhash::{HashMap, HashSet};
use reqwest::Method;
use serde_json::{Value, json};
use skua_model::{Span, Trace, TraceId};
use skua_store::StoreError;

/// Traces asked for at a time.
const TOGETHER: usize = 25;
/// Spans of a trace asked for at first: most traces have fewer, and the server sets memory aside for each.
const FIRST_PAGE: u64 = 1000;
/// Spans of all traces of one call: what is beyond is left out, and the answer says so.
const MOST_SPANS: usize = 500_000;
/// `index.max_result_window`.
const LONGEST_PAGE: u64 = 10_000;

/// A trace being read.
struct Reading {
    id: TraceId,
    spans: Vec<Span>,
    /// The `_id`s of the documents read.
    seen: HashSet<String>,
    /// Where the next page begins; empty for the first.
    after: Vec<Value>,
    size: u64,
}

/// Traces and what is missing from them.
#[derive(Default)]
pub(crate) struct Fetched {
    /// In the order asked for; those without a span are left out.
    pub traces: Vec<Trace>,
    /// Why something is missing, by trace.
    pub lacks: HashMap<TraceId, Vec<String>>,
    /// Of all traces.
    spans: usize,
}

impl Fetched {
    fn lack(&mut self, id: TraceId, why: String) {
        let lacks = self.lacks.entry(id).or_default();
        if !lacks.contains(&why) {
            lacks.push(why);
        }
    }
}

impl ElasticsearchStore {
    /// All spans of these traces that lie in these indices, in order of start.
    pub(crate) async fn fetch(
        &self,
        ids: &[TraceId],
        indices: &[String],
        around_ms: Option<(u64, u64)>,
    ) -> Result<Fetched, StoreError> {
        let header = json!({"index": indices, "ignore_unavailable": true}).to_string();
        let mut documents = DocumentReader::new(&self.shape.rules);
        let mut fetched = Fetched::default();
        for ids in ids.chunks(TOGETHER) {
            let start = |id: &TraceId| Reading {
                id: *id,
                spans: Vec::new(),
                seen: HashSet::default(),
                after: Vec::new(),
                size: FIRST_PAGE.min(self.max_doc_count),
            };
            let mut all: Vec<Reading> = ids.iter().map(start).collect();
            let mut open: Vec<usize> = (0..all.len()).collect();
            while !open.is_empty() {
                let mut body = String::new();
                for i in &open {
                    let r = &all[*i];
                    let after = (!r.after.is_empty()).then_some(r.after.as_slice());
                    let page = search::page(r.id, around_ms, r.size, after);
                    body.extend([header.as_str(), "\n", &page.to_string(), "\n"]);
                }
                let doing = "read traces";
                let answer = self.call(doing, Method::POST, "_msearch", Body::Lines(body.into())).await?;
                let pages: MultiSearched<'_> =
                    serde_json::from_slice(&answer.body).map_err(|e| error::unreadable(doing, &answer.peer, e))?;
                let mut again = Vec::new();
                for (i, page) in open.into_iter().zip(pages.responses) {
                    if let Some(e) = &page.error {
                        return Err(failed(doing, &answer.peer, page.status, e));
                    }
                    if self.take(&mut all[i], page, &mut documents, &mut fetched) {
                        again.push(i);
                    }
                }
                open = again;
            }
            for mut r in all.into_iter().filter(|r| !r.spans.is_empty()) {
                r.spans.sort_by_key(|s| s.start_time);
                fetched.traces.push(Trace { spans: r.spans });
            }
        }
        Ok(fetched)
    }

    /// Adds a page to its trace; true when there may be another.
    fn take(&self, r: &mut Reading, page: Searched<'_>, documents: &mut DocumentReader<'_>, fetched: &mut Fetched) -> bool {
        if let Some(why) = page.lacks() {
            fetched.lack(r.id, why);
        }
        let hits = page.hits.hits;
        let full = hits.len() as u64 >= r.size;
        let before = r.seen.len();
        for hit in &hits {
            if !r.seen.insert(hit.id.clone()) {
                continue;
            }
            match documents.span(hit.source.map_or("null", |s| s.get())) {
                Ok(span) => r.spans.push(span),
                Err(why) => fetched.lack(r.id, format!("the document {} cannot be read: {why}", hit.id)),
            }
        }
        fetched.spans += r.seen.len() - before;
        let Some(last) = hits.last().filter(|_| full) else { return false };
        if fetched.spans >= MOST_SPANS {
            fetched.lack(r.id, format!("only the first {} spans are read", r.spans.len()));
            return false;
        }
        r.after = if r.seen.len() > before {
            just_before(last)
        } else {
            // A whole page of copies of one span: go past them.
            fetched.lack(r.id, format!("more than {} documents share a start and a span id", r.size));
            last.sort.clone()
        };
        r.size = self.max_doc_count.min(LONGEST_PAGE);
        true
    }
}

/// A place in the order before this document and after, but for oddities, all others: the id's last character made one less,
/// and a `~`, which comes after every character of an id.
fn just_before(hit: &Hit<'_>) -> Vec<Value> {
    let mut place = hit.sort.clone();
    if let Some(Value::String(span_id)) = place.get_mut(1)
        && let Some(last) = span_id.pop()
        && last.is_ascii_graphic()
    {
        span_id.push((last as u8 - 1) as char);
        span_id.push('~');
    }
    place
}

fn failed(doing: &str, peer: &str, status: u16, e: &Reported) -> StoreError {
    let why = match e {
        Reported::Cause(cause) => cause.explain(),
        Reported::Text(text) => text.clone(),
    };
    let body = json!({"error": why}).to_string();
    error::of_status(doing, peer, status, body.as_bytes(), None)
}
