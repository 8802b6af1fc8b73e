//! A bucket, and the manifest in it.

use crate::cases;
use crate::given::{bucket, config, made, server};
use skua_store::ErrorKind;
use skua_store_parquet::manifest::{BlockMeta, Manifest, Manifests};
use skua_store_parquet::{Bucket, S3Config};
use std::time::Instant;

#[tokio::test]
async fn keeps_the_promises() {
    let Some(server) = server() else { return };
    cases::run(&bucket(&server, "promises").await, "s3://").await;
}

/// Scenario: nobody made the bucket; then somebody does. Guarantees: an error that can be tried again and names the bucket, and then
/// none.
#[tokio::test]
async fn a_bucket_that_is_missing_may_come() {
    let Some(server) = server() else { return };
    let name = made(&server, "missing").await;
    let absent = format!("{name}-absent");
    let bucket = Bucket::open(&format!("s3://{absent}"), &config(&server)).unwrap();
    for e in [
        bucket.ready().await.unwrap_err(),
        bucket.get("x").await.unwrap_err(),
        bucket.versioned("x").await.unwrap_err(),
        bucket.list("x").await.unwrap_err(),
    ] {
        assert!(e.kind == ErrorKind::Unavailable && e.message.contains(&absent), "{e}");
        assert!(e.message.contains("the bucket does not exist"), "{e}");
    }
    let made = reqwest::Client::new().put(format!("{server}/{absent}")).send().await.unwrap();
    assert!(made.status().is_success());
    bucket.ready().await.unwrap();
}

/// Scenario: no server listens. Guarantees: an error within half a minute that can be tried again and says what happened.
#[tokio::test]
async fn a_server_that_is_away_is_told_of() {
    // Port 1 of this machine: nothing listens there.
    let bucket = Bucket::open("s3://any/prefix", &config("http://127.0.0.1:1")).unwrap();
    let e = bucket.get("x").await.unwrap_err();
    assert!(e.kind == ErrorKind::Unavailable && e.message.starts_with("read prefix/x of s3://any: "), "{e}");
    assert!(e.message.to_lowercase().contains("refused"), "{e}");
}

/// Scenario: six processes add blocks at once. Guarantees: none is lost.
#[tokio::test]
async fn the_manifest_loses_nothing() {
    let Some(server) = server() else { return };
    let name = made(&server, "manifest").await;
    let url = format!("s3://{name}");
    let s3: S3Config = config(&server);
    let process = async |process: u64| {
        let manifests = Manifests::open(Bucket::open(&url, &s3).unwrap()).await.unwrap();
        for number in 0..5 {
            let block = BlockMeta { id: format!("{process}-{number}"), ..BlockMeta::default() };
            let add = |manifest: &Manifest| {
                let mut manifest = manifest.clone();
                manifest.add(block.clone()).then_some(manifest)
            };
            assert!(manifests.update(add).await.unwrap().has(&block.id));
        }
        manifests
    };
    let from = Instant::now();
    let all = futures::future::join_all((0..6).map(process)).await;
    eprintln!("30 swaps by 6 processes: {} ms", from.elapsed().as_millis());
    for manifests in all {
        manifests.refresh().await.unwrap();
        assert_eq!(manifests.current().blocks.len(), 30);
    }
}
