//! Searching: rows of index first, and the bytes of those spans that are left when tags are asked for.

use super::State;
use super::held::{Held, Row, materialize, parse};
use crate::{FoundItem, StoreError, TraceQuery};
use bytes::Bytes;
use skua_model::{AnyValue, SpanBatch, TraceId, Value, for_each_tag};
use std::cmp::Reverse;

/// A trace that matches by its rows.
pub(super) struct Candidate {
    messages: Vec<Bytes>,
    /// The spans that match, when their tags have to be looked at: message and span.
    spans: Vec<(u32, u32)>,
}

/// Traces that match in all but tags, latest first; no more than the limit when no tags are asked for.
pub(super) fn candidates(state: &State, query: &TraceQuery) -> Vec<Candidate> {
    let names = state.names.matching(&query.service, &query.operation);
    let longest = if query.duration_max == 0 { u64::MAX } else { query.duration_max };
    let matches = |r: &Row| {
        names[r.name as usize]
            && (query.start_min..=query.start_max).contains(&r.start)
            && (query.duration_min..=longest).contains(&r.duration)
    };
    let matching = state.traces.iter().filter(|(_, held)| held.rows().iter().any(matches));
    let mut matching: Vec<(u64, TraceId, &Held)> = matching.map(|(id, held)| (held.start(), *id, held)).collect();
    matching.sort_unstable_by_key(|(start, id, _)| (Reverse(*start), *id));
    if query.tags.is_empty() {
        matching.truncate(limit(query));
    }
    let spans = |held: &Held| match query.tags[..] {
        [] => Vec::new(),
        _ => held.rows().iter().filter(|r| matches(r)).map(|r| (r.message, r.span)).collect(),
    };
    matching.into_iter().map(|(_, _, held)| Candidate { messages: held.messages(), spans: spans(held) }).collect()
}

/// Looks at tags, stops at the limit and takes the spans apart.
pub(super) fn traces(candidates: Vec<Candidate>, query: TraceQuery) -> impl Iterator<Item = Result<FoundItem, StoreError>> {
    let limit = limit(&query);
    let look = move |candidate: Candidate| match query.tags.is_empty() || has_tags(&candidate, &query.tags)? {
        true => materialize(&candidate.messages).map(Some),
        false => Ok(None),
    };
    let found = candidates.into_iter().filter_map(move |candidate| look(candidate).transpose());
    found.map(|trace| trace.map(FoundItem::Trace)).take(limit)
}

fn limit(query: &TraceQuery) -> usize {
    if query.limit <= 0 { usize::MAX } else { query.limit as usize }
}

/// True when one of the candidate's spans has all tags. Only messages of such spans are read.
fn has_tags(candidate: &Candidate, tags: &[(String, String)]) -> Result<bool, StoreError> {
    for of_message in candidate.spans.chunk_by(|a, b| a.0 == b.0) {
        let batch = parse(&candidate.messages[of_message[0].0 as usize])?;
        if of_message.iter().any(|(_, span)| span_has(&batch, *span, tags)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The tags of the span, of its process and the fields of its logs: each wanted pair must be among them.
fn span_has(batch: &SpanBatch, span: u32, tags: &[(String, String)]) -> bool {
    let entry = &batch.spans()[span as usize];
    let view = batch.view(entry);
    let mut missing: Vec<&(String, String)> = tags.iter().collect();
    let mut meet = |key: &[u8], value: AnyValue<'_>| missing.retain(|(k, v)| k.as_bytes() != key || !is(value, v));
    for_each_tag(&view, &mut meet);
    batch.process(batch.resource_of(entry)).attributes().iter().for_each(|kv| meet(kv.key, kv.value));
    view.events().for_each(|e| e.for_each_field(&mut meet));
    missing.is_empty()
}

fn is(value: AnyValue<'_>, text: &str) -> bool {
    match value {
        AnyValue::String(s) => s == text.as_bytes(),
        other => Value::from_any(other).as_text() == text,
    }
}
