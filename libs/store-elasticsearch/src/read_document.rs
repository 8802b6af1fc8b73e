//! Reads Jaeger's span document, what older versions of Jaeger wrote included.

use crate::document::TagRules;
use foldhash::HashMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use skua_model::{Log, Process, RefType, Reference, Span, SpanId, Tag, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    #[serde(borrow, rename = "traceID")]
    trace_id: Cow<'a, str>,
    #[serde(borrow, rename = "spanID")]
    span_id: Cow<'a, str>,
    /// Written by Jaeger before references were.
    #[serde(borrow, default, rename = "parentSpanID")]
    parent_span_id: Option<Cow<'a, str>>,
    #[serde(default)]
    flags: u32,
    #[serde(default)]
    operation_name: String,
    #[serde(borrow, default)]
    references: Option<Vec<ReferenceDocument<'a>>>,
    /// Microseconds.
    start_time: u64,
    /// Microseconds.
    #[serde(default)]
    duration: u64,
    #[serde(borrow, default)]
    tags: Option<Vec<TagDocument<'a>>>,
    #[serde(borrow, default)]
    tag: Option<Fields<'a>>,
    #[serde(borrow, default)]
    logs: Option<Vec<LogDocument<'a>>>,
    #[serde(borrow, default)]
    process: Option<&'a RawValue>,
}

type Fields<'a> = BTreeMap<String, &'a RawValue>;

#[derive(Deserialize)]
struct ReferenceDocument<'a> {
    #[serde(borrow, rename = "refType")]
    kind: Cow<'a, str>,
    #[serde(borrow, rename = "traceID")]
    trace_id: Cow<'a, str>,
    #[serde(borrow, rename = "spanID")]
    span_id: Cow<'a, str>,
}

#[derive(Deserialize)]
struct TagDocument<'a> {
    #[serde(default)]
    key: String,
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    value: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct LogDocument<'a> {
    #[serde(default)]
    timestamp: u64,
    #[serde(borrow, default)]
    fields: Option<Vec<TagDocument<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProcessDocument<'a> {
    #[serde(default)]
    service_name: String,
    #[serde(borrow, default)]
    tags: Option<Vec<TagDocument<'a>>>,
    #[serde(borrow, default)]
    tag: Option<Fields<'a>>,
}

/// Reads documents; processes that are written the same become one.
pub(crate) struct DocumentReader<'r> {
    rules: &'r TagRules,
    processes: HashMap<String, Arc<Process>>,
}

impl<'r> DocumentReader<'r> {
    pub fn new(rules: &'r TagRules) -> Self {
        Self { rules, processes: HashMap::default() }
    }

    /// The span of a document, or why it has none.
    pub fn span(&mut self, source: &str) -> Result<Span, String> {
        let d: Document<'_> = serde_json::from_str(source).map_err(|e| e.to_string())?;
        let trace_id = d.trace_id.parse().map_err(|e| format!("{e}"))?;
        let mut references = Vec::new();
        for r in d.references.unwrap_or_default() {
            references.push(reference(&r)?);
        }
        if let Some(parent) = d.parent_span_id.filter(|p| !p.is_empty()) {
            let span_id: SpanId = parent.parse().map_err(|e| format!("{e}"))?;
            let known = references.iter().any(|r: &Reference| r.trace_id == trace_id && r.span_id == span_id);
            if !known && !span_id.is_zero() {
                references.insert(0, Reference { kind: RefType::ChildOf, trace_id, span_id });
            }
        }
        let mut logs = Vec::new();
        for log in d.logs.unwrap_or_default() {
            logs.push(Log { timestamp: log.timestamp.saturating_mul(1000), fields: self.tags(log.fields, None)? });
        }
        Ok(Span {
            trace_id,
            span_id: d.span_id.parse().map_err(|e| format!("{e}"))?,
            operation_name: d.operation_name,
            references,
            flags: d.flags,
            start_time: d.start_time.saturating_mul(1000),
            duration: d.duration.saturating_mul(1000),
            tags: self.tags(d.tags, d.tag)?,
            logs,
            process: self.process(d.process.map_or("{}", RawValue::get))?,
            warnings: Vec::new(),
        })
    }

