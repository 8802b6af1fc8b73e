//! The process itself as metrics: `process_cpu_seconds_total`, `process_resident_memory_bytes` and the like, from `/proc`.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

/// Clock ticks a second in `/proc/self/stat`: fixed at 100 for user space on Linux.
const TICKS: f64 = 100.0;

/// Registers the process' metrics under Prometheus' usual names.
pub fn register(registry: &mut Registry) {
    registry.register_collector(Box::new(Process));
}

#[derive(Debug)]
struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(stat) = Stat::read() else { return Ok(()) };
        let cpu = ConstCounter::new(stat.cpu_seconds);
        cpu.encode(encoder.encode_descriptor(
            "process_cpu_seconds",
            "User and system CPU time in seconds",
            None,
            cpu.metric_type(),
        )?)?;
        let gauges = [
            ("process_resident_memory_bytes", "Resident memory in bytes", stat.resident),
            ("process_virtual_memory_bytes", "Virtual memory in bytes", stat.virtual_bytes),
            ("process_open_fds", "Open file descriptors", stat.open_files),
            ("process_start_time_seconds", "Start of the process since 1970 in seconds", stat.started),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

struct Stat {
    cpu_seconds: f64,
    resident: f64,
    virtual_bytes: f64,
    open_files: f64,
    started: f64,
}

impl Stat {
    /// proc(5): fields are counted after the name in parentheses.
    fn read() -> Option<Self> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        let fields: Vec<f64> = stat.rsplit_once(')')?.1.split_whitespace().skip(1).map(|f| f.parse().unwrap_or(0.0)).collect();
        let boot = std::fs::read_to_string("/proc/stat").ok()?;
        let boot: f64 = boot.lines().find_map(|l| l.strip_prefix("btime "))?.trim().parse().ok()?;
        Some(Self {
            cpu_seconds: (fields.get(10)? + fields.get(11)?) / TICKS,
            virtual_bytes: *fields.get(19)?,
            resident: fields.get(20)? * 4096.0,
            open_files: std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count) as f64,
            started: boot + fields.get(18)? / TICKS,
        })
    }
}
