//! Writes Jaeger's span document from a borrowed view, straight to JSON bytes.

use crate::config::TagsAsFields;
use foldhash::HashSet;
use skua_model::json::{self, Commas, put_hex, put_int, put_string};
use skua_model::partition::trace_hex;
use skua_model::{AnyValue, ProcessView, SpanView, for_each_reference, for_each_tag};
use skua_store::{ErrorKind, StoreError};
use std::collections::BTreeMap;

/// Which tags become fields of the objects `tag` and `process.tag`.
#[derive(Debug)]
pub(crate) struct TagRules {
    all: bool,
    keys: HashSet<Vec<u8>>,
    dot: String,
}

impl TagRules {
    /// Reads the file of keys, if there is one.
    pub fn new(c: &TagsAsFields) -> Result<Self, StoreError> {
        let mut keys: HashSet<Vec<u8>> = c.include.iter().map(|k| k.as_bytes().to_vec()).collect();
        if !c.config_file.is_empty() {
            let text = std::fs::read_to_string(&c.config_file)
                .map_err(|e| StoreError::new(ErrorKind::Invalid, format!("{}: {e}", c.config_file)).caused_by(e))?;
            keys.extend(text.lines().map(str::trim).filter(|l| !l.is_empty()).map(|l| l.as_bytes().to_vec()));
        }
        Ok(Self { all: c.all, keys, dot: c.dot_replacement.clone() })
    }

    /// A key as a field's name.
    pub fn field(&self, key: &str) -> String {
        key.replace('.', &self.dot)
    }

    /// A field's name as a key.
    pub fn key(&self, field: &str) -> String {
        if self.dot.is_empty() { field.to_owned() } else { field.replace(&self.dot, ".") }
    }

    fn none(&self) -> bool {
        !self.all && self.keys.is_empty()
    }

    /// Elasticsearch refuses a document with a blank field name: such a tag stays in the list.
    fn is_field(&self, key: &[u8], value: &AnyValue<'_>) -> bool {
        let chosen = self.all || self.keys.contains(key);
        chosen && !matches!(value, AnyValue::Bytes(_)) && !key.trim_ascii().is_empty()
    }
}

/// `"tags":[…]` and, when tags became fields, `,"tag":{…}`.
struct Tags<'a, 'r> {
    rules: &'r TagRules,
    plain: bool,
    list: Commas,
    /// By name, with the key.
    fields: BTreeMap<String, (&'a [u8], AnyValue<'a>)>,
}

impl<'a, 'r> Tags<'a, 'r> {
    #[inline]
    fn open(out: &mut Vec<u8>, rules: &'r TagRules) -> Self {
        out.extend_from_slice(b"\"tags\":[");
        Self { rules, plain: rules.none(), list: Commas::default(), fields: BTreeMap::new() }
    }

    #[inline]
    fn put(&mut self, out: &mut Vec<u8>, key: &'a [u8], value: AnyValue<'a>) {
        if self.plain || !self.rules.is_field(key, &value) {
            self.list.next(out);
            put_tag(out, key, value);
            return;
        }
        // The last of equal names is the field, as in Jaeger, which loses the others. Here they stay in the list.
        let name = self.rules.field(&String::from_utf8_lossy(key));
        if let Some((key, value)) = self.fields.insert(name, (key, value)) {
            self.list.next(out);
            put_tag(out, key, value);
        }
    }

    #[inline]
    fn close(self, out: &mut Vec<u8>) {
        out.push(b']');
        if self.fields.is_empty() {
            return;
        }
        out.extend_from_slice(b",\"tag\":{");
        let mut list = Commas::default();
        for (name, (_, value)) in self.fields {
            list.next(out);
            put_string(out, name.as_bytes());
            out.push(b':');
            put_tag_value(out, value);
        }
        out.push(b'}');
    }
}

/// The `"process":{…}` member. The same for all spans of a resource: write it once.
pub(crate) fn put_process(out: &mut Vec<u8>, p: &ProcessView<'_>, rules: &TagRules) {
    out.extend_from_slice(b"\"process\":{\"serviceName\":");
    put_string(out, p.service);
    out.push(b',');
    let mut tags = Tags::open(out, rules);
    for kv in p.attributes() {
        tags.put(out, kv.key, kv.value);
    }
    tags.close(out);
    out.push(b'}');
}

