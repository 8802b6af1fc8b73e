//! Reads rows of `traces`, Jaeger's of all versions included.

use crate::cql::{Raw, Reader, Torn, i64_of};
use crate::encode::WARNING;
use foldhash::HashMap;
use skua_model::{Log, Process, RefType, Reference, Span, SpanId, Tag, TraceId, Value};
use std::sync::Arc;

/// The columns that are read, in this order.
pub(crate) const COLUMNS: &str =
    "trace_id, span_id, parent_id, operation_name, flags, start_time, duration, tags, logs, refs, process";

/// A row with [`COLUMNS`].
pub(crate) type SpanRow<'f> = Raw<'f, 11>;

/// Reads the rows of a trace; processes that are written the same become one.
#[derive(Default)]
pub(crate) struct SpanReader {
    processes: HashMap<Vec<u8>, Arc<Process>>,
}

impl SpanReader {
    /// The span of a row, or why it has none.
    pub fn span(&mut self, row: &SpanRow<'_>) -> Result<Span, String> {
        let torn = |what: &'static str| move |Torn| format!("the column {what} ends too early");
        let trace_id = trace_id(row.bytes(0)).ok_or("trace_id is not of 16 bytes")?;
        let mut references = references(row.bytes(9)).map_err(|e| format!("refs: {e}"))?;
        let parent = SpanId(row.i64(2).to_be_bytes());
        let known = references.iter().any(|r| r.trace_id == trace_id && r.span_id == parent);
        if !parent.is_zero() && !known {
            references.insert(0, Reference { kind: RefType::ChildOf, trace_id, span_id: parent });
        }
        let mut all = tags(row.bytes(7)).map_err(torn("tags"))?;
        let mut warnings = Vec::new();
        all.retain(|tag| match &tag.value {
            Value::String(text) if tag.key.starts_with(WARNING) => {
                warnings.push(text.clone());
                false
            }
            _ => true,
        });
        Ok(Span {
            trace_id,
            span_id: SpanId(row.i64(1).to_be_bytes()),
            operation_name: row.text(3),
            references,
            flags: row.bytes(4).first_chunk().map_or(0, |b| u32::from_be_bytes(*b)),
            start_time: nanoseconds(row.i64(5)),
            duration: nanoseconds(row.i64(6)),
            tags: all,
            logs: logs(row.bytes(8)).map_err(torn("logs"))?,
            process: self.process(row.bytes(10)).map_err(torn("process"))?,
            warnings,
        })
    }

    fn process(&mut self, value: &[u8]) -> Result<Arc<Process>, Torn> {
        if let Some(known) = self.processes.get(value) {
            return Ok(Arc::clone(known));
        }
        let mut fields = Reader::fields(value);
        let service_name = text(fields.next()?);
        let process = Arc::new(Process { service_name, tags: tags(fields.next()?)? });
        self.processes.insert(value.to_vec(), Arc::clone(&process));
        Ok(process)
    }
}

pub(crate) fn trace_id(value: &[u8]) -> Option<TraceId> {
    value.try_into().ok().map(TraceId)
}

fn nanoseconds(us: i64) -> u64 {
    u64::try_from(us).unwrap_or(0).saturating_mul(1000)
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

fn tags(value: &[u8]) -> Result<Vec<Tag>, Torn> {
    let (mut items, count) = Reader::items(value)?;
    (0..count).map(|_| tag(items.next()?)).collect()
}

/// A value of an unknown type is its text.
fn tag(value: &[u8]) -> Result<Tag, Torn> {
    let mut fields = Reader::fields(value);
    let key = text(fields.next()?);
    let (kind, string, flag, long, double, binary) =
        (fields.next()?, fields.next()?, fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let value = match kind {
        b"bool" => Value::Bool(flag.first().is_some_and(|b| *b != 0)),
        b"int64" => Value::Int64(i64_of(long)),
        b"float64" => Value::Float64(f64::from_bits(i64_of(double) as u64)),
        b"binary" => Value::Binary(binary.to_vec()),
        _ => Value::String(text(string)),
    };
    Ok(Tag { key, value })
}

fn logs(value: &[u8]) -> Result<Vec<Log>, Torn> {
    let (mut items, count) = Reader::items(value)?;
    let mut log = || {
        let mut fields = Reader::fields(items.next()?);
        let timestamp = nanoseconds(i64_of(fields.next()?));
        Ok(Log { timestamp, fields: tags(fields.next()?)? })
    };
    (0..count).map(|_| log()).collect()
}

fn references(value: &[u8]) -> Result<Vec<Reference>, String> {
    let torn = |Torn| "it ends too early".to_owned();
    let (mut items, count) = Reader::items(value).map_err(torn)?;
    let mut reference = || {
        let mut fields = Reader::fields(items.next().map_err(torn)?);
        // Jaeger 1.76 stores Thrift's unknown types as an empty text, and then cannot read the trace.
        let kind = if fields.next().map_err(torn)? == b"child-of" { RefType::ChildOf } else { RefType::FollowsFrom };
        let trace_id = trace_id(fields.next().map_err(torn)?).ok_or("trace_id is not of 16 bytes")?;
        Ok(Reference { kind, trace_id, span_id: SpanId(i64_of(fields.next().map_err(torn)?).to_be_bytes()) })
    };
    (0..count).map(|_| reference()).collect()
}
