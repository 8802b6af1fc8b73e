//! Lines of the text, in what Prometheus' format and OpenMetrics have in common.

use super::family::Unit;
use crate::count::{BOUNDS, LinkNames, SeriesNames, Total, bound};
use crate::document::Exemplar;
use std::fmt::Write as _;

/// By OTLP's number.
const KINDS: [&str; 6] = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
const STATUSES: [&str; 3] = ["UNSET", "OK", "ERROR"];

/// Labels of RED, without braces.
pub(super) fn series(names: &SeriesNames<'_>, service: &str) -> String {
    let mut out = String::new();
    let kind = KINDS.get(usize::from(names.kind)).unwrap_or(&KINDS[0]);
    let status = STATUSES.get(usize::from(names.status)).unwrap_or(&STATUSES[0]);
    label(service, &names.service, &mut out);
    out.push(',');
    label("span_name", &names.operation, &mut out);
    all(&mut out, &[",span_kind=\"SPAN_KIND_", kind, "\",status_code=\"STATUS_CODE_", status, "\""]);
    out
}

/// Labels of a link, without braces.
pub(super) fn link(names: &LinkNames<'_>) -> String {
    let mut out = String::new();
    label("client", &names.parent, &mut out);
    out.push(',');
    label("server", &names.child, &mut out);
    out.push(',');
    label("connection_type", names.connection.as_str(), &mut out);
    out
}

fn label(name: &str, value: &str, out: &mut String) {
    all(out, &[name, "=\""]);
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out.push('"');
}

pub(super) fn all(out: &mut String, texts: &[&str]) {
    texts.iter().for_each(|text| out.push_str(text));
}

/// A line with a whole number.
pub(super) fn number(name: &str, suffix: &str, labels: &str, value: u64, out: &mut String) {
    sample(name, suffix, labels, out);
    // Writing to a String does not fail.
    let _ = writeln!(out, "{value}");
}

/// The lines of a histogram, the exemplar on that of its bucket.
pub(super) fn histogram(name: &str, labels: &str, total: &Total, unit: Unit, exemplars: bool, out: &mut String) {
    let exemplar = total.exemplar.filter(|_| exemplars).map(|e| (Total::bucket(e.duration), e));
    let mut calls = 0;
    for (bucket, here) in total.buckets.iter().enumerate() {
        calls += here;
        all(out, &[name, "_bucket{", labels, ",le=\""]);
        if bucket < BOUNDS {
            duration(bound(bucket), unit, out);
        } else {
            out.push_str("+Inf");
        }
        let _ = write!(out, "\"}} {calls}");
        if let Some((_, e)) = exemplar.filter(|(of, _)| *of == bucket) {
            put_exemplar(&e, unit, out);
        }
        out.push('\n');
    }
    sample(name, "_sum", labels, out);
    duration(total.sum, unit, out);
    out.push('\n');
    number(name, "_count", labels, calls, out);
}

fn sample(name: &str, suffix: &str, labels: &str, out: &mut String) {
    all(out, &[name, suffix]);
    if !labels.is_empty() {
        all(out, &["{", labels, "}"]);
    }
    out.push(' ');
}

/// Without a time: Prometheus takes that of the scrape, and takes each exemplar once. One's own time would have to grow from exemplar to exemplar.
fn put_exemplar(exemplar: &Exemplar, unit: Unit, out: &mut String) {
    let (trace, span) = (u128::from_be_bytes(exemplar.trace_id), u64::from_be_bytes(exemplar.span_id));
    let _ = write!(out, " # {{trace_id=\"{trace:032x}\",span_id=\"{span:016x}\"}} ");
    duration(exemplar.duration, unit, out);
}

/// Exactly, without zeros at the end.
fn duration(us: u64, unit: Unit, out: &mut String) {
    let (one, digits) = match unit {
        Unit::Milliseconds => (1000, 3),
        Unit::Seconds => (1_000_000, 6),
    };
    let _ = write!(out, "{}.{:0digits$}", us / one, us % one);
    let zeros = out.bytes().rev().take(digits - 1).take_while(|byte| *byte == b'0').count();
    out.truncate(out.len() - zeros);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact() {
        let of = |us, unit| {
            let mut out = String::new();
            duration(us, unit, &mut out);
            out
        };
        let seconds = [0, 1, 512, 1_000_000, 1_048_576, u64::MAX].map(|us| of(us, Unit::Seconds));
        assert_eq!(seconds, ["0.0", "0.000001", "0.000512", "1.0", "1.048576", "18446744073709.551615"]);
        assert_eq!([512, 2000, 10_010].map(|us| of(us, Unit::Milliseconds)), ["0.512", "2.0", "10.01"]);
    }
}
