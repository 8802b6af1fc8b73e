//! The registry as Prometheus' text format 0.0.4, which every scraper of Jaeger reads.

use prometheus_client::registry::Registry;
use std::fmt::Write as _;

/// Content type of [`encode`]'s text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics. prometheus-client writes OpenMetrics, which differs for counters: there `# HELP` and `# TYPE` name the family
/// without `_total`. Here they name the series, as Jaeger's own exporter does.
pub fn encode(registry: &Registry) -> String {
    let mut open = String::new();
    if prometheus_client::encoding::text::encode(&mut open, registry).is_err() {
        return String::new(); // writing to a String does not fail
    }
    let mut out = String::with_capacity(open.len() + 256);
    let mut help: Option<(&str, &str)> = None;
    for line in open.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ');
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap_or((rest, "untyped"));
            let suffix = if kind == "counter" { "_total" } else { "" };
            if let Some((_, text)) = help.take() {
                let _ = writeln!(out, "# HELP {name}{suffix} {text}");
            }
            let kind = if kind == "unknown" { "untyped" } else { kind };
            let _ = writeln!(out, "# TYPE {name}{suffix} {kind}");
        } else if !line.starts_with("# ") {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::gauge::Gauge;

    #[test]
    fn counters_are_named_as_in_the_old_format() {
        let mut registry = Registry::default();
        let counter = Counter::<u64>::default();
        counter.inc_by(3);
        registry.register("a", "An a", counter);
        registry.register("b", "A b", Gauge::<i64>::default());
        let text = encode(&registry);
        assert_eq!(text, "# HELP a_total An a.\n# TYPE a_total counter\na_total 3\n# HELP b A b.\n# TYPE b gauge\nb 0\n");
    }
}
