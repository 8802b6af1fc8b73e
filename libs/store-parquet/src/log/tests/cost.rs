//! What the log costs: `bench/run.sh parquet-log`.

use super::*;
use skua_bench::spans::{Config, generate};
use skua_bench::usage::Usage;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

const SPANS: usize = 400_000;
const BATCH: usize = 200;

/// Microseconds of CPU of the whole process a span.
fn per_span(before: Usage, after: Usage) -> f64 {
    (after.cpu - before.cpu).as_secs_f64() * 1e6 / SPANS as f64
}

/// Scenario: requests of 200 spans are queued by senders of which each waits for its answer; then the log is read again.
/// It prints CPU a span and asserts nothing of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it measures"]
async fn cost() {
    let load = generate(&Config::new(SPANS, BATCH));
    println!("| log, {BATCH} spans a record, {} bytes a span | senders | CPU µs a span | spans a second |", load.bytes() / SPANS);
    println!("| --- | --- | --- | --- |");
    let requests = Arc::new(load.requests);
    for sync in [Sync::Batch, Sync::Interval, Sync::Off] {
        for senders in [1, 8, 64] {
            let temp = tempfile::tempdir().expect("a directory");
            let files = Arc::new(Dir::open(temp.path()).expect("a directory"));
            let options = Options::new(sync, Duration::from_millis(100));
            let log = Arc::new(Log::open(files, options, 0).expect("it opens").0);
            let next = Arc::new(AtomicUsize::new(0));
            let (before, began) = (Usage::own().expect("procfs"), Instant::now());
            let senders_at_work: Vec<_> = (0..senders)
                .map(|_| {
                    let (log, next, requests) = (Arc::clone(&log), Arc::clone(&next), Arc::clone(&requests));
                    tokio::spawn(async move {
                        while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                            log.enqueue(request.clone()).kept().await.expect("it is kept");
                        }
                    })
                })
                .collect();
            for sender in senders_at_work {
                sender.await.expect("no panic");
            }
            let (after, took) = (Usage::own().expect("procfs"), began.elapsed());
            let rate = SPANS as f64 / took.as_secs_f64();
            println!("| {sync:?} | {senders} | {:.2} | {rate:.0} |", per_span(before, after));
            log.close().await.expect("it closes");
            drop(log);
            if senders == 64 {
                let files = Arc::new(Dir::open(temp.path()).expect("a directory"));
                let (before, began) = (Usage::own().expect("procfs"), Instant::now());
                let (_log, replay) = Log::open(files, options, 0).expect("it opens");
                let bytes: usize = replay.map(|r| r.expect("it is read").record.len()).sum();
                let (after, took) = (Usage::own().expect("procfs"), began.elapsed());
                assert_eq!(bytes, requests.iter().map(Bytes::len).sum::<usize>());
                let rate = SPANS as f64 / took.as_secs_f64();
                println!("| replay alone | | {:.3} | {rate:.0} |", per_span(before, after));
            }
        }
    }
}
