//! `_bulk` alone: reads the documents that a tier wrote to Elasticsearch, and posts the same bytes under the same ids to a
//! new index with the same mapping. What it reports is its own CPU, from the first request to the last answer.
//!
//! Bodies are made before the clock starts; with gzip, compressing them is part of what is measured.
#![expect(clippy::print_stdout, reason = "the report is this program's output")]

use bytes::Bytes;
use http::Method;
use libdeflater::{CompressionLvl, Compressor};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use skua_bench::Failure;
use skua_bench::args::Args;
use skua_bench::elastic::Elastic;
use skua_bench::usage::{Usage, mib, micros_per, round};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "bulkfloor --es http://HOST:PORT --from PATTERN --index NEW [--compression none|gzip] [--level 1]
    [--actions 1000] [--bytes 5000000] [--senders 1]";

const FLAGS: &[&str] = &["es", "from", "index", "compression", "level", "actions", "bytes", "senders"];

fn main() -> Result<(), Failure> {
    let args = Args::parse(std::env::args().skip(1), FLAGS, USAGE)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("{}", runtime.block_on(measure(&args))?);
    Ok(())
}

async fn measure(args: &Args) -> Result<Value, Failure> {
    let (url, from, index) = (args.required("es")?, args.required("from")?, args.required("index")?);
    let gzip = args.text("compression").unwrap_or("none") == "gzip";
    // Level 1 is libdeflate's fastest that compresses at all.
    let level = CompressionLvl::new(args.value("level", 1)?).map_err(|e| format!("flag --level: {e:?}"))?;
    let mut store = Elastic::connect(url).await?;
    let (bodies, spans) = bodies(&mut store, from, index, args.value("actions", 1000)?, args.value("bytes", 5_000_000)?).await?;
    let bytes: usize = bodies.iter().map(Bytes::len).sum();
    copy_index(&mut store, from, index).await?;
    let (bodies, next, sent) = (Arc::new(bodies), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut connections = Vec::new();
    for _ in 0..args.value("senders", 1usize)?.max(1) {
        connections.push(Elastic::connect(url).await?);
    }

    let (before, started) = (Usage::own()?, Instant::now());
    let mut tasks = Vec::new();
    for mut connection in connections {
        let (bodies, next, sent) = (bodies.clone(), next.clone(), sent.clone());
        tasks.push(tokio::spawn(async move {
            let mut compressor = gzip.then(|| Compressor::new(level));
            while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                let body = compressor.as_mut().map_or_else(|| Ok(body.clone()), |c| compressed(c, body))?;
                sent.fetch_add(body.len(), Ordering::Relaxed);
                post(&mut connection, body, gzip).await?;
            }
            Ok::<_, Failure>(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    let (after, wall) = (Usage::own()?, started.elapsed().as_secs_f64());
    Ok(json!({
        "compression": if gzip { "gzip" } else { "none" },
        "spans": spans,
        "requests": bodies.len(),
        "stored": store.count(index).await?,
        "bytes_per_span": round(bytes as f64 / spans.max(1) as f64, 1),
        "sent_bytes_per_span": round(sent.load(Ordering::Relaxed) as f64 / spans.max(1) as f64, 1),
        "cpu_us_per_span": micros_per(after.cpu.saturating_sub(before.cpu), spans),
        "wall_s": round(wall, 3),
        "spans_per_s": round(spans as f64 / wall.max(1e-9), 0),
        "rss_before_mib": mib(before.rss_kib),
        "peak_mib": mib(after.peak_kib),
    }))
}

fn compressed(compressor: &mut Compressor, body: &[u8]) -> Result<Bytes, Failure> {
    let mut out = vec![0; compressor.gzip_compress_bound(body.len())];
    let length = compressor.gzip_compress(body, &mut out)?;
    out.truncate(length);
    Ok(out.into())
}

async fn post(connection: &mut Elastic, body: Bytes, gzip: bool) -> Result<(), Failure> {
    let (status, answer) = connection.send(Method::POST, "/_bulk?filter_path=errors", body, gzip).await?;
    if !status.is_success() || !answer.starts_with(b"{\"errors\":false") {
        return Err(format!("_bulk: {status}: {}", String::from_utf8_lossy(&answer)).into());
    }
    Ok(())
}

/// A page of a scroll.
#[derive(Deserialize)]
struct Page<'a> {
    #[serde(rename = "_scroll_id")]
    scroll: String,
    #[serde(borrow)]
    hits: Hits<'a>,
}

#[derive(Deserialize)]
struct Hits<'a> {
    #[serde(borrow)]
    hits: Vec<Hit<'a>>,
}

/// A document as it was written, byte for byte.
#[derive(Deserialize)]
struct Hit<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    #[serde(borrow, rename = "_source")]
    source: &'a RawValue,
}

/// Reads all documents of a pattern and makes the bodies of bulk requests of them. Returns also how many there are.
async fn bodies(
    store: &mut Elastic,
    from: &str,
    index: &str,
    actions: usize,
    bytes: usize,
) -> Result<(Vec<Bytes>, usize), Failure> {
    let (mut done, mut body, mut count, mut all) = (Vec::new(), Vec::new(), 0, 0);
    let mut query = (format!("/{from}/_search?scroll=2m"), json!({ "size": 5000, "sort": ["startTime"] }));
    loop {
        let (status, page) = store.send(Method::POST, &query.0, query.1.to_string().into(), false).await?;
        if !status.is_success() {
            return Err(format!("{}: {status}: {}", query.0, String::from_utf8_lossy(&page)).into());
        }
        let page: Page<'_> = serde_json::from_slice(&page)?;
        for hit in &page.hits.hits {
            let action = format!("{{\"create\":{{\"_index\":\"{index}\",\"_id\":\"{}\"}}}}\n", hit.id);
            body.extend_from_slice(action.as_bytes());
            body.extend_from_slice(hit.source.get().as_bytes());
            body.push(b'\n');
            (count, all) = (count + 1, all + 1);
            if count >= actions || body.len() >= bytes {
                done.push(std::mem::take(&mut body).into());
                count = 0;
            }
        }
        if page.hits.hits.is_empty() {
            store.json(Method::DELETE, "/_search/scroll", &json!({ "scroll_id": page.scroll })).await?;
            break;
        }
        query = ("/_search/scroll".to_owned(), json!({ "scroll": "2m", "scroll_id": page.scroll }));
    }
    if !body.is_empty() {
        done.push(body.into());
    }
    if all == 0 {
        return Err(format!("found no documents in {from}").into());
    }
    Ok((done, all))
}

/// Makes an empty index with the mapping and the number of shards of the first index of a pattern.
async fn copy_index(store: &mut Elastic, from: &str, index: &str) -> Result<(), Failure> {
    let found = store.json(Method::GET, &format!("/{from}"), &Value::Null).await?;
    let first = found.as_object().and_then(|o| o.values().next()).ok_or_else(|| format!("found no index {from}"))?;
    let shards = &first["settings"]["index"]["number_of_shards"];
    let settings = json!({
        "index.number_of_shards": shards,
        "index.number_of_replicas": 0,
        "index.mapping.nested_fields.limit": 50,
    });
    let made = json!({ "settings": settings, "mappings": first["mappings"] });
    store.json(Method::PUT, &format!("/{index}"), &made).await?;
    Ok(())
}
