//! OTLP JSON, of a file that somebody has, as traces to look at.

use crate::otlp::NO_SERVICE;
use skua_codec::otlp_json::{self, OtlpJsonError};
use skua_model::{AnyValue, Process, Refusals, Span, SpanBatch, Trace, TraceId};
use std::collections::HashMap;
use std::sync::Arc;

/// What OTLP JSON holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Transformed {
    /// In the order in which their first spans come; spans in the order of the text. Nothing is adjusted.
    pub traces: Vec<Trace>,
    /// Spans that could not be read.
    pub refused: Refusals,
}

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot unmarshal OTLP : {0}")]
pub struct TransformError(#[from] OtlpJsonError);

/// Reads a JSON `TracesData` into Jaeger's model. A resource without attributes is of the service
/// [`NO_SERVICE`], one with others but without a text `service.name` of the service of no name.
///
/// # Errors
/// When it is not OTLP JSON.
pub fn transform(body: &[u8]) -> Result<Transformed, TransformError> {
    let mut bytes = Vec::new();
    otlp_json::decode(body, &mut bytes)?;
    let batch = SpanBatch::parse(bytes).map_err(OtlpJsonError::from)?;
    let mut processes: HashMap<u32, Arc<Process>> = HashMap::new();
    let mut places: HashMap<TraceId, usize> = HashMap::new();
    let mut transformed = Transformed::default();
    for entry in batch.spans() {
        let resource = batch.resource_of(entry);
        let process = processes.entry(resource).or_insert_with(|| Arc::new(process(&batch, resource)));
        let span = Span::from_view(&batch.view(entry), Arc::clone(process));
        let traces = &mut transformed.traces;
        let place = *places.entry(span.trace_id).or_insert_with(|| {
            traces.push(Trace::default());
            traces.len() - 1
        });
        traces[place].spans.push(span);
    }
    transformed.refused = *batch.refused();
    Ok(transformed)
}

/// With the service as it is said, without the names that a collector gives to what is not.
fn process(batch: &SpanBatch, resource: u32) -> Process {
    let view = batch.process(resource);
    let service_name = match view.named {
        None if view.attributes().is_empty() => NO_SERVICE.to_owned(),
        Some(AnyValue::String(name)) => String::from_utf8_lossy(name).into_owned(),
        _ => String::new(),
    };
    Process { service_name, ..Process::from_view(&view) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn read(body: &str) -> Transformed {
        transform(body.as_bytes()).unwrap()
    }

    fn spans(resource: &str, ids: &[(u8, u8)]) -> String {
        let span = |(t, s): &(u8, u8)| format!(r#"{{"traceId":"{t:032x}","spanId":"{s:016x}","name":"op{s}"}}"#);
        let spans: Vec<String> = ids.iter().map(span).collect();
        format!(r#"{{"resource":{{"attributes":[{resource}]}},"scopeSpans":[{{"spans":[{}]}}]}}"#, spans.join(","))
    }

    /// Scenario: two traces in turns, in two resources. Guarantees: each is one, in order of appearance, nothing is sorted.
    #[test]
    fn traces_come_in_order_of_appearance() {
        let service = |name: &str| {
            format!(r#"{{"key":"z","value":{{"intValue":1}}}},{{"key":"service.name","value":{{"stringValue":"{name}"}}}}"#)
        };
        let all = [spans(&service("a"), &[(2, 5), (1, 4), (2, 3)]), spans(&service("b"), &[(1, 2), (3, 1)])];
        let got = read(&format!(r#"{{"resourceSpans":[{}]}}"#, all.join(",")));
        let seen: Vec<Vec<_>> = got
            .traces
            .iter()
            .map(|t| t.spans.iter().map(|s| (s.trace_id.0[15], s.span_id.0[7], s.process.service_name.as_str())).collect())
            .collect();
        assert_eq!(seen, [vec![(2, 5, "a"), (2, 3, "a")], vec![(1, 4, "a"), (1, 2, "b")], vec![(3, 1, "b")]]);
        assert_eq!(got.refused.total(), 0);
        let mut out = Vec::new();
        json::put_traces(&mut out, &got.traces);
        insta::assert_snapshot!(String::from_utf8(out).unwrap());
    }

    #[test]
    fn services_without_a_name() {
        for (resource, want) in [
            ("", NO_SERVICE),
            (r#"{"key":"a","value":{"stringValue":"b"}}"#, ""),
            (r#"{"key":"service.name","value":{"stringValue":""}}"#, ""),
            (r#"{"key":"service.name","value":{"intValue":5}}"#, ""),
        ] {
            let got = read(&format!(r#"{{"resourceSpans":[{}]}}"#, spans(resource, &[(1, 1)])));
            assert_eq!(got.traces[0].spans[0].process.service_name, want, "{resource}");
        }
    }

    #[test]
    fn what_is_no_otlp() {
        assert_eq!(read("{}"), Transformed::default());
        for body in ["", "x", "[]", r#"{"resourceSpans":5}"#] {
            let e = transform(body.as_bytes()).unwrap_err().to_string();
            assert!(e.starts_with("cannot unmarshal OTLP : "), "{e}");
        }
        let got = read(&format!(r#"{{"resourceSpans":[{}]}}"#, spans("", &[(1, 0), (1, 2), (0, 3)])));
        assert_eq!(got.traces[0].spans.len(), 1);
        let why = "1 span refused: the trace id is absent or all zero; 1 span refused: the span id is absent or all zero";
        assert_eq!(got.refused.to_string(), why);
    }
}
