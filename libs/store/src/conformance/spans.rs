//! Spans of the suite: written as OTLP by hand, and brought to the form in which all stores agree.

use skua_model::otlp::{
    any_value, event, key_value, link, list, resource, resource_spans, scope_spans, span, status, traces_data,
};
use skua_model::wire::{put_bytes, put_message, put_uint, put_varint};
use skua_model::{Log, Process, RefType, Span, SpanBatch, SpanId, Tag, TraceId, Value, WARNINGS_KEY};
use std::sync::Arc;

/// What a span is to be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spec {
    pub trace_id: TraceId,
    pub span_id: u64,
    /// 0 for a root.
    pub parent: u64,
    pub service: String,
    pub name: String,
    /// Microseconds since 1970.
    pub start: u64,
    /// Microseconds.
    pub duration: u64,
    /// OTLP's number.
    pub kind: u64,
    pub failed: bool,
    pub process: Vec<Tag>,
    pub tags: Vec<Tag>,
    pub logs: Vec<Log>,
    pub links: Vec<(RefType, TraceId, u64)>,
    pub warnings: Vec<String>,
}

impl Spec {
    pub fn new(trace_id: TraceId, span_id: u64, service: String, start: u64) -> Self {
        Self {
            trace_id,
            span_id,
            parent: 0,
            service,
            name: "op".to_owned(),
            start,
            duration: 1000,
            kind: 0,
            failed: false,
            process: Vec::new(),
            tags: Vec::new(),
            logs: Vec::new(),
            links: Vec::new(),
            warnings: Vec::new(),
        }
    }

    pub fn child(&self, span_id: u64) -> Self {
        Self { span_id, parent: self.span_id, ..self.clone() }
    }

