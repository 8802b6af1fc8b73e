//! Blocks of which bytes are changed or missing.

use super::crash::{config, open_over};
use super::spans::{Sent, batch_of, numbers_of, search_for};
use super::*;
use crate::block::{file_name, sidecar_name};
use crate::columns::Rows as _;
use crate::log::sim::SimFiles;
use crate::rebuild::Rebuilder;
use bytes::Bytes;
use object_store::memory::InMemory;
use skua_model::TraceId;
use skua_store::{SpanReader, SpanWriter};

/// All spans of a block as bytes.
async fn contents(bucket: &Bucket, id: &str) -> Result<Vec<Vec<u8>>, StoreError> {
    let block = Block::open(bucket, id, &Pages::new(1 << 20)).await?;
    let about = &block.sidecar.about;
    let columns: Vec<usize> = (0..about.columns.len()).collect();
    let (mut spans, mut rebuilder) = (Vec::new(), Rebuilder::new());
    for page in 0..about.pages() {
        let mut rows = block.rows();
        block.load(&mut rows, page, &columns, None).await?;
        for row in 0..about.rows_of(page).len() {
            let mut body = rows.trace_id(row).to_vec();
            rebuilder.span(&rows, row, &mut body)?;
            spans.push(body);
        }
    }
    Ok(spans)
}

fn sent() -> Vec<Sent> {
    (0..60).map(|number| Sent { number, trace: (number / 20) as u8 }).collect()
}

/// A bucket with two blocks: of the first 40 of the spans, and of the others.
async fn bucket() -> (Bucket, [String; 2]) {
    let bucket = Bucket::over(Arc::new(InMemory::new()));
    let store = open_over(config(), bucket.clone(), Some(SimFiles::default())).await.expect("it opens");
    for spans in [&sent()[..40], &sent()[40..]] {
        store.write(&batch_of(spans)).await.expect("it is kept");
        store.inner.drained().await;
    }
    let ids = store.inner.manifests.current().blocks.iter().map(|block| block.id.clone()).collect::<Vec<_>>();
    (bucket, ids.try_into().expect("two blocks"))
}

/// Scenario: each byte of a block's files is changed, or missing with all behind it. Guarantee: an error, or what was there; never anything
/// else, and never a panic.
#[tokio::test]
async fn every_byte() {
    let (bucket, [id, _]) = bucket().await;
    let whole = contents(&bucket, &id).await.expect("it is whole");
    assert_eq!(whole.len(), 40);
    let about = Block::open(&bucket, &id, &Pages::new(1 << 20)).await.expect("it is whole").sidecar.about;
    // Pages without a value are not read.
    let empty: Vec<_> = about
        .columns
        .iter()
        .flat_map(|c| {
            (0..about.pages()).filter(|page| c.nulls[*page] as usize == about.rows_of(*page).len()).map(|page| c.page_range(page))
        })
        .collect();
    let unread = |at: usize| empty.iter().any(|range| range.contains(&(at as u64)));
    let end = about.columns.iter().map(|column| column.page_range(about.pages() - 1).end).max().expect("columns") as usize;
    for name in [file_name(&id), sidecar_name(&id)] {
        let file = bucket.get(&name).await.expect("a file").expect("it is there");
        for at in 0..file.len() {
            let mut changed = file.to_vec();
            changed[at] ^= 1 << (at % 8);
            for changed in [Bytes::from(changed), file.slice(..at)] {
                bucket.put(&name, changed).await.expect("it is written");
                match contents(&bucket, &id).await {
                    Ok(spans) => {
                        assert!(spans == whole, "byte {at} of {name} is changed, and nobody sees it");
                        // Parquet's own marks and its footer are for other readers.
                        assert!(name == file_name(&id) && (at < 4 || at >= end || unread(at)), "byte {at} of {name}");
                    }
                    Err(e) => assert!(matches!(e.kind, ErrorKind::Internal | ErrorKind::Unavailable), "byte {at} of {name}: {e}"),
                }
            }
        }
        bucket.put(&name, file).await.expect("it is written");
    }
}

/// Scenario: one of two blocks has a changed byte, or has lost a file. Guarantee: a search says that it is partial and has the other's spans;
/// a trace of the other block is whole, one of both is an error; the other blocks are joined nevertheless.
#[tokio::test]
async fn costs_its_own_spans_only() {
    for (how, side) in [("changed", false), ("changed", true), ("lost", false), ("lost", true)] {
        let (bucket, [id, _]) = bucket().await;
        let name = if side { sidecar_name(&id) } else { file_name(&id) };
        match how {
            "lost" => bucket.delete(&name).await.expect("it is deleted"),
            _ => {
                let mut file = bucket.get(&name).await.expect("a file").expect("it is there").to_vec();
                file.iter_mut().skip(30).take(3000).for_each(|byte| *byte ^= 1);
                bucket.put(&name, file.into()).await.expect("it is written");
            }
        }
        let store = open_over(config(), bucket.clone(), None).await.expect("it opens");
        let whole = store.trace(TraceId([3; 16])).await;
        // Without its sidecar nobody knows which traces the block had.
        match side {
            false => assert_eq!(numbers_of(&whole.expect("the other block's"), &sent()).len(), 20),
            true => assert_eq!(whole.expect_err("it may have been there").kind, ErrorKind::Internal),
        }
        let error = store.trace(TraceId([1; 16])).await.expect_err("its block cannot be read");
        assert_eq!(error.kind, ErrorKind::Internal, "{how} {name}: {error}");
        assert!(error.message.contains(&id), "{error}");
        let found = search_for(&store, sent()[50]).await.expect("an answer");
        assert_eq!(found.traces.len(), 1, "{how} {name}");
        let found = search_for(&store, sent()[5]).await.expect("an answer");
        assert!(found.traces.is_empty() && found.partial.len() == 1 && found.partial[0].contains(&id), "{found:?}");
        // Nine blocks more, of which eight are joined.
        for _ in 0..9 {
            let (_, later) = store.hand_over(&batch_of(&sent()[..9])).await.expect("it is taken");
            store.inner.drained().await;
            later.kept().await;
        }
        for _ in 0..3 {
            let _ = store.inner.maintain_once(false).await;
        }
        assert!(store.inner.metrics.joined.get() >= 8, "{how} {name}");
    }
}
