//! Who calls whom: counted from the traces that are held, as Jaeger's memory store does, and what was written beside them.
//!
//! A trace counts when one of its spans starts in the time asked for; then all of its calls do. Calls within a service are not
//! counted.

use super::held::{self, Held, parse};
use super::{MemoryStore, State};
use crate::dependencies::{DEFAULT_SOURCE, DependencyLink, DependencyReader, DependencyWriter, check_revision};
use crate::{ErrorKind, StoreError};
use async_trait::async_trait;
use bytes::Bytes;
use skua_model::{SpanBatch, for_each_reference};
use std::collections::{BTreeMap, HashMap};

/// Links held that were written; the oldest list goes first.
const MOST_LINKS: usize = 100_000;
/// Traces that are looked into before others get their turn.
const TOGETHER: usize = 100;

/// Lists that were written, by time.
#[derive(Debug, Default)]
pub(super) struct Lists {
    lists: BTreeMap<u64, List>,
    /// An empty list counts as one link.
    links: usize,
}

#[derive(Debug)]
struct List {
    revision: u64,
    links: Vec<DependencyLink>,
}

impl List {
    fn size(&self) -> usize {
        self.links.len().max(1)
    }
}

impl Lists {
    fn put(&mut self, at: u64, list: List) {
        self.links += list.size();
        let before = self.lists.insert(at, list);
        self.links -= before.map_or(0, |list| list.size());
        while self.links > MOST_LINKS
            && let Some((_, oldest)) = self.lists.pop_first()
        {
            self.links -= oldest.size();
        }
    }

    /// Unless there is a newer one.
    fn replace(&mut self, at: u64, list: List) {
        if self.lists.get(&at).is_none_or(|there| there.revision <= list.revision) {
            self.put(at, list);
        }
    }
}

/// What is held of these links.
fn held_links(links: &[DependencyLink]) -> Result<Vec<DependencyLink>, StoreError> {
    if links.len() > MOST_LINKS {
        let message = format!("keep {} dependencies in memory: {MOST_LINKS} are the most", links.len());
        return Err(StoreError::new(ErrorKind::Invalid, message));
    }
    let named = |l: &DependencyLink| {
        let source = if l.source.is_empty() { DEFAULT_SOURCE } else { &l.source };
        DependencyLink { source: source.to_owned(), ..l.clone() }
    };
    Ok(links.iter().map(named).collect())
}

#[async_trait]
impl DependencyWriter for MemoryStore {
    /// The last 100 000 links are held, whole lists.
    async fn write_dependencies(&self, at: u64, links: &[DependencyLink]) -> Result<(), StoreError> {
        let links = held_links(links)?;
        if !links.is_empty() {
            self.written.lock().put(at, List { revision: 0, links });
        }
        Ok(())
    }

    async fn replace_dependencies(&self, at: u64, revision: u64, links: &[DependencyLink]) -> Result<(), StoreError> {
        check_revision(revision)?;
        let links = held_links(links)?;
        self.written.lock().replace(at, List { revision, links });
        Ok(())
    }
}

#[async_trait]
impl DependencyReader for MemoryStore {
    async fn dependencies(&self, start: u64, end: u64) -> Result<Vec<DependencyLink>, StoreError> {
        if end <= start {
            return Ok(Vec::new());
        }
        let mut all: Vec<DependencyLink> =
            self.written.lock().lists.range(start..end).flat_map(|(_, l)| &l.links).cloned().collect();
        let traces = within(&self.state.read(), start, end);
        let mut calls = BTreeMap::new();
        for some in traces.chunks(TOGETHER) {
            for messages in some {
                count(messages, &mut calls)?;
            }
            tokio::task::yield_now().await;
        }
        let link =
            |((parent, child), call_count)| DependencyLink { parent, child, call_count, source: DEFAULT_SOURCE.to_owned() };
        all.extend(calls.into_iter().map(link));
        Ok(all)
    }
}

fn within(state: &State, start: u64, end: u64) -> Vec<Vec<Bytes>> {
    let counts = |held: &&Held| held.rows().iter().any(|r| (start..end).contains(&r.start));
    state.traces.values().filter(counts).map(Held::messages).collect()
}

/// One span of a trace.
struct Caller<'a> {
    id: [u8; 8],
    parent: Option<[u8; 8]>,
    service: &'a [u8],
    kind: &'a [u8],
}

/// Adds the calls of one trace.
fn count(messages: &[Bytes], calls: &mut BTreeMap<(String, String), u64>) -> Result<(), StoreError> {
    let batches = messages.iter().map(parse).collect::<Result<Vec<SpanBatch>, _>>()?;
    let spans: Vec<Caller<'_>> = batches.iter().flat_map(callers).collect();
    let mut first: HashMap<[u8; 8], &Caller<'_>> = HashMap::new();
    let mut clients: HashMap<[u8; 8], &Caller<'_>> = HashMap::new();
    for span in &spans {
        first.entry(span.id).or_insert(span);
        if span.kind == b"client" {
            clients.entry(span.id).or_insert(span);
        }
    }
    // Where a client and a server share an id, as Zipkin's do, the client calls the server, and what names that id as its parent
    // was called by the server.
    let shares = |s: &Caller<'_>| s.kind == b"server" && clients.contains_key(&s.id);
    let servers: HashMap<[u8; 8], &Caller<'_>> = spans.iter().filter(|s| shares(s)).map(|s| (s.id, s)).collect();
    for span in &spans {
        let parent = if shares(span) {
            clients.get(&span.id)
        } else {
            span.parent.and_then(|p| servers.get(&p).or_else(|| first.get(&p)))
        };
        if let Some(parent) = parent.filter(|p| p.service != span.service) {
            let text = |service: &[u8]| String::from_utf8_lossy(service).into_owned();
            *calls.entry((text(parent.service), text(span.service))).or_default() += 1;
        }
    }
    Ok(())
}

fn callers(batch: &SpanBatch) -> impl Iterator<Item = Caller<'_>> {
    batch.spans().iter().map(|entry| {
        let view = batch.view(entry);
        // Jaeger's rule: the first CHILD_OF of the same trace, else the first FOLLOWS_FROM.
        let (mut child_of, mut follows_from) = (None, None);
        for_each_reference(&view, |trace_id, span_id, follows| {
            let of = if follows { &mut follows_from } else { &mut child_of };
            if *trace_id == view.trace_id && *span_id != [0; 8] {
                of.get_or_insert(*span_id);
            }
        });
        Caller {
            id: view.span_id,
            parent: child_of.or(follows_from),
            service: batch.process(batch.resource_of(entry)).service,
            kind: held::kind(&view),
        }
    })
}

#[cfg(test)]
mod tests;
