//! Spans of all blocks as OTLP.

use super::assemble::assemble;
use super::pages_of;
use crate::block::{Block, PageRows};
use crate::bucket::Bucket;
use crate::columns::{Field, Rows as _};
use crate::manifest::{BlockMeta, Manifests};
use crate::rebuild::Rebuilder;
use crate::sidecar::{Role, trace_hash};
use skua_model::TraceId;
use skua_store::{ErrorKind, StoreError};
use std::collections::{HashSet, VecDeque};

/// Spans of a message at most.
const TOGETHER: usize = 1000;

/// Which spans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The earliest start, nanoseconds since 1970.
    pub from: i64,
    /// Spans that start at this time, nanoseconds since 1970, or later are left out.
    pub until: i64,
    /// Empty: any.
    pub service: String,
    /// `None`: any.
    pub trace: Option<TraceId>,
}

impl Default for Selection {
    fn default() -> Self {
        Self { from: i64::MIN, until: i64::MAX, service: String::new(), trace: None }
    }
}

/// Spans of all blocks, a few at a time, about in the order of time. Every span that was in a block at the start is there at least once: a
/// block that is joined meanwhile is read with what it was joined to.
pub struct Export {
    bucket: Bucket,
    manifests: Manifests,
    selection: Selection,
    /// Blocks that were begun.
    seen: HashSet<String>,
    queue: VecDeque<BlockMeta>,
    open: Option<Open>,
    gone: u64,
}

/// A block that is being read.
struct Open {
    block: Block,
    rebuilder: Rebuilder,
    pages: VecDeque<usize>,
    rows: PageRows,
    /// Rows of `rows` that are still to come.
    wanted: VecDeque<usize>,
}

impl Export {
    /// Reads the manifest.
    ///
    /// # Errors
    /// `Internal` when it is damaged, `Unavailable` or `Overloaded`.
    pub async fn open(bucket: &Bucket, selection: Selection) -> Result<Self, StoreError> {
        let manifests = Manifests::open(bucket.clone()).await?;
        let (seen, queue, open) = Default::default();
        let mut export = Self { bucket: bucket.clone(), manifests, selection, seen, queue, open, gone: 0 };
        export.fill();
        Ok(export)
    }

    /// Blocks that were joined or retired while they were read: spans of their neighbours may have come twice.
    pub fn gone(&self) -> u64 {
        self.gone
    }

    fn fill(&mut self) {
        let manifest = self.manifests.current();
        let chosen = |meta: &&BlockMeta| meta.start_max >= self.selection.from && meta.start_min < self.selection.until;
        self.queue = manifest.blocks.iter().filter(chosen).filter(|meta| !self.seen.contains(&meta.id)).cloned().collect();
    }

    /// The next `TracesData` message, of 1000 spans at most; `None` at the end.
    ///
    /// # Errors
    /// `Internal` when a block is damaged, `Unavailable` or `Overloaded`.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        loop {
            let step = match &mut self.open {
                Some(open) => open.step(&self.selection).await,
                None => {
                    let Some(meta) = self.queue.pop_front() else { return Ok(None) };
                    self.seen.insert(meta.id.clone());
                    Open::begin(&self.bucket, &meta, &self.selection).await.map(|open| {
                        self.open = open;
                        Step::Nothing
                    })
                }
            };
            match step {
                Ok(Step::Message(message)) => return Ok(Some(message)),
                Ok(Step::Nothing) => {}
                Ok(Step::End) => self.open = None,
                Err(e) if e.kind == ErrorKind::NotFound => {
                    // A file that is missing but named is damage; what was joined or retired has another manifest.
                    if !self.manifests.refresh().await? {
                        return Err(StoreError { kind: ErrorKind::Internal, ..e });
                    }
                    self.gone += 1;
                    self.open = None;
                    self.fill();
                }
                Err(e) => return Err(e),
            }
        }
    }
}

enum Step {
    Message(Vec<u8>),
    Nothing,
    End,
}

impl Open {
    /// `None` when nothing of the block is wanted.
    async fn begin(bucket: &Bucket, meta: &BlockMeta, selection: &Selection) -> Result<Option<Self>, StoreError> {
        let block = Block::open(bucket, &meta.id, &pages_of(meta.bytes)).await?;
        let about = &block.sidecar.about;
        let service = &selection.service;
        if !service.is_empty() && about.services.binary_search_by(|known| known.name.cmp(service)).is_err() {
            return Ok(None);
        }
        let mut pages: Vec<usize> = match &selection.trace {
            None => (0..about.pages()).collect(),
            Some(id) if !block.sidecar.traces.contains(trace_hash(&id.0)) => return Ok(None),
            Some(id) => block.sidecar.runs.of_trace(&id.0).flatten().map(|row| row / about.page_rows as usize).collect(),
        };
        pages.dedup();
        pages.retain(|page| about.start_max[*page] >= selection.from && about.start_min[*page] < selection.until);
        let columns: Vec<usize> = (0..about.columns.len()).collect();
        block.prefetch(&pages, &columns).await?;
        let rows = block.rows();
        Ok(Some(Self { block, rebuilder: Rebuilder::new(), pages: pages.into(), rows, wanted: VecDeque::new() }))
    }

    async fn step(&mut self, selection: &Selection) -> Result<Step, StoreError> {
        if !self.wanted.is_empty() {
            let next: Vec<usize> = self.wanted.drain(..self.wanted.len().min(TOGETHER)).collect();
            return Ok(Step::Message(assemble(&self.rows, &next, &mut self.rebuilder)?));
        }
        let Some(page) = self.pages.pop_front() else { return Ok(Step::End) };
        let wanted = self.matches(page, selection).await?;
        let columns: Vec<usize> = (0..self.block.sidecar.about.columns.len()).collect();
        self.rows = self.block.rows();
        if !wanted.is_empty() {
            self.block.load(&mut self.rows, page, &columns, Some(&wanted)).await?;
        }
        self.wanted = (0..wanted.len()).collect();
        Ok(Step::Nothing)
    }

    /// Rows of a page that are wanted, ascending.
    async fn matches(&self, page: usize, selection: &Selection) -> Result<Vec<u32>, StoreError> {
        let block = &self.block;
        let needed = [Role::TraceId, Role::Start, Role::Service].into_iter().filter_map(|role| block.column(role));
        let mut rows = block.rows();
        block.load(&mut rows, page, &needed.collect::<Vec<_>>(), None).await?;
        let count = block.sidecar.about.rows_of(page).len();
        let is_wanted = |row: usize| {
            (selection.from..selection.until).contains(&rows.start(row))
                && selection.trace.is_none_or(|id| id.0 == rows.trace_id(row))
                && (selection.service.is_empty()
                    || rows.value(Field::Service, rows.code(Field::Service, row)) == selection.service.as_bytes())
        };
        Ok((0..count).filter(|row| is_wanted(*row)).map(|row| row as u32).collect())
    }
}
