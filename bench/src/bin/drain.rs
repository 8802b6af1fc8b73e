//! Watches an ingester until Elasticsearch holds all spans, and reports what that cost the ingester.
//!
//! CPU time is everything the process used since it began. Spans are counted in the store, after a refresh, and once
//! more after `--settle`: a span that was written twice is found by counting different span ids.
#![expect(clippy::print_stdout, reason = "the report is this program's output")]

use skua_bench::Failure;
use skua_bench::args::Args;
use skua_bench::elastic::Elastic;
use skua_bench::usage::{Usage, mib, micros_per, round};
use std::time::{Duration, Instant};

const USAGE: &str = "drain --es http://HOST:PORT --index PATTERN --spans N --pid PID [--timeout 900s] [--stall 120s]
    [--settle 2s]";

/// Pause between two counts.
const PACE: Duration = Duration::from_millis(500);

fn main() -> Result<(), Failure> {
    let args = Args::parse(std::env::args().skip(1), &["es", "index", "spans", "pid", "timeout", "stall", "settle"], USAGE)?;
    let plan = Plan {
        url: args.required("es")?.to_owned(),
        pattern: args.required("index")?.to_owned(),
        spans: args.required("spans")?.parse()?,
        pid: args.required("pid")?.parse()?,
        timeout: args.duration("timeout", Duration::from_secs(900))?,
        stall: args.duration("stall", Duration::from_secs(120))?,
        settle: args.duration("settle", Duration::from_secs(2))?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("{}", runtime.block_on(watch(&plan))?);
    Ok(())
}

/// What to watch, and for how long.
struct Plan {
    url: String,
    pattern: String,
    spans: usize,
    pid: u32,
    timeout: Duration,
    /// Without a new document for so long, nothing more is waited for.
    stall: Duration,
    settle: Duration,
}

async fn watch(plan: &Plan) -> Result<serde_json::Value, Failure> {
    let mut store = Elastic::connect(&plan.url).await?;
    let started = Instant::now();
    let (mut usage, mut seen, mut news) = (Usage::of(plan.pid)?, 0, Instant::now());
    while seen < plan.spans as u64 && started.elapsed() < plan.timeout && news.elapsed() < plan.stall {
        tokio::time::sleep(PACE).await;
        let count = store.count(&plan.pattern).await?;
        // The reading comes after the count: it is never less than what these documents cost.
        usage = Usage::of(plan.pid).map_err(|e| format!("failed to read process {}, has it ended? {e}", plan.pid))?;
        if count > seen {
            (seen, news) = (count, Instant::now());
        }
    }
    let wall = started.elapsed().as_secs_f64();
    tokio::time::sleep(plan.settle).await;
    let after = Usage::of(plan.pid)?;
    let stored = store.count(&plan.pattern).await?;
    let distinct = store.distinct(&plan.pattern, "spanID").await?;
    Ok(serde_json::json!({
        "spans": plan.spans,
        "stored": stored,
        "distinct": distinct,
        "duplicates": stored.saturating_sub(distinct),
        "missing": (plan.spans as u64).saturating_sub(distinct),
        "cpu_us_per_span": micros_per(after.cpu, plan.spans),
        "cpu_us_per_span_until_seen": micros_per(usage.cpu, plan.spans),
        "rss_after_mib": mib(after.rss_kib),
        "peak_mib": mib(after.peak_kib),
        "wall_s": round(wall, 1),
        "spans_per_s": round(seen as f64 / wall.max(1e-9), 0),
    }))
}
