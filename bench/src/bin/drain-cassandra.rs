//! Watches an ingester until it has stored all spans in Cassandra, and reports what that cost the ingester. Then counts the spans, and the
//! rows of all tables, in the keyspace itself.
//!
//! CPU time is everything the process used since it began.
#![expect(clippy::print_stdout, reason = "the report is this program's output")]

use skua_bench::Failure;
use skua_bench::args::Args;
use skua_bench::cassandra;
use skua_bench::elastic::Elastic;
use skua_bench::usage::{Usage, mib, micros_per, round};
use std::time::{Duration, Instant};

const USAGE: &str =
    "drain-cassandra --admin HOST:PORT --cassandra HOST:PORT --keyspace NAME --spans N --pid PID [--timeout 1800s]";

/// Pause between two looks.
const PACE: Duration = Duration::from_millis(500);

fn main() -> Result<(), Failure> {
    let args = Args::parse(std::env::args().skip(1), &["admin", "cassandra", "keyspace", "spans", "pid", "timeout"], USAGE)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("{}", runtime.block_on(watch(&args))?);
    Ok(())
}

async fn watch(args: &Args) -> Result<serde_json::Value, Failure> {
    let (spans, pid): (usize, u32) = (args.required("spans")?.parse()?, args.required("pid")?.parse()?);
    let mut admin = Elastic::connect(&format!("http://{}", args.required("admin")?)).await?;
    let timeout = args.duration("timeout", Duration::from_secs(1800))?;
    let (started, mut stored) = (Instant::now(), 0);
    while stored < spans as u64 && started.elapsed() < timeout {
        tokio::time::sleep(PACE).await;
        let line = |text: &str| {
            let of = |l: &&str| l.starts_with("skua_spans_total{") && l.contains("outcome=\"stored\"");
            text.lines().filter(of).filter_map(|l| l.rsplit(' ').next()?.parse::<u64>().ok()).sum()
        };
        let (_, text) = admin.send(http::Method::GET, "/metrics", bytes::Bytes::new(), false).await?;
        stored = line(&String::from_utf8_lossy(&text));
    }
    let wall = started.elapsed().as_secs_f64();
    let usage = Usage::of(pid)?;
    let keyspace = args.required("keyspace")?;
    let session = cassandra::connect(args.required("cassandra")?).await?;
    let (in_store, distinct) = cassandra::spans(&session, keyspace).await?;
    let rows = cassandra::rows(&session, keyspace).await?;
    let all: u64 = rows.values().sum();
    Ok(serde_json::json!({
        "spans": spans,
        "stored": in_store,
        "distinct": distinct,
        "duplicates": in_store.saturating_sub(distinct),
        "cpu_us_per_span": micros_per(usage.cpu, spans),
        "rss_after_mib": mib(usage.rss_kib),
        "peak_mib": mib(usage.peak_kib),
        "wall_s": round(wall, 1),
        "spans_per_s": round(stored as f64 / wall.max(1e-9), 0),
        "rows_per_span": round(all as f64 / spans as f64, 2),
        "rows": rows,
    }))
}
