//! Documents as Jaeger and its older versions wrote them.

use crate::TagsAsFields;
use crate::document::TagRules;
use crate::read_document::DocumentReader;
use skua_model::{RefType, Span, Value};

fn read(document: &str) -> Result<Span, String> {
    let rules = TagRules::new(&TagsAsFields::default()).unwrap();
    DocumentReader::new(&rules).span(document)
}

#[test]
fn values_are_native_or_texts() {
    let span = read(
        r#"{"traceID":"1","spanID":"2","operationName":"op","references":[],"startTime":1000001,"startTimeMillis":1000,
        "duration":5,"logs":null,"process":{"serviceName":"s","tags":null},"tags":[
        {"key":"a","type":"int64","value":9007199254740993},{"key":"b","type":"int64","value":"-9223372036854775808"},
        {"key":"c","type":"bool","value":"true"},{"key":"d","type":"float64","value":"1.5"},{"key":"e","type":"float64","value":2},
        {"key":"f","type":"binary","value":"cafe"},{"key":"g","type":"string","value":"x\"y"},
        {"key":"h","type":"float64","value":"+Inf"}],"tag":{"i@j":3,"k":0.5,"l":true,"m":"n"}}"#,
    )
    .unwrap();
    let values: Vec<Value> = span.tags.iter().map(|t| t.value.clone()).collect();
    let want = [
        Value::Int64(9_007_199_254_740_993),
        Value::Int64(i64::MIN),
        Value::Bool(true),
        Value::Float64(1.5),
        Value::Float64(2.0),
        Value::Binary(vec![0xca, 0xfe]),
        Value::String("x\"y".to_owned()),
        Value::Float64(f64::INFINITY),
        Value::Int64(3),
        Value::Float64(0.5),
        Value::Bool(true),
        Value::String("n".to_owned()),
    ];
    assert_eq!(values, want);
    assert_eq!(span.tags[8].key, "i.j");
    assert_eq!((span.start_time, span.duration), (1_000_001_000, 5_000));
}

#[test]
fn an_old_parent_becomes_the_first_reference() {
    let with = |references: &str| {
        let start = r#"{"traceID":"1","spanID":"2","parentSpanID":"3","startTime":1,"references":"#;
        read(&format!("{start}{references}}}")).unwrap().references
    };
    let added = with("[]");
    assert_eq!((added.len(), added[0].kind, added[0].span_id.0[7]), (1, RefType::ChildOf, 3));
    assert_eq!(with(r#"[{"refType":"CHILD_OF","traceID":"0000000000000001","spanID":"0000000000000003"}]"#).len(), 1);
    let both = with(r#"[{"refType":"FOLLOWS_FROM","traceID":"9","spanID":"9"}]"#);
    assert_eq!((both.len(), both[0].span_id.0[7], both[1].span_id.0[7]), (2, 3, 9));
}

#[test]
fn what_is_no_span_says_why() {
    assert!(read("null").is_err());
    assert!(read(r#"{"traceID":"x","spanID":"1","startTime":1}"#).unwrap_err().contains("invalid syntax"));
    let tag = r#"{"traceID":"1","spanID":"1","startTime":1,"tags":[{"key":"k","type":"int64","value":"x"}]}"#;
    assert_eq!(read(tag).unwrap_err(), "tag k: \"x\" is not of type int64");
}
