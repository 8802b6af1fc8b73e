use super::crash::{config, open_over};
use super::spans::{Sent, batch_of, search_for, traces_of};
use super::*;
use crate::bucket::faults::Faults;
use crate::log::sim::SimFiles;
use object_store::memory::InMemory;
use skua_store::SpanWriter;

async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work).await.unwrap_or_else(|_| panic!("{what}"))
}

/// Scenario: the disk of the log is full, and later has room. Guarantee: a write is told so, to come again, and by which directory; what
/// was kept is read meanwhile; then writes go on without a restart, and outlive one.
#[tokio::test]
async fn a_full_disk() {
    let (files, bucket) = (SimFiles::default(), Bucket::over(Arc::new(InMemory::new())));
    let store = open_over(config(), bucket.clone(), Some(files.clone())).await.expect("it opens");
    let sent: Vec<Sent> = (0..40).map(|number| Sent { number, trace: 1 }).collect();
    store.write(&batch_of(&sent[..10])).await.expect("there is room");
    files.set_room(Some(100));
    for _ in 0..2 {
        let error = store.write(&batch_of(&sent[10..20])).await.expect_err("there is none");
        assert_eq!((error.kind, error.retry_after.is_some()), (ErrorKind::Overloaded, true));
        assert_eq!(error.message, "write the log in /sim/wal: no space left on device");
    }
    let found = traces_of(&store, &sent).await;
    assert!((0..10).all(|number| found[&1].contains(&number)), "reads go on");
    assert_eq!(search_for(&store, sent[3]).await.expect("an answer").traces.len(), 1);
    files.set_room(None);
    let written = async {
        while store.write(&batch_of(&sent[20..])).await.is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    within("it goes on", written).await;
    drop(store);
    files.crash(7);
    let store = open_over(config(), bucket, Some(files)).await.expect("it opens");
    let found = traces_of(&store, &sent).await;
    assert!((0..10).chain(20..40).all(|number| found[&1].contains(&number)), "all that was kept is there");
}

/// Scenario: there is room for the log and for a sidecar, but not for a block; later there is. Guarantee: writes go on while a head has room,
/// then are told to come again; reads go on; the tries leave no files behind; with room all becomes blocks without a restart.
#[tokio::test(start_paused = true)]
async fn no_room_for_blocks() {
    let disk = Faults::new(Arc::new(InMemory::new()), 1, u64::MAX);
    let bucket = Bucket::over(disk.clone());
    let store = open_over(config(), bucket.clone(), Some(SimFiles::default())).await.expect("it opens");
    let sent: Vec<Sent> = (0..160).map(|number| Sent { number, trace: 1 }).collect();
    store.write(&batch_of(&sent[..40])).await.expect("it is kept");
    store.inner.drained().await;
    let first = store.inner.manifests.current().blocks[0].clone();
    disk.set_room((first.bytes + first.side_bytes) / 2);
    for spans in sent[40..120].chunks(40) {
        store.write(&batch_of(spans)).await.expect("there is a head for them");
    }
    let error = store.write(&batch_of(&sent[120..])).await.expect_err("both heads are full");
    assert_eq!((error.kind, error.retry_after.is_some()), (ErrorKind::Overloaded, true), "{error}");
    assert!(store.inner.metrics.cut_errors.get() > 3, "it was tried");
    assert_eq!(traces_of(&store, &sent).await[&1].len(), 120, "reads go on");
    assert_eq!(bucket.list("blocks").await.expect("files").len(), 2, "of the first block");
    disk.set_room(u64::MAX);
    store.write(&batch_of(&sent[120..])).await.expect("it goes on");
    store.inner.drained().await;
    assert_eq!(traces_of(&store, &sent).await[&1].len(), 160);
    assert_eq!(bucket.list("blocks").await.expect("files").len(), 2 * store.inner.manifests.current().blocks.len());
}

/// Scenario: a store without a log is closed while spans come. Guarantee: what was acknowledged is in blocks, what comes later is refused at once,
/// and nobody waits for ever.
#[tokio::test(start_paused = true)]
async fn closed_while_spans_come() {
    let bucket = Bucket::over(Arc::new(InMemory::new()));
    let store = open_over(config(), bucket.clone(), None).await.expect("it opens");
    let sent: Vec<Sent> = (0..60).map(|number| Sent { number, trace: 1 }).collect();
    let writes = sent.chunks(5).map(|spans| {
        let store = store.clone();
        async move { (spans, store.write(&batch_of(spans)).await) }
    });
    let (written, closed) = futures::future::join(futures::future::join_all(writes), store.close()).await;
    closed.expect("it closes");
    let late = store.write(&batch_of(&sent)).await.expect_err("it is closed");
    assert_eq!(late.message, "keep spans: the store has been closed");
    let store = open_over(config(), bucket, None).await.expect("it opens");
    let found = traces_of(&store, &sent).await;
    for (spans, _) in written.iter().filter(|(_, written)| written.is_ok()) {
        assert!(spans.iter().all(|span| found[&1].contains(&span.number)));
    }
    assert!(written.iter().any(|(_, written)| written.is_ok()));
}

/// Scenario: a log of several segments, each of which fills a head, is read again while who cuts blocks looks for full heads. Guarantee: a block
/// never forgets a segment that was not read yet: when the power goes before the reading ends, all is there at the next start.
#[tokio::test(start_paused = true)]
async fn a_start_that_is_not_finished() {
    let (files, bucket) = (SimFiles::default(), Bucket::over(Arc::new(InMemory::new())));
    let sent: Vec<Sent> = (0..2000).map(|number| Sent { number, trace: 1 }).collect();
    let large = Config { block_spans: 100_000, ..config() };
    for spans in sent.chunks(100) {
        // Each start begins a segment.
        let store = open_over(large.clone(), bucket.clone(), Some(files.clone())).await.expect("it opens");
        for spans in spans.chunks(1) {
            store.write(&batch_of(spans)).await.expect("there is room");
        }
        end(store).await;
    }
    for turns in (0..400).step_by(7) {
        let open = open_over(Config { block_spans: 3, ..large.clone() }, bucket.clone(), Some(files.clone()));
        let looks = async {
            for _ in 0..turns {
                // Time goes on, so that there is a look at what is full.
                tokio::time::advance(Duration::from_millis(600)).await;
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            store = open => {
                let store = store.expect("it opens");
                assert_eq!(traces_of(&store, &sent).await[&1].len(), 2000);
                end(store).await;
            }
            () = looks => {}
        }
        ended().await;
        files.crash(turns);
    }
    let store = open_over(large, bucket, Some(files)).await.expect("it opens");
    assert_eq!(traces_of(&store, &sent).await[&1].len(), 2000);
}

/// Lets all tasks end.
async fn ended() {
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn end(store: Arc<ParquetStore>) {
    let left = Arc::downgrade(&store.inner);
    drop(store);
    while left.upgrade().is_some() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
