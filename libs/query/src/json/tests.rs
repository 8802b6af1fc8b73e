//! The bytes, by snapshot; and that they are JSON, whatever is in a trace.

use super::*;
use proptest::prelude::*;
use skua_model::{RefType, SpanId};

fn text(put: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    put(&mut out);
    String::from_utf8(out).unwrap()
}

fn tag(key: &str, value: Value) -> Tag {
    Tag { key: key.to_owned(), value }
}

fn trace() -> Trace {
    let trace_id = TraceId(0xabc_u128.to_be_bytes());
    let process = |zone: &str| Arc::new(Process { service_name: "front".to_owned(), tags: vec![Tag::string("zone", zone)] });
    let id = |n: u64| SpanId(n.to_be_bytes());
    let first = Span {
        trace_id,
        span_id: id(1),
        operation_name: "GET /<a>&\u{2028}\"q\"\\".to_owned(),
        flags: 257,
        start_time: 1_700_000_000_123_456_789,
        duration: 1_999,
        tags: vec![
            tag("string", Value::String("é\n\u{1}".to_owned())),
            tag("bool", Value::Bool(true)),
            tag("int", Value::Int64(-42)),
            tag("safe", Value::Int64(9_007_199_254_740_991)),
            tag("large", Value::Int64(9_007_199_254_740_992)),
            tag("small", Value::Int64(-9_007_199_254_740_992)),
            tag("whole", Value::Float64(2.0)),
            tag("float", Value::Float64(0.1)),
            tag("huge", Value::Float64(1e21)),
            tag("tiny", Value::Float64(1e-7)),
            tag("nan", Value::Float64(f64::NAN)),
            tag("inf", Value::Float64(f64::NEG_INFINITY)),
            tag("binary", Value::Binary(vec![0xff, 0xfe, 0xfd, 0xfc])),
        ],
        logs: vec![Log { timestamp: 1_700_000_000_000_001_999, fields: vec![Tag::string("event", "boom")] }],
        process: process("eu"),
        warnings: vec!["mind <this>".to_owned()],
        ..Span::default()
    };
    let second = Span {
        trace_id,
        span_id: id(2),
        references: vec![
            Reference { kind: RefType::ChildOf, trace_id, span_id: id(1) },
            Reference { kind: RefType::FollowsFrom, trace_id: TraceId([0x11; 16]), span_id: id(3) },
        ],
        process: process("us"),
        ..Span::default()
    };
    let third = Span { span_id: id(3), process: process("eu"), ..second.clone() };
    Trace { spans: vec![first, second, third] }
}

#[test]
fn a_trace() {
    insta::assert_snapshot!(text(|out| put_traces(out, &[trace()])));
    assert_eq!(text(|out| put_traces(out, &[])), "[]");
}

/// Scenario: `prettyPrint`. Guarantees: four spaces, empty lists on their line, nothing changed inside texts.
#[test]
fn an_indented_trace() {
    let mut trace = trace();
    trace.spans.truncate(2);
    let compact = text(|out| put_answer(out, |out| put_traces(out, &[trace]), 0, &[]));
    let indented = String::from_utf8(indent(compact.as_bytes())).unwrap();
    insta::assert_snapshot!(indented);
    assert_eq!(
        indent(b"{\"a\":{},\"b\":[],\"c\":\"{[,:\\\"]}\",\"d\":[1,null]}"),
        b"{\n    \"a\": {},\n    \"b\": [],\n    \"c\": \"{[,:\\\"]}\",\n    \"d\": [\n        1,\n        null\n    ]\n}"
    );
}

#[test]
fn envelopes() {
    let list = ["a<b", "c"];
    assert_eq!(
        text(|out| put_answer(out, |out| put_texts(out, &list), 2, &[])),
        r#"{"data":["a\u003cb","c"],"total":2,"limit":0,"offset":0,"errors":null}"#
    );
    let operations = [
        Operation { name: "get".to_owned(), kind: String::new() },
        Operation { name: "put".to_owned(), kind: "server".to_owned() },
    ];
    assert_eq!(
        text(|out| put_operations(out, &operations)),
        r#"[{"name":"get","spanKind":""},{"name":"put","spanKind":"server"}]"#
    );
    let errors = [
        ErrorItem { code: 400, msg: "bad \"x\"".to_owned(), trace_id: None },
        ErrorItem { code: 0, msg: "trace not found".to_owned(), trace_id: Some(TraceId(0xabc_u128.to_be_bytes())) },
    ];
    assert_eq!(
        text(|out| put_answer(out, put_null, 0, &errors)),
        r#"{"data":null,"total":0,"limit":0,"offset":0,"errors":[{"code":400,"msg":"bad \"x\""},{"msg":"trace not found","traceID":"0000000000000abc"}]}"#
    );
}

#[test]
fn dependencies() {
    let pair = |parent: &str, child: &str| (parent.to_owned(), child.to_owned());
    let calls: Calls = [(pair("b", "<c>"), 1 << 60), (pair("a", "b"), 0)].into();
    let want =
        r#"[{"parent":"a","child":"b","callCount":0},{"parent":"b","child":"\u003cc\u003e","callCount":1152921504606846976}]"#;
    assert_eq!(text(|out| put_dependencies(out, &calls)), want);
    assert_eq!(text(|out| put_dependencies(out, &Calls::new())), "[]");
}

