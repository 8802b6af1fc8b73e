//! What an answer of `/api/traces/{id}` says, as text that a person compares line by line.

use crate::Checkout;
use crate::query::{list, text};
use serde_json::Value;
use std::fmt::Write as _;

impl Checkout {
    /// Everything that an answer of `/api/traces/{id}` says, as text: a span after another by their start, ids as the names of
    /// the spans that have them, times in microseconds since the start of the trace. Times are to ten microseconds, because
    /// some clients keep them as floating-point numbers.
    pub fn text_of(&self, trace: &Value) -> String {
        let mut out = String::new();
        let mut processes = Vec::new();
        let mut spans: Vec<_> = list(&trace["spans"]).iter().collect();
        spans.sort_by_key(|span| (self.time(&span["startTime"]), text(span, "operationName"), text(span, "spanID")));
        unknown_fields(&mut out, trace, &["traceID", "spans", "processes", "warnings"]);
        if text(trace, "traceID") != self.trace {
            let _ = writeln!(out, "trace {}", trace["traceID"]);
        }
        for span in spans {
            self.span(&mut out, span, &mut processes);
        }
        for (number, id) in processes.iter().enumerate() {
            let process = &trace["processes"][id];
            let _ = writeln!(out, "process {} {}", number + 1, text(process, "serviceName"));
            unknown_fields(&mut out, process, &["serviceName", "tags"]);
            tags(&mut out, "  ", &process["tags"]);
        }
        out
    }

    fn span(&self, out: &mut String, span: &Value, processes: &mut Vec<String>) {
        let (name, id) = (text(span, "operationName"), self.name(text(span, "spanID")));
        let process = text(span, "processID").to_owned();
        let number = processes.iter().position(|known| *known == process).unwrap_or_else(|| {
            processes.push(process);
            processes.len() - 1
        });
        let (start, duration) = (self.time(&span["startTime"]), rounded(span["duration"].as_i64().unwrap_or(-1)));
        let _ = write!(out, "{name} {start}+{duration} process {}", number + 1);
        for (what, value) in [("id", (id != name).then_some(id)), ("flags", span.get("flags").map(Value::to_string))] {
            if let Some(value) = value {
                let _ = write!(out, " {what} {value}");
            }
        }
        out.push('\n');
        let known = "traceID spanID flags operationName references startTime duration tags logs processID warnings";
        unknown_fields(out, span, &known.split(' ').collect::<Vec<_>>());
        if text(span, "traceID") != self.trace {
            let _ = writeln!(out, "  trace {}", span["traceID"]);
        }
        for reference in list(&span["references"]) {
            let elsewhere = if text(reference, "traceID") == self.trace { "" } else { " of another trace" };
            let _ = writeln!(out, "  {} {}{elsewhere}", text(reference, "refType"), self.name(text(reference, "spanID")));
        }
        tags(out, "  ", &span["tags"]);
        for log in list(&span["logs"]) {
            let _ = writeln!(out, "  log {}", self.time(&log["timestamp"]));
            tags(out, "    ", &log["fields"]);
        }
        for warning in list(&span["warnings"]) {
            let _ = writeln!(out, "  warning {warning}");
        }
    }

    fn name(&self, id: &str) -> String {
        let named = self.spans.iter().find(|(_, known)| *known == id);
        named.map_or(id, |(name, _)| name).to_owned()
    }

    fn time(&self, time: &Value) -> i64 {
        rounded(time.as_i64().unwrap_or_default() - self.start)
    }
}

/// An expected text, made from one of `clients/expected`: `{name}` becomes its value, and a line that begins with `[feature]`
/// is there only for clients that have the feature.
pub fn expected(template: &str, values: &[(&str, &str)], features: &[&str]) -> String {
    let mut out = String::new();
    for line in template.lines() {
        let optional = line.strip_prefix('[').and_then(|line| line.split_once(']'));
        let line = match optional {
            Some((feature, line)) if features.contains(&feature) => line,
            Some(_) => continue,
            None => line,
        };
        let line = values.iter().fold(line.to_owned(), |line, (name, value)| line.replace(&format!("{{{name}}}"), value));
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// Whether a text is as expected, line by line; an expected line that ends in `<any>` is a beginning.
pub fn says(found: &str, expected: &str) -> bool {
    let same = |(found, expected): (&str, &str)| match expected.strip_suffix("<any>") {
        Some(start) => found.len() > start.len() && found.starts_with(start),
        None => found == expected,
    };
    found.lines().count() == expected.lines().count() && found.lines().zip(expected.lines()).all(same)
}

fn rounded(micros: i64) -> i64 {
    (micros + 5).div_euclid(10) * 10
}

fn tags(out: &mut String, indent: &str, tags: &Value) {
    for tag in list(tags) {
        let _ = writeln!(out, "{indent}{}: {} {}", text(tag, "key"), text(tag, "type"), tag["value"]);
    }
}

/// So that nothing in an answer goes unseen.
fn unknown_fields(out: &mut String, object: &Value, known: &[&str]) {
    for (name, value) in object.as_object().into_iter().flatten().filter(|(name, _)| !known.contains(&name.as_str())) {
        let _ = writeln!(out, "  unknown field {name}: {value}");
    }
}
