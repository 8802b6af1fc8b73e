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
use foldhash::HashMap;
use reqwest::Method;
use serde_json::{Value, json};
use skua_model::{Span, TraceId};
use skua_store::StoreError;

/// Spans of a trace asked for at first: most traces have fewer, and the server sets memory aside for each.
const FIRST_PAGE: u64 = 1000;
/// Spans of all traces of one reading: what is beyond is left out, and the answer says so.
const MOST_SPANS: usize = 500_000;
/// `index.max_result_window`.
const LONGEST_WINDOW: u64 = 10_000;
/// Spans of a later page; `index.max_result_window` is twice that, and a page is held as text and as spans.
const LONGEST_PAGE: u64 = 5000;

/// Reads pages of traces that lie in the same indices.
pub(crate) struct Pages<'s> {
    store: &'s ElasticsearchStore,
    header: String,
    /// Milliseconds since 1970.
    around: Option<(u64, u64)>,
    documents: DocumentReader<'s>,
    /// Of all traces.
    spans: usize,
}

/// A trace being read.
pub(crate) struct Reading {
    pub id: TraceId,
    /// Of the pages read since they were taken away.
    pub spans: Vec<Span>,
    /// Why something is missing.
    pub lacks: Vec<String>,
    /// False when the last page was read.
    pub more: bool,
    /// The `_id`s of those documents read that come last in the order, which is where the next page begins.
    last: Vec<String>,
    /// Where the next page begins; empty for the first.
    after: Vec<Value>,
    size: u64,
}

impl Reading {
    fn lack(&mut self, why: String) {
        if !self.lacks.contains(&why) {
            self.lacks.push(why);
        }
    }
}

impl<'s> Pages<'s> {
    /// Of spans in these indices and, if it is given, around a time.
    pub fn new(store: &'s ElasticsearchStore, indices: &[String], around: Option<(u64, u64)>) -> Self {
        let header = json!({"index": indices, "ignore_unavailable": true}).to_string();
        Self { store, header, around, documents: DocumentReader::new(&store.shape.rules), spans: 0 }
    }

    /// A trace of which nothing is read yet.
    pub fn start(&self, id: TraceId) -> Reading {
        let size = FIRST_PAGE.min(self.store.max_doc_count);
        Reading { id, spans: Vec::new(), lacks: Vec::new(), more: true, last: Vec::new(), after: Vec::new(), size }
    }

    /// Reads traces of which nothing is read yet in one search, which costs the server far less than one for each. False when that is not
    /// all of them, because they have too many spans: they are then to be read page by page.
    ///
    /// # Errors
    /// When the call fails or its search.
    pub async fn together(&mut self, traces: &mut [Reading]) -> Result<bool, StoreError> {
        const DOING: &str = "read traces";
        let size = self.store.max_doc_count.min(LONGEST_WINDOW);
        let ids: Vec<TraceId> = traces.iter().map(|r| r.id).collect();
        let search = search::together(&ids, self.around, size);
        let body = format!("{}\n{search}\n", self.header);
        let answer = self.store.call(DOING, Method::POST, "_msearch", Body::Lines(body.into())).await?;
        let pages: MultiSearched<'_> =
            serde_json::from_slice(&answer.body).map_err(|e| error::unreadable(DOING, &answer.peer, e))?;
        let Some(page) = pages.responses.into_iter().next() else { return Ok(false) };
        if let Some(e) = &page.error {
            return Err(failed(DOING, &answer.peer, page.status, e));
        }
        if page.hits.hits.len() as u64 >= size || page.lacks().is_some() {
            return Ok(false); // by trace it shows which ones are not complete
        }
        let places: HashMap<TraceId, usize> = ids.into_iter().zip(0..).collect();
        for hit in page.hits.hits {
            let span = match self.documents.span(hit.source.map_or("null", |s| s.get())) {
                Ok(span) => span,
                Err(_) => return self.give_up(traces),
            };
            match places.get(&span.trace_id) {
                Some(place) => traces[*place].spans.push(span),
                None => return self.give_up(traces),
            }
            self.spans += 1;
        }
        for trace in traces {
            trace.more = false;
            trace.spans.sort_by_key(|s| (s.start_time, s.span_id));
        }
        Ok(true)
    }

    /// What is odd is told of by trace.
    fn give_up(&mut self, traces: &mut [Reading]) -> Result<bool, StoreError> {
        for trace in traces {
            self.spans -= trace.spans.len();
            trace.spans.clear();
        }
        Ok(false)
    }

    /// Reads the next page of each of these traces that has more, in one call. Spans come in order of start.
    ///
    /// # Errors
    /// When the call fails or one of its searches.
    pub async fn next(&mut self, traces: &mut [Reading]) -> Result<(), StoreError> {
        const DOING: &str = "read traces";
        let mut body = String::new();
        for r in traces.iter().filter(|r| r.more) {
            let after = (!r.after.is_empty()).then_some(r.after.as_slice());
            let page = search::page(r.id, self.around, r.size, after);
            body.extend([self.header.as_str(), "\n", &page.to_string(), "\n"]);
        }
        let answer = self.store.call(DOING, Method::POST, "_msearch", Body::Lines(body.into())).await?;
        let pages: MultiSearched<'_> =
            serde_json::from_slice(&answer.body).map_err(|e| error::unreadable(DOING, &answer.peer, e))?;
        for (r, page) in traces.iter_mut().filter(|r| r.more).zip(pages.responses) {
            if let Some(e) = &page.error {
                return Err(failed(DOING, &answer.peer, page.status, e));
            }
            r.more = self.take(r, page);
        }
        Ok(())
    }

    /// Adds a page to its trace; true when there may be another.
    fn take(&mut self, r: &mut Reading, page: Searched<'_>) -> bool {
        if let Some(why) = page.lacks() {
            r.lack(why);
        }
        let hits = page.hits.hits;
        let full = hits.len() as u64 >= r.size;
        let new = hits.iter().filter(|hit| !r.last.contains(&hit.id));
        let (mut read, mut unreadable) = (0, Vec::new());
        for hit in new {
            read += 1;
            match self.documents.span(hit.source.map_or("null", |s| s.get())) {
                Ok(span) => r.spans.push(span),
                Err(why) => unreadable.push(format!("the document {} cannot be read: {why}", hit.id)),
            }
        }
        unreadable.into_iter().for_each(|why| r.lack(why));
        self.spans += read;
        let Some(last) = hits.last().filter(|_| full) else { return false };
        if self.spans >= MOST_SPANS {
            r.lack(format!("only the first {MOST_SPANS} spans are read"));
            return false;
        }
        if read == 0 {
            // A whole page of copies of one span: go past them.
            r.lack(format!("more than {} documents share a start and a span id", r.size));
            r.after.clone_from(&last.sort);
        } else {
            r.after = just_before(last);
            r.last = hits.iter().rev().take_while(|hit| hit.sort == last.sort).map(|hit| hit.id.clone()).collect();
        }
        r.size = self.store.max_doc_count.min(LONGEST_PAGE);
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
