//! `skua parquet inspect`, `verify` and `export` over a small store, by the binary itself.
#![allow(clippy::unwrap_used, reason = "a test")]

use skua_codec::otlp_json;
use skua_model::SpanBatch;
use skua_store::SpanWriter as _;
use skua_store_parquet::{Bucket, Config, ParquetStore, Role};
use std::path::Path;
use std::process::Command;

const BINARY: &str = env!("CARGO_BIN_EXE_skua");

/// Spans of one service, numbered from 1 on; a trace each, a second apart from 2023-11-14T22:13:20Z on.
fn batch(service: &str, numbers: std::ops::RangeInclusive<u64>) -> SpanBatch {
    let span = |n: u64| {
        let start = (1_700_000_000 + n) * 1_000_000_000;
        format!(
            r#"{{"traceId":"{n:032x}","spanId":"{n:016x}","name":"GET /","kind":2,"startTimeUnixNano":"{start}",
            "endTimeUnixNano":"{}","attributes":[{{"key":"http.route","value":{{"stringValue":"/a"}}}},
            {{"key":"retries","value":{{"intValue":"{n}"}}}}],"events":[{{"timeUnixNano":"{start}","name":"sent"}}]}}"#,
            start + 5_000_000
        )
    };
    let spans = numbers.map(span).collect::<Vec<_>>().join(",");
    let resource = format!(r#"{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{service}"}}}}]}}"#);
    let text = format!(r#"{{"resourceSpans":[{{"resource":{resource},"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#);
    let mut bytes = Vec::new();
    otlp_json::decode(text.as_bytes(), &mut bytes).unwrap();
    SpanBatch::parse(bytes).unwrap()
}

/// Two blocks: 40 spans of `shop` and 2 of `bank`.
async fn store(directory: &Path) {
    let config = Config { path: format!("file://{}", directory.display()), ..Config::default() };
    let config = Config { join: skua_store_parquet::JoinConfig { enabled: false, ..Default::default() }, ..config };
    let bucket = Bucket::open(&config.path, &config.s3).unwrap();
    let mut registry = prometheus_client::registry::Registry::default();
    let store = ParquetStore::open(config, bucket, Role::Primary, &mut registry).await.unwrap();
    for (service, numbers) in [("shop", 1..=40), ("bank", 41..=42)] {
        drop(store.hand_over(&batch(service, numbers)).await.unwrap());
        store.flush().await.unwrap();
    }
    store.close().await.unwrap();
}

struct Ended {
    code: Option<i32>,
    out: Vec<u8>,
    err: String,
}

fn skua(directory: &Path, words: &str, flags: &[&str]) -> Ended {
    let path = format!("--parquet.path={}", directory.display());
    let words = words.split(' ');
    let ended = Command::new(BINARY).args(words).arg(path).args(flags).env_clear().output().unwrap();
    Ended { code: ended.status.code(), out: ended.stdout, err: String::from_utf8(ended.stderr).unwrap() }
}

impl Ended {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.out).unwrap()
    }
}

/// Scenario: all blocks, and one of them by the beginning of its id. Guarantee: spans, services and columns are told; a block that is
/// not there is an error.
#[tokio::test]
async fn inspect_tells_what_there_is() {
    let directory = tempfile::tempdir().unwrap();
    store(directory.path()).await;
    let all = skua(directory.path(), "parquet inspect", &[]);
    assert_eq!(all.code, Some(0), "{}", all.err);
    let lines: Vec<&str> = all.text().lines().collect();
    assert!(lines[0].starts_with("2 blocks, 42 spans, "), "{}", all.text());
    assert_eq!(lines[1], "spans start from 2023-11-14T22:13:21Z to 2023-11-14T22:14:02Z");
    let row: Vec<&str> = lines[4].split_whitespace().collect();
    assert_eq!((row[1], row[2], row[6], row[7]), ("40", "40", "0", "2023-11-14T22:13:21Z"), "{}", all.text());

    let one = skua(directory.path(), &format!("parquet inspect {}", &row[0][..25]), &[]);
    assert_eq!(one.code, Some(0), "{}", one.err);
    for wanted in [
        "40 spans of 40 traces, joined 0 times",
        "attr.retries:int",
        "attr.http.route",
        "TIMESTAMP(ns)",
        "keys without a column: event",
    ] {
        assert!(one.text().contains(wanted), "{wanted}: {}", one.text());
    }
    assert!(one.text().lines().any(|line| line.split_whitespace().eq(["shop", "1"])), "{}", one.text());

    let missing = skua(directory.path(), "parquet inspect nothing", &[]);
    assert_eq!((missing.code, missing.text()), (Some(1), ""));
    assert!(missing.err.contains("the manifest has none \"nothing\""), "{}", missing.err);
}