    fn process(&mut self, source: &str) -> Result<Arc<Process>, String> {
        if let Some(known) = self.processes.get(source) {
            return Ok(Arc::clone(known));
        }
        let d: ProcessDocument<'_> = serde_json::from_str(source).map_err(|e| e.to_string())?;
        let process = Arc::new(Process { service_name: d.service_name, tags: self.tags(d.tags, d.tag)? });
        self.processes.insert(source.to_owned(), Arc::clone(&process));
        Ok(process)
    }

    /// The listed tags, then those that became fields, by name.
    fn tags(&self, list: Option<Vec<TagDocument<'_>>>, fields: Option<Fields<'_>>) -> Result<Vec<Tag>, String> {
        let list = list.unwrap_or_default();
        let mut tags = Vec::with_capacity(list.len() + fields.as_ref().map_or(0, BTreeMap::len));
        for t in list {
            let raw = t.value.map_or("null", RawValue::get);
            let value = value(t.kind.as_deref().unwrap_or("string"), raw).map_err(|e| format!("tag {}: {e}", t.key))?;
            tags.push(Tag { key: t.key, value });
        }
        for (field, raw) in fields.unwrap_or_default() {
            tags.push(Tag { key: self.rules.key(&field), value: field_value(raw.get()) });
        }
        Ok(tags)
    }
}

fn reference(r: &ReferenceDocument<'_>) -> Result<Reference, String> {
    let kind = match &*r.kind {
        "CHILD_OF" => RefType::ChildOf,
        "FOLLOWS_FROM" => RefType::FollowsFrom,
        other => return Err(format!("not a kind of reference: {other}")),
    };
    Ok(Reference {
        kind,
        trace_id: r.trace_id.parse().map_err(|e| format!("{e}"))?,
        span_id: r.span_id.parse().map_err(|e| format!("{e}"))?,
    })
}

/// A value by its type. Its JSON may be of that type or, in old documents, a text.
fn value(kind: &str, raw: &str) -> Result<Value, String> {
    let text: Cow<'_, str> = if raw.starts_with('"') { unquote(raw)? } else { Cow::Borrowed(raw) };
    let wrong = || format!("{raw} is not of type {kind}");
    Ok(match kind {
        "string" if raw == "null" => Value::String(String::new()),
        "string" => Value::String(text.into_owned()),
        "bool" => Value::Bool(match &*text {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => true,
            "0" | "f" | "F" | "FALSE" | "false" | "False" => false,
            _ => return Err(wrong()),
        }),
        "int64" => Value::Int64(text.parse().or_else(|_| text.parse::<f64>().map(|v| v as i64)).map_err(|_| wrong())?),
        "float64" if raw == "null" => Value::Float64(f64::NAN),
        "float64" => Value::Float64(text.parse().map_err(|_| wrong())?),
        "binary" => Value::Binary(unhex(&text).ok_or_else(wrong)?),
        _ => return Err(format!("not a type of value: {kind}")),
    })
}

/// A value whose type is lost: a whole number is an integer, whatever it was.
fn field_value(raw: &str) -> Value {
    match raw.as_bytes().first() {
        Some(b'"') => Value::String(unquote(raw).map(Cow::into_owned).unwrap_or_default()),
        Some(b't' | b'f') => Value::Bool(raw == "true"),
        Some(b'-' | b'0'..=b'9') => match (raw.parse(), raw.parse()) {
            (Ok(v), _) => Value::Int64(v),
            (_, Ok(v)) => Value::Float64(v),
            _ => Value::String(raw.to_owned()),
        },
        _ => Value::String(raw.to_owned()),
    }
}

fn unquote(raw: &str) -> Result<Cow<'_, str>, String> {
    match raw.get(1..raw.len().saturating_sub(1)) {
        Some(plain) if !plain.contains('\\') => Ok(Cow::Borrowed(plain)),
        _ => serde_json::from_str(raw).map(Cow::Owned).map_err(|e| e.to_string()),
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|p| if let [hi, lo] = p { Some(digit(*hi)? << 4 | digit(*lo)?) } else { None }).collect()
}
