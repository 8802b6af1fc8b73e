//! Answers to the query tier.

use super::{Inner, ParquetStore, panicked};
use async_trait::async_trait;
use futures::StreamExt;
use futures::stream;
use skua_model::{Trace, TraceId};
use skua_store::{ErrorKind, Found, FoundStream, Operation, SpanReader, StoreError, TraceQuery, all_found};
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// Found traces that wait for who asked.
const AHEAD: usize = 4;
/// Sidecars that are read side by side for their names.
const NAMES_TOGETHER: usize = 16;
/// The newest blocks, whose services and operations are told.
const NAMED_BLOCKS: usize = 2000;

impl Inner {
    /// In a store that others write to too: looks for their blocks when that is due.
    pub(super) async fn fresh(&self) -> Result<(), StoreError> {
        if self.bucket.directory().is_some() {
            return Ok(());
        }
        let (now, last) = (super::now_ms(), self.refreshed.load(Ordering::Relaxed));
        if now.saturating_sub(last) < self.config.poll_interval.as_millis() as u64 {
            return Ok(());
        }
        self.manifests.refresh().await?;
        self.refreshed.store(now, Ordering::Relaxed);
        self.show();
        Ok(())
    }

    /// Reads the names of blocks that are not known yet.
    async fn read_names(&self) -> Result<(), StoreError> {
        self.fresh().await?;
        let _one = self.naming.lock().await;
        let manifest = self.manifests.current();
        let newest = &manifest.blocks[manifest.blocks.len().saturating_sub(NAMED_BLOCKS)..];
        let unknown: Vec<_> = {
            let mut names = self.names.lock();
            let there: HashSet<&str> = newest.iter().map(|b| b.id.as_str()).collect();
            let earliest = newest.iter().map(|b| b.start_max).min().unwrap_or(i64::MAX);
            names.keep(&there, earliest);
            newest.iter().filter(|b| !names.has(&b.id)).collect()
        };
        let read = stream::iter(unknown).map(|meta| async move { (meta, self.block(&meta.id).await) });
        let mut read = read.buffered(NAMES_TOGETHER);
        while let Some((meta, block)) = read.next().await {
            match block {
                Ok(block) => self.names.lock().add(&meta.id, &block.sidecar.about.services, meta.start_max),
                // Joined or retired a moment ago, or damaged: its names are others' too, or nobody's.
                Err(e) if matches!(e.kind, ErrorKind::NotFound | ErrorKind::Internal) => {
                    tracing::warn!(error = %e, "the names of a block cannot be read");
                }
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn services_of_heads(&self) -> Vec<crate::sidecar::Service> {
        let state = self.state.read();
        let sealed = state.sealed.iter().map(|sealed| sealed.head.services());
        sealed.chain([state.live.services()]).flatten().collect()
    }
}

/// Runs on a thread that may wait for a disk.
async fn aside<T, F>(work: impl FnOnce() -> F + Send + 'static) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, StoreError>>,
{
    let handle = Handle::current();
    tokio::task::spawn_blocking(move || handle.block_on(work())).await.map_err(panicked)?
}

#[async_trait]
impl SpanReader for ParquetStore {
    /// Those of heads and of the 2000 newest blocks.
    async fn services(&self) -> Result<Vec<String>, StoreError> {
        let inner = self.inner.clone();
        aside(move || async move {
            inner.read_names().await?;
            let mut all: BTreeSet<String> = inner.names.lock().services().map(str::to_owned).collect();
            all.extend(inner.services_of_heads().into_iter().map(|service| service.name));
            Ok(all.into_iter().collect())
        })
        .await
    }

    async fn operations(&self, service: &str, kind: &str) -> Result<Vec<Operation>, StoreError> {
        let (inner, service, kind) = (self.inner.clone(), service.to_owned(), kind.to_owned());
        aside(move || async move {
            inner.read_names().await?;
            let mut all: BTreeSet<Operation> = inner.names.lock().operations(&service).cloned().collect();
            let heads = inner.services_of_heads().into_iter().filter(|s| s.name == service);
            all.extend(heads.flat_map(|s| s.operations).map(|o| Operation { name: o.name, kind: o.kind }));
            Ok(all.into_iter().filter(|operation| kind.is_empty() || operation.kind == kind).collect())
        })
        .await
    }

    async fn trace(&self, id: TraceId) -> Result<Trace, StoreError> {
        let inner = self.inner.clone();
        aside(move || async move {
            inner.fresh().await?;
            let mut partial = Vec::new();
            let trace = inner.gather(&[id], &mut partial).await?.take(id);
            match (trace, partial.into_iter().next()) {
                (Some(trace), None) => Ok(trace),
                (None, None) => Err(StoreError::new(ErrorKind::NotFound, "trace not found")),
                // A part of a trace would look whole.
                (_, Some(reason)) => Err(StoreError::new(ErrorKind::Internal, reason)),
            }
        })
        .await
    }

    async fn find(&self, query: &TraceQuery) -> Result<Found, StoreError> {
        all_found(self.search(query.clone())).await
    }

    /// Traces are read twenty at a time, while they are taken.
    fn search(&self, query: TraceQuery) -> FoundStream<'_> {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let (inner, handle): (Arc<Inner>, Handle) = (self.inner.clone(), Handle::current());
        let task = tokio::task::spawn_blocking(move || handle.block_on(inner.search_into(query, sender)));
        let items = stream::unfold((receiver, Some(task)), |(mut receiver, mut task)| async move {
            if let Some(item) = receiver.recv().await {
                return Some((item, (receiver, task)));
            }
            // A panic is no end of the answer.
            match task.take()?.await {
                Ok(()) => None,
                Err(e) => Some((Err(panicked(e)), (receiver, None))),
            }
        });
        items.boxed()
    }

    fn searches_any_service(&self) -> bool {
        true
    }
}
