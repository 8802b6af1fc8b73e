//! The JSON of `/api/metrics/…`: Jaeger's message `MetricFamily` as its protobuf library writes it, without the envelope of the
//! other answers. What is empty is left out, but for lists; NaN and infinities are texts.

use super::{indent, put_list, put_text};
use skua_model::json::{civil_from_days, put_float};
use skua_store::span_metrics::{Metric, MetricFamily};
use std::io::Write;

const MS_PER_DAY: u64 = 86_400_000;

/// Writes a metric.
pub fn put_family(out: &mut Vec<u8>, family: &MetricFamily) {
    out.push(b'{');
    for (name, value) in [("name", &family.name), ("type", &"GAUGE".to_owned()), ("help", &family.help)] {
        if !value.is_empty() {
            put_text(out, &format!("\"{name}\":"), value);
            out.push(b',');
        }
    }
    out.extend_from_slice(b"\"metrics\":");
    put_list(out, &family.metrics, put_metric);
    out.push(b'}');
}

/// [`put_family`], indented by four spaces; unlike elsewhere an empty list takes two lines.
pub fn pretty_family(family: &MetricFamily) -> Vec<u8> {
    let mut compact = Vec::new();
    put_family(&mut compact, family);
    let mut out = Vec::new();
    for line in indent(&compact).split_inclusive(|b| *b == b'\n') {
        let end = line.iter().rposition(|b| !matches!(b, b'\n' | b',')).map_or(0, |at| at + 1);
        // A text that ends a line has its quote last.
        if !line[..end].ends_with(b"\": []") {
            out.extend_from_slice(line);
            continue;
        }
        let spaces = line.iter().take_while(|b| **b == b' ').count();
        out.extend_from_slice(&line[..end - 1]);
        out.push(b'\n');
        out.resize(out.len() + spaces, b' ');
        out.extend_from_slice(&line[end - 1..]);
    }
    out
}

fn put_metric(out: &mut Vec<u8>, metric: &Metric) {
    out.extend_from_slice(b"{\"labels\":");
    put_list(out, &metric.labels, |out, (name, value)| {
        put_text(out, "{\"name\":", name);
        if !value.is_empty() {
            put_text(out, ",\"value\":", value);
        }
        out.push(b'}');
    });
    out.extend_from_slice(b",\"metricPoints\":");
    put_list(out, &metric.points, |out, (time, value)| {
        out.extend_from_slice(b"{\"gaugeValue\":{\"doubleValue\":");
        put_value(out, *value);
        out.extend_from_slice(b"},\"timestamp\":");
        put_time(out, *time);
        out.push(b'}');
    });
    out.push(b'}');
}

fn put_value(out: &mut Vec<u8>, value: f64) {
    match value {
        v if v.is_nan() => out.extend_from_slice(b"\"NaN\""),
        v if v.is_infinite() => out.extend_from_slice(if v > 0.0 { b"\"Infinity\"" } else { b"\"-Infinity\"" }),
        v => put_float(out, v),
    }
}

/// Milliseconds since 1970 as `"2023-11-14T22:13:20.500Z"`; whole seconds have no decimals.
fn put_time(out: &mut Vec<u8>, ms: u64) {
    let (year, month, day) = civil_from_days(i64::try_from(ms / MS_PER_DAY).unwrap_or(i64::MAX));
    let (seconds, ms) = (ms % MS_PER_DAY / 1000, ms % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    // Writing to a buffer in memory does not fail.
    let _ = write!(out, "\"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if ms != 0 {
        let _ = write!(out, ".{ms:03}");
    }
    out.extend_from_slice(b"Z\"");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(metrics: Vec<Metric>) -> (String, String) {
        let family = MetricFamily { name: "service_call_rate".to_owned(), help: "calls & more".to_owned(), metrics };
        let mut out = Vec::new();
        put_family(&mut out, &family);
        (String::from_utf8(out).unwrap(), String::from_utf8(pretty_family(&family)).unwrap())
    }

    /// Scenario: values of each kind, times with and without milliseconds, an empty text. Guarantee: as Jaeger's library writes them.
    #[test]
    fn values_and_times() {
        let labels = vec![("service_name".to_owned(), "a<b".to_owned()), ("operation".to_owned(), String::new())];
        let values = [0.25, 0.0, 1e21, 1e-7, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        let points = values.iter().enumerate().map(|(i, v)| (1_700_000_000_000 + 500 * i as u64, *v)).collect();
        let (compact, _) = written(vec![Metric { labels, points }]);
        let point =
            |value: &str, time: &str| format!(r#"{{"gaugeValue":{{"doubleValue":{value}}},"timestamp":"2023-11-14T{time}Z"}}"#);
        let points = [
            point("0.25", "22:13:20"),
            point("0", "22:13:20.500"),
            point("1e+21", "22:13:21"),
            point("1e-7", "22:13:21.500"),
            point("\"NaN\"", "22:13:22"),
            point("\"Infinity\"", "22:13:22.500"),
            point("\"-Infinity\"", "22:13:23"),
        ];
        let head = r#"{"name":"service_call_rate","type":"GAUGE","help":"calls \u0026 more","metrics":[{"labels":[{"name":"service_name","value":"a\u003cb"},{"name":"operation"}],"metricPoints":["#;
        assert_eq!(compact, format!("{head}{}]}}]}}", points.join(",")));
    }

    /// Scenario: nothing was found, with `prettyPrint`. Guarantee: the empty list is there, on two lines.
    #[test]
    fn nothing() {
        let (compact, pretty) = written(Vec::new());
        assert_eq!(compact, r#"{"name":"service_call_rate","type":"GAUGE","help":"calls \u0026 more","metrics":[]}"#);
        let lines =
            ["{", "    \"name\": \"service_call_rate\",", "    \"type\": \"GAUGE\",", "    \"help\": \"calls \\u0026 more\","];
        assert_eq!(pretty, format!("{}\n    \"metrics\": [\n    ]\n}}", lines.join("\n")));
        let odd = Metric { labels: vec![("a".to_owned(), "\": []".to_owned())], points: Vec::new() };
        let (_, pretty) = written(vec![odd]);
        assert!(
            pretty.contains("\"value\": \"\\\": []\"\n") && pretty.contains("\"metricPoints\": [\n            ]\n"),
            "{pretty}"
        );
    }
}
