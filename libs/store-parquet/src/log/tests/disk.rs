use super::*;
use crate::log::queue::Entry;
use crate::log::segment::Segment;
use tokio::sync::oneshot;

/// Scenario: the disk has no room for a record, and later has. Guarantee: its sender is told where and why, nothing of it is in the log,
/// what was kept before is; the log says that it takes nothing until it does again, without a restart.
#[tokio::test]
async fn a_full_disk() {
    for sync in [Sync::Batch, Sync::Interval, Sync::Off] {
        let files = SimFiles::default();
        let log = open(&files, sync, 0).0;
        log.enqueue(record(1, 1000)).kept().await.expect("there is room");
        let before = files.bytes("0000000000000001.log");
        files.set_room(Some(500));
        let error = log.enqueue(record(2, 1000)).kept().await.expect_err("there is none");
        let told = (error.kind, error.retry_after, &*error.message);
        assert_eq!(
            told,
            (ErrorKind::Overloaded, Some(Duration::from_secs(1)), "write the log in /sim/wal: no space left on device")
        );
        assert_eq!(log.check().expect_err("it takes nothing").message, error.message);
        assert_eq!(files.bytes("0000000000000001.log"), before, "half a record was cut off");
        assert!(log.enqueue(record(3, 1)).kept().await.is_err(), "not even what would find room");
        files.set_room(None);
        recovered(&log).await;
        log.enqueue(record(4, 1000)).kept().await.expect("there is room again");
        drop(log);
        assert_eq!(bodies(&open(&files, sync, 0).2), [record(1, 1000), record(4, 1000)]);
    }
}

/// Scenario: no room for a new segment's file; then blocks are cut and earlier segments forgotten. Guarantee: it goes on.
#[tokio::test]
async fn room_by_forgetting() {
    let files = SimFiles::default();
    let log = open(&files, Sync::Batch, 0).0;
    log.enqueue(record(1, 2 << 20)).kept().await.expect("there is room");
    files.set_room(Some(3));
    let ended = log.roll();
    assert!(log.enqueue(record(2, 10)).kept().await.is_err(), "there is no room for the magic");
    log.forget(ended);
    recovered(&log).await;
    assert_eq!(log.bytes(), 0);
    log.enqueue(record(3, 10)).kept().await.expect("there is room again");
    log.close().await.expect("it closes");
    assert_eq!(bodies(&open(&files, Sync::Batch, ended).2), [record(3, 10)]);
}

/// Scenario: a sync fails, and the next one of the same file would say that all is well. Guarantee: the record is refused and is not
/// there, the next goes to another file, and what was acknowledged outlives a power cut.
#[tokio::test]
async fn a_failed_sync() {
    let files = SimFiles::default();
    let log = open(&files, Sync::Batch, 0).0;
    log.enqueue(record(1, 700)).kept().await.expect("it is kept");
    files.fail_syncs(1);
    let error = log.enqueue(record(2, 700)).kept().await.expect_err("it may be lost");
    assert_eq!(error.message, "sync the log in /sim/wal: input/output error");
    recovered(&log).await;
    log.enqueue(record(3, 700)).kept().await.expect("it is kept");
    drop(log);
    assert!(files.bytes("0000000000000001-0001.log").is_some(), "another file of the same segment");
    files.crash(4);
    let (log, _, found) = open(&files, Sync::Batch, 0);
    assert_eq!(bodies(&found), [record(1, 700), record(3, 700)]);
    assert!(found.iter().all(|r| r.segment == 1));
    assert_eq!(log.roll(), 2);
    log.forget(1);
    log.close().await.expect("it closes");
    assert!(files.list().expect("names").iter().all(|n| Name::parse(n).is_none()), "all files of the segment are removed");
}

/// Scenario: half a record is written and cannot be cut off. Guarantee: what follows goes to another file, and comes back.
#[tokio::test]
async fn a_file_that_cannot_be_cut() {
    let files = SimFiles::default();
    let log = open(&files, Sync::Batch, 0).0;
    log.enqueue(record(1, 100)).kept().await.expect("it is kept");
    files.set_room(Some(50));
    files.fail_cuts(true);
    assert!(log.enqueue(record(2, 100)).kept().await.is_err());
    files.set_room(None);
    recovered(&log).await;
    log.enqueue(record(3, 100)).kept().await.expect("it is kept");
    drop(log);
    let (_log, replay, found) = open(&files, Sync::Batch, 0);
    assert_eq!(bodies(&found), [record(1, 100), record(3, 100)]);
    assert_eq!(replay.damaged_bytes(), 50);
}

/// Scenario: a record that is too long, and one without a byte. Guarantee: the first is refused for good, the second needs no room.
#[tokio::test]
async fn sizes() {
    let files = SimFiles::default();
    let log = open(&files, Sync::Batch, 0).0;
    let error = log.enqueue(Bytes::from(vec![0; MOST_RECORD + 1])).kept().await.expect_err("it is too long");
    assert_eq!(error.kind, ErrorKind::Invalid);
    log.enqueue(Bytes::new()).kept().await.expect("nothing to keep");
    log.check().expect("nothing is wrong");
    assert_eq!((log.bytes(), files.list().expect("names")), (0, vec!["writer".to_owned()]));
}

/// Scenario: more records at once than the kernel takes in one call, written a few bytes at a time, with room for some of them only.
/// Guarantee: those that found room are whole, in order; the file ends with the last of them.
#[test]
fn many_records_in_one_write() {
    let entries: Vec<Entry> =
        (0..1500).map(|n| Entry { segment: 1, record: record(n, n as usize % 90), answer: oneshot::channel().0 }).collect();
    for (most, room) in [(None, None), (Some(1000), None), (Some(7), Some(30_000)), (None, Some(70_000)), (None, Some(0))] {
        let files = SimFiles::default();
        open(&files, Sync::Batch, 0);
        let name = Name { segment: 1, part: 0 };
        let mut segment = Segment::create(&files, name, true).expect("a file");
        files.most_at_once(most);
        files.set_room(room);
        let whole = segment.append(&entries).map_or_else(|stopped| stopped.whole, |()| entries.len());
        assert_eq!(whole == entries.len(), room.is_none());
        let file = files.open(&name.to_string()).expect("it is there");
        assert_eq!(file.len().expect("a length"), segment.len);
        drop(segment);
        let (_log, replay, found) = open(&files, Sync::Batch, 0);
        assert_eq!(bodies(&found), entries[..whole].iter().map(|e| e.record.clone()).collect::<Vec<_>>());
        assert_eq!((replay.torn_bytes(), replay.damaged_bytes()), (0, 0));
    }
}
