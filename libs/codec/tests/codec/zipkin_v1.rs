//! Zipkin v1 in JSON and Thrift, as the collector's receiver converts both.

use crate::thrift_oracle::bytes;
use crate::zipkin_show::show;
use crate::zipkin_thrift::{Annotation, Binary, Host, Span, list_of};
use serde_json::{Value, json};
use skua_codec::thrift::Protocol;
use skua_codec::zipkin::{ZipkinError, v1_json, v1_thrift};

const NOW: u64 = 1_700_000_000_000_000_000;

fn one(fields: Value) -> Result<Vec<String>, ZipkinError> {
    let base = json!({"traceId": "00000000000000a1", "id": "00000000000000b2", "name": "get"});
    let (Value::Object(mut span), Value::Object(fields)) = (base, fields) else { panic!("objects") };
    for (key, value) in fields {
        span.insert(key, value);
    }
    let mut out = Vec::new();
    v1_json(json!([null, span]).to_string().as_bytes(), NOW, &mut out).map(|()| show(&out))
}

fn ok(fields: Value) -> String {
    one(fields.clone()).unwrap_or_else(|e| panic!("{fields}: {e}")).join("\n")
}

fn note(timestamp: i64, value: &str, endpoint: Value) -> Value {
    json!({"timestamp": timestamp, "value": value, "endpoint": endpoint})
}

fn front() -> Value {
    json!({"serviceName": "front", "ipv4": "10.0.0.1", "ipv6": "::1", "port": 8080})
}

/// Of a client, with every field.
#[test]
fn the_published_example() {
    let got = ok(json!({
        "traceId": "463ac35c9f6413ad48485a3953bb6124", "parentId": "00000000000000c3", "debug": true,
        "timestamp": 1_458_702_548_467_000_i64, "duration": 386_000,
        "annotations": [
            note(1_458_702_548_467_000, "cs", front()), note(1_458_702_548_467_500, "wire send", front()),
            note(1_458_702_548_853_000, "cr", front())
        ],
        "binaryAnnotations": [
            {"key": "http.path", "value": "/api", "endpoint": front()},
            {"key": "sa", "value": true, "endpoint": {"serviceName": "back"}},
            {"key": "lc", "value": "okhttp"}
        ]
    }));
    assert_eq!(
        got,
        "resource {service.name=front, ipv4=10.0.0.1, ipv6=::1, port=8080}\n\
         463ac35c9f6413ad48485a3953bb6124 00000000000000b2 \"get\" kind3 1458702548467000000+386000000 parent 00000000000000c3 \
         {http.path=/api, sa=bool:true, component=okhttp} event \"wire send\"@1458702548467500000{}-0"
    );
}

#[test]
fn ids_are_16_or_32_digits() {
    for fields in [
        json!({"traceId": "a1"}),
        json!({"traceId": "0".repeat(16)}),
        json!({"traceId": "0".repeat(32)}),
        json!({"traceId": "g".repeat(16)}),
        json!({"traceId": null}),
        json!({"id": "b2"}),
        json!({"id": "0".repeat(16)}),
        json!({"id": "0".repeat(32)}),
        json!({"parentId": "c"}),
        json!({"parentId": "0".repeat(16)}),
    ] {
        let field = fields.as_object().expect("an object").keys().next().expect("a key").clone();
        let error = one(fields).expect_err("an error").to_string();
        assert!(error.starts_with(&format!("failed to read span 1 of the list of Zipkin spans: {field}: ")), "{error}");
    }
    assert!(!ok(json!({"parentId": ""})).contains("parent"));
}

#[test]
fn kinds_and_services() {
    let core = |value: &str| ok(json!({"annotations": [note(5, value, front())]}));
    for (value, kind) in [("cs", 3), ("cr", 3), ("sr", 2), ("ss", 2), ("ms", 4), ("mr", 5)] {
        assert!(core(value).ends_with(&format!("kind{kind} 5000+0 {{}}")), "{}", core(value));
    }
    assert!(core("ws").starts_with("resource {service.name=unknown-service}\n"), "only core annotations name the service");
    assert!(core("ws").ends_with("kind0 5000+0 {} event \"ws\"@5000{}-0"));
    let back = json!({"serviceName": "back"});
    for (fields, want) in [
        (json!({"annotations": [note(5, "cs", json!({"ipv4": "1.1.1.1"})), note(6, "sr", back.clone())]}), "{service.name=back}"),
        (
            json!({"annotations": [note(5, "cs", json!({"serviceName": "unknown-service"})), note(6, "sr", back.clone())]}),
            "{service.name=back}",
        ),
        (json!({"annotations": [note(5, "", front()), note(6, "x", front())]}), "{service.name=unknown-service}"),
        (
            json!({"binaryAnnotations": [{"key": "a", "value": "b", "endpoint": front()}, {"key": "c", "value": "d", "endpoint": back}]}),
            "{service.name=back}",
        ),
        (json!({"binaryAnnotations": [{"key": "lc", "value": "part"}]}), "{service.name=part}"),
        (json!({"binaryAnnotations": [{"key": "lc", "value": "part", "endpoint": front()}]}), "{service.name=front}"),
    ] {
        assert!(ok(fields.clone()).starts_with(&format!("resource {want}\n")), "{fields}: {}", ok(fields.clone()));
    }
}

