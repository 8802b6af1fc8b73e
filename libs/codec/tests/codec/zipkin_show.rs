//! OTLP as lines of text, one for each span, for tests to look into.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{Span, TracesData};
use prost::Message;

fn value(v: &Option<AnyValue>) -> String {
    match v.as_ref().and_then(|v| v.value.clone()) {
        Some(Value::StringValue(s)) => s,
        Some(Value::BoolValue(b)) => format!("bool:{b}"),
        Some(Value::IntValue(i)) => format!("int:{i}"),
        Some(Value::DoubleValue(d)) => format!("double:{d}"),
        Some(Value::BytesValue(b)) => format!("bytes:{}", hex(&b)),
        other => format!("{other:?}"),
    }
}

pub fn hex(b: &[u8]) -> String {
    b.iter().map(|b| format!("{b:02x}")).collect()
}

fn attributes(list: &[KeyValue]) -> String {
    let all: Vec<_> = list.iter().map(|kv| format!("{}={}", kv.key, value(&kv.value))).collect();
    format!("{{{}}}", all.join(", "))
}

fn span(s: &Span) -> String {
    let mut text =
        format!("{} {} {:?} kind{} {}+{}", hex(&s.trace_id), hex(&s.span_id), s.name, s.kind, s.start_time_unix_nano, {
            s.end_time_unix_nano.wrapping_sub(s.start_time_unix_nano) as i64
        });
    if !s.parent_span_id.is_empty() {
        text += &format!(" parent {}", hex(&s.parent_span_id));
    }
    if !s.trace_state.is_empty() {
        text += &format!(" state {}", s.trace_state);
    }
    text += &format!(" {}", attributes(&s.attributes));
    for e in &s.events {
        text += &format!(" event {:?}@{}{}-{}", e.name, e.time_unix_nano, attributes(&e.attributes), e.dropped_attributes_count);
    }
    for l in &s.links {
        let dropped = l.dropped_attributes_count;
        text += &format!(
            " link {}/{} {:?} {}-{dropped}",
            hex(&l.trace_id),
            hex(&l.span_id),
            l.trace_state,
            attributes(&l.attributes)
        );
    }
    if let Some(status) = &s.status {
        text += &format!(" status {} {:?}", status.code, status.message);
    }
    text
}

/// `ResourceSpans` are lines that begin with `resource`, spans follow theirs.
pub fn show(otlp: &[u8]) -> Vec<String> {
    let data = TracesData::decode(otlp).expect("OTLP");
    let mut lines = Vec::new();
    for rs in &data.resource_spans {
        lines.push(format!("resource {}", attributes(&rs.resource.as_ref().expect("a resource").attributes)));
        for ss in &rs.scope_spans {
            if let Some(scope) = &ss.scope {
                lines.push(format!("scope {} {}", scope.name, scope.version));
            }
            lines.extend(ss.spans.iter().map(span));
        }
    }
    lines
}
