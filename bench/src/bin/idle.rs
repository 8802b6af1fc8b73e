//! Starts a tier a few times and reports how soon it was ready and what it holds and uses while nothing comes in.
//!
//! Ready is the first 200 of `GET /` on the admin port; the clock starts before the process does.
#![expect(clippy::print_stdout, reason = "the report is this program's output")]

use skua_bench::Failure;
use skua_bench::args::Args;
use skua_bench::usage::{Usage, mib, round};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const USAGE: &str = "idle --admin HOST:PORT [--runs 5] [--settle 3s] [--timeout 30s] -- PROGRAM ARGS...";

fn main() -> Result<(), Failure> {
    let mut words = std::env::args().skip(1);
    let own: Vec<String> = words.by_ref().take_while(|w| w != "--").collect();
    let command: Vec<String> = words.collect();
    let args = Args::parse(own, &["admin", "runs", "settle", "timeout"], USAGE)?;
    let admin: SocketAddr = args.required("admin")?.parse()?;
    let settle = args.duration("settle", Duration::from_secs(3))?;
    let timeout = args.duration("timeout", Duration::from_secs(30))?;
    let (program, rest) = command.split_first().ok_or_else(|| format!("usage: {USAGE}"))?;
    let mut runs = Vec::new();
    for _ in 0..args.value("runs", 5usize)?.max(1) {
        let started = Instant::now();
        let mut child = Command::new(program).args(rest).stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        let run = observe(&mut child, started, admin, settle, timeout);
        stop(&mut child)?;
        runs.push(run?);
    }
    let report = serde_json::json!({
        "runs": runs.len(),
        "ready_ms": median(&runs, |r| r.ready.as_secs_f64() * 1e3),
        "ready_ms_worst": round(runs.iter().map(|r| r.ready.as_secs_f64() * 1e3).fold(0.0, f64::max), 1),
        "start_cpu_ms": median(&runs, |r| r.start_cpu.as_secs_f64() * 1e3),
        "rss_mib": median(&runs, |r| mib(r.idle.rss_kib)),
        "peak_mib": median(&runs, |r| mib(r.idle.peak_kib)),
        "idle_cpu_percent": median(&runs, |r| r.idle_share * 100.0),
        "binary_mb": round(std::fs::metadata(program)?.len() as f64 / 1e6, 1),
    });
    println!("{report}");
    Ok(())
}

/// What one start showed.
struct Run {
    ready: Duration,
    start_cpu: Duration,
    idle: Usage,
    idle_share: f64,
}

fn observe(child: &mut Child, started: Instant, admin: SocketAddr, settle: Duration, timeout: Duration) -> Result<Run, Failure> {
    while !answers(admin) {
        if let Some(status) = child.try_wait()? {
            return Err(format!("the program ended before it was ready: {status}").into());
        }
        if started.elapsed() > timeout {
            return Err(format!("the program was not ready after {} s", timeout.as_secs()).into());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let ready = started.elapsed();
    let first = Usage::of(child.id())?;
    std::thread::sleep(settle);
    let idle = Usage::of(child.id())?;
    let idle_share = idle.cpu.saturating_sub(first.cpu).as_secs_f64() / settle.as_secs_f64().max(0.001);
    Ok(Run { ready, start_cpu: first.cpu, idle, idle_share })
}

/// True when the admin port says that the tier is ready.
fn answers(admin: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&admin, Duration::from_millis(500))?;
        stream.set_read_timeout(Some(Duration::from_millis(500)))?;
        stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut line = [0; 12];
        stream.read_exact(&mut line)?;
        Ok(line.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}

/// Asks the process to end, and makes it after ten seconds.
fn stop(child: &mut Child) -> std::io::Result<()> {
    Command::new("kill").arg(child.id().to_string()).stderr(Stdio::null()).status()?;
    let end = Instant::now() + Duration::from_secs(10);
    while child.try_wait()?.is_none() {
        if Instant::now() > end {
            child.kill()?;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// The middle value, rounded.
fn median(runs: &[Run], value: impl Fn(&Run) -> f64) -> f64 {
    let mut values: Vec<f64> = runs.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    round(values.get(values.len() / 2).copied().unwrap_or_default(), 1)
}
