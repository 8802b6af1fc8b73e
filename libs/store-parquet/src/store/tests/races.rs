//! Readers while blocks are cut and joined.

use super::crash::{check, check_blocks, config, open_over};
use super::spans::{Sent, batch_of, numbers_of, search_for};
use super::*;
use crate::JoinConfig;
use object_store::memory::InMemory;
use skua_store::{SpanReader, SpanWriter};
use std::collections::BTreeSet;

const TRACES: u8 = 20;

#[derive(Default)]
struct Ledger {
    sent: Vec<Sent>,
    kept: BTreeSet<u32>,
}

fn busy() -> Config {
    let join = JoinConfig { enabled: true, interval: Duration::from_millis(1), rate: 0 };
    Config { block_spans: 300, head_bytes: 1, join, ..config() }
}

/// Hands over so many batches, a few at a time.
async fn write(store: Arc<ParquetStore>, ledger: Arc<Mutex<Ledger>>, batches: u32) {
    let mut open = Vec::new();
    for batch in 0..batches {
        let spans: Vec<Sent> = {
            let mut ledger = ledger.lock();
            let first = ledger.sent.len() as u32;
            let new = (0..1 + batch % 9).map(|n| Sent { number: first + n, trace: ((batch + n / 3) % u32::from(TRACES)) as u8 });
            let new: Vec<Sent> = new.collect();
            ledger.sent.extend(&new);
            new
        };
        let (_, later) = loop {
            match store.hand_over(&batch_of(&spans)).await {
                Ok(taken) => break taken,
                Err(e) => assert!(e.is_retryable(), "{e}"),
            }
        };
        let ledger = ledger.clone();
        open.push(tokio::spawn(async move {
            later.kept().await;
            ledger.lock().kept.extend(spans.iter().map(|span| span.number));
        }));
        if open.len() > 8 {
            open.remove(0).await.expect("it is kept");
        }
    }
    for kept in open {
        kept.await.expect("it is kept");
    }
}

/// Asks until it is told to stop; returns how often.
async fn read(store: Arc<ParquetStore>, ledger: Arc<Mutex<Ledger>>, stop: CancellationToken) -> u32 {
    let mut asked = 0_u32;
    while !stop.is_cancelled() {
        asked += 1;
        let (sent, kept) = {
            let ledger = ledger.lock();
            (ledger.sent.clone(), ledger.kept.clone())
        };
        let Some(span) = kept.iter().nth((asked as usize * 7919) % kept.len().max(1)).map(|number| sent[*number as usize]) else {
            tokio::task::yield_now().await;
            continue;
        };
        let wanted: Vec<u32> = kept.into_iter().filter(|number| sent[*number as usize].trace == span.trace).collect();
        // Spans that come in between are known by then.
        let all = || ledger.lock().sent.clone();
        let whole = |numbers: &[u32]| wanted.iter().all(|number| numbers.contains(number));
        let trace = store.trace(span.id()).await.expect("the trace");
        assert!(whole(&numbers_of(&trace, &all())), "trace {} is not whole", span.trace);
        let found = search_for(&store, span).await.expect("an answer");
        assert!(found.partial.is_empty(), "{:?}", found.partial);
        assert_eq!(found.traces.len(), 1, "{span:?} by a search");
        assert!(whole(&numbers_of(&found.traces[0], &all())), "trace {} is not whole when it is found", span.trace);
    }
    asked
}

async fn race(writers: &[Arc<ParquetStore>], readers: &[Arc<ParquetStore>], batches: u32) {
    let (ledger, stop): (Arc<Mutex<Ledger>>, _) = (Arc::default(), CancellationToken::new());
    let readers: Vec<_> = readers.iter().map(|store| tokio::spawn(read(store.clone(), ledger.clone(), stop.clone()))).collect();
    let writes: Vec<_> = writers.iter().map(|store| tokio::spawn(write(store.clone(), ledger.clone(), batches))).collect();
    for write in writes {
        write.await.expect("it is written");
    }
    stop.cancel();
    for reader in readers {
        assert!(reader.await.expect("a reader") > 0);
    }
    let Ledger { sent, kept } = std::mem::take(&mut *ledger.lock());
    assert_eq!(kept.len(), sent.len());
    for store in writers {
        store.inner.manifests.refresh().await.expect("the manifest");
        check(store, &sent, &kept, 5).await;
        check_blocks(store).await;
    }
    assert!(writers.iter().any(|store| store.inner.metrics.joined.get() > 0), "blocks were joined");
}

/// Scenario: an embedded store whose every batch becomes a block, all of them joined and deleted at once, while two ask for traces that
/// were acknowledged. Guarantee: they are always whole, by their id and by a search.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn embedded() {
    let (_directory, path) = directory();
    let store = open(&path, busy()).await;
    race(std::slice::from_ref(&store), &[store.clone(), store.clone()], 400).await;
    store.close().await.expect("it closes");
    assert!(store.inner.bucket.list("blocks").await.expect("files").len() <= 2 * store.inner.manifests.current().blocks.len());
}

/// Scenario: two processes write to one bucket and join in turn, a third reads. Guarantee: as before.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn shared() {
    let memory = Arc::new(InMemory::new());
    let open = || open_over(busy(), Bucket::over(memory.clone()), None);
    let (one, two, three) = (open().await.unwrap(), open().await.unwrap(), open().await.unwrap());
    race(&[one.clone(), two], &[one, three], 150).await;
}
