use super::*;

fn dir(temp: &tempfile::TempDir) -> Arc<Dir> {
    Arc::new(Dir::open(&temp.path().join("a/wal")).expect("a directory"))
}

/// Scenario: a process is killed after records were acknowledged, in each mode, and starts again; then it ends well.
/// Guarantee: each record is there once, in order; nothing is there once it is forgotten; the log keeps its name.
#[tokio::test]
async fn outlives_the_process() {
    for sync in [Sync::Batch, Sync::Interval, Sync::Off] {
        let temp = tempfile::tempdir().expect("a directory");
        let sent: Vec<Bytes> = (0..50).map(|n| record(n, n as usize * 100)).collect();
        let (log, replay) = Log::open(dir(&temp), options(sync), 0).expect("it opens");
        assert_eq!(replay.count(), 0);
        let id = log.writer().to_owned();
        for (n, record) in sent.iter().enumerate() {
            log.enqueue(record.clone()).kept().await.expect("it is kept");
            if n % 20 == 19 {
                assert_eq!(log.roll(), 1 + n as u64 / 20);
            }
        }
        drop(log);
        let (log, replay) = Log::open(dir(&temp), options(sync), 0).expect("it opens again");
        let found: Vec<Replayed> = replay.map(|r| r.expect("it is read")).collect();
        assert_eq!(bodies(&found), sent);
        assert_eq!((found[0].segment, found[20].segment, found[49].segment), (1, 2, 3));
        assert_eq!(log.writer(), id);
        assert_eq!(log.roll(), 4, "what was found is in no segment of this run");
        log.forget(2);
        log.enqueue(record(99, 1)).kept().await.expect("it is kept");
        log.close().await.expect("it closes");
        assert!(log.check().is_err() && log.enqueue(record(1, 1)).kept().await.is_err(), "it is closed");
        log.close().await.expect("once more is no harm");
        drop(log);
        let files: Vec<String> = dir(&temp).list().expect("names").into_iter().filter(|n| Name::parse(n).is_some()).collect();
        assert_eq!(files.len(), 2, "{files:?}");
        let (_log, replay) = Log::open(dir(&temp), options(sync), 3).expect("it opens");
        let found: Vec<Replayed> = replay.map(|r| r.expect("it is read")).collect();
        assert_eq!(bodies(&found), [record(99, 1)], "segment 3 is done, 5 is not");
    }
}

/// Scenario: a second process opens the same directory. Guarantee: it is told, and may when the first has gone.
#[test]
fn one_process_at_a_time() {
    let temp = tempfile::tempdir().expect("a directory");
    let first = dir(&temp);
    let error = Dir::open(&temp.path().join("a/wal")).expect_err("it is taken");
    assert_eq!(error.to_string(), "another process uses it");
    drop(first);
    dir(&temp);
}

/// Scenario: the file with the log's name is damaged. Guarantee: no other name is made up, as segments that are done would be read again.
#[test]
fn a_damaged_name_is_refused() {
    let temp = tempfile::tempdir().expect("a directory");
    let files = dir(&temp);
    let id = writer_id(&*files).expect("it is made");
    assert_eq!(writer_id(&*files).expect("it is read"), id);
    for text in [String::new(), id[1..].to_owned(), format!("{id}\n"), id.replace(|_| true, "x")] {
        std::fs::write(temp.path().join("a/wal/writer"), text).expect("it is written");
        let error = writer_id(&*files).expect_err("it is no name");
        assert!(error.message.ends_with("a/wal/writer: it does not hold 16 hex digits"), "{error}");
    }
}

/// Scenario: 16 senders at once, each waiting for its record before the next. Guarantee: all records are
/// there after a power cut, each sender's in its order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_wait_at_once() {
    let files = SimFiles::default();
    let log = Arc::new(open(&files, Sync::Batch, 0).0);
    let senders: Vec<_> = (0..16_u32)
        .map(|sender| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                for n in 0..100 {
                    log.enqueue(record(sender * 100 + n, 50)).kept().await.expect("it is kept");
                    if n % 40 == 39 {
                        log.roll();
                    }
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await.expect("no panic");
    }
    drop(log);
    files.crash(1);
    let found = open(&files, Sync::Batch, 0).2;
    assert_eq!(found.len(), 1600);
    let numbers: Vec<u32> =
        found.iter().map(|r| u32::from_le_bytes([r.record[0], r.record[1], r.record[2], r.record[3]])).collect();
    for sender in 0..16 {
        let own: Vec<u32> = numbers.iter().copied().filter(|n| n / 100 == sender).collect();
        assert_eq!(own, (sender * 100..sender * 100 + 100).collect::<Vec<_>>(), "sender {sender}");
    }
}
