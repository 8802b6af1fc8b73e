//! Saves what was counted into the documents of the store, and the links into Jaeger's own place for them.

use crate::count::{Counter, Delta, Snapshot};
use crate::document::{Document, Key, LinkKey, Mark};
use crate::metrics::RollupMetrics;
use crate::read::SOURCE;
use skua_store::StoreError;
use skua_store::dependencies::{DependencyLink, DependencyWriter};
use skua_store::rollups::{RollupKind, RollupStore};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Microseconds after an interval's start: the time of its links in Jaeger's place for them, where a job writes at midnight.
pub const AFTER_START: u64 = 1000;

/// Pauses between tries to save, doubling.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(10);

/// Saves every `interval` until told to stop. A save that has begun is not given up: what it has taken out of the counter would be
/// missing, and a later save would say that it is there.
pub async fn regularly<F: Future<Output = ()>>(interval: Duration, stop: CancellationToken, save: impl Fn() -> F) {
    let mut timer = tokio::time::interval(interval);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    timer.tick().await;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = timer.tick() => save().await,
        }
    }
}

/// Where roll-ups are saved.
#[derive(Clone)]
pub struct Stores {
    /// The documents.
    pub rollups: Arc<dyn RollupStore>,
    /// Jaeger's own place for links; `None` where there is none.
    pub dependencies: Option<Arc<dyn DependencyWriter>>,
}

/// Saves snapshots. One at a time: a second would overtake the first.
pub struct Flusher {
    stores: Stores,
    metrics: RollupMetrics,
}

impl Flusher {
    /// Nothing is asked of the stores before the first save.
    pub fn new(stores: Stores, metrics: RollupMetrics) -> Self {
        Self { stores, metrics }
    }

    /// Saves everything and returns the partitions that somebody else has counted meanwhile: what this process knows of them is worth
    /// nothing. Tries for as long as the errors are such that it can help.
    ///
    /// # Errors
    /// One that trying again does not cure; what was saved up to then stays, and is not counted again.
    pub async fn save(&self, snapshot: &Snapshot) -> Result<BTreeSet<i32>, StoreError> {
        let mut lost = BTreeSet::new();
        for (interval, deltas) in &snapshot.red {
            self.merge(snapshot, *interval, deltas, &mut lost).await?;
        }
        for (interval, deltas) in &snapshot.links {
            if let Some(document) = self.merge(snapshot, *interval, deltas, &mut lost).await? {
                self.tell_jaeger(*interval, &document).await?;
            }
        }
        Ok(lost)
    }

    /// Learns what a document says is counted, before records are read again.
    ///
    /// # Errors
    /// As [`Flusher::save`].
    pub async fn learn(&self, counter: &Counter, kind: RollupKind, interval: u64) -> Result<(), StoreError> {
        let read = || self.stores.rollups.rollup(kind, interval);
        let marks = match self.until_it_works(read).await? {
            None => BTreeMap::new(),
            Some(found) if kind == RollupKind::Red => {
                Document::<crate::document::SeriesKey>::decode(interval, &found.body)?.marks
            }
            Some(found) => {
                let document = Document::<LinkKey>::decode(interval, &found.body)?;
                // Whoever saved it may have died before it told.
                self.tell_jaeger(interval, &document).await?;
                document.marks
            }
        };
        counter.learn(kind, interval, &marks);
        Ok(())
    }

