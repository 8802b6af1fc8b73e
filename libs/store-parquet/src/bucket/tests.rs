//! Buckets on what needs no server; `tests/real` has them on a server that speaks S3.

use super::Bucket;
use super::faults::Faults;
use crate::S3Config;
use bytes::Bytes;
use object_store::memory::InMemory;
use skua_store::ErrorKind;
use std::sync::Arc;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

mod cases;

fn open(path: &str) -> Result<Bucket, skua_store::StoreError> {
    Bucket::open(path, &S3Config::default())
}

#[tokio::test]
async fn a_directory_keeps_the_promises() {
    let dir = tempfile::tempdir().unwrap();
    let bucket = open(dir.path().join("new/data").to_str().unwrap()).unwrap();
    assert_eq!(bucket.directory().unwrap(), dir.path().canonicalize().unwrap().join("new/data"));
    assert_eq!(bucket.below("archive").directory().unwrap(), bucket.directory().unwrap().join("archive"));
    cases::run(&bucket, "directory").await;
}

#[tokio::test]
async fn a_shared_directory_keeps_the_promises() {
    let dir = tempfile::tempdir().unwrap();
    let bucket = open(&format!("file://{}", dir.path().display())).unwrap();
    assert!(bucket.directory().is_none() && bucket.is_local());
    cases::run(&bucket, "file://").await;
}

#[tokio::test]
async fn an_object_store_keeps_the_promises() {
    cases::run(&Bucket::over(Arc::new(InMemory::new())), "memory").await;
}

/// Scenario: a second process opens the directory, while the first has it and after. Guarantees: the error says where and by whom it is
/// held; a URL takes any number.
#[test]
fn a_directory_is_for_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let first = open(path).unwrap();
    let e = open(path).unwrap_err();
    let owner = format!("another process ({})", std::process::id());
    assert!(e.kind == ErrorKind::Unavailable && e.message.contains(&owner) && e.message.contains(path), "{e}");
    let below = first.below("archive");
    drop(first);
    open(path).unwrap_err();
    drop(below);
    let first = open(path).unwrap();
    drop(first);
    let url = format!("file://{path}");
    let _both = (open(&url).unwrap(), open(&url).unwrap());
}

/// Scenario: two that share a directory replace the same object, as two processes do. Guarantees: none loses the other's.
#[tokio::test]
async fn two_openings_of_a_shared_directory_do_not_lose_writes() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("file://{}", dir.path().display());
    let both = [open(&url).unwrap(), open(&url).unwrap()];
    let add = async |bucket: &Bucket| {
        for _ in 0..30 {
            loop {
                let was = bucket.versioned("sum").await.unwrap();
                let sum = was.as_ref().map_or(0, |was| was.body[0]) + 1;
                if bucket.replace("sum", Bytes::from(vec![sum]), was.as_ref()).await.unwrap().is_some() {
                    break;
                }
            }
        }
    };
    futures::join!(add(&both[0]), add(&both[1]), add(&both[1]));
    assert_eq!(both[0].versioned("sum").await.unwrap().unwrap().body[0], 90);
}

/// Scenario: a file is deleted while a search reads it; another is written under its name. Guarantees: who has read from it can go on,
/// and the new one is read as it is.
#[tokio::test]
async fn a_deleted_file_can_be_read_to_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let bucket = open(dir.path().to_str().unwrap()).unwrap();
    let (first, last) = (0..2, 2..4);
    bucket.put("blocks/a", Bytes::from_static(b"1234")).await.unwrap();
    bucket.read("blocks/a", std::slice::from_ref(&first)).await.unwrap();
    bucket.delete("blocks/a").await.unwrap();
    assert_eq!(bucket.get("blocks/a").await.unwrap(), None);
    assert_eq!(bucket.read("blocks/a", std::slice::from_ref(&last)).await.unwrap(), [Bytes::from_static(b"34")]);
    bucket.put("blocks/a", Bytes::from_static(b"5678")).await.unwrap();
    assert_eq!(bucket.read("blocks/a", std::slice::from_ref(&last)).await.unwrap(), [Bytes::from_static(b"78")]);
}

/// Scenario: a crash left writes under way. Guarantees: they are no objects, and are gone after the next start; nothing else is.
#[tokio::test]
async fn what_a_crash_left_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("blocks")).unwrap();
    let left = ["blocks/a#1", "manifest#0", "blocks/b#22"].map(|name| dir.path().join(name));
    let kept = ["blocks/a", "manifest", "blocks/c#", "blocks/c#x"].map(|name| dir.path().join(name));
    left.iter().chain(&kept).for_each(|path| std::fs::write(path, "x").unwrap());
    let shared = open(&format!("file://{}", dir.path().display())).unwrap();
    assert!(left.iter().all(|path| path.exists()), "another process may be writing them");
    assert_eq!(shared.list("").await.unwrap().len(), kept.len());
    let bucket = open(dir.path().to_str().unwrap()).unwrap();
    assert!(left.iter().all(|path| !path.exists()) && kept.iter().all(|path| path.exists()));
    assert_eq!(bucket.list("blocks").await.unwrap().len(), 3);
}

