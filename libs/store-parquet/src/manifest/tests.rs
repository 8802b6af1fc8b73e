use super::format::Damage;
use super::*;
use crate::Bucket;
use crate::bucket::faults::Faults;
use bytes::Bytes;
use object_store::memory::InMemory;
use skua_store::ErrorKind;
use std::sync::Arc;

fn block(number: u64) -> BlockMeta {
    let start = 1_764_000_000_000_000_000 + number as i64 * 60_000_000_000;
    BlockMeta {
        id: format!("{:013}-{:016x}", 1_764_000_000_000 + number * 60_000, number.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        spans: 250_000 - (number % 1000) as u32,
        traces: 30_000 + (number % 777) as u32,
        bytes: 7_200_000 + number * 7919 % 100_000,
        side_bytes: 240_000 + number * 104_729 % 9000,
        start_min: start - (number * 7_919_777_777 % 70_000_000_000) as i64,
        start_max: start + (number * 104_729_333_333 % 50_000_000_000) as i64,
        created_ms: 1_764_000_000_000 + number * 60_000 + number % 997,
        joined: (number % 3) as u32,
    }
}

fn memory() -> Bucket {
    Bucket::over(Arc::new(InMemory::new()))
}

fn add(block: BlockMeta) -> impl Fn(&Manifest) -> Option<Manifest> {
    move |manifest| {
        let mut manifest = manifest.clone();
        manifest.add(block.clone()).then_some(manifest)
    }
}

/// Scenario: blocks come in any order, twice, and go. Guarantees: order by the latest span, each once, and what went is told of.
#[test]
fn blocks_are_in_order_and_there_once() {
    let mut manifest = Manifest::default();
    for number in [5, 3, 9, 3, 0, 5, 7] {
        let new = !manifest.has(&block(number).id);
        assert_eq!(manifest.add(block(number)), new, "{number}");
    }
    // As when a manifest was changed by hand.
    assert!(!manifest.add(BlockMeta { start_max: 1, ..block(9) }), "the same at another place");
    assert!(manifest.blocks.is_sorted_by_key(|block| block.start_max));
    assert!(manifest.drop_block(&block(3).id, 77) && !manifest.drop_block(&block(3).id, 78));
    assert_eq!(manifest.dropped, [Dropped { id: block(3).id, at_ms: 77 }]);
    assert_eq!(manifest.spans(), manifest.blocks.iter().map(|block| u64::from(block.spans)).sum::<u64>());
    assert_eq!(manifest.blocks.len(), 4);
    assert!(manifest.advance_log("w", 3) && !manifest.advance_log("w", 3) && !manifest.advance_log("w", 2));
    assert_eq!(manifest.logs["w"], 3);
}

/// Scenario: a manifest that was cut off or changed anywhere. Guarantees: an error, never a panic and never another manifest.
#[test]
fn damage_is_told_of() {
    let mut manifest = Manifest::default();
    (0..20).for_each(|number| assert!(manifest.add(block(number))));
    manifest.logs.insert("a".to_owned(), 7);
    let file = manifest.encode_file().unwrap();
    assert_eq!(Manifest::decode_file(&file).unwrap(), manifest);
    for len in 0..file.len() {
        assert!(Manifest::decode_file(&file.slice(..len)).is_err(), "{len} bytes");
        let mut changed = file.to_vec();
        changed[len] ^= 1;
        assert!(Manifest::decode_file(&changed.into()).is_err(), "byte {len}");
    }
    assert_eq!(Manifest::decode_file(&Bytes::from_static(b"SKUAMAN2........")).unwrap_err(), Damage::Magic);
    let bomb = {
        let message = zstd::bulk::compress(&vec![0; 300 << 20], 1).unwrap();
        [&b"SKUAMAN1"[..], &crc32c::crc32c(&message).to_le_bytes(), &message].concat()
    };
    assert_eq!(Manifest::decode_file(&bomb.into()).unwrap_err(), Damage::Damaged("it does not say its size, or is too large"));
}

/// Scenario: three processes add blocks at once while one request in five fails. Guarantees: each block is there once, all see the same,
/// and none goes back to an older manifest.
#[tokio::test(start_paused = true)]
async fn several_processes_lose_nothing() {
    let store = Faults::new(Arc::new(InMemory::new()), 11, 5);
    let process = async |process: u64| {
        let manifests = loop {
            if let Ok(manifests) = Manifests::open(Bucket::over(store.clone())).await {
                break manifests;
            }
        };
        let mut seen = 0;
        for number in 0..15 {
            let block = block(process * 100 + number);
            // What a caller does after an error: the same again.
            while manifests.update(add(block.clone())).await.is_err() {}
            assert!(manifests.current().has(&block.id));
            let now = manifests.current().blocks.len();
            assert!(now > seen);
            seen = now;
        }
        manifests
    };
    let processes = futures::future::join_all((0..3).map(process)).await;
    for manifests in &processes {
        while manifests.refresh().await.is_err() {}
        let now = manifests.current();
        assert_eq!(now.blocks.len(), 45);
        let mut ids: Vec<_> = now.blocks.iter().map(|block| &block.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 45);
    }
}

/// Scenario: one process changes, another only looks. Guarantees: the other sees it at its next look, and a look at nothing new costs one
/// request and is told apart; a change that is none writes nothing.
#[tokio::test]
async fn who_looks_sees_the_change() {
    let bucket = memory();
    let (writer, reader) = (Manifests::open(bucket.clone()).await.unwrap(), Manifests::open(bucket.clone()).await.unwrap());
    assert!(!reader.refresh().await.unwrap());
    writer.update(add(block(1))).await.unwrap();
    assert!(reader.current().blocks.is_empty());
    assert!(reader.refresh().await.unwrap() && !reader.refresh().await.unwrap());
    assert_eq!(*reader.current(), *writer.current());
    let before = bucket.requests();
    assert!(!reader.refresh().await.unwrap());
    writer.update(add(block(1))).await.unwrap();
    assert_eq!(bucket.requests() - before, 1, "the look; nothing was written");
}

/// Scenario: somebody deletes or overwrites the manifest. Guarantees: an error that says so; no empty manifest takes its place.
#[tokio::test(start_paused = true)]
async fn a_manifest_that_goes_is_an_error() {
    let bucket = memory();
    let manifests = Manifests::open(bucket.clone()).await.unwrap();
    manifests.update(add(block(1))).await.unwrap();
    bucket.delete("manifest").await.unwrap();
    let e = manifests.refresh().await.unwrap_err();
    assert!(e.kind == ErrorKind::Unavailable && e.message.contains("read manifest"), "{e}");
    let e = manifests.update(add(block(2))).await.unwrap_err();
    assert_eq!(e.kind, ErrorKind::Unavailable, "{e}");
    assert!(bucket.get("manifest").await.unwrap().is_none() && manifests.current().has(&block(1).id));
    Manifests::open(bucket.clone()).await.unwrap().update(add(block(3))).await.unwrap();
    let e = manifests.refresh().await.unwrap_err();
    assert!(e.kind == ErrorKind::Unavailable && e.message.contains("from revision 1 to 1"), "{e}");
    bucket.put("manifest", Bytes::from_static(b"0123456789abcdefgarbage")).await.unwrap();
    let e = Manifests::open(bucket).await.unwrap_err();
    assert!(e.kind == ErrorKind::Internal && e.message.contains("read the manifest"), "{e}");
}

/// Ten thousand blocks are some days of a busy installation, or years of a quiet one: a swap of them is small. `--nocapture` shows the
/// figures.
#[tokio::test]
async fn ten_thousand_blocks_fit() {
    let mut manifest = Manifest::default();
    (0..10_000).for_each(|number| assert!(manifest.add(block(number))));
    let bucket = memory();
    let manifests = Manifests::open(bucket.clone()).await.unwrap();
    manifests.update(|_| Some(manifest.clone())).await.unwrap();
    let file = manifest.encode_file().unwrap();
    let from = std::time::Instant::now();
    for number in 10_000..10_020 {
        manifests.update(add(block(number))).await.unwrap();
    }
    let swap = from.elapsed() / 20;
    let from = std::time::Instant::now();
    let read = Manifests::open(bucket).await.unwrap();
    println!("{} bytes, {} µs a swap, {} µs a read", file.len(), swap.as_micros(), from.elapsed().as_micros());
    assert_eq!(read.current().blocks.len(), 10_020);
    assert!(file.len() < 1 << 20, "{} bytes", file.len());
}
