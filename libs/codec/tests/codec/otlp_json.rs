//! OTLP/JSON against opentelemetry-proto's serde, and where it must be more forgiving.

use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, TracesData, span};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use skua_codec::otlp_json::{decode, put_spans, put_traces_data};
use skua_model::{SpanBatch, json};

fn value() -> impl Strategy<Value = Option<AnyValue>> {
    let leaf = prop_oneof![
        ".{0,12}".prop_map(Value::StringValue),
        any::<bool>().prop_map(Value::BoolValue),
        any::<i64>().prop_map(Value::IntValue),
        (-1e9..1e9).prop_map(Value::DoubleValue),
        vec(any::<u8>(), 0..40).prop_map(Value::BytesValue),
    ];
    let tree = leaf.prop_recursive(3, 12, 4, |inner| {
        let any_value = inner.prop_map(|v| AnyValue { value: Some(v) });
        prop_oneof![
            vec(any_value.clone(), 0..4).prop_map(|values| Value::ArrayValue(ArrayValue { values })),
            vec(("[a-z]{1,4}", any_value), 0..4).prop_map(|kvs| Value::KvlistValue(KeyValueList {
                values: kvs.into_iter().map(|(key, v)| KeyValue { key, value: Some(v), ..Default::default() }).collect(),
            })),
        ]
    });
    tree.prop_map(|v| Some(AnyValue { value: Some(v) }))
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    vec((".{1,8}", value()).prop_map(|(key, value)| KeyValue { key, value, ..Default::default() }), 0..5)
}

fn a_span() -> impl Strategy<Value = Span> {
    let event = (any::<u64>(), ".{0,8}", attributes(), any::<u32>()).prop_map(|(time_unix_nano, name, attributes, n)| {
        span::Event { time_unix_nano, name, attributes, dropped_attributes_count: n }
    });
    let link = (any::<[u8; 16]>(), any::<[u8; 8]>(), attributes(), any::<u32>()).prop_map(|(t, s, attributes, n)| span::Link {
        trace_id: t.to_vec(),
        span_id: s.to_vec(),
        trace_state: "a=b".into(),
        attributes,
        dropped_attributes_count: n,
        flags: n / 2,
    });
    let numbers = (any::<u64>(), any::<u64>(), 0..6_i32, any::<[u32; 4]>());
    (
        (any::<[u8; 16]>(), any::<[u8; 8]>().prop_map(|id| id.map(|b| b | 1))),
        ".{0,20}",
        numbers,
        attributes(),
        vec(event, 0..3),
        vec(link, 0..3),
    )
        .prop_map(|((trace_id, id), name, (start, end, kind, n), attributes, events, links)| Span {
            trace_id: trace_id.map(|b| b | 1).to_vec(),
            span_id: id.to_vec(),
            parent_span_id: id.iter().rev().copied().collect(),
            trace_state: name.chars().rev().collect(),
            name,
            kind,
            start_time_unix_nano: start,
            end_time_unix_nano: end,
            attributes,
            dropped_attributes_count: n[0],
            events,
            dropped_events_count: n[1],
            links,
            dropped_links_count: n[2],
            status: (n[3] % 3 > 0).then(|| Status { code: (n[3] % 3) as i32, message: "m".into() }),
            flags: n[3],
        })
}

fn data(spans: Vec<Span>, resource: Vec<KeyValue>) -> TracesData {
    use opentelemetry_proto::tonic::{common::v1::InstrumentationScope, resource::v1::Resource};
    let scope =
        InstrumentationScope { name: "n".into(), version: "v".into(), attributes: resource.clone(), ..Default::default() };
    let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, schema_url: "u".into() }];
    let resource = Some(Resource { attributes: resource, dropped_attributes_count: 3, ..Default::default() });
    TracesData { resource_spans: vec![ResourceSpans { resource, scope_spans, schema_url: "w".into() }] }
}

fn decoded(text: &[u8]) -> TracesData {
    let mut out = Vec::new();
    decode(text, &mut out).expect("OTLP JSON");
    TracesData::decode(&out[..]).expect("OTLP")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_serde_writes_we_read(spans in vec(a_span(), 0..4), resource in attributes()) {
        let data = data(spans, resource);
        prop_assert_eq!(decoded(&serde_json::to_vec(&data).unwrap()), data);
    }

    #[test]
    fn what_we_write_serde_and_we_read(spans in vec(a_span(), 1..4), resource in attributes()) {
        let data = data(spans, resource);
        let batch = SpanBatch::parse(data.encode_to_vec()).unwrap();
        let mut text = Vec::new();
        put_spans(&mut text, &batch, &(0..batch.len() as u32).collect::<Vec<_>>());
        prop_assert_eq!(&decoded(&text), &data);
        prop_assert_eq!(serde_json::from_slice::<TracesData>(&text).unwrap(), data);
    }
}

