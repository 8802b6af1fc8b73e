use super::*;
use skua_store::conformance::{self, Abilities, Settled};
use tempfile::TempDir;

/// What this store can.
pub(crate) const ABILITIES: Abilities =
    Abilities { warnings: true, long_values: true, any_service: true, patterns: false, repeated_keys: true };

pub(crate) async fn open(path: &str, config: Config) -> Arc<ParquetStore> {
    let bucket = Bucket::open(path, &config.s3).expect("the bucket");
    let config = Config { path: path.to_owned(), ..config };
    ParquetStore::open(config, bucket, Role::Primary, &mut Registry::default()).await.expect("the store")
}

fn directory() -> (TempDir, String) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("data").display().to_string();
    (directory, path)
}

/// Scenario: the conformance suite, its spans in heads; and in blocks; and a part in each, with blocks of a few spans. Guarantee: every case holds.
#[tokio::test(flavor = "multi_thread")]
async fn conforms_in_heads() {
    let (_directory, path) = directory();
    let store = open(&path, Config::default()).await;
    conformance::run(ABILITIES, &*store, &*store, &|| Box::pin(async {}) as Settled<'_>).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conforms_in_blocks() {
    let (_directory, path) = directory();
    let store = open(&path, Config::default()).await;
    let inner = store.inner.clone();
    let settle = || {
        let inner = inner.clone();
        Box::pin(async move { inner.drained().await }) as Settled<'_>
    };
    conformance::run(ABILITIES, &*store, &*store, &settle).await;
    assert!(store.inner.state.read().live.is_empty() && store.inner.manifests.current().blocks.len() > 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn conforms_in_both() {
    let (_directory, path) = directory();
    let store = open(&path, Config { block_spans: 3, ..Config::default() }).await;
    conformance::run(ABILITIES, &*store, &*store, &|| Box::pin(async {}) as Settled<'_>).await;
}

mod crash;
mod damage;
mod full;
mod races;
mod retention;
mod search;
mod spans;