    /// Adds what was counted to a document and returns it as saved; `None` when there was nothing to add.
    async fn merge<K: Key + Send + Sync>(
        &self,
        snapshot: &Snapshot,
        interval: u64,
        deltas: &[Delta<K>],
        lost: &mut BTreeSet<i32>,
    ) -> Result<Option<Document<K>>, StoreError> {
        let (mut pause, mut unsure) = (FIRST_PAUSE, false);
        loop {
            match self.merge_once(snapshot, interval, deltas, lost, unsure).await {
                Ok(Some(saved)) => return Ok(saved),
                Ok(None) => {}
                Err(error) if error.is_retryable() => {
                    tracing::warn!(%error, interval, kind = K::KIND.name(), "roll-ups were not saved; trying again");
                    self.metrics.failed.inc();
                    unsure = true;
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LAST_PAUSE);
                }
                Err(error) => {
                    self.metrics.failed.inc();
                    return Err(error);
                }
            }
        }
    }

    /// `None` when somebody else saved it meanwhile.
    async fn merge_once<K: Key + Send + Sync>(
        &self,
        snapshot: &Snapshot,
        interval: u64,
        deltas: &[Delta<K>],
        lost: &mut BTreeSet<i32>,
        unsure: bool,
    ) -> Result<Option<Option<Document<K>>>, StoreError> {
        let before = self.stores.rollups.rollup(K::KIND, interval).await?;
        let mut document = match &before {
            Some(found) => Document::<K>::decode(interval, &found.body)?,
            None => Document::default(),
        };
        let mut added = false;
        for delta in deltas {
            let Some(taken) = snapshot.partitions.get(&delta.partition) else { continue };
            let now = document.marks.get(&taken.source).copied();
            if unsure && now == Some(taken.mark) {
                return Ok(Some(Some(document))); // The try that seemed to fail.
            }
            let ahead = |now: Mark| match delta.expected {
                Some(expected) => now.offset > expected.offset || now.epoch > expected.epoch,
                None => now.offset > taken.known,
            };
            if lost.contains(&delta.partition) || now.is_some_and(ahead) {
                if lost.insert(delta.partition) {
                    self.metrics.conflicts.inc();
                    let source = &taken.source;
                    tracing::warn!(
                        source,
                        interval,
                        ?now,
                        "another process has counted this partition; it is counted again from its last save"
                    );
                }
                continue;
            }
            for (key, minute, figures) in &delta.rows {
                document.add(key, *minute, figures);
            }
            let mark = document.marks.entry(taken.source.clone()).or_default();
            *mark = Mark { offset: mark.offset.max(taken.mark.offset), epoch: mark.epoch.max(taken.mark.epoch) };
            added = true;
        }
        if !added {
            return Ok(Some(None));
        }
        document.revision += 1;
        document.keep_slowest();
        let body = document.encode(interval)?;
        let saved = self.stores.rollups.save_rollup(K::KIND, interval, body, before.map(|b| b.version)).await?;
        if saved {
            self.metrics.saved.inc();
        }
        Ok(saved.then_some(Some(document)))
    }

    /// Writes an interval's links where Jaeger looks for them.
    ///
    /// # Errors
    /// As [`Flusher::save`].
    pub async fn tell_jaeger(&self, interval: u64, document: &Document<LinkKey>) -> Result<(), StoreError> {
        let Some(dependencies) = &self.stores.dependencies else { return Ok(()) };
        let links = dependency_links(document);
        let write = || dependencies.replace_dependencies(interval + AFTER_START, document.revision, &links);
        self.until_it_works(write).await
    }

    async fn until_it_works<T, F: Future<Output = Result<T, StoreError>>>(&self, ask: impl Fn() -> F) -> Result<T, StoreError> {
        let mut pause = FIRST_PAUSE;
        loop {
            match ask().await {
                Err(error) if error.is_retryable() => {
                    tracing::warn!(%error, "the store of roll-ups does not answer; trying again");
                    self.metrics.failed.inc();
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LAST_PAUSE);
                }
                other => return other,
            }
        }
    }
}

/// The links of a document in Jaeger's terms: over all of its minutes and connections.
pub fn dependency_links(document: &Document<LinkKey>) -> Vec<DependencyLink> {
    let mut calls: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for (key, minutes) in &document.rows {
        let count: u64 = minutes.values().map(|f| f.latency.count()).sum();
        *calls.entry((&key.parent, &key.child)).or_default() += count;
    }
    let link = |((parent, child), call_count): ((&str, &str), u64)| DependencyLink {
        parent: parent.to_owned(),
        child: child.to_owned(),
        call_count,
        source: SOURCE.to_owned(),
    };
    calls.into_iter().map(link).collect()
}
