//! Sends deterministic spans to a receiver and reports what that cost the receiver, as one line of JSON.
//!
//! Everything is encoded before the clock starts. CPU and memory are those of `--pid`, from the first request until
//! `--settle` after the last answer. What it uses while idle is measured as long beforehand and reported apart: with
//! steps of 10 ms it is too coarse to be subtracted from a figure one relies on.
//!
//! `thrift-udp` (compact) and `thrift-udp-binary` send datagrams of `--batch` spans at `--rate` spans a second from `--conns` sockets
//! and wait for no answer: `accepted` is then what the kernel took from us.
#![expect(clippy::print_stdout, reason = "the report is this program's output")]

use skua_bench::Failure;
use skua_bench::args::Args;
use skua_bench::formats::thrift::Protocol::{Binary, Compact};
use skua_bench::formats::{Format, convert};
use skua_bench::load::{Outcome, Plan, Protocol, prepare};
use skua_bench::spans::{Config, Load, generate, generate_hard, generate_uniform, trace_id};
use skua_bench::udp;
use skua_bench::usage::{Cost, Meter, Usage, mib, micros_per, round};
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "spanload --target HOST:PORT [--spans 400000] [--batch 200] [--conns 4] [--streams-per-conn 1]
    [--protocol grpc|http|jaeger-grpc|thrift-http|zipkin-json|thrift-udp|thrift-udp-binary] [--pid PID] [--settle 2s] [--seed 1]
    [--kind shop|uniform|hard] [--window 5m] [--attempts 100] [--one-trace false (true: all spans are of one trace)]
    for UDP: [--batch 30] [--rate 50000 (0: as fast as possible)] [--rounds 1 (how often all spans are sent)]";

const FLAGS: &[&str] = &[
    "target",
    "spans",
    "batch",
    "conns",
    "streams-per-conn",
    "protocol",
    "pid",
    "settle",
    "seed",
    "kind",
    "window",
    "attempts",
    "one-trace",
    "rate",
    "rounds",
];

/// What sends the load.
enum Sender {
    /// Waits for answers.
    Asking(Plan),
    /// Does not.
    Datagrams(udp::Plan),
}

fn main() -> Result<(), Failure> {
    let args = Args::parse(std::env::args().skip(1), FLAGS, USAGE)?;
    let name = args.text("protocol").unwrap_or("grpc");
    let (target, conns) = (args.required("target")?.to_owned(), args.value("conns", 4)?);
    let datagram = match name {
        "thrift-udp" => Some(Compact),
        "thrift-udp-binary" => Some(Binary),
        _ => None,
    };
    let (sender, format) = match datagram {
        Some(protocol) => {
            let (rate, rounds) = (args.value("rate", 50_000)?, args.value("rounds", 1)?);
            let plan = udp::Plan { target, sockets: conns, rate, rounds };
            (Sender::Datagrams(plan), Some(Format::ThriftDatagram(protocol)))
        }
        None => {
            let protocol: Protocol = name.parse()?;
            let streams_per_conn = args.value("streams-per-conn", 1)?;
            let plan = Plan { target, protocol, conns, streams_per_conn, attempts: args.value("attempts", 100)? };
            (Sender::Asking(plan), protocol.format())
        }
    };
    let mut config = Config::new(args.value("spans", 400_000)?, args.value("batch", if datagram.is_some() { 30 } else { 200 })?);
    config.seed = args.value("seed", config.seed)?;
    config.window = args.duration("window", config.window)?;
    config.one_trace = args.value("one-trace", false)?;
    let settle = args.duration("settle", Duration::from_secs(2))?;
    let pid = args.text("pid").map(str::parse::<u32>).transpose()?;
    let mut load = match args.text("kind").unwrap_or("shop") {
        "shop" => generate(&config),
        "uniform" => generate_uniform(&config),
        "hard" => generate_hard(&config),
        other => return Err(format!("--kind is shop, uniform or hard, not {other}").into()),
    };
    if let Some(format) = format {
        convert(&mut load, format)?;
    }

    let mut report = serde_json::json!({
        "protocol": name,
        "batch": config.batch,
        "seed": config.seed,
        "traces": load.traces,
        "first_trace": trace_id(config.seed, 0).iter().map(|b| format!("{b:02x}")).collect::<String>(),
        "requests": load.requests.len(),
        "bytes_per_span": round(load.bytes() as f64 / load.spans.max(1) as f64, 1),
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let sent = runtime.block_on(send(sender, load, pid, settle))?;
    merge(&mut report, &sent);
    println!("{report}");
    Ok(())
}

/// Sends the load and describes what became of it, and what it cost both sides.
async fn send(sender: Sender, load: Load, pid: Option<u32>, settle: Duration) -> Result<serde_json::Value, Failure> {
    let ready = match &sender {
        Sender::Asking(plan) => Some(prepare(plan.clone(), load.requests.clone(), load.sizes.clone()).await?),
        Sender::Datagrams(_) => None,
    };
    let mut report = serde_json::json!({ "senders": ready.as_ref().map(|r| r.senders()) });
    let meter = match pid {
        Some(pid) => Some(Meter::start(pid, settle).await?),
        None => None,
    };
    let own = Usage::own()?;
    let mut spans = load.spans as u64;
    let outcome = match (ready, sender) {
        (Some(ready), _) => describe(&ready.run().await),
        (None, Sender::Datagrams(plan)) => {
            spans *= plan.rounds.max(1);
            report["senders"] = plan.sockets.max(1).into();
            let rate = plan.rate;
            // Nothing else is to do in the meantime.
            describe_datagrams(&udp::send(&plan, &load.requests, &load.sizes)?, rate)
        }
        (None, Sender::Asking(_)) => return Err("no connection was prepared".into()),
    };
    let (own, spans) = (Usage::own()?.cpu.saturating_sub(own.cpu), spans as usize);
    merge(&mut report, &serde_json::json!({ "spans": spans, "sender_cpu_us_per_span": micros_per(own, spans) }));
    merge(&mut report, &outcome);
    if let Some(meter) = meter {
        merge(&mut report, &describe_cost(&meter.finish(settle).await?, spans));
    }
    Ok(report)
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

fn describe_datagrams(sent: &udp::Sent, rate: u64) -> serde_json::Value {
    let wall = sent.wall.as_secs_f64();
    serde_json::json!({
        "accepted": sent.spans,
        "datagrams": sent.datagrams,
        "failed": sent.failed,
        "reasons": sent.reasons,
        "wall_s": round(wall, 3),
        "rate": rate,
        "spans_per_s": round(sent.spans as f64 / wall.max(1e-9), 0),
        "latest_ms": round(sent.late.as_secs_f64() * 1e3, 2),
    })
}

/// Adds the members of one object to another.
fn merge(to: &mut serde_json::Value, from: &serde_json::Value) {
    if let (Some(to), Some(from)) = (to.as_object_mut(), from.as_object()) {
        to.extend(from.iter().map(|(k, v)| (k.clone(), v.clone())));
    }
}
