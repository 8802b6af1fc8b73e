use super::*;
use crate::block::{Cut, cut, file_name, sidecar_name};
use crate::bucket::Bucket;
use crate::head::Head;
use crate::manifest::{BlockMeta, Manifest, Manifests};
use crate::samples::{Sample, batch, text_attribute};
use bytes::Bytes;
use skua_model::wire::{put_bytes, put_message, put_uint};
use skua_model::{SpanBatch, TraceId};
use skua_store::ErrorKind;
use tempfile::TempDir;

/// A head of the bench's spans, from a second of the given number on, and of some that have what those lack.
fn head(spans: usize, second: u64) -> Head {
    let now = (1_700_000_000 + second) * 1_000_000_000;
    let load = skua_bench::spans::generate(&skua_bench::spans::Config { now, ..skua_bench::spans::Config::new(spans, 200) });
    let mut head = Head::new();
    for request in load.requests {
        head.push(&SpanBatch::parse(request).unwrap());
    }
    let odd = |n: u8| {
        let sample = Sample::new(200 + n, n).named("odd").with(|out| put_bytes(out, 3, b"a=b"));
        let sample = sample
            .with(|out| out.extend_from_slice(&[&b"\x39"[..], &now.to_le_bytes(), b"\x41", &(now + 5).to_le_bytes()].concat()));
        let sample = sample.with(|out| put_message(out, 15, |status| put_uint(status, 3, 2)));
        let sample = sample.with(|out| text_attribute(out, 9, b"a:int", b"text"));
        let sample = sample.with(|out| put_message(out, 9, |kv| kv.extend_from_slice(b"\x0a\x01a\x12\x02\x18\x05")));
        let sample =
            sample.with(|out| put_message(out, 9, |kv| kv.extend_from_slice(b"\x0a\x04list\x12\x07\x2a\x05\x0a\x03\x0a\x01x")));
        sample.with(|out| text_attribute(out, 9, b"span.kind", b"own")).with(|out| put_uint(out, 1001, u64::from(n)))
    };
    head.push(&batch(&[odd(1), Sample::new(9, 9).named("plain"), odd(2)]));
    head
}

/// A store in a directory: a block of each of these numbers of spans, each a minute after the one before.
async fn store(blocks: &[usize]) -> (TempDir, Bucket) {
    let directory = tempfile::tempdir().unwrap();
    let bucket = Bucket::open(&directory.path().display().to_string(), &crate::S3Config::default()).unwrap();
    let manifests = Manifests::open(bucket.clone()).await.unwrap();
    for (n, spans) in blocks.iter().enumerate() {
        let Cut { file, sidecar } = cut(&head(*spans, 60 * n as u64)).unwrap();
        let (about, side) = (&sidecar.about, Bytes::from(sidecar.encode()));
        let meta = BlockMeta {
            id: format!("{n:013}-00000000000000ab"),
            spans: about.spans,
            traces: sidecar.runs.len() as u32,
            bytes: file.len() as u64,
            side_bytes: side.len() as u64,
            start_min: *about.start_min.iter().min().unwrap(),
            start_max: *about.start_max.iter().max().unwrap(),
            created_ms: 1,
            joined: 0,
        };
        bucket.put(&sidecar_name(&meta.id), side).await.unwrap();
        bucket.put(&file_name(&meta.id), file).await.unwrap();
        let add = |manifest: &Manifest| {
            let mut next = manifest.clone();
            next.add(meta.clone()).then_some(next)
        };
        manifests.update(add).await.unwrap();
    }
    (directory, bucket)
}

async fn problems(bucket: &Bucket) -> (Vec<String>, Summary) {
    let mut problems = Vec::new();
    let summary = verify(bucket, |checked| problems.extend(checked.problems.iter().cloned())).await.unwrap();
    (problems, summary)
}

