//! The spans of some traces, from heads and blocks.

use super::Inner;
use crate::block::{Block, PageRows};
use crate::columns::{Field, Rows};
use crate::head::Head;
use crate::rebuild::Rebuilder;
use crate::sidecar::trace_hash;
use skua_model::{Process, Span, SpanView, Trace, TraceId};
use skua_store::{ErrorKind, StoreError};
use std::collections::HashMap;
use std::sync::Arc;

/// One span as it came.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Piece {
    /// As the bits of an unsigned number.
    start: u64,
    span_id: [u8; 8],
    body: Vec<u8>,
    resource: Arc<[u8]>,
    scope: Arc<[u8]>,
}

/// Spans by trace.
pub(super) struct Gathered {
    traces: HashMap<[u8; 16], Vec<Piece>>,
    /// A few bits of each wanted id, so that most rows of a head cost next to nothing.
    bits: Vec<u64>,
    /// Equal resources and scopes are held once.
    shared: HashMap<Arc<[u8]>, Arc<[u8]>>,
}

impl Gathered {
    fn new(ids: &[TraceId]) -> Self {
        let mut bits = vec![0; 1024];
        for id in ids {
            let (word, bit) = place(&id.0);
            bits[word] |= 1 << bit;
        }
        Self { traces: ids.iter().map(|id| (id.0, Vec::new())).collect(), bits, shared: HashMap::new() }
    }

    fn wants(&self, id: &[u8; 16]) -> bool {
        let (word, bit) = place(id);
        self.bits[word] >> bit & 1 == 1 && self.traces.contains_key(id)
    }

    fn share(&mut self, bytes: &[u8]) -> Arc<[u8]> {
        match self.shared.get(bytes) {
            Some(shared) => shared.clone(),
            None => {
                let shared: Arc<[u8]> = bytes.into();
                self.shared.insert(shared.clone(), shared.clone());
                shared
            }
        }
    }

    fn add(&mut self, rows: &impl Rows, row: usize, rebuilder: &mut Rebuilder) -> Result<(), StoreError> {
        let mut body = Vec::with_capacity(512);
        rebuilder.span(rows, row, &mut body)?;
        let value = |field| rows.value(field, rows.code(field, row));
        let (resource, scope) = (self.share(value(Field::Resource)), self.share(value(Field::Scope)));
        let piece = Piece { start: rows.start(row) as u64, span_id: rows.span_id(row), body, resource, scope };
        self.traces.entry(rows.trace_id(row)).or_default().push(piece);
        Ok(())
    }

    /// The trace in order of start; a span that came twice is there once.
    pub fn take(&mut self, id: TraceId) -> Option<Trace> {
        let mut pieces = self.traces.remove(&id.0)?;
        if pieces.is_empty() {
            return None;
        }
        pieces.sort_unstable();
        pieces.dedup();
        let mut processes: HashMap<Arc<[u8]>, Arc<Process>> = HashMap::new();
        let spans = pieces.iter().map(|piece| {
            let process = processes
                .entry(piece.resource.clone())
                .or_insert_with(|| Arc::new(Process::from_view(&skua_model::ProcessView::of(&piece.resource))));
            Span::from_view(&SpanView::of(&piece.body, &piece.scope), process.clone())
        });
        Some(Trace { spans: spans.collect() })
    }
}

fn place(id: &[u8; 16]) -> (usize, u32) {
    let low = u16::from_be_bytes([id[14], id[15]]);
    (usize::from(low >> 6), u32::from(low & 63))
}

fn from_head(head: &Head, gathered: &mut Gathered) -> Result<(), StoreError> {
    let mut rebuilder = Rebuilder::new();
    for row in 0..head.len() {
        if gathered.wants(&head.trace_id(row)) {
            gathered.add(head, row, &mut rebuilder)?;
        }
    }
    Ok(())
}

/// Rows of a block's pages: page, and the rows in it.
fn pages_of(block: &Block, ids: &[TraceId]) -> Vec<(usize, Vec<u32>)> {
    let rows = block.sidecar.about.page_rows as usize;
    let mut pages: HashMap<usize, Vec<u32>> = HashMap::new();
    for id in ids {
        if !block.sidecar.traces.contains(trace_hash(&id.0)) {
            continue;
        }
        for row in block.sidecar.runs.of_trace(&id.0).flatten() {
            pages.entry(row / rows).or_default().push((row % rows) as u32);
        }
    }
    let mut pages: Vec<_> = pages.into_iter().collect();
    pages.sort_unstable();
    for (_, rows) in &mut pages {
        rows.sort_unstable();
        rows.dedup();
    }
    pages
}