/// Scenario: eleven processes. Guarantees: numbered by first use, written in the order of texts, as Go writes a map.
#[test]
fn many_processes() {
    let process = |n: u64| Arc::new(Process { service_name: format!("s{n}"), tags: vec![] });
    let spans = (1..12).map(|n| Span { process: process(n), ..Span::default() }).collect();
    let json: serde_json::Value = serde_json::from_str(&text(|out| put_trace(out, &Trace { spans }))).unwrap();
    assert_eq!(json["spans"][10]["processID"], "p11");
    assert_eq!(json["processes"]["p11"]["serviceName"], "s11");
    let written =
        text(|out| put_trace(out, &Trace { spans: (1..12).map(|n| Span { process: process(n), ..Span::default() }).collect() }));
    let at = |p: &str| written.find(&format!("\"{p}\":{{")).unwrap();
    assert!(at("p1") < at("p10") && at("p10") < at("p11") && at("p11") < at("p2"));
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        ".{0,12}".prop_map(Value::String),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int64),
        any::<f64>().prop_map(Value::Float64),
        Just(Value::Float64(f64::INFINITY)),
        prop::collection::vec(any::<u8>(), 0..12).prop_map(Value::Binary),
    ]
}

fn any_tags() -> impl Strategy<Value = Vec<Tag>> {
    prop::collection::vec((".{0,6}", any_value()).prop_map(|(key, value)| Tag { key, value }), 0..4)
}

fn any_trace() -> impl Strategy<Value = Trace> {
    let ids = (any::<u128>(), any::<u64>(), ".{0,20}", any::<u32>(), any::<u64>(), any::<u64>());
    let log = (any::<u64>(), any_tags()).prop_map(|(timestamp, fields)| Log { timestamp, fields });
    let lists = (any_tags(), any_tags(), prop::collection::vec(log, 0..3), prop::collection::vec(".{0,8}", 0..3));
    let span =
        (ids, lists).prop_map(|((trace, span, operation_name, flags, start_time, duration), (tags, process, logs, warnings))| {
            Span {
                trace_id: TraceId(trace.to_be_bytes()),
                span_id: SpanId(span.to_be_bytes()),
                operation_name,
                references: vec![],
                flags,
                start_time,
                duration,
                tags,
                logs,
                process: Arc::new(Process { service_name: "s".to_owned(), tags: process }),
                warnings,
            }
        });
    prop::collection::vec(span, 0..5).prop_map(|spans| Trace { spans })
}

/// The value that a client reads back.
fn as_read(value: &Value) -> serde_json::Value {
    match value {
        Value::String(s) => s.as_str().into(),
        Value::Bool(b) => (*b).into(),
        Value::Int64(v) if v.unsigned_abs() > MAX_SAFE_INTEGER => v.to_string().into(),
        Value::Int64(v) => (*v).into(),
        Value::Float64(v) if v.is_finite() => (*v).into(),
        Value::Float64(v) => json::go_float_text(*v).into(),
        Value::Binary(b) => text(|out| put_base64(out, b)).into(),
    }
}

/// serde_json reads long decimals to within a unit in the last place, and -0 and 0 are the same number.
fn near(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    matches!((a.as_f64(), b.as_f64()), (Some(a), Some(b)) if (a - b).abs() <= b.abs() * 1e-15)
}

fn same(written: &serde_json::Value, tags: &[Tag]) -> bool {
    let list = written.as_array().unwrap();
    list.len() == tags.len()
        && list.iter().zip(tags).all(|(w, t)| {
            let value = as_read(&t.value);
            w["key"] == *t.key && w["type"] == t.value.type_name() && (w["value"] == value || near(&w["value"], &value))
        })
}

proptest! {
    /// Whatever a trace holds: valid JSON, from which every field is read back; indentation changes nothing.
    #[test]
    fn what_is_written_is_read_back(trace in any_trace()) {
        let compact = text(|out| put_trace(out, &trace));
        let read: serde_json::Value = serde_json::from_str(&compact).unwrap();
        prop_assert_eq!(&read, &serde_json::from_slice::<serde_json::Value>(&indent(compact.as_bytes())).unwrap());
        let unsafe_in_html = compact.contains(['<', '>', '&', '\u{2028}', '\u{2029}']);
        prop_assert!(!unsafe_in_html);
        let spans = read["spans"].as_array().unwrap();
        prop_assert_eq!(spans.len(), trace.spans.len());
        for (got, want) in spans.iter().zip(&trace.spans) {
            prop_assert_eq!(got["traceID"].as_str().unwrap(), want.trace_id.to_string());
            prop_assert_eq!(got["spanID"].as_str().unwrap(), want.span_id.to_string());
            prop_assert_eq!(got["operationName"].as_str().unwrap(), &want.operation_name);
            prop_assert_eq!(got["startTime"].as_u64().unwrap(), want.start_time / 1000);
            prop_assert_eq!(got["duration"].as_u64().unwrap(), want.duration / 1000);
            prop_assert_eq!(got["flags"].as_u64().unwrap_or(0), u64::from(want.flags));
            prop_assert!(same(&got["tags"], &want.tags));
            prop_assert!(got["logs"].as_array().unwrap().iter().zip(&want.logs).all(|(g, w)| same(&g["fields"], &w.fields)));
            let process = &read["processes"][got["processID"].as_str().unwrap()];
            prop_assert!(same(&process["tags"], &want.process.tags));
            let warnings: Vec<&str> = got["warnings"].as_array().into_iter().flatten().filter_map(|w| w.as_str()).collect();
            prop_assert_eq!(warnings, want.warnings.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }
}