/// Scenario: a store with blocks of several pages and of few spans, of every kind of column. Guarantee: it is found sound, also beside
/// the process that has it locked.
#[tokio::test(flavor = "multi_thread")]
async fn sound_blocks_have_no_problems() {
    let (directory, _locked) = store(&[2 * crate::PAGE + 100, 7]).await;
    let path = directory.path().display().to_string();
    assert!(Bucket::open(&path, &crate::S3Config::default()).is_err(), "it is locked");
    let bucket = Bucket::open_to_read(&path, &crate::S3Config::default()).unwrap();
    let (problems, summary) = problems(&bucket).await;
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!((summary.blocks, summary.unsound, summary.gone, summary.unnamed.len()), (2, 0, 0, 0));
    assert_eq!(summary.spans, inspect(&bucket).await.unwrap().unwrap().spans());
}

/// Scenario: a bit of the file of spans flipped, at many places; the sidecar cut short; a file gone; a file that no block has.
/// Guarantee: each is told of, and nothing panics or ends the look at the other block.
#[tokio::test(flavor = "multi_thread")]
async fn damage_is_told() {
    let (directory, bucket) = store(&[300, 7]).await;
    let name = |end: &str| directory.path().join(format!("blocks/0000000000000-00000000000000ab.{end}"));
    let file = std::fs::read(name("parquet")).unwrap();
    let reread = || Bucket::open_to_read(&directory.path().display().to_string(), &crate::S3Config::default()).unwrap();
    let columns = inspect_block(&bucket, "0000000000000").await.unwrap().columns;
    let pages_end = 4 + columns.iter().map(|column| column.bytes as usize).sum::<usize>();
    let mut missed = Vec::new();
    for at in (0..file.len()).step_by(file.len() / 60) {
        let mut bytes = file.clone();
        bytes[at] ^= 0x10;
        std::fs::write(name("parquet"), bytes).unwrap();
        let (found, summary) = problems(&reread()).await;
        assert_eq!(summary.blocks, 2);
        if found.is_empty() {
            missed.push(at);
        }
    }
    // Behind the pages is what only other readers look at, and some of that may be anything.
    assert!(missed.len() < 15 && missed.iter().all(|at| *at >= pages_end), "{missed:?} of {pages_end}");

    std::fs::write(name("parquet"), &file[..file.len() - 1]).unwrap();
    let (found, _) = problems(&reread()).await;
    assert!(found.iter().any(|p| p.contains("bytes, the manifest says")), "{found:?}");
    std::fs::write(name("parquet"), &file).unwrap();

    let side = std::fs::read(name("side")).unwrap();
    std::fs::write(name("side"), &side[..side.len() / 2]).unwrap();
    let (found, _) = problems(&reread()).await;
    assert!(found.iter().any(|p| p.contains("it is damaged")), "{found:?}");

    std::fs::remove_file(name("side")).unwrap();
    std::fs::write(directory.path().join("blocks/1-1.parquet"), b"?").unwrap();
    let (found, summary) = problems(&reread()).await;
    assert!(found.iter().any(|p| p.contains("side is not there")), "{found:?}");
    assert_eq!((summary.unsound, summary.unnamed[0].name.as_str()), (1, "blocks/1-1.parquet"));
    drop(bucket);
}

/// Scenario: a sidecar whose filters, lists and bounds are those of other spans. Guarantee: each promise that it breaks is told of.
#[tokio::test(flavor = "multi_thread")]
async fn a_sidecar_that_tells_of_others_is_told() {
    let (directory, bucket) = store(&[50]).await;
    let Cut { sidecar: mut other, .. } = cut(&head(50, 0)).unwrap();
    other.traces = crate::sidecar::Filter::of(Vec::new());
    other.tags = crate::sidecar::Filter::of(vec![1]);
    other.runs = crate::sidecar::Runs::of(std::iter::repeat_n([7; 16], other.about.spans as usize));
    other.about.services.clear();
    other.about.rest_keys.clear();
    other.about.resource_keys.clear();
    other.about.duration_max[0] += 1;
    std::fs::write(directory.path().join("blocks/0000000000000-00000000000000ab.side"), other.encode()).unwrap();
    let mut checked = Vec::new();
    verify(&bucket, |block| checked.push(block.clone())).await.unwrap();
    let (all, more) = (checked[0].problems.join("\n"), checked[0].more);
    assert!(all.contains("in the manifest") && all.contains("bounds of start and duration"), "{all}");
    assert!(all.contains("the filter does not have its trace") && all.contains("of a resource") && more > 0, "{all}");
}