/// Scenario: a sound store; then one byte of a file is another. Guarantee: the exit code tells, and the text where.
#[tokio::test]
async fn verify_finds_damage() {
    let directory = tempfile::tempdir().unwrap();
    store(directory.path()).await;
    let sound = skua(directory.path(), "parquet verify", &[]);
    assert_eq!(sound.code, Some(0), "{}{}", sound.text(), sound.err);
    assert!(sound.text().ends_with("\n2 blocks, 42 spans, 0 blocks with problems\n"), "{}", sound.text());

    let files = std::fs::read_dir(directory.path().join("blocks")).unwrap().map(|entry| entry.unwrap().path());
    let file = files.filter(|path| path.extension().is_some_and(|e| e == "side")).max().unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&file, bytes).unwrap();
    std::fs::write(directory.path().join("blocks/stray.parquet"), b"").unwrap();
    let damaged = skua(directory.path(), "parquet verify", &[]);
    assert_eq!(damaged.code, Some(1), "{}", damaged.text());
    assert!(damaged.text().contains("its checksum does not match"), "{}", damaged.text());
    assert!(damaged.text().contains("blocks/stray.parquet: no block has it (0 bytes"), "{}", damaged.text());
    assert!(damaged.text().ends_with("1 blocks with problems\n"), "{}", damaged.text());
}

/// The names of spans in exported JSON: service, and id in hexadecimal.
fn exported(ended: &Ended) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for line in ended.text().lines() {
        let data: serde_json::Value = serde_json::from_str(line).unwrap();
        for resource in data["resourceSpans"].as_array().unwrap() {
            let service = resource["resource"]["attributes"][0]["value"]["stringValue"].as_str().unwrap();
            let scopes = resource["scopeSpans"].as_array().unwrap();
            let spans = scopes.iter().flat_map(|scope| scope["spans"].as_array().unwrap());
            all.extend(spans.map(|span| (service.to_owned(), span["spanId"].as_str().unwrap().to_owned())));
        }
    }
    all.sort_unstable();
    all
}

/// Scenario: all spans as JSON and as protobuf, and some of them by service, trace and time. Guarantee: what comes is what went in, each
/// once; standard error tells what was chosen; a wrong choice is an error.
#[tokio::test]
async fn export_prints_what_went_in() {
    let directory = tempfile::tempdir().unwrap();
    store(directory.path()).await;
    let named = |service: &str, n: u64| (service.to_owned(), format!("{n:016x}"));
    let export = |flags: &[&str]| skua(directory.path(), "parquet export", flags);
    let all = export(&[]);
    assert_eq!((all.code, all.err.as_str()), (Some(0), "42 spans; those that are in no block yet are left out\n"));
    let mut wanted: Vec<_> = (1..=40).map(|n| named("shop", n)).chain((41..=42).map(|n| named("bank", n))).collect();
    wanted.sort_unstable();
    assert_eq!(exported(&all), wanted);

    let bank = export(&["--service=bank"]);
    assert_eq!(exported(&bank), [named("bank", 41), named("bank", 42)]);
    assert!(bank.err.starts_with("2 spans of service \"bank\";"), "{}", bank.err);
    assert_eq!(exported(&export(&["--trace=7"])), [named("shop", 7)]);
    let times = export(&["--from=2023-11-14T22:13:22Z", "--to=2023-11-14T22:13:24Z"]);
    assert_eq!(exported(&times), [named("shop", 2), named("shop", 3)]);

    let proto = export(&["--format=proto", "--service=shop"]);
    let mut rest = &proto.out[..];
    let mut spans = Vec::new();
    while let Some((length, more)) = rest.split_first_chunk::<4>() {
        let (message, more) = more.split_at(u32::from_be_bytes(*length) as usize);
        let batch = SpanBatch::parse(message.to_vec()).unwrap();
        spans.extend(batch.spans().iter().map(|span| batch.span_body(span).to_vec()));
        rest = more;
    }
    let sent = batch("shop", 1..=40);
    let mut sent: Vec<_> = sent.spans().iter().map(|span| sent.span_body(span).to_vec()).collect();
    spans.sort_unstable();
    sent.sort_unstable();
    assert_eq!(spans, sent);

    for (flags, code, wanted) in [
        (["--trace=xyz", "--log-level=error"], 1, "--trace is \"xyz\""),
        (["--from=1h", "--to=2h"], 1, "which is not after --from"),
        (["--format=csv", "--log-level=error"], 64, "format"),
    ] {
        let wrong = export(&flags);
        assert_eq!((wrong.code, wrong.text()), (Some(code), ""), "{flags:?}");
        assert!(wrong.err.contains(wanted), "{}", wrong.err);
    }
}

/// Guarantee: where there is no store, nothing is made, and the exit code tells.
#[test]
fn no_store_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing");
    for command in ["parquet inspect", "parquet verify", "parquet export"] {
        let ended = skua(&missing, command, &[]);
        assert_eq!(ended.code, Some(1), "{command}: {}", ended.text());
        assert!(ended.err.contains("No such file or directory"), "{}", ended.err);
    }
    assert!(!missing.exists());
    let empty = skua(directory.path(), "parquet inspect", &[]);
    assert_eq!((empty.code, empty.text()), (Some(0), "there is no manifest: no block was ever written here\n"));
}