/// The document; `process` is what [`put_process`] wrote.
pub(crate) fn put_span(out: &mut Vec<u8>, s: &SpanView<'_>, process: &[u8], rules: &TagRules) {
    out.extend_from_slice(b"{\"traceID\":\"");
    put_trace_id(out, &s.trace_id);
    out.extend_from_slice(b"\",\"spanID\":\"");
    put_hex(out, &s.span_id);
    if let Some(flags) = s.jaeger_flags.filter(|f| *f != 0) {
        out.extend_from_slice(b"\",\"flags\":");
        put_int(out, flags);
        out.extend_from_slice(b",\"operationName\":");
    } else {
        out.extend_from_slice(b"\",\"operationName\":");
    }
    put_string(out, s.name);
    out.extend_from_slice(b",\"references\":[");
    let mut list = Commas::default();
    for_each_reference(s, |trace_id, span_id, follows| {
        list.next(out);
        let kind: &[u8] = if follows { b"{\"refType\":\"FOLLOWS_FROM\"" } else { b"{\"refType\":\"CHILD_OF\"" };
        out.extend_from_slice(kind);
        out.extend_from_slice(b",\"traceID\":\"");
        put_trace_id(out, trace_id);
        out.extend_from_slice(b"\",\"spanID\":\"");
        put_hex(out, span_id);
        out.extend_from_slice(b"\"}");
    });
    let micros = s.start / 1000;
    out.extend_from_slice(b"],\"startTime\":");
    put_int(out, micros);
    out.extend_from_slice(b",\"startTimeMillis\":");
    put_int(out, micros / 1000);
    out.extend_from_slice(b",\"duration\":");
    put_int(out, s.duration() / 1000);
    out.push(b',');
    let mut tags = Tags::open(out, rules);
    for_each_tag(s, |key, value| tags.put(out, key, value));
    tags.close(out);
    out.extend_from_slice(b",\"logs\":[");
    let mut list = Commas::default();
    for e in s.events() {
        list.next(out);
        out.extend_from_slice(b"{\"timestamp\":");
        put_int(out, e.time / 1000);
        out.extend_from_slice(b",\"fields\":[");
        let mut fields = Commas::default();
        e.for_each_field(|key, value| {
            fields.next(out);
            put_tag(out, key, value);
        });
        out.extend_from_slice(b"]}");
    }
    out.extend_from_slice(b"],");
    out.extend_from_slice(process);
    out.push(b'}');
}

#[inline]
fn put_trace_id(out: &mut Vec<u8>, id: &[u8; 16]) {
    let mut h = [0; 32];
    let n = trace_hex(id, &mut h);
    out.extend_from_slice(&h[..n]);
}

#[inline]
fn put_tag(out: &mut Vec<u8>, key: &[u8], value: AnyValue<'_>) {
    out.extend_from_slice(b"{\"key\":");
    put_string(out, key);
    let kind: &[u8] = match value {
        AnyValue::Empty | AnyValue::String(_) | AnyValue::Array(_) | AnyValue::Map(_) => b",\"type\":\"string\",\"value\":",
        AnyValue::Bool(_) => b",\"type\":\"bool\",\"value\":",
        AnyValue::Int(_) => b",\"type\":\"int64\",\"value\":",
        AnyValue::Double(v) if v.is_finite() => b",\"type\":\"float64\",\"value\":",
        AnyValue::Double(_) => b",\"type\":\"string\",\"value\":",
        AnyValue::Bytes(_) => b",\"type\":\"binary\",\"value\":",
    };
    out.extend_from_slice(kind);
    put_tag_value(out, value);
    out.push(b'}');
}

/// The value in its own JSON type; binary as lower-case hex, which is Jaeger's form here.
///
/// JSON has no NaN and no infinity: Jaeger loses the whole document there. They become string tags, `NaN`, `+Inf` and `-Inf`. Under
/// the type `float64` Jaeger would parse those texts, and then fail to answer every query whose result holds the span.
#[inline]
fn put_tag_value(out: &mut Vec<u8>, value: AnyValue<'_>) {
    match value {
        AnyValue::Bytes(b) => {
            out.push(b'"');
            put_hex(out, b);
            out.push(b'"');
        }
        AnyValue::Array(_) | AnyValue::Map(_) => {
            let mut nested = Vec::new();
            json::put_nested(&mut nested, value);
            put_string(out, &nested);
        }
        AnyValue::Empty => out.extend_from_slice(b"\"\""),
        AnyValue::Double(v) if !v.is_finite() => put_string(out, json::go_float_text(v).as_bytes()),
        AnyValue::String(_) | AnyValue::Bool(_) | AnyValue::Int(_) | AnyValue::Double(_) => json::put_value(out, value),
    }
}
