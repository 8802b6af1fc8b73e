//! The JSON of Jaeger's HTTP API, byte by byte as Go's encoder would write it, straight into a buffer.
//!
//! One difference: Go cannot write a tag that is NaN or infinite and loses the whole answer; here it becomes the string `NaN`,
//! `+Inf` or `-Inf` (its `type` stays `float64`).

pub mod metrics;
pub mod v3;

use crate::Calls;
use skua_model::json::{Commas, put_base64, put_float, put_html_safe, put_int};
use skua_model::{Log, Process, Reference, Span, Tag, Trace, TraceId, Value, json};
use skua_store::Operation;
use std::collections::HashMap;
use std::fmt::Display;
use std::io::Write;
use std::sync::Arc;

/// The largest integer that JavaScript holds exactly; tags beyond it, and beyond its negative, are written as strings.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// One entry of `errors` in an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorItem {
    /// The HTTP status; 0 is left out.
    pub code: u16,
    /// For the caller.
    pub msg: String,
    /// The trace that the message is about.
    pub trace_id: Option<TraceId>,
}

/// Writes an answer: `{"data":…,"total":…,"limit":0,"offset":0,"errors":…}`. `errors` is null when there are none.
pub fn put_answer(out: &mut Vec<u8>, data: impl FnOnce(&mut Vec<u8>), total: usize, errors: &[ErrorItem]) {
    put_head(out);
    data(out);
    put_tail(out, total, errors);
}

/// Writes what comes before the data of an answer.
pub fn put_head(out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"data\":");
}

/// Writes what comes after the data of an answer.
pub fn put_tail(out: &mut Vec<u8>, total: usize, errors: &[ErrorItem]) {
    out.extend_from_slice(b",\"total\":");
    put_int(out, total);
    out.extend_from_slice(b",\"limit\":0,\"offset\":0,\"errors\":");
    if errors.is_empty() {
        out.extend_from_slice(b"null");
    } else {
        put_list(out, errors, put_error);
    }
    out.push(b'}');
}

fn put_error(out: &mut Vec<u8>, e: &ErrorItem) {
    out.push(b'{');
    if e.code != 0 {
        out.extend_from_slice(b"\"code\":");
        put_int(out, e.code);
        out.push(b',');
    }
    put_text(out, "\"msg\":", &e.msg);
    if let Some(id) = e.trace_id {
        put_id(out, ",\"traceID\":", id);
    }
    out.push(b'}');
}

/// Writes `null`, the data of an error.
pub fn put_null(out: &mut Vec<u8>) {
    out.extend_from_slice(b"null");
}

/// Writes a list of texts.
pub fn put_texts(out: &mut Vec<u8>, texts: &[impl AsRef<str>]) {
    put_list(out, texts, |out, t| put_html_safe(out, t.as_ref().as_bytes()));
}

/// Writes the data of `/api/operations`.
pub fn put_operations(out: &mut Vec<u8>, operations: &[Operation]) {
    put_list(out, operations, |out, o| {
        put_text(out, "{\"name\":", &o.name);
        put_text(out, ",\"spanKind\":", &o.kind);
        out.push(b'}');
    });
}

/// Writes the data of `/api/dependencies`.
pub fn put_dependencies(out: &mut Vec<u8>, calls: &Calls) {
    out.push(b'[');
    let mut list = Commas::default();
    for ((parent, child), count) in calls {
        list.next(out);
        put_text(out, "{\"parent\":", parent);
        put_text(out, ",\"child\":", child);
        out.extend_from_slice(b",\"callCount\":");
        put_int(out, *count);
        out.push(b'}');
    }
    out.push(b']');
}

/// Writes a list of traces.
pub fn put_traces(out: &mut Vec<u8>, traces: &[Trace]) {
    put_list(out, traces, put_trace);
}

/// Writes one trace.
pub fn put_trace(out: &mut Vec<u8>, trace: &Trace) {
    let mut writer = TraceWriter::begin(out, trace.spans.first().map(|s| s.trace_id).unwrap_or_default());
    trace.spans.iter().for_each(|s| writer.span(out, s));
    writer.end(out);
}

/// Writes one trace, span by span. Processes of equal content become one, numbered in the order in which spans name them.
#[derive(Default)]
pub struct TraceWriter {
    spans: Commas,
    processes: Processes,
}

impl TraceWriter {
    /// Writes what comes before the spans.
    pub fn begin(out: &mut Vec<u8>, id: TraceId) -> Self {
        put_id(out, "{\"traceID\":", id);
        out.extend_from_slice(b",\"spans\":[");
        Self::default()
    }

    /// Writes the next span.
    pub fn span(&mut self, out: &mut Vec<u8>, span: &Span) {
        self.spans.next(out);
        put_span(out, span, self.processes.number(&span.process));
    }

    /// Writes what comes after the spans: the processes.
    pub fn end(self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"],\"processes\":{");
        let mut list = Commas::default();
        for (id, process) in self.processes.in_order() {
            list.next(out);
            put_text(out, "", &id);
            out.push(b':');
            out.extend_from_slice(process);
        }
        out.extend_from_slice(b"},\"warnings\":null}");
    }
}