    pub fn named(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    pub fn kind(self, kind: u64) -> Self {
        Self { kind, ..self }
    }

    /// Starts so many microseconds later.
    pub fn later(self, by: u64) -> Self {
        Self { start: self.start + by, ..self }
    }

    pub fn lasting(self, duration: u64) -> Self {
        Self { duration, ..self }
    }

    pub fn tag(mut self, key: &str, value: Value) -> Self {
        self.tags.push(Tag { key: key.to_owned(), value });
        self
    }

    pub fn process_tag(mut self, key: &str, value: &str) -> Self {
        self.process.push(Tag::string(key, value));
        self
    }

    /// A log so many microseconds after the start.
    pub fn log(mut self, after: u64, fields: &[(&str, &str)]) -> Self {
        let fields = fields.iter().map(|(k, v)| Tag::string(*k, *v)).collect();
        self.logs.push(Log { timestamp: (self.start + after) * 1000, fields });
        self
    }

    pub fn link(mut self, kind: RefType, trace_id: TraceId, span_id: u64) -> Self {
        self.links.push((kind, trace_id, span_id));
        self
    }

    pub fn warning(mut self, text: &str) -> Self {
        self.warnings.push(text.to_owned());
        self
    }

    fn put(&self, out: &mut Vec<u8>) {
        put_message(out, scope_spans::SPANS >> 3, |out| {
            put_bytes(out, span::TRACE_ID >> 3, &self.trace_id.0);
            put_bytes(out, span::SPAN_ID >> 3, &self.span_id.to_be_bytes());
            if self.parent != 0 {
                put_bytes(out, span::PARENT_SPAN_ID >> 3, &self.parent.to_be_bytes());
            }
            put_bytes(out, span::NAME >> 3, self.name.as_bytes());
            put_uint(out, span::KIND >> 3, self.kind);
            put_fixed64(out, span::START, self.start * 1000);
            put_fixed64(out, span::END, (self.start + self.duration) * 1000);
            self.tags.iter().for_each(|t| put_tag(out, span::ATTRIBUTES, &t.key, &t.value));
            if !self.warnings.is_empty() {
                put_warnings(out, &self.warnings);
            }
            for log in &self.logs {
                put_message(out, span::EVENTS >> 3, |out| {
                    put_fixed64(out, event::TIME, log.timestamp);
                    log.fields.iter().for_each(|t| put_tag(out, event::ATTRIBUTES, &t.key, &t.value));
                });
            }
            for (kind, trace_id, span_id) in &self.links {
                put_message(out, span::LINKS >> 3, |out| {
                    put_bytes(out, link::TRACE_ID >> 3, &trace_id.0);
                    put_bytes(out, link::SPAN_ID >> 3, &span_id.to_be_bytes());
                    if *kind == RefType::ChildOf {
                        put_tag(out, link::ATTRIBUTES, "opentracing.ref_type", &Value::String("child_of".to_owned()));
                    }
                });
            }
            if self.failed {
                put_message(out, span::STATUS >> 3, |out| put_uint(out, status::CODE >> 3, 2));
            }
        });
    }
}

/// One `TracesData`; neighbours of one service and process share a resource.
pub(super) fn encode(specs: &[Spec]) -> Vec<u8> {
    let mut out = Vec::new();
    for of_process in specs.chunk_by(|a, b| a.service == b.service && a.process == b.process) {
        let (service, process) = (&of_process[0].service, &of_process[0].process);
        put_message(&mut out, traces_data::RESOURCE_SPANS >> 3, |out| {
            put_message(out, resource_spans::RESOURCE >> 3, |out| {
                put_tag(out, resource::ATTRIBUTES, "service.name", &Value::String(service.clone()));
                process.iter().for_each(|t| put_tag(out, resource::ATTRIBUTES, &t.key, &t.value));
            });
            put_message(out, resource_spans::SCOPE_SPANS >> 3, |out| of_process.iter().for_each(|s| s.put(out)));
        });
    }
    out
}

fn put_tag(out: &mut Vec<u8>, field: u32, key: &str, value: &Value) {
    put_message(out, field >> 3, |out| {
        put_bytes(out, key_value::KEY >> 3, key.as_bytes());
        put_message(out, key_value::VALUE >> 3, |out| match value {
            Value::String(s) => put_bytes(out, any_value::STRING >> 3, s.as_bytes()),
            Value::Bool(v) => put_tagged(out, any_value::BOOL, u64::from(*v)),
            Value::Int64(v) => put_tagged(out, any_value::INT, *v as u64),
            Value::Float64(v) => put_fixed64(out, any_value::DOUBLE, v.to_bits()),
            Value::Binary(b) => put_bytes(out, any_value::BYTES >> 3, b),
        });
    });
}

/// The attribute [`WARNINGS_KEY`]: a list of strings.
fn put_warnings(out: &mut Vec<u8>, warnings: &[String]) {
    put_message(out, span::ATTRIBUTES >> 3, |out| {
        put_bytes(out, key_value::KEY >> 3, WARNINGS_KEY);
        put_message(out, key_value::VALUE >> 3, |out| {
            put_message(out, any_value::ARRAY >> 3, |out| {
                let value = |text: &String| {
                    put_message(out, list::VALUES >> 3, |out| put_bytes(out, any_value::STRING >> 3, text.as_bytes()))
                };
                warnings.iter().for_each(value);
            });
        });
    });
}

/// Zero too: a value of a `oneof` is written even when it is the default.
fn put_tagged(out: &mut Vec<u8>, tag: u32, v: u64) {
    put_varint(out, u64::from(tag));
    put_varint(out, v);
}

fn put_fixed64(out: &mut Vec<u8>, tag: u32, v: u64) {
    put_varint(out, u64::from(tag));
    out.extend_from_slice(&v.to_le_bytes());
}

/// The spans of a batch in Jaeger's terms.
pub(super) fn owned(batch: &SpanBatch) -> Vec<Span> {
    let process = |s| Arc::new(Process::from_view(&batch.process(batch.resource_of(s))));
    batch.spans().iter().map(|s| Span::from_view(&batch.view(s), process(s))).collect()
}

/// Whole microseconds, sorted tags, sorted spans.
pub(super) fn normal(spans: &[Span]) -> Vec<Span> {
    let mut spans = spans.to_vec();
    for s in &mut spans {
        s.start_time -= s.start_time % 1000;
        s.duration -= s.duration % 1000;
        sort(&mut s.tags);
        sort(&mut Arc::make_mut(&mut s.process).tags);
        for log in &mut s.logs {
            log.timestamp -= log.timestamp % 1000;
            sort(&mut log.fields);
        }
    }
    spans.sort_by_cached_key(|s| (s.start_time, s.span_id, s.kind().to_owned()));
    spans
}

/// What is left of a span where a key is kept once.
pub(super) fn keep_last_of_each_key(span: &mut Span) {
    let mut place = 0;
    let all = span.tags.clone();
    span.tags.retain(|tag| {
        place += 1;
        !all[place..].iter().any(|later| later.key == tag.key)
    });
}

fn sort(tags: &mut [Tag]) {
    tags.sort_by(|a, b| (&a.key, a.value.type_name(), a.value.as_text()).cmp(&(&b.key, b.value.type_name(), b.value.as_text())));
}

/// The id as a reader gives it.
pub(super) fn id(span_id: u64) -> SpanId {
    SpanId(span_id.to_be_bytes())
}
