//! The PromQL of Jaeger 1.76. Two of its mistakes are not made: a time that rates are taken over is not cut to its first unit (`1m30s`
//! is not `1m`, `500ms` not `500m`), and a quantile is not rounded to two decimals.

use crate::names::Names;
use skua_store::span_metrics::MetricsQuery;

/// Which spans count, and what they are grouped by.
pub(crate) struct Selection<'a> {
    names: &'a Names,
    service: String,
    kinds: String,
    rate: String,
    by: String,
}

impl<'a> Selection<'a> {
    pub fn new(names: &'a Names, query: &MetricsQuery) -> Self {
        let kinds: Vec<String> = query.span_kinds.iter().map(|kind| format!("SPAN_KIND_{}", kind.to_ascii_uppercase())).collect();
        let kinds = if kinds.is_empty() { String::new() } else { format!("span_kind =~ {}", quoted(&kinds.join("|"))) };
        // As in Jaeger each name is a regular expression.
        let service = format!("{} =~ {}", names.service, quoted(&query.services.join("|")));
        let by =
            if query.group_by_operation { format!("{},{}", names.service, names.operation) } else { names.service.to_owned() };
        Self { names, service, kinds, rate: rate(query.rate_per), by }
    }

    /// `quantile` as [`quantile`] writes it.
    pub fn latencies(&self, quantile: &str) -> String {
        let Self { names, service, kinds, rate, by } = self;
        let bucket = format!("{}_bucket", names.latency);
        format!("histogram_quantile({quantile}, sum(rate({bucket}{{{service}, {kinds}}}[{rate}])) by ({by},le))")
    }

    pub fn calls(&self) -> String {
        let Self { names, service, kinds, rate, by } = self;
        format!("sum(rate({}{{{service}, {kinds}}}[{rate}])) by ({by})", names.calls)
    }

    pub fn errors(&self) -> String {
        let Self { names, service, kinds, rate, by } = self;
        let failed = format!("{}{{{service}, status_code = \"STATUS_CODE_ERROR\", {kinds}}}", names.calls);
        format!("sum(rate({failed}[{rate}])) by ({by}) / {}", self.calls())
    }
}

/// With two decimals, or with as many as it takes.
pub(crate) fn quantile(quantile: f64) -> String {
    let short = format!("{quantile:.2}");
    match quantile {
        q if q.is_infinite() => if q > 0.0 { "+Inf" } else { "-Inf" }.to_owned(),
        q if q.is_nan() || short.parse() == Ok(q) => short,
        q => q.to_string(),
    }
}

/// A text within quotes.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' || c == '\u{7f}' => out.push_str(&format!("\\x{:02x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Milliseconds in PromQL, where nothing is lost in Jaeger's form: `10m`, `1h`.
fn rate(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    let ms = ms.unsigned_abs();
    let text = match ms {
        1.. if ms.is_multiple_of(3_600_000) => format!("{}h", ms / 3_600_000),
        1..3_600_000 if ms.is_multiple_of(60_000) => format!("{}m", ms / 60_000),
        _ if ms.is_multiple_of(1_000) => format!("{}s", ms / 1_000),
        _ => format!("{ms}ms"),
    };
    format!("{sign}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: durations that Jaeger writes well, and those that it cuts. Guarantee: the same, and what was meant.
    #[test]
    fn rates() {
        for (ms, wanted) in
            [(600_000, "10m"), (3_600_000, "1h"), (7_200_000, "2h"), (30_000, "30s"), (5_000, "5s"), (0, "0s"), (-1_000, "-1s")]
        {
            assert_eq!(rate(ms), wanted);
        }
        for (ms, wanted) in [(90_000, "90s"), (5_400_000, "5400s"), (500, "500ms"), (1_500, "1500ms")] {
            assert_eq!(rate(ms), wanted);
        }
    }

    #[test]
    fn quantiles() {
        for (q, wanted) in
            [(0.5, "0.50"), (0.95, "0.95"), (1.0, "1.00"), (0.999, "0.999"), (f64::NAN, "NaN"), (f64::INFINITY, "+Inf")]
        {
            assert_eq!(quantile(q), wanted);
        }
    }

    #[test]
    fn texts() {
        assert_eq!(quoted("a\"b\\c|ü\n\u{1}"), "\"a\\\"b\\\\c|ü\\n\\x01\"");
    }
}