/// Scenario: one request in four fails, half of those after they took effect, while four add to one object. Guarantees: what is reported
/// as replaced is counted once, what is reported as refused is not, and only what is reported as unknown may be either.
#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_looked_for() {
    for seed in 0..20 {
        let bucket = Bucket::over(Faults::new(Arc::new(InMemory::new()), seed, 4));
        let add = async |_| {
            let (mut done, mut unknown) = (0u64, 0u64);
            for _ in 0..25 {
                let Ok(was) = bucket.versioned("sum").await else { continue };
                let sum = was.as_ref().map_or(0, |was| u64::from_le_bytes(was.body[..].try_into().unwrap())) + 1;
                match bucket.replace("sum", Bytes::copy_from_slice(&sum.to_le_bytes()), was.as_ref()).await {
                    Ok(replaced) => done += u64::from(replaced.is_some()),
                    Err(e) => {
                        assert!(e.is_retryable(), "{e}");
                        unknown += 1;
                    }
                }
            }
            (done, unknown)
        };
        let counts = futures::future::join_all((0..4).map(add)).await;
        let done: u64 = counts.iter().map(|(done, _)| done).sum();
        let unknown: u64 = counts.iter().map(|(_, unknown)| unknown).sum();
        let sum = loop {
            if let Ok(Some(now)) = bucket.versioned("sum").await {
                break now.revision;
            }
        };
        assert!((done..=done + unknown).contains(&sum), "seed {seed}: {done} and {unknown} make {sum}");
        assert!(done > 10, "seed {seed}: {done} of 100, {unknown} not known");
    }
}

/// Scenario: a server that speaks S3 and ignores the conditions of writes, on which processes would lose each other's. Guarantees: it is
/// found out before it is used.
#[tokio::test]
async fn a_server_that_ignores_conditions_is_refused() {
    let bucket = Bucket::over(Faults::careless(Arc::new(InMemory::new())));
    let e = bucket.ready().await.unwrap_err();
    assert!(e.kind == ErrorKind::Unsupported && e.message.contains("If-None-Match"), "{e}");
    assert_eq!(bucket.list("").await.unwrap(), [], "nothing is left of the trial");
}

/// Scenario: the answers of servers that a test cannot make to give them. Guarantees: what a caller can do about them is told.
#[tokio::test]
async fn answers_of_a_server_are_told_apart() {
    let server = MockServer::start().await;
    let s3 = S3Config { endpoint: server.uri(), access_key: "a".into(), secret_key: "b".into(), ..S3Config::default() };
    let bucket = Bucket::open("s3://traces/p", &s3).unwrap();
    let body = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
    let answer = |status, body: &str| ResponseTemplate::new(status).set_body_string(body);
    for (name, answer) in [("slow", answer(503, body)), ("denied", answer(403, "<Error><Code>AccessDenied</Code></Error>"))] {
        Mock::given(path(format!("/traces/p/{name}"))).respond_with(answer).mount(&server).await;
    }
    let e = bucket.get("denied").await.unwrap_err();
    assert!(e.kind == ErrorKind::Unavailable && e.message.contains("read p/denied of s3://traces: access is denied"), "{e}");
    let before = bucket.requests();
    let e = bucket.replace("denied", Bytes::new(), None).await.unwrap_err();
    assert_eq!(bucket.requests() - before, 1, "it does not try again");
    assert!(e.kind == ErrorKind::Unavailable && e.message.contains("AccessDenied"), "{e}");
    let e = bucket.get("slow").await.unwrap_err();
    assert!(e.kind == ErrorKind::Overloaded && e.message.contains("SlowDown"), "{e}");
}

/// Nothing is asked of a server at opening, and what makes no sense says so.
#[test]
fn paths_that_make_no_sense_are_refused() {
    let keys = |access: &str, secret: &str, endpoint: &str| S3Config {
        access_key: access.to_owned(),
        secret_key: secret.to_owned(),
        endpoint: endpoint.to_owned(),
        ..S3Config::default()
    };
    for (path, s3, text) in [
        ("", S3Config::default(), "empty"),
        ("s3://", S3Config::default(), "no bucket"),
        ("s3:///prefix", S3Config::default(), "no bucket"),
        ("ftp://a/b", S3Config::default(), "ftp:// is not known"),
        ("file://relative", S3Config::default(), "from the root on"),
        ("s3://a/b", keys("a", "", ""), "secret-key"),
        ("s3://a/b", keys("a", "b", "localhost:9000"), "localhost:9000"),
        ("az://container", S3Config::default(), "ccount"),
        ("s3://a/b//c", keys("a", "b", ""), "b//c"),
    ] {
        let e = Bucket::open(path, &s3).unwrap_err();
        assert!(e.kind == ErrorKind::Invalid && e.message.contains(text), "{path}: {e}");
    }
    for path in ["s3://a", "s3://a/", "s3://a/b/c/", "gs://a/b"] {
        let bucket = Bucket::open(path, &keys("a", "b", "http://127.0.0.1:1")).unwrap();
        assert!(bucket.directory().is_none() && !bucket.is_local(), "{path}");
    }
}
