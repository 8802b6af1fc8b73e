//! Somebody who wants to see more of a partition than what is not yet stored.

use crate::broker::*;
use crate::consuming::{consuming, filled, receive, small};
use prometheus_client::registry::Registry;
use skua_kafka::{Assigned, Chunk, Follower, KafkaSource};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Partition, committed offset, memory and end.
type Told = (i32, Option<i64>, String, i64);

/// Reads from the offset that it remembers.
#[derive(Debug, Default)]
struct Remembers {
    assigned: Mutex<Vec<Told>>,
    revoked: Mutex<Vec<i32>>,
}

impl Follower for Remembers {
    fn assigned(&self, a: &Assigned<'_>) -> Option<i64> {
        self.assigned.lock().unwrap().push((a.partition, a.committed, a.memory.to_owned(), a.end));
        a.memory.parse().ok()
    }

    fn revoked(&self, partition: i32) {
        self.revoked.lock().unwrap().push(partition);
    }
}

/// Offsets and whether each record comes again, by partition, of so many records.
async fn read(chunks: &mut tokio::sync::mpsc::Receiver<Chunk>, records: usize) -> BTreeMap<i32, Vec<(i64, bool)>> {
    let (mut read, mut left) = (BTreeMap::<i32, Vec<_>>::new(), records);
    while left > 0 {
        let chunk = receive(chunks).await;
        left -= chunk.records().len();
        for record in chunk.records() {
            assert!(record.time > 0 && chunk.assignment(record.partition).is_some());
            read.entry(record.partition).or_default().push((record.offset, record.again));
        }
        chunk.ack();
    }
    read
}

/// Scenario: a follower remembers 3 for each partition; the source stops and starts again; then one partition is asked for once more. Guarantees: what it
/// remembers is committed beside the offset and comes back, reading begins there, what was stored is marked as such, and nothing that was committed is
/// taken back.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_comes_again_for_who_wants_it() {
    let Some(broker) = broker() else { return };
    let (topic, _writer, _) = filled(&broker, "following", 300).await;
    let follower = Arc::new(Remembers::default());
    let start = |follower: &Arc<Remembers>| {
        KafkaSource::start_with(consuming(&broker, &topic), small(), Some(follower.clone()), &mut Registry::default()).unwrap()
    };
    let (source, mut chunks) = start(&follower);
    let all = read(&mut chunks, 300).await;
    assert!(all.values().flatten().all(|(_, again)| !again));
    let progress = source.progress();
    for partition in 0..3 {
        let assignment = progress.assignment(partition).expect("ours");
        progress.remember(partition, assignment + 1, "another's".to_owned());
        progress.remember(partition, assignment, "3".to_owned());
        assert!(progress.is_stored(partition, all[&partition].len() as i64));
    }
    assert!(source.stop().await);
    let mut gone = follower.revoked.lock().unwrap().clone();
    gone.sort_unstable();
    assert_eq!(gone, [0, 1, 2]);
    follower.assigned.lock().unwrap().clear();

    let (source, mut chunks) = start(&follower);
    let replayed: usize = all.values().map(|records| records.len() - 3).sum();
    for (partition, records) in read(&mut chunks, replayed).await {
        let end = all[&partition].len() as i64;
        assert_eq!(records, (3..end).map(|offset| (offset, true)).collect::<Vec<_>>(), "partition {partition}");
    }
    let mut told = follower.assigned.lock().unwrap().clone();
    told.sort_unstable();
    let ends = all.iter().map(|(partition, records)| (*partition, records.len() as i64));
    assert_eq!(told, ends.map(|(partition, end)| (partition, Some(end), "3".to_owned(), end)).collect::<Vec<_>>());

    source.progress().again(1);
    let once_more = read(&mut chunks, all[&1].len() - 3).await;
    assert_eq!(once_more.keys().collect::<Vec<_>>(), [&1]);
    assert!(source.stop().await);
    let (source, _chunks) = start(&follower);
    tokio::time::timeout(LONG, async {
        while follower.assigned.lock().unwrap().len() < 7 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await
    .expect("assigned again");
    let mut told: Vec<_> = follower.assigned.lock().unwrap()[4..].iter().map(|a| (a.0, a.1)).collect();
    told.sort_unstable();
    assert_eq!(told, all.iter().map(|(p, records)| (*p, Some(records.len() as i64))).collect::<Vec<_>>());
    // Chunks that come again are still with us.
    source.stop().await;
}