/// Scenario: all spans exported; and those of a time, of a service and of a trace. Guarantee: what was chosen comes, each once, as it was.
#[tokio::test(flavor = "multi_thread")]
async fn spans_come_out_as_they_went_in() {
    let (_directory, bucket) = store(&[crate::PAGE + 500, 700]).await;
    let all = exported(&bucket, Selection::default()).await;
    let mut sent: Vec<Vec<u8>> = Vec::new();
    for head in [head(crate::PAGE + 500, 0), head(700, 60)] {
        let mut rebuilder = crate::rebuild::Rebuilder::new();
        for row in 0..head.len() {
            let mut body = Vec::new();
            rebuilder.span(&head, row, &mut body).unwrap();
            sent.push(body);
        }
    }
    let bodies = |batches: &[SpanBatch]| {
        let mut all: Vec<Vec<u8>> = batches.iter().flat_map(|b| b.spans().iter().map(|s| b.span_body(s).to_vec())).collect();
        all.sort_unstable();
        all
    };
    sent.sort_unstable();
    assert!(all.iter().all(|batch| batch.len() <= 1000));
    let got = bodies(&all);
    let differ = got.iter().zip(&sent).find(|(got, sent)| got != sent);
    assert_eq!((got.len(), differ), (sent.len(), None));

    let from = 1_700_000_000_000_000_000;
    let some = exported(&bucket, Selection { from, until: i64::MAX, ..Selection::default() }).await;
    let before = exported(&bucket, Selection { until: from, ..Selection::default() }).await;
    let count = |batches: &[SpanBatch]| batches.iter().map(SpanBatch::len).sum::<usize>();
    assert!(count(&some) > 100 && count(&before) > 100 && count(&some) + count(&before) == sent.len());
    assert!(some.iter().all(|batch| batch.spans().iter().all(|span| batch.view(span).start as i64 >= from)));

    let shop = exported(&bucket, Selection { service: "shop".to_owned(), ..Selection::default() }).await;
    assert_eq!(count(&shop), 6);
    let one = exported(&bucket, Selection { trace: Some(TraceId([201; 16])), ..Selection::default() }).await;
    assert!(one.iter().flat_map(SpanBatch::spans).all(|span| span.trace_id == [201; 16]));
    assert_eq!(count(&one), 2, "one in each block");
    assert!(exported(&bucket, Selection { trace: Some(TraceId([77; 16])), ..Selection::default() }).await.is_empty());
}

async fn exported(bucket: &Bucket, selection: Selection) -> Vec<SpanBatch> {
    let mut export = Export::open(bucket, selection).await.unwrap();
    let mut batches = Vec::new();
    while let Some(message) = export.next().await.unwrap() {
        batches.push(SpanBatch::parse(message).unwrap());
    }
    batches
}

