//! Owned traces, for the way out: what a store gives to the query tier, in the terms of Jaeger's `model.proto`.

use crate::jaeger::{for_each_reference, for_each_tag};
use crate::view::{AnyValue, KeyValue, ProcessView, SpanView};
use crate::{SpanId, TraceId, json};
use std::borrow::Cow;
use std::sync::Arc;

/// All spans that a store holds of one trace, in no promised order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trace {
    /// At least one where a store returns a trace.
    pub spans: Vec<Span>,
}

/// One operation of one process.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Span {
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Unique within the trace, but for Zipkin's client and server spans.
    pub span_id: SpanId,
    /// Jaeger's name for a span's name.
    pub operation_name: String,
    /// The parent first, if there is one.
    pub references: Vec<Reference>,
    /// Jaeger's flags: 1 sampled, 2 debug, 8 firehose. 0 for OTLP spans, as in Jaeger.
    pub flags: u32,
    /// Nanoseconds since 1970. Elasticsearch and Cassandra keep whole microseconds.
    pub start_time: u64,
    /// Nanoseconds.
    pub duration: u64,
    /// In the sender's order; a key may occur more than once.
    pub tags: Vec<Tag>,
    /// In the sender's order.
    pub logs: Vec<Log>,
    /// Shared by the spans of one process.
    pub process: Arc<Process>,
    /// What a sanitizer or an adjuster has to say of this span.
    pub warnings: Vec<String>,
}

/// A service instance.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Process {
    /// Never empty in what Skua stored.
    pub service_name: String,
    /// In the sender's order.
    pub tags: Vec<Tag>,
}

/// A link to another span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    /// How the two relate.
    pub kind: RefType,
    /// The other span's trace.
    pub trace_id: TraceId,
    /// The other span.
    pub span_id: SpanId,
}

/// OpenTracing's two kinds of reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefType {
    /// The other span waits for this one.
    ChildOf,
    /// The other span only came before.
    FollowsFrom,
}

impl RefType {
    /// `CHILD_OF` or `FOLLOWS_FROM`, as in JSON and in Elasticsearch.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ChildOf => "CHILD_OF",
            Self::FollowsFrom => "FOLLOWS_FROM",
        }
    }
}

/// Something that happened during a span.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Log {
    /// Nanoseconds since 1970.
    pub timestamp: u64,
    /// The event's name is the field `event`.
    pub fields: Vec<Tag>,
}

/// A key with a typed value.
#[derive(Debug, Clone, PartialEq)]
pub struct Tag {
    /// May be empty.
    pub key: String,
    /// One of Jaeger's five types.
    pub value: Value,
}

/// The value of a tag, in the order of `ValueType` in `model.proto`.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `ValueType` 0.
    String(String),
    /// `ValueType` 1.
    Bool(bool),
    /// `ValueType` 2.
    Int64(i64),
    /// `ValueType` 3.
    Float64(f64),
    /// `ValueType` 4.
    Binary(Vec<u8>),
}

impl Value {
    /// `string`, `bool`, `int64`, `float64` or `binary`: the `type` of a tag in JSON and in Elasticsearch.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::String(_) => "string",
            Self::Bool(_) => "bool",
            Self::Int64(_) => "int64",
            Self::Float64(_) => "float64",
            Self::Binary(_) => "binary",
        }
    }

    /// The text that a search for this tag compares with: Jaeger's `AsString`. Floats have at most 10 significant digits,
    /// binary values are lower-case hex.
    pub fn as_text(&self) -> Cow<'_, str> {
        match self {
            Self::String(s) => Cow::Borrowed(s),
            Self::Bool(b) => Cow::Borrowed(if *b { "true" } else { "false" }),
            Self::Int64(v) => Cow::Owned(v.to_string()),
            Self::Float64(v) => Cow::Owned(json::go_float_text(*v)),
            Self::Binary(b) => Cow::Owned(b.iter().map(|b| format!("{b:02x}")).collect()),
        }
    }

    /// As Jaeger translates OTLP: lists and maps become a string of compact JSON, an empty value an empty string.
    pub fn from_any(value: AnyValue<'_>) -> Self {
        match value {
            AnyValue::Empty => Self::String(String::new()),
            AnyValue::String(s) => Self::String(text(s)),
            AnyValue::Bool(b) => Self::Bool(b),
            AnyValue::Int(v) => Self::Int64(v),
            AnyValue::Double(v) => Self::Float64(v),
            AnyValue::Bytes(b) => Self::Binary(b.to_vec()),
            AnyValue::Array(_) | AnyValue::Map(_) => {
                let mut out = Vec::new();
                json::put_nested(&mut out, value);
                Self::String(text(&out))
            }
        }
    }
}

impl Tag {
    /// A tag with a string value.
    pub fn string(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: Value::String(value.into()) }
    }

    fn from_view(kv: KeyValue<'_>) -> Self {
        Self { key: text(kv.key), value: Value::from_any(kv.value) }
    }
}

impl Process {
    /// An owned copy.
    pub fn from_view(p: &ProcessView<'_>) -> Self {
        Self { service_name: text(p.service), tags: p.attributes().iter().copied().map(Tag::from_view).collect() }
    }
}

impl Span {
    /// An owned copy in Jaeger's terms; `process` is the span's, made once for all of its spans.
    pub fn from_view(s: &SpanView<'_>, process: Arc<Process>) -> Self {
        let mut tags = Vec::new();
        for_each_tag(s, |key, value| tags.push(Tag { key: text(key), value: Value::from_any(value) }));
        let mut references = Vec::new();
        for_each_reference(s, |trace_id, span_id, follows| {
            let kind = if follows { RefType::FollowsFrom } else { RefType::ChildOf };
            references.push(Reference { kind, trace_id: TraceId(*trace_id), span_id: SpanId(*span_id) });
        });
        let logs = s.events().map(|e| {
            let mut fields = Vec::new();
            e.for_each_field(|key, value| fields.push(Tag { key: text(key), value: Value::from_any(value) }));
            Log { timestamp: e.time, fields }
        });
        Self {
            trace_id: TraceId(s.trace_id),
            span_id: SpanId(s.span_id),
            operation_name: text(s.name),
            references,
            flags: s.jaeger_flags.unwrap_or(0),
            start_time: s.start,
            duration: s.duration(),
            tags,
            logs: logs.collect(),
            process,
            warnings: s.warnings().map(text).collect(),
        }
    }

    /// The parent by Jaeger's rule: the first CHILD_OF reference of the same trace, else the first FOLLOWS_FROM of the
    /// same trace, else none.
    pub fn parent_id(&self) -> Option<SpanId> {
        let of = |kind| self.references.iter().find(|r| r.kind == kind && r.trace_id == self.trace_id && !r.span_id.is_zero());
        of(RefType::ChildOf).or_else(|| of(RefType::FollowsFrom)).map(|r| r.span_id)
    }

    /// The first tag of that key.
    pub fn tag(&self, key: &str) -> Option<&Value> {
        self.tags.iter().find(|t| t.key == key).map(|t| &t.value)
    }

    /// `span.kind` of its tags, `""` when absent: what Jaeger's operations endpoint reports.
    pub fn kind(&self) -> &str {
        match self.tag("span.kind") {
            Some(Value::String(s)) => s,
            _ => "",
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