/// One span in JSON, its members after those that every span needs.
fn with(members: &str) -> String {
    format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"0AF7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331"{members}}}]}}]}}]}}"#
    )
}

fn one(members: &str) -> Span {
    decoded(with(members).as_bytes()).resource_spans.remove(0).scope_spans.remove(0).spans.remove(0)
}

#[test]
fn both_cases_both_number_forms_and_names() {
    let s = one(
        r#","startTimeUnixNano":"1700000000123456789","end_time_unix_nano":1700000000123456790,"kind":"SPAN_KIND_SERVER",
          "status":{"code":"STATUS_CODE_ERROR","message":null},"flags":"257","dropped_attributes_count":"4","unknown":{"a":[1,{}]},
          "parentSpanId":"","traceState":null,"links":null,"events":[],
          "attributes":[{"key":"i","value":{"intValue":-5}},{"key":"j","value":{"int_value":"9223372036854775807"}},
            {"key":"d","value":{"doubleValue":"NaN"}},{"key":"e","value":{"doubleValue":3}},{"key":"b","value":{"bytesValue":"__8"}},
            {"key":"c","value":{"bytesValue":"//8="}},{"key":"n","value":null},{"key":"m","value":{}}]"#,
    );
    assert_eq!(s.trace_id, 0x0af7651916cd43dd8448eb211c80319c_u128.to_be_bytes());
    assert_eq!((s.start_time_unix_nano, s.end_time_unix_nano, s.kind), (1_700_000_000_123_456_789, 1_700_000_000_123_456_790, 2));
    assert_eq!((s.status.unwrap().code, s.flags, s.dropped_attributes_count), (2, 257, 4));
    let values: Vec<_> = s.attributes.iter().map(|kv| kv.value.clone().and_then(|v| v.value)).collect();
    assert_eq!(values[0], Some(Value::IntValue(-5)));
    assert_eq!(values[1], Some(Value::IntValue(i64::MAX)));
    assert!(matches!(values[2], Some(Value::DoubleValue(v)) if v.is_nan()));
    assert_eq!(values[3], Some(Value::DoubleValue(3.0)));
    assert_eq!(values[4], Some(Value::BytesValue(vec![255, 255])));
    assert_eq!(values[5], values[4]);
    assert_eq!(values[6..], [None, None]);
}

