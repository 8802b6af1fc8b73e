//! What the tests of the log share.

mod cost;
mod crashes;
mod damage;
mod disk;
mod real;

use super::sim::SimFiles;
use super::*;

/// A look at a failing disk each millisecond.
fn options(sync: Sync) -> Options {
    Options { probe: Duration::from_millis(1), ..Options::new(sync, Duration::from_millis(1)) }
}

/// Opens a log and reads all of it.
fn open(files: &SimFiles, sync: Sync, done: u64) -> (Log, Replay, Vec<Replayed>) {
    let (log, mut replay) = Log::open(Arc::new(files.clone()), options(sync), done).expect("it opens");
    let records = replay.by_ref().map(|r| r.expect("it is read")).collect();
    (log, replay, records)
}

/// A record that nobody takes for another.
fn record(number: u32, len: usize) -> Bytes {
    let mut x = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let bytes = (0..len).map(|_| {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (x >> 56) as u8
    });
    number.to_le_bytes().into_iter().chain(bytes).collect()
}

fn bodies(records: &[Replayed]) -> Vec<Bytes> {
    records.iter().map(|r| r.record.clone()).collect()
}

/// Waits until the log takes records again.
async fn recovered(log: &Log) {
    let checks = async {
        while log.check().is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), checks).await.expect("it recovers");
}
