//! `skua parquet inspect [<block>]`.

use super::{ARCHIVE, each, moment, table};
use crate::process::Failure;
use skua_store_parquet::Bucket;
use skua_store_parquet::manifest::Manifest;
use skua_store_parquet::tools::{BlockDetails, inspect, inspect_block};
use std::io::Write;

/// All blocks in short, or one.
pub(super) async fn run(bucket: &Bucket, block: &str, out: &mut impl Write) -> Result<(), Failure> {
    if !block.is_empty() {
        let block = match inspect_block(bucket, block).await {
            Err(e) if e.kind == skua_store::ErrorKind::NotFound => {
                inspect_block(&bucket.below(ARCHIVE), block).await.map_err(|_| e)?
            }
            block => block?,
        };
        return Ok(one(&block, out)?);
    }
    match inspect(bucket).await? {
        Some(manifest) => all(&manifest, out)?,
        None => writeln!(out, "there is no manifest: no block was ever written here")?,
    }
    if bucket.is_local() {
        let log: Vec<u64> = bucket.list("wal").await?.iter().filter(|o| o.name.ends_with(".log")).map(|o| o.bytes).collect();
        if !log.is_empty() {
            let (files, bytes) = (log.len(), log.iter().sum::<u64>());
            writeln!(out, "\nlog: {files} files of {bytes} bytes; what is in them and in no block is not shown")?;
        }
    }
    if let Some(manifest) = inspect(&bucket.below(ARCHIVE)).await? {
        writeln!(out, "\narchive:")?;
        all(&manifest, out)?;
    }
    Ok(())
}

fn all(manifest: &Manifest, out: &mut impl Write) -> std::io::Result<()> {
    let (blocks, spans, bytes) = (&manifest.blocks, manifest.spans(), manifest.bytes());
    writeln!(out, "{} blocks, {spans} spans, {bytes} bytes ({} a span)", blocks.len(), each(bytes, spans))?;
    let (first, last) = (blocks.iter().map(|b| b.start_min).min(), blocks.iter().map(|b| b.start_max).max());
    if let (Some(first), Some(last)) = (first, last) {
        writeln!(out, "spans start from {} to {}", moment(first), moment(last))?;
    }
    for (writer, segment) in &manifest.logs {
        writeln!(out, "log of {writer}: its segments up to {segment} are in blocks")?;
    }
    if !manifest.dropped.is_empty() {
        writeln!(out, "{} blocks were joined or retired; their files are still to be deleted", manifest.dropped.len())?;
    }
    if blocks.is_empty() {
        return Ok(());
    }
    let heading = ["block", "spans", "traces", "bytes", "sidecar", "bytes/span", "joined", "first start", "last start"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(blocks.iter().map(|b| {
        vec![
            b.id.clone(),
            b.spans.to_string(),
            b.traces.to_string(),
            b.bytes.to_string(),
            b.side_bytes.to_string(),
            each(b.bytes + b.side_bytes, u64::from(b.spans)),
            b.joined.to_string(),
            moment(b.start_min),
            moment(b.start_max),
        ]
    }));
    writeln!(out)?;
    table(out, &rows)
}

fn one(block: &BlockDetails, out: &mut impl Write) -> std::io::Result<()> {
    let meta = &block.meta;
    let spans = u64::from(meta.spans);
    writeln!(out, "block {}: {spans} spans of {} traces, joined {} times", meta.id, meta.traces, meta.joined)?;
    writeln!(out, "spans start from {} to {}", moment(meta.start_min), moment(meta.start_max))?;
    writeln!(
        out,
        "{}: {} bytes ({} a span), {} pages of {} rows",
        meta.file(),
        meta.bytes,
        each(meta.bytes, spans),
        block.pages,
        block.page_rows
    )?;
    let side = meta.side_bytes;
    writeln!(out, "{}: {side} bytes ({} a span)", meta.side_file(), each(side, spans))?;
    let (traces, tags, runs) = (block.trace_filter_bytes, block.tag_filter_bytes, block.runs_bytes);
    writeln!(out, "in memory: filter of traces {traces} bytes, filter of tags {tags}, list of traces {runs}")?;
    let heading = ["column", "type", "encoding", "bytes", "bytes/span", "distinct", "nulls"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(block.columns.iter().map(|c| {
        let distinct = c.distinct.map_or_else(|| "-".to_owned(), |n| n.to_string());
        vec![
            c.name.clone(),
            c.ty.into(),
            c.encoding.into(),
            c.bytes.to_string(),
            each(c.bytes, spans),
            distinct,
            c.nulls.to_string(),
        ]
    }));
    writeln!(out)?;
    table(out, &rows)?;
    let mut rows = vec![vec!["service".to_owned(), "operations".to_owned()]];
    rows.extend(block.services.iter().map(|service| vec![service.name.clone(), service.operations.to_string()]));
    writeln!(out)?;
    table(out, &rows)?;
    if !block.rest_keys.is_empty() {
        let more = if block.more_rest_keys { " and more" } else { "" };
        writeln!(out, "\nkeys without a column: {}{more}", block.rest_keys.join(", "))?;
    }
    Ok(())
}