fn put_span(out: &mut Vec<u8>, s: &Span, process: usize) {
    put_id(out, "{\"traceID\":", s.trace_id);
    put_id(out, ",\"spanID\":", s.span_id);
    if s.flags != 0 {
        out.extend_from_slice(b",\"flags\":");
        put_int(out, s.flags);
    }
    put_text(out, ",\"operationName\":", &s.operation_name);
    out.extend_from_slice(b",\"references\":");
    put_list(out, &s.references, put_reference);
    out.extend_from_slice(b",\"startTime\":");
    put_int(out, s.start_time / 1000);
    out.extend_from_slice(b",\"duration\":");
    put_int(out, s.duration / 1000);
    out.extend_from_slice(b",\"tags\":");
    put_list(out, &s.tags, put_tag);
    out.extend_from_slice(b",\"logs\":");
    put_list(out, &s.logs, put_log);
    out.extend_from_slice(b",\"processID\":\"p");
    put_int(out, process);
    out.extend_from_slice(b"\",\"warnings\":");
    if s.warnings.is_empty() {
        put_null(out);
    } else {
        put_texts(out, &s.warnings);
    }
    out.push(b'}');
}

fn put_reference(out: &mut Vec<u8>, r: &Reference) {
    put_text(out, "{\"refType\":", r.kind.as_str());
    put_id(out, ",\"traceID\":", r.trace_id);
    put_id(out, ",\"spanID\":", r.span_id);
    out.push(b'}');
}

fn put_log(out: &mut Vec<u8>, log: &Log) {
    out.extend_from_slice(b"{\"timestamp\":");
    put_int(out, log.timestamp / 1000);
    out.extend_from_slice(b",\"fields\":");
    put_list(out, &log.fields, put_tag);
    out.push(b'}');
}

fn put_tag(out: &mut Vec<u8>, tag: &Tag) {
    put_text(out, "{\"key\":", &tag.key);
    put_text(out, ",\"type\":", tag.value.type_name());
    out.extend_from_slice(b",\"value\":");
    match &tag.value {
        Value::String(s) => put_html_safe(out, s.as_bytes()),
        Value::Bool(v) => out.extend_from_slice(if *v { b"true" } else { b"false" }),
        Value::Int64(v) if v.unsigned_abs() > MAX_SAFE_INTEGER => put_text(out, "", &v.to_string()),
        Value::Int64(v) => put_int(out, *v),
        Value::Float64(v) if !v.is_finite() => put_text(out, "", &json::go_float_text(*v)),
        Value::Float64(v) => put_float(out, *v),
        Value::Binary(b) => {
            out.push(b'"');
            put_base64(out, b);
            out.push(b'"');
        }
    }
    out.push(b'}');
}

/// The processes of one trace, written.
#[derive(Default)]
struct Processes {
    /// With what lies there, so that no other comes to lie there.
    by_address: HashMap<usize, (usize, Arc<Process>)>,
    by_content: HashMap<Vec<u8>, usize>,
}

impl Processes {
    /// Counts from 1.
    fn number(&mut self, process: &Arc<Process>) -> usize {
        let (number, _) = self.by_address.entry(Arc::as_ptr(process).addr()).or_insert_with(|| {
            let mut text = Vec::new();
            put_text(&mut text, "{\"serviceName\":", &process.service_name);
            text.extend_from_slice(b",\"tags\":");
            put_list(&mut text, &process.tags, put_tag);
            text.push(b'}');
            let next = self.by_content.len() + 1;
            (*self.by_content.entry(text).or_insert(next), Arc::clone(process))
        });
        *number
    }

    /// In the order of Go's maps of strings: p1, p10, p11, p2.
    fn in_order(&self) -> Vec<(String, &[u8])> {
        let mut all: Vec<(String, &[u8])> = self.by_content.iter().map(|(text, n)| (format!("p{n}"), &text[..])).collect();
        all.sort_unstable();
        all
    }
}

fn put_list<T>(out: &mut Vec<u8>, items: &[T], mut put: impl FnMut(&mut Vec<u8>, &T)) {
    out.push(b'[');
    let mut list = Commas::default();
    for item in items {
        list.next(out);
        put(out, item);
    }
    out.push(b']');
}

/// A key as it stands, then a text with Go's escapes.
fn put_text(out: &mut Vec<u8>, key: &str, text: &str) {
    out.extend_from_slice(key.as_bytes());
    put_html_safe(out, text.as_bytes());
}

fn put_id(out: &mut Vec<u8>, key: &str, id: impl Display) {
    // Writing to a buffer in memory does not fail.
    let _ = write!(out, "{key}\"{id}\"");
}

/// Indents compact JSON by four spaces, as Go's `MarshalIndent`: empty lists and objects stay on their line.
pub fn indent(compact: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(compact.len() * 2);
    Indent::default().add(compact, &mut out);
    out
}

/// Indents compact JSON that comes in pieces, as [`indent`].
#[derive(Debug, Default)]
pub struct Indent {
    depth: usize,
    in_text: bool,
    escaped: bool,
    /// The last byte began a list or an object.
    opened: bool,
}

impl Indent {
    /// Appends the next piece.
    pub fn add(&mut self, compact: &[u8], out: &mut Vec<u8>) {
        for &b in compact {
            if self.in_text {
                self.in_text = self.escaped || b != b'"';
                self.escaped = !self.escaped && b == b'\\';
                out.push(b);
                continue;
            }
            let closes = matches!(b, b'}' | b']');
            if closes {
                self.depth = self.depth.saturating_sub(1);
            }
            if closes != self.opened {
                self.line(out);
            }
            self.opened = matches!(b, b'{' | b'[');
            out.push(b);
            match b {
                b'{' | b'[' => self.depth += 1,
                b',' => self.line(out),
                b':' => out.push(b' '),
                _ => self.in_text = b == b'"',
            }
        }
    }

    fn line(&self, out: &mut Vec<u8>) {
        out.push(b'\n');
        out.resize(out.len() + 4 * self.depth, b' ');
    }
}

#[cfg(test)]
mod tests;
