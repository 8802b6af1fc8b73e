//! Sends one GET request again and again to a query service and reports what that cost it, as one line of JSON.
//!
//! CPU and memory are those of `--pid`; with `--store-pid` also the CPU of the store. Every answer must be 200 and have at least
//! `--least` bytes.
#![expect(clippy::print_stdout, reason = "the report is this program's output")]

use bytes::Bytes;
use http::{Method, StatusCode};
use skua_bench::Failure;
use skua_bench::args::Args;
use skua_bench::elastic::Elastic;
use skua_bench::usage::{Meter, mib, round};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const USAGE: &str = "queryload --target HOST:PORT --path /PATH?QUERY --pid PID [--store-pid PID] [--requests 100] [--conns 1]
    [--warm 3 (requests before)] [--least 100] [--settle 2s]";

const FLAGS: &[&str] = &["target", "path", "pid", "store-pid", "requests", "conns", "warm", "least", "settle"];

fn main() -> Result<(), Failure> {
    let args = Args::parse(std::env::args().skip(1), FLAGS, USAGE)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("{}", runtime.block_on(measure(&args))?);
    Ok(())
}

/// What is asked, and of whom.
struct Asked {
    url: String,
    path: String,
    least: usize,
}

impl Asked {
    /// One request on a connection of its own: Jaeger closes them after each answer.
    async fn once(&self) -> Result<(Duration, usize), Failure> {
        let started = Instant::now();
        let mut connection = Elastic::connect(&self.url).await?;
        let (status, body) = connection.send(Method::GET, &self.path, Bytes::new(), false).await?;
        if status != StatusCode::OK || body.len() < self.least {
            let text = String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned();
            return Err(format!("{}: {status}, {} bytes: {text}", self.path, body.len()).into());
        }
        Ok((started.elapsed(), body.len()))
    }
}

async fn measure(args: &Args) -> Result<serde_json::Value, Failure> {
    let asked = Arc::new(Asked {
        url: format!("http://{}", args.required("target")?),
        path: args.required("path")?.to_owned(),
        least: args.value("least", 100)?,
    });
    let (requests, conns) = (args.value("requests", 100usize)?, args.value("conns", 1usize)?);
    for _ in 0..args.value("warm", 3)? {
        asked.once().await?;
    }
    let settle = args.duration("settle", Duration::from_secs(2))?;
    let meter = Meter::start(args.required("pid")?.parse()?, settle).await?;
    let store = match args.text("store-pid") {
        Some(pid) => Some(Meter::start(pid.parse()?, Duration::ZERO).await?),
        None => None,
    };
    let (left, started) = (Arc::new(AtomicUsize::new(requests)), Instant::now());
    let one = |asked: Arc<Asked>, left: Arc<AtomicUsize>| async move {
        let (mut times, mut bytes, mut errors) = (Vec::new(), 0, Vec::new());
        while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok() {
            match asked.once().await {
                Ok((time, length)) => {
                    times.push(time);
                    bytes += length;
                }
                Err(e) => errors.push(e.to_string()),
            }
        }
        (times, bytes, errors)
    };
    let tasks: Vec<_> = (0..conns).map(|_| tokio::spawn(one(asked.clone(), left.clone()))).collect();
    let (mut times, mut bytes, mut errors) = (Vec::new(), 0, Vec::new());
    for task in tasks {
        let (more, length, failed) = task.await?;
        times.extend(more);
        bytes += length;
        errors.extend(failed);
    }
    let wall = started.elapsed();
    let store = match store {
        Some(meter) => Some(meter.finish(Duration::ZERO).await?.cpu),
        None => None,
    };
    let cost = meter.finish(settle).await?;
    times.sort_unstable();
    let ms = |d: Duration| round(d.as_secs_f64() * 1000.0, 2);
    let at = |share: f64| times.get(((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1))).map(|t| ms(*t));
    let per_request = |cpu: Duration| round(cpu.as_secs_f64() * 1000.0 / requests.max(1) as f64, 2);
    Ok(serde_json::json!({
        "requests": requests,
        "errors": errors.len(),
        "first_error": errors.first(),
        "bytes_per_answer": bytes / times.len().max(1),
        "cpu_ms_per_request": per_request(cost.cpu),
        "store_cpu_ms_per_request": store.map(per_request),
        "rss_before_mib": mib(cost.before.rss_kib),
        "peak_mib": mib(cost.after.peak_kib),
        "p50_ms": at(0.5),
        "p99_ms": at(0.99),
        "wall_s": round(wall.as_secs_f64(), 1),
    }))
}
