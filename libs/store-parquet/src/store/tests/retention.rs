//! What is deleted, and when.

use super::spans::{Sent, batch_of, search_for};
use super::*;
use crate::block::{file_name, sidecar_name};
use skua_store::{SpanReader, SpanWriter};

/// Blocks of three spans each, in the order in which they were written.
async fn blocks(store: &ParquetStore, count: usize) -> Vec<Sent> {
    let mut sent = Vec::new();
    for block in 0..count {
        let spans: Vec<Sent> = (0..3).map(|n| Sent { number: (block * 3 + n) as u32, trace: block as u8 + 1 }).collect();
        let (_, later) = store.hand_over(&batch_of(&spans)).await.expect("it is taken");
        store.inner.drained().await;
        later.kept().await;
        sent.push(spans[0]);
    }
    sent
}

fn config(retention: Duration, max_bytes: String) -> Config {
    let join = crate::JoinConfig { enabled: false, ..crate::JoinConfig::default() };
    Config { retention, max_bytes, join, ..Config::default() }
}

async fn files(store: &ParquetStore) -> usize {
    store.inner.bucket.list("blocks").await.expect("a listing").len()
}

/// Scenario: blocks that are younger than the retention, and then all older. Guarantee: none is deleted, then all are, with their files and names;
/// an archive keeps its own.
#[tokio::test(flavor = "multi_thread")]
async fn by_age() {
    for (retention, kept) in [(Duration::ZERO, 3), (Duration::from_secs(100 * 365 * 86_400), 3), (Duration::from_nanos(1), 0)] {
        let (_directory, path) = directory();
        let store = open(&path, config(retention, String::new())).await;
        let sent = blocks(&store, 3).await;
        assert!(!store.services().await.expect("names").is_empty());
        store.inner.maintain_once(false).await.expect("it works");
        assert_eq!(store.inner.manifests.current().blocks.len(), kept, "{retention:?}");
        assert_eq!(files(&store).await, 2 * kept, "{retention:?}");
        assert_eq!(search_for(&store, sent[0]).await.expect("an answer").traces.len(), kept.min(1), "{retention:?}");
        assert_eq!(store.services().await.expect("names").is_empty(), kept == 0, "{retention:?}");
    }
    let (_directory, path) = directory();
    let config = config(Duration::from_nanos(1), "1".to_owned());
    let bucket = Bucket::open(&path, &config.s3).expect("the bucket");
    let archive = ParquetStore::open(config, bucket, Role::Archive, &mut Registry::default()).await.expect("the store");
    blocks(&archive, 2).await;
    archive.inner.maintain_once(false).await.expect("it works");
    assert_eq!(archive.inner.manifests.current().blocks.len(), 2, "an archive has no retention");
}

/// Scenario: a bound of bytes that two of three blocks fit in; a share of the disk that all fit in; and one that none does. Guarantee: the oldest go.
#[tokio::test(flavor = "multi_thread")]
async fn by_bytes() {
    let (_directory, path) = directory();
    let store = open(&path, config(Duration::ZERO, String::new())).await;
    let sent = blocks(&store, 3).await;
    let manifest = store.inner.manifests.current();
    let two: u64 = manifest.blocks.iter().skip(1).map(|block| block.bytes + block.side_bytes).sum();
    let left: Vec<String> = manifest.blocks.iter().skip(1).map(|block| block.id.clone()).collect();
    store.close().await.expect("it ends");
    drop(store);
    let store = open(&path, config(Duration::ZERO, "80%".to_owned())).await;
    store.inner.maintain_once(false).await.expect("it works");
    assert_eq!(store.inner.manifests.current().blocks.len(), 3, "there is room on the disk");
    store.close().await.expect("it ends");
    drop(store);
    let store = open(&path, config(Duration::ZERO, two.to_string())).await;
    store.inner.maintain_once(false).await.expect("it works");
    let ids: Vec<String> = store.inner.manifests.current().blocks.iter().map(|block| block.id.clone()).collect();
    assert_eq!(ids, left, "the oldest went");
    let found =
        [search_for(&store, sent[0]).await, search_for(&store, sent[2]).await].map(|f| f.expect("an answer").traces.len());
    assert_eq!((found, files(&store).await), ([0, 1], 4));
    store.close().await.expect("it ends");
    drop(store);
    let store = open(&path, config(Duration::ZERO, "0.000000001%".to_owned())).await;
    store.inner.maintain_once(false).await.expect("it works");
    assert!(store.inner.manifests.current().blocks.is_empty(), "there is no room");
}

/// Scenario: a bucket that others read. Guarantee: files of retired blocks stay for those who know an older manifest; they are named as dropped.
#[tokio::test(flavor = "multi_thread")]
async fn with_grace_where_others_read() {
    let (_directory, path) = directory();
    let store = open(&format!("file://{path}"), config(Duration::from_nanos(1), String::new())).await;
    blocks(&store, 2).await;
    store.inner.maintain_once(true).await.expect("it works");
    let manifest = store.inner.manifests.current();
    assert_eq!((manifest.blocks.len(), manifest.dropped.len()), (0, 2));
    for dropped in &manifest.dropped {
        for name in [file_name(&dropped.id), sidecar_name(&dropped.id)] {
            assert!(store.inner.bucket.get(&name).await.expect("an answer").is_some(), "{name} is still there");
        }
    }
}