#[test]
fn jaeger_flags_mark_the_span_and_come_back() {
    let mut out = Vec::new();
    decode(with(r#","jaegerFlags":0"#).as_bytes(), &mut out).unwrap();
    let batch = SpanBatch::parse(out).unwrap();
    assert_eq!(batch.view(&batch.spans()[0]).jaeger_flags, Some(0));
    let mut text = Vec::new();
    put_spans(&mut text, &batch, &[0]);
    assert!(String::from_utf8(text).unwrap().ends_with(r#""jaegerFlags":0}]}]}]}"#));
}

/// Half a surrogate pair (JavaScript writes those) and raw bytes cost nothing: the string is mended later.
#[test]
fn strings_need_not_be_utf8() {
    let mut text = with(r#","name":"a\ud800b","traceState":"XYZ""#).into_bytes();
    let at = text.windows(3).position(|w| w == b"XYZ").unwrap();
    text[at + 1] = 0xff;
    let mut out = Vec::new();
    decode(&text, &mut out).unwrap();
    let batch = SpanBatch::parse(out).unwrap();
    assert_eq!((batch.len(), batch.bad_strings()), (1, 2));
    let (mended, repairs) = skua_model::repair(batch).unwrap();
    assert_eq!(repairs.strings, 2);
    assert_eq!(mended.view(&mended.spans()[0]).trace_state, "X\u{fffd}Z".as_bytes());
}

/// Ids of a wrong length are for the batch to refuse, one span at a time.
#[test]
fn a_short_id_costs_only_its_span() {
    let two = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"abcd"},{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331"}]}]}]}"#;
    let mut out = Vec::new();
    decode(two.as_bytes(), &mut out).unwrap();
    let batch = SpanBatch::parse(out).unwrap();
    assert_eq!((batch.len(), batch.refused().total()), (1, 1));
}

#[test]
fn errors_name_the_place_and_write_nothing() {
    for (text, want) in [
        ("".to_owned(), "EOF while parsing"),
        ("[]".into(), "expected an object at line 1"),
        ("{} x".into(), "trailing characters at line 1 column 4"),
        (with(",\"name\":7"), "a string in name at line 1"),
        (with(",\"kind\":\"SERVER\""), "kind: \"SERVER\" is not a name of this enum at line 1"),
        (with(",\"kind\":2.5"), "an enum's name or number in kind"),
        (with(",\"startTimeUnixNano\":-1"), "startTimeUnixNano: -1 is out of range"),
        (with(",\"startTimeUnixNano\":\"1x\""), "startTimeUnixNano: \"1x\" is not a whole number"),
        (with(",\"parentSpanId\":\"abc\""), "parentSpanId: \"abc\" is not hex of whole bytes"),
        (with(",\"parentSpanId\":\"é\""), "parentSpanId: \"é\" is not hex"),
        (with(",\"attributes\":{}"), "a list in attributes"),
        (with(",\"attributes\":[[]]"), "an object in attributes"),
        (with(",\"status\":[]"), "an object in status"),
        (with(",\"attributes\":[{\"value\":{\"bytesValue\":\"*\"}}]"), "bytesValue: not base64"),
        (
            with(",\"attributes\":[{\"value\":{\"intValue\":9223372036854775808}}]"),
            "intValue: 9223372036854775808 is out of range",
        ),
        (
            with(&format!(",\"attributes\":[{{\"value\":{}1", "{\"arrayValue\":{\"values\":[".repeat(10_000))),
            "recursion limit exceeded",
        ),
        (with(&format!(",\"unknown\":{}", "[".repeat(100_000))), "expected value"),
    ] {
        let mut out = b"kept".to_vec();
        let error = decode(text.as_bytes(), &mut out).unwrap_err().to_string();
        assert!(error.contains(want) && error.contains("at line"), "{error}");
        assert_eq!(out, b"kept");
    }
}

/// Lists of a span that lie apart, and fields that come twice: what protobuf allows and no encoder writes.
#[test]
fn scattered_fields_are_gathered() {
    use skua_model::wire::{put_bytes, put_message};
    let mut span =
        Span { trace_id: vec![1; 16], span_id: vec![2; 8], name: "first".into(), ..Default::default() }.encode_to_vec();
    let attribute = |key: &str| KeyValue { key: key.into(), value: None, ..Default::default() }.encode_to_vec();
    put_bytes(&mut span, 9, &attribute("a"));
    put_bytes(&mut span, 5, b"last");
    put_bytes(&mut span, 9, &attribute("b"));
    let mut bytes = Vec::new();
    put_message(&mut bytes, 1, |out| put_message(out, 2, |out| put_bytes(out, 2, &span)));
    let batch = SpanBatch::parse(bytes).unwrap();
    let mut text = Vec::new();
    put_spans(&mut text, &batch, &[0]);
    assert_eq!(
        String::from_utf8(text).unwrap(),
        r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"01010101010101010101010101010101","spanId":"0202020202020202","name":"last","attributes":[{"key":"a"},{"key":"b"}]}]}]}]}"#
    );
}

#[test]
fn odd_numbers_are_texts() {
    let value = |v| KeyValue { key: "k".into(), value: Some(AnyValue { value: Some(v) }), ..Default::default() };
    let attributes = vec![
        value(Value::DoubleValue(f64::NAN)),
        value(Value::DoubleValue(f64::NEG_INFINITY)),
        value(Value::IntValue(0)),
        value(Value::StringValue(String::new())),
    ];
    let span = Span { trace_id: vec![1; 16], span_id: vec![2; 8], attributes, ..Default::default() };
    let batch = SpanBatch::parse(data(vec![span], vec![]).encode_to_vec()).unwrap();
    let mut text = Vec::new();
    put_spans(&mut text, &batch, &[0]);
    let text = String::from_utf8(text).unwrap();
    for part in [r#"{"doubleValue":"NaN"}"#, r#"{"doubleValue":"-Infinity"}"#, r#"{"intValue":"0"}"#, r#"{"stringValue":""}"#] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let mut quoted = Vec::new();
    json::put_string(&mut quoted, text.as_bytes());
    assert!(serde_json::from_slice::<String>(&quoted).is_ok());
}

/// Scenario: messages that are there and empty, and two `TracesData` one after the other.
/// Guarantees: the first are empty objects, the second one list.
#[test]
fn what_an_encoder_wrote_is_written_as_it_is() {
    let span = Span { name: "op".to_owned(), status: Some(Status::default()), ..Span::default() };
    let scope_spans = vec![ScopeSpans { scope: Some(Default::default()), spans: vec![span], ..Default::default() }];
    let one = ResourceSpans { resource: Some(Default::default()), scope_spans, ..Default::default() };
    let bytes = TracesData { resource_spans: vec![one] }.encode_to_vec();
    let text = |bytes: &[u8]| {
        let mut out = Vec::new();
        put_traces_data(&mut out, bytes);
        String::from_utf8(out).unwrap()
    };
    let one = r#"{"resource":{},"scopeSpans":[{"scope":{},"spans":[{"name":"op","status":{}}]}]}"#;
    assert_eq!(text(&bytes), format!(r#"{{"resourceSpans":[{one}]}}"#));
    assert_eq!(text(&bytes.repeat(2)), format!(r#"{{"resourceSpans":[{one},{one}]}}"#));
}
