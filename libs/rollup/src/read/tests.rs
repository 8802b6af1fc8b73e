//! Answers over a store that is a map.

mod dependencies;
mod graph;
mod metrics;

use super::*;
use crate::document::{Connection, Document, Figures, Key, LinkKey, MINUTE, SeriesKey};
use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use skua_store::rollups::{Rollup, Version};
use skua_store::{DependencyLink, ErrorKind};
use std::collections::BTreeMap;

/// 2026-01-25 12:00.
const NOON: u64 = 1_769_342_400_000_000;

/// Documents by kind and interval, and the reads that were made.
#[derive(Default)]
pub(super) struct Map {
    saved: Mutex<BTreeMap<(RollupKind, u64), (u64, Bytes)>>,
    reads: Mutex<Vec<Range<u64>>>,
}

#[async_trait]
impl RollupStore for Map {
    async fn rollup(&self, kind: RollupKind, interval: u64) -> Result<Option<Rollup>, StoreError> {
        let saved = self.saved.lock();
        Ok(saved.get(&(kind, interval)).map(|(version, body)| Rollup { version: Version(*version, 0), body: body.clone() }))
    }

    async fn save_rollup(&self, kind: RollupKind, interval: u64, body: Bytes, was: Option<Version>) -> Result<bool, StoreError> {
        let mut saved = self.saved.lock();
        let version = saved.get(&(kind, interval)).map(|(version, _)| *version);
        if version != was.map(|was| was.0) {
            return Ok(false);
        }
        saved.insert((kind, interval), (version.unwrap_or(0) + 1, body));
        Ok(true)
    }

    async fn rollups(&self, kind: RollupKind, from: u64, until: u64) -> Result<Vec<(u64, Bytes)>, StoreError> {
        assert!(from.is_multiple_of(INTERVAL) && from < until, "{from} to {until}");
        self.reads.lock().push(from..until);
        let saved = self.saved.lock();
        let found = saved.range((kind, from)..(kind, until));
        Ok(found.map(|((_, interval), (_, body))| (*interval, body.clone())).collect())
    }

    async fn delete_rollups(&self, before: u64) -> Result<(), StoreError> {
        self.saved.lock().retain(|(_, interval), _| *interval >= before);
        Ok(())
    }
}

impl Map {
    /// Adds calls to the document of their minute, as a process that counts does.
    pub(super) async fn count<K: Key + Send + Sync>(&self, key: &K, minute: u64, figures: &Figures) {
        let interval = interval_of(minute);
        let before = self.rollup(K::KIND, interval).await.unwrap();
        let mut document = before.as_ref().map(|b| Document::decode(interval, &b.body).unwrap()).unwrap_or_default();
        document.add(key, minute, figures);
        let body = document.encode(interval).unwrap();
        assert!(self.save_rollup(K::KIND, interval, body, before.map(|b| b.version)).await.unwrap());
    }

    fn put(&self, kind: RollupKind, interval: u64, body: &[u8]) {
        self.saved.lock().insert((kind, interval), (1, Bytes::copy_from_slice(body)));
    }
}

fn reader(store: &Arc<Map>) -> RollupReader {
    RollupReader::new(store.clone())
}

/// Calls that took so many microseconds each.
fn took(durations: &[u64]) -> Figures {
    let mut figures = Figures::default();
    durations.iter().for_each(|d| figures.latency.record(*d));
    figures
}

fn link(parent: &str, child: &str, connection: Connection) -> LinkKey {
    LinkKey { parent: parent.to_owned(), child: child.to_owned(), connection }
}

fn row(parent: &str, child: &str, call_count: u64, source: &str) -> DependencyLink {
    DependencyLink { parent: parent.to_owned(), child: child.to_owned(), call_count, source: source.to_owned() }
}

/// Scenario: documents of two days, a month apart. Guarantees: six hours are read at a time; where nothing is, ever more, but a bounded time.
#[tokio::test]
async fn reads_are_bounded() {
    let store = Arc::new(Map::default());
    let (early, late) = (NOON - 40 * DAY, NOON);
    for minute in [early, late] {
        store.count(&link("a", "b", Connection::Call), minute, &took(&[1, 2])).await;
    }
    assert_eq!(reader(&store).dependencies(0, u64::MAX).await.unwrap(), [row("a", "b", 4, SOURCE)]);
    let reads = store.reads.lock();
    assert!(reads.windows(2).all(|pair| pair[0].end == pair[1].start) && reads.iter().all(|r| r.end - r.start <= LONGEST_READ));
    assert!(reads.len() < 3000, "{}", reads.len());
    let after = reads.iter().position(|r| r.contains(&early)).unwrap();
    assert_eq!(reads[after + 1].end - reads[after + 1].start, LINKS_READ, "what follows on a document may be as dense");
}

/// Guarantee: a document that cannot be read fails the answer, and says which it is.
#[tokio::test]
async fn a_broken_document_is_told_of() {
    let store = Arc::new(Map::default());
    store.put(RollupKind::Links, NOON, b"broken");
    let error = reader(&store).dependencies(NOON, NOON + MINUTE).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Internal);
    assert!(error.message.starts_with(&format!("read the roll-ups (links) of {NOON}: ")), "{error}");
    assert_eq!(reader(&store).dependencies(NOON - DAY, NOON).await.unwrap(), [], "others are not read");
}
