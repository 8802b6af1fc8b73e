//! Every route of version 1 and every parameter: status, type and body of each answer, as they were found to agree with Jaeger 1.76
//! (but for what `lib.rs` says of differences).

use super::*;

/// Nanoseconds since 1970 of all spans: 2026-01-25 12:00.
const START: u64 = 1_769_342_400_000_000_000;

/// A trace of three spans, one of which has a parent that is not there.
async fn store() -> MemoryStore {
    let mut out = Vec::new();
    let url: &[(&str, &str)] = &[("url", "http://x")];
    put_span_at(&mut out, START, (0xabc, 1, 0), ("a/b", "GET /<x>", 3), url);
    put_span_at(&mut out, START, (0xabc, 2, 1), ("back", "work", 2), &[]);
    put_span_at(&mut out, START, (0xabc, 3, 9), ("back", "work", 1), &[]);
    let store = MemoryStore::new(MemoryConfig::default());
    store.write(&SpanBatch::parse(out).unwrap()).await.unwrap();
    store
}

/// Scenario: the requests of `requests.txt`, with an archive. Guarantee: the answers that were accepted.
#[tokio::test]
async fn every_route_and_parameter() {
    let archive = Arc::new(MemoryStore::new(MemoryConfig::default()));
    let archive = Some(Archive { reader: archive.clone(), writer: archive });
    let app =
        serving(Stores { archive, rollups: Some(graph::rollups(START / 1000)), ..stores(store().await) }, &config("/", &[]))
            .unwrap();
    let times = [("START", START / 1000 - 1), ("END_MS", START / 1_000_000 + 60_000), ("END", START / 1000 + 60_000_000)];
    let mut answers = String::new();
    for line in include_str!("requests.txt").lines().filter(|line| !line.starts_with('#')) {
        let request = times.iter().fold(line.to_owned(), |text, (name, time)| text.replace(name, &time.to_string()));
        let (method, path) = request.split_once(' ').unwrap();
        let got = send(&app, method, path).await;
        assert_eq!(got.header("content-type"), "application/json", "{line}");
        answers.push_str(&format!("{line}\n{} {}\n\n", got.status, got.body.trim_end()));
    }
    insta::assert_snapshot!(answers);
}