/// Of old clients: the annotations say when the span was. Without any time it was now.
#[test]
fn times() {
    let notes = [note(900, "cr", front()), note(300, "cs", front()), note(1000, "late", front()), note(100, "early", front())];
    for (fields, want) in [
        (json!({"annotations": notes}), "100000+900000 {}"),
        (json!({"annotations": notes, "duration": 7}), "100000+900000 {}"),
        (json!({"annotations": notes, "timestamp": 50, "duration": 7}), "50000+7000 {}"),
        (json!({"annotations": notes, "timestamp": 0, "duration": 7}), "100000+900000 {}"),
        (json!({"timestamp": 50}), "50000+0 {}"),
        (json!({"timestamp": "50", "duration": 7.0}), "50000+7000 {}"),
        (json!({"timestamp": 50, "duration": -20}), "50000+-20000 {}"),
        (json!({"duration": 7}), "1700000000000000000+0 {otel.zipkin.absentField.startTime=bool:true}"),
        (json!({"timestamp": -9}), "1700000000000000000+0 {otel.zipkin.absentField.startTime=bool:true}"),
        (json!({"annotations": [note(0, "cs", front())]}), "1700000000000000000+0 {otel.zipkin.absentField.startTime=bool:true}"),
    ] {
        assert!(ok(fields.clone()).contains(want), "{fields}: {}", ok(fields.clone()));
    }
}

#[test]
fn statuses_by_priority() {
    let with = |pairs: &[(&str, &str)]| {
        let list: Vec<_> = pairs.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
        ok(json!({"timestamp": 1, "binaryAnnotations": list}))
    };
    for (pairs, want) in [
        (&[("census.status_code", "0"), ("error", "x")][..], "{} status 1 \"\""),
        (&[("census.status_code", "3"), ("census.status_description", "m"), ("otel.status_code", "1")], "{} status 2 \"m\""),
        (&[("census.status_code", "x"), ("error", "y")], "{} status 2 \"\""),
        (&[("otel.status_code", "1"), ("error", "y")], "{} status 1 \"\""),
        (&[("otel.status_code", "2"), ("otel.status_description", "m")], "{} status 2 \"m\""),
        (&[("otel.status_code", "Ok")], "{}"),
        (&[("error", "false")], "{} status 2 \"\""),
        (&[("error", ""), ("opencensus.status_description", "c"), ("otel.status_description", "o")], "{} status 2 \"c\""),
        (
            &[("error", ""), ("otel.status_description", "o"), ("http.status_code", "200")],
            "{http.status_code=200} status 2 \"o\"",
        ),
        (
            &[("http.status_code", "404"), ("http.status_message", "nf")],
            "{http.status_code=404, http.status_message=nf} status 2 \"nf\"",
        ),
        (&[("http.status_code", "399")], "{http.status_code=399}"),
        (&[("http.status_code", "99")], "{http.status_code=99} status 2 \"\""),
        (&[("http.status_code", "x")], "{http.status_code=x}"),
    ] {
        assert!(with(pairs).ends_with(want), "{pairs:?}: {}", with(pairs));
    }
}

#[test]
fn values_and_errors() {
    let values = json!([
        {"key": "a", "value": "1"}, {"key": "n", "value": 5}, {"key": "f", "value": 2.5, "type": "DOUBLE"}, {"key": "none"},
        {"key": "a", "value": "2"}, null
    ]);
    assert!(ok(json!({"timestamp": 1, "binaryAnnotations": values})).ends_with("{a=2, n=int:5, f=double:2.5, none=}"));
    for (fields, want) in [
        (json!({"annotations": [1]}), "annotations: not an object"),
        (json!({"annotations": [{"timestamp": "x"}]}), "annotations.timestamp: \"x\" is not a whole number"),
        (json!({"annotations": [{"endpoint": {"port": 1e10}}]}), "annotations.endpoint: \"10000000000.0\" is not a whole number"),
        (json!({"binaryAnnotations": [{"value": []}]}), "binaryAnnotations.value: not a string"),
        (json!({"binaryAnnotations": [{"key": true}]}), "binaryAnnotations.key: not a string"),
    ] {
        let error = one(fields.clone()).expect_err("an error").to_string();
        assert!(error.contains(want), "{fields}: {error}");
    }
}

fn thrift(span: &Span) -> Result<Vec<String>, ZipkinError> {
    let mut out = Vec::new();
    v1_thrift(&bytes(Protocol::Binary, |o| list_of(o, std::slice::from_ref(span))), &mut out).map(|()| show(&out))
}