/// Scenario: a block is joined with another between two messages of an export. Guarantee: no span is missing, and it is told that some may
/// have come twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_is_joined_meanwhile_is_not_missed() {
    let (directory, bucket) = store(&[1500, 1500]).await;
    let mut export = Export::open(&bucket, Selection::default()).await.unwrap();
    let first = SpanBatch::parse(export.next().await.unwrap().unwrap()).unwrap();
    let manifests = Manifests::open(bucket.clone()).await.unwrap();
    let was = manifests.current();
    let mut both = head(1500, 0);
    let load = exported(&bucket, Selection { from: was.blocks[1].start_min, ..Selection::default() }).await;
    load.iter().for_each(|batch| both.push(batch));
    let Cut { file, sidecar } = cut(&both).unwrap();
    let meta = BlockMeta { id: "0000000000009-00000000000000ab".to_owned(), joined: 1, ..was.blocks[1].clone() };
    bucket.put(&sidecar_name(&meta.id), sidecar.encode().into()).await.unwrap();
    bucket.put(&file_name(&meta.id), file).await.unwrap();
    let swap = |manifest: &Manifest| {
        let mut next = manifest.clone();
        was.blocks.iter().for_each(|block| assert!(next.drop_block(&block.id, 1)));
        next.add(meta.clone()).then_some(next)
    };
    manifests.update(swap).await.unwrap();
    std::fs::remove_file(directory.path().join(format!("blocks/{}.side", was.blocks[1].id))).unwrap();
    let mut ids: std::collections::HashSet<_> = first.spans().iter().map(|s| first.span_body(s).to_vec()).collect();
    while let Some(message) = export.next().await.unwrap() {
        let batch = SpanBatch::parse(message).unwrap();
        ids.extend(batch.spans().iter().map(|s| batch.span_body(s).to_vec()));
    }
    let distinct: std::collections::HashSet<_> = {
        let mut rebuilder = crate::rebuild::Rebuilder::new();
        let body = |row| {
            let mut body = Vec::new();
            rebuilder.span(&both, row, &mut body).unwrap();
            body
        };
        (0..both.len()).map(body).collect()
    };
    assert!(distinct.is_subset(&ids), "{} of {}", ids.len(), distinct.len());
    assert_eq!(export.gone(), 1);
}

/// Scenario: a block asked for by a beginning of its id. Guarantee: its columns, services and sizes are told; bytes of columns fit the file;
/// one that is not there and one that is not the only one are told apart.
#[tokio::test]
async fn a_block_is_described() {
    let (_directory, bucket) = store(&[crate::PAGE + 5, 20]).await;
    let block = inspect_block(&bucket, "0000000000000").await.unwrap();
    let names: Vec<&str> = block.columns.iter().map(|column| column.name.as_str()).collect();
    assert!(names.starts_with(&["trace_id", "span_id", "parent_id", "start"]) && names.contains(&"attr.a:int#2"), "{names:?}");
    let of = |name: &str| block.columns.iter().find(|column| column.name == name).unwrap();
    assert_eq!((of("start").ty, of("start").encoding, of("start").nulls), ("TIMESTAMP(ns)", "delta", 0));
    assert_eq!((of("service").ty, of("service").encoding), ("STRING", "dictionary"));
    assert_eq!(of("attr.a:int").nulls, u64::from(block.meta.spans) - 2);
    let sum: u64 = block.columns.iter().map(|column| column.bytes).sum();
    assert!(sum < block.meta.bytes && sum > block.meta.bytes * 9 / 10, "{sum} of {}", block.meta.bytes);
    assert!(block.services.iter().any(|service| service.name == "shop" && service.operations == 2), "{:?}", block.services);
    assert_eq!((block.pages, block.page_rows as usize), (2, crate::PAGE));
    assert!(block.rest_keys.contains(&"list".to_owned()));
    assert_eq!(inspect_block(&bucket, "7").await.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(inspect_block(&bucket, "000").await.unwrap_err().kind, ErrorKind::Invalid);
}

/// Guarantee: what is no directory is an error, and what is an empty one no store.
#[tokio::test]
async fn nothing_is_made_to_be_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    let missing = Bucket::open_to_read(&path("missing"), &crate::S3Config::default()).unwrap_err();
    assert_eq!(missing.kind, ErrorKind::NotFound);
    let empty = Bucket::open_to_read(&path(""), &crate::S3Config::default()).unwrap();
    assert_eq!(inspect(&empty).await.unwrap(), None);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}
