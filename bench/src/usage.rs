//! What a process has used so far, read from procfs (Linux).

use std::time::{Duration, Instant};

/// Ticks a second in `/proc/PID/stat`. The kernel shows 100 to every program, whatever its own clock is.
const TICKS: u64 = 100;

/// One reading. CPU time has steps of 10 ms: measure long enough.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// User and system time of all threads, also those that ended.
    pub cpu: Duration,
    /// Resident memory, KiB.
    pub rss_kib: u64,
    /// Highest resident memory since the process began (`VmHWM`), KiB.
    pub peak_kib: u64,
}

impl Usage {
    /// Reads a process by its id; an error when it has gone.
    pub fn of(pid: u32) -> std::io::Result<Self> {
        Self::read(&pid.to_string())
    }

    /// Reads the calling process.
    pub fn own() -> std::io::Result<Self> {
        Self::read("self")
    }

    fn read(pid: &str) -> std::io::Result<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        // The name in field 2 may hold spaces and brackets: count from the last bracket. 14 is utime, 15 stime.
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let ticks: u64 = fields.split_whitespace().skip(11).take(2).filter_map(|v| v.parse::<u64>().ok()).sum();
        let kib = |name: &str| {
            let line = status.lines().find_map(|l| l.strip_prefix(name));
            line.and_then(|l| l.split_whitespace().next()).and_then(|v| v.parse().ok()).unwrap_or(0)
        };
        Ok(Self { cpu: Duration::from_millis(ticks * 1000 / TICKS), rss_kib: kib("VmRSS:"), peak_kib: kib("VmHWM:") })
    }
}

/// CPU time of the calling thread so far, in steps of nanoseconds.
pub fn thread_cpu() -> std::io::Result<Duration> {
    Ok(nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID)?.into())
}

/// Reads a process before and after it is loaded.
#[derive(Debug)]
pub struct Meter {
    pid: u32,
    before: Usage,
    idle_share: f64,
    started: Instant,
}

/// What a load cost a process.
#[derive(Debug)]
pub struct Cost {
    /// CPU time beside what it used while idle.
    pub cpu: Duration,
    /// Share of one core used before the load.
    pub idle_share: f64,
    /// Just before the load.
    pub before: Usage,
    /// At the end.
    pub after: Usage,
}

impl Meter {
    /// Watches the idle process for the time of `settle`; the load may begin then.
    pub async fn start(pid: u32, settle: Duration) -> std::io::Result<Self> {
        let (first, from) = (Usage::of(pid)?, Instant::now());
        tokio::time::sleep(settle).await;
        let before = Usage::of(pid)?;
        let idle_share = before.cpu.saturating_sub(first.cpu).as_secs_f64() / from.elapsed().as_secs_f64().max(0.001);
        Ok(Self { pid, before, idle_share, started: Instant::now() })
    }

    /// Gives the process the time of `settle` to finish what it has taken, and reads it again.
    pub async fn finish(self, settle: Duration) -> std::io::Result<Cost> {
        tokio::time::sleep(settle).await;
        let after = Usage::of(self.pid)?;
        let idle = self.started.elapsed().mul_f64(self.idle_share);
        let cpu = after.cpu.saturating_sub(self.before.cpu).saturating_sub(idle);
        Ok(Cost { cpu, idle_share: self.idle_share, before: self.before, after })
    }
}

/// CPU time for one of `n` items, µs.
pub fn micros_per(cpu: Duration, n: usize) -> f64 {
    round(cpu.as_secs_f64() * 1e6 / n.max(1) as f64, 3)
}

/// KiB as MiB with one digit behind the point.
pub fn mib(kib: u64) -> f64 {
    round(kib as f64 / 1024.0, 1)
}

/// Rounds for a report.
pub fn round(v: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (v * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_process_has_memory_and_a_peak() {
        let u = Usage::own().unwrap();
        assert!(u.rss_kib > 100 && u.peak_kib >= u.rss_kib, "{u:?}");
    }

    #[test]
    fn a_process_that_is_not_there_is_an_error() {
        assert!(Usage::of(u32::MAX).is_err());
    }
}