/// The example above in Thrift gives the same.
#[test]
fn thrift_is_converted_as_json() {
    let host = Host { service: "front", ipv4: 0x0a00_0001, port: 8080, ipv6: Some([&[0; 15][..], &[1]].concat()) };
    let at = |timestamp, value: &str| Annotation { timestamp, value: value.into(), host: Some(host.clone()) };
    let got = thrift(&Span {
        trace_id: 0x4848_5a39_53bb_6124,
        trace_id_high: Some(0x463a_c35c_9f64_13ad),
        parent_id: Some(0xc3),
        timestamp: Some(1_458_702_548_467_000),
        duration: Some(386_000),
        annotations: vec![
            at(1_458_702_548_467_000, "cs"),
            at(1_458_702_548_467_500, "wire send"),
            at(1_458_702_548_853_000, "cr"),
        ],
        binary: vec![
            Binary::new("http.path", b"/api", 6).on(&host),
            Binary::new("sa", &[1], 0).on(&Host { service: "back", ..Host::default() }),
            Binary::new("lc", b"okhttp", 6),
        ],
        ..Span::default()
    });
    assert_eq!(
        got.expect("a span").join("\n"),
        "resource {service.name=front, ipv4=10.0.0.1, ipv6=::1, port=8080}\n\
         463ac35c9f6413ad48485a3953bb6124 00000000000000b2 \"get\" kind3 1458702548467000000+386000000 parent 00000000000000c3 \
         {http.path=/api, sa=bool:true, component=okhttp} event \"wire send\"@1458702548467500000{}-0"
    );
}

/// Integers have no sign, bytes are base64, and what is too short says so.
#[test]
fn thrift_types() {
    for (kind, value, want) in [
        (0, &[1][..], "bool:true"),
        (0, &[2], "bool:false"),
        (1, &[0, 255], "AP8="),
        (2, &[255, 254], "int:65534"),
        (2, &[1, 2, 3], "int:258"),
        (2, &[1], "<not enough bytes representing the number>"),
        (3, &[255, 255, 255, 254], "int:4294967294"),
        (4, &[255; 8], "int:-1"),
        (4, &[0; 7], "<not enough bytes representing the number>"),
        (5, &2.5_f64.to_be_bytes(), "double:2.5"),
        (6, b"text", "text"),
        (9, b"x", "<unknown zipkin v1 binary annotation type (9)>"),
    ] {
        let span = Span { timestamp: Some(1), binary: vec![Binary::new("k", value, kind)], ..Span::default() };
        let got = thrift(&span).expect("a span").join("\n");
        assert!(got.ends_with(&format!("{{k={want}}}")), "{kind} {value:?}: {got}");
    }
    let code = Span { timestamp: Some(1), binary: vec![Binary::new("http.status_code", &[1, 0x94], 2)], ..Span::default() };
    assert!(thrift(&code).expect("a span")[1].ends_with("{http.status_code=int:404} status 2 \"\""));
}

/// Beside JSON: ids may be zero, a timestamp of 0 counts, there is no now, and the last host counts even without a service.
#[test]
fn thrift_differs_from_json() {
    let got = thrift(&Span { id: 0, parent_id: Some(0), duration: Some(5), ..Span::default() }).expect("a span");
    assert_eq!(got[1], "000000000000000000000000000000a1 0000000000000000 \"get\" kind0 0+0 {}");
    let at = Annotation { timestamp: 9, value: "x".into(), host: None };
    let got = thrift(&Span { timestamp: Some(0), duration: Some(5), annotations: vec![at], ..Span::default() }).expect("a span");
    assert!(got[1].contains("kind0 0+5000"), "{got:?}");
    let (with, without) = (Host { service: "s", ..Host::default() }, Host { ipv4: 5, ..Host::default() });
    let hosts = vec![Binary::new("a", b"", 6).on(&with), Binary::new("lc", b"c", 6).on(&without)];
    assert_eq!(thrift(&Span { binary: hosts, ..Span::default() }).expect("a span")[0], "resource {service.name=c}");
    let port = Host { service: "s", port: -25_536, ..Host::default() };
    let at = Annotation { timestamp: 9, value: "cs".into(), host: Some(port) };
    let got = thrift(&Span { annotations: vec![at], ..Span::default() }).expect("a span");
    assert_eq!(got[0], "resource {service.name=s, port=-25536}");
}

#[test]
fn malformed_thrift_is_named() {
    let body = bytes(Protocol::Binary, |o| list_of(o, &[Span::default(), Span::default()]));
    let mut out = b"kept".to_vec();
    let error = v1_thrift(&body[..body.len() - 3], &mut out).expect_err("cut").to_string();
    assert!(error.starts_with("failed to read span 1 of the list of Zipkin spans: Span"), "{error}");
    assert_eq!(out, b"kept");
    let error = v1_thrift(&[12, 0x7f, 0xff, 0xff, 0xff, 0], &mut out).expect_err("a hostile count").to_string();
    assert_eq!(error, "failed to read the list of Zipkin spans: a list or map of 2147483647 elements in 1 bytes");
    assert!(v1_thrift(&[12, 0, 0, 0, 0, 7, 7], &mut out).is_ok(), "what follows is ignored");
}