async fn from_block(block: &Block, ids: &[TraceId], gathered: &mut Gathered) -> Result<(), StoreError> {
    let pages = pages_of(block, ids);
    if pages.is_empty() {
        return Ok(());
    }
    let columns: Vec<usize> = (0..block.sidecar.about.columns.len()).collect();
    block.prefetch(&pages.iter().map(|(page, _)| *page).collect::<Vec<_>>(), &columns).await?;
    let mut rebuilder = Rebuilder::new();
    for (page, wanted) in pages {
        let mut rows: PageRows = block.rows();
        block.load(&mut rows, page, &columns, Some(&wanted)).await?;
        for row in 0..wanted.len() {
            if gathered.wants(&rows.trace_id(row)) {
                gathered.add(&rows, row, &mut rebuilder)?;
            }
        }
    }
    Ok(())
}

impl Inner {
    /// Whether a block may have one of these traces, without reading its sidecar when that is not in memory but its filter is.
    fn may_have(&self, id: &str, ids: &[TraceId]) -> bool {
        let filters = self.filters.read();
        filters.get(id).is_none_or(|filter| ids.iter().any(|id| filter.contains(trace_hash(&id.0))))
    }

    /// Whether a block whose file was not found has been joined or retired. One that the manifest still names is lost: an error of its own.
    pub(super) async fn is_gone(&self, id: &str) -> Result<bool, StoreError> {
        self.manifests.refresh().await?;
        Ok(!self.manifests.current().has(id))
    }

    /// Spans of these traces; a block that cannot be read is left out and named in `partial`. `None` when a block is gone: ask again.
    async fn gather_once(&self, ids: &[TraceId], partial: &mut Vec<String>) -> Result<Option<Gathered>, StoreError> {
        let mut gathered = Gathered::new(ids);
        // Heads before the manifest: what leaves a head is in the manifest by then.
        let sealed = {
            let state = self.state.read();
            from_head(&state.live, &mut gathered)?;
            state.sealed.clone()
        };
        for sealed in &sealed {
            from_head(&sealed.head, &mut gathered)?;
        }
        let manifest = self.manifests.current();
        for meta in manifest.blocks.iter().rev().filter(|meta| self.may_have(&meta.id, ids)) {
            let read = async {
                let block = self.block(&meta.id).await?;
                from_block(&block, ids, &mut gathered).await
            };
            match read.await {
                Ok(()) => {}
                Err(e) if e.kind == ErrorKind::Internal => self.unreadable(e, partial),
                Err(e) if e.kind == ErrorKind::NotFound => match self.is_gone(&meta.id).await? {
                    true => return Ok(None),
                    false => self.unreadable(e, partial),
                },
                Err(e) => return Err(e),
            }
        }
        Ok(Some(gathered))
    }

    pub(super) async fn gather(&self, ids: &[TraceId], partial: &mut Vec<String>) -> Result<Gathered, StoreError> {
        for _ in 0..=super::CHASES {
            let mut reasons = Vec::new();
            if let Some(gathered) = self.gather_once(ids, &mut reasons).await? {
                partial.append(&mut reasons);
                return Ok(gathered);
            }
        }
        Err(super::chased())
    }

    /// A block that is damaged costs its own spans only.
    pub(super) fn unreadable(&self, e: StoreError, partial: &mut Vec<String>) {
        tracing::error!(error = %e, "a block cannot be read; answers lack its spans");
        self.metrics.unreadable.inc();
        if partial.len() < super::MOST_REASONS {
            partial.push(e.message);
        }
    }

    /// An open block, from memory if it is there. `NotFound` when it is gone.
    pub(super) async fn block(&self, id: &str) -> Result<Arc<Block>, StoreError> {
        if let Some(block) = self.blocks.get(id) {
            return Ok(block);
        }
        let block = Arc::new(Block::open(&self.bucket, id, &self.pages).await?);
        self.filters.write().entry(id.to_owned()).or_insert_with(|| block.sidecar.traces.clone());
        self.blocks.insert(id.to_owned(), block.clone());
        Ok(block)
    }
}
