//! Sends deterministic spans to an OTLP receiver and reports what that cost the receiver, as one line of JSON.
//!
//! Everything is encoded before the clock starts. CPU and memory are those of `--pid`, from the first request until
//! `--settle` after the last answer. What it uses while idle is measured as long beforehand and reported apart: with
//! steps of 10 ms it is too coarse to be subtracted from a figure one relies on.
#![expect(clippy::print_stdout, reason = "the report is this program's output")]

use skua_bench::Failure;
use skua_bench::args::Args;
use skua_bench::load::{Outcome, Plan, prepare};
use skua_bench::spans::{Config, generate};
use skua_bench::usage::{Cost, Meter, Usage, mib, micros_per, round};
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "spanload --target HOST:PORT [--spans 400000] [--batch 200] [--conns 4] [--streams-per-conn 1]
    [--protocol grpc|http] [--pid PID] [--settle 2s] [--seed 1] [--window 5m] [--attempts 100]";

const FLAGS: &[&str] =
    &["target", "spans", "batch", "conns", "streams-per-conn", "protocol", "pid", "settle", "seed", "window", "attempts"];

fn main() -> Result<(), Failure> {
    let args = Args::parse(std::env::args().skip(1), FLAGS, USAGE)?;
    let mut config = Config::new(args.value("spans", 400_000)?, args.value("batch", 200)?);
    config.seed = args.value("seed", config.seed)?;
    config.window = args.duration("window", config.window)?;
    let plan = Plan {
        target: args.required("target")?.to_owned(),
        protocol: args.text("protocol").unwrap_or("grpc").parse()?,
        conns: args.value("conns", 4)?,
        streams_per_conn: args.value("streams-per-conn", 1)?,
        attempts: args.value("attempts", 100)?,
    };
    let settle = args.duration("settle", Duration::from_secs(2))?;
    let pid = args.text("pid").map(str::parse::<u32>).transpose()?;
    let load = generate(&config);
    let (bytes, spans, traces) = (load.bytes(), load.spans, load.traces);

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(async {
        let ready = prepare(plan.clone(), load.requests, load.sizes).await?;
        let senders = ready.senders();
        let meter = match pid {
            Some(pid) => Some(Meter::start(pid, settle).await?),
            None => None,
        };
        let own = Usage::own()?;
        let outcome = ready.run().await;
        let own = Usage::own()?.cpu.saturating_sub(own.cpu);
        let mut report = serde_json::json!({
            "protocol": args.text("protocol").unwrap_or("grpc"),
            "senders": senders,
            "batch": config.batch,
            "seed": config.seed,
            "spans": spans,
            "traces": traces,
            "bytes_per_span": round(bytes as f64 / spans.max(1) as f64, 1),
            "sender_cpu_us_per_span": micros_per(own, spans),
        });
        merge(&mut report, &describe(&outcome));
        if let Some(meter) = meter {
            merge(&mut report, &describe_cost(&meter.finish(settle).await?, spans));
        }
        Ok::<_, Failure>(report)
    })?;
    println!("{report}");
    Ok(())
}

/// What the load cost the receiver.
fn describe_cost(cost: &Cost, spans: usize) -> serde_json::Value {
    serde_json::json!({
        "cpu_us_per_span": micros_per(cost.after.cpu.saturating_sub(cost.before.cpu), spans),
        "cpu_us_per_span_without_idle": micros_per(cost.cpu, spans),
        "idle_cpu_percent": round(cost.idle_share * 100.0, 2),
        "rss_before_mib": mib(cost.before.rss_kib),
        "rss_after_mib": mib(cost.after.rss_kib),
        "peak_mib": mib(cost.after.peak_kib),
    })
}

fn describe(o: &Outcome) -> serde_json::Value {
    let wall = o.wall.as_secs_f64();
    serde_json::json!({
        "accepted": o.accepted,
        "rejected": o.rejected,
        "failed": o.failed,
        "retries": o.retries,
        "reasons": o.reasons,
        "wall_s": round(wall, 3),
        "spans_per_s": round(o.accepted as f64 / wall.max(1e-9), 0),
        "p50_ms": round(o.percentile(0.5).as_secs_f64() * 1e3, 2),
        "p99_ms": round(o.percentile(0.99).as_secs_f64() * 1e3, 2),
    })
}

/// Adds the members of one object to another.
fn merge(to: &mut serde_json::Value, from: &serde_json::Value) {
    if let (Some(to), Some(from)) = (to.as_object_mut(), from.as_object()) {
        to.extend(from.iter().map(|(k, v)| (k.clone(), v.clone())));
    }
}
