//! One Jaeger span: each rule of the translation, and each error.

use crate::api_v2::{Log, Process, Span, Time, a_span, boolean, reference, string};
use crate::golden::{batch, encode};
use opentelemetry_proto::tonic::trace::v1::{Span as OtlpSpan, TracesData, span};
use prost::Message;
use skua_codec::jaeger::{JaegerError, decode};
use skua_model::wire::{put_bytes, put_varint};

/// The OTLP span and its resource's attributes as `key=value`.
fn otlp(jaeger: &Span) -> (OtlpSpan, Vec<String>) {
    let mut out = Vec::new();
    decode::span(&jaeger.encode_to_vec(), &mut out).expect("a span");
    let data = TracesData::decode(&out[..]).expect("OTLP");
    let rs = &data.resource_spans[0];
    let attributes = &rs.resource.as_ref().expect("a resource").attributes;
    let text = attributes.iter().map(|kv| format!("{}={:?}", kv.key, kv.value.as_ref().and_then(|v| v.value.clone())));
    (rs.scope_spans[0].spans[0].clone(), text.collect())
}

/// Span id and whether it is CHILD_OF.
fn links(s: &OtlpSpan) -> Vec<(u8, bool)> {
    let child_of = |l: &span::Link| format!("{:?}", l.attributes[0].value).contains("child_of");
    s.links.iter().map(|l| (l.span_id[0], child_of(l))).collect()
}

#[test]
fn a_first_child_of_is_the_parent_alone() {
    let (s, _) = otlp(&Span { references: vec![reference(1, 7, 0), reference(5, 3, 1)], ..a_span() });
    assert_eq!((&s.parent_span_id[..], links(&s)), (&[7; 8][..], vec![(3, false)]));
}

#[test]
fn a_later_child_of_is_the_parent_and_a_link() {
    let (s, _) = otlp(&Span { references: vec![reference(5, 3, 0), reference(1, 7, 0)], ..a_span() });
    assert_eq!((&s.parent_span_id[..], links(&s)), (&[7; 8][..], vec![(3, true), (7, true)]));
}

#[test]
fn without_child_of_the_first_follows_from_is_the_parent() {
    let (s, _) = otlp(&Span { references: vec![reference(1, 7, 1), reference(1, 8, 1)], ..a_span() });
    assert_eq!((&s.parent_span_id[..], links(&s)), (&[7; 8][..], vec![(7, false), (8, false)]));
}

#[test]
fn references_to_other_traces_are_no_parents() {
    let (s, _) = otlp(&Span { references: vec![reference(5, 7, 0), reference(1, 0, 0)], ..a_span() });
    assert_eq!((s.parent_span_id.len(), links(&s).len()), (0, 2));
}

#[test]
fn kind_and_error_are_seen() {
    for (value, kind) in [("SERVER", 2), ("Client", 3), ("producer", 4), ("consumer", 5), ("internal", 1), ("other", 0)] {
        assert_eq!(otlp(&Span { tags: vec![string("span.kind", value)], ..a_span() }).0.kind, kind);
    }
    for (tag, code) in [
        (boolean("error", true), Some(2)),
        (boolean("error", false), None),
        (string("error", "true"), Some(2)),
        (string("error", "no"), None),
    ] {
        let (s, _) = otlp(&Span { tags: vec![tag], ..a_span() });
        assert_eq!((s.status.map(|s| s.code), s.attributes.len()), (code, 1));
    }
}

#[test]
fn the_only_first_event_is_the_name() {
    let log = |fields| Log { timestamp: Some(Time { seconds: 6, nanos: 1 }), fields };
    let number = crate::api_v2::KeyValue { key: "event".into(), v_type: 2, v_int64: 5, ..Default::default() };
    let event = |name: &str| string("event", name);
    for (fields, name, attributes) in [
        (vec![event("a"), string("x", "y")], "a", 1),
        (vec![string("x", "y"), event("a")], "", 2),
        (vec![event("a"), event("b")], "", 2),
        (vec![event("")], "", 1),
        (vec![number], "", 1),
        (vec![], "", 0),
    ] {
        let jaeger = Span { logs: vec![log(fields)], ..a_span() };
        let (s, _) = otlp(&jaeger);
        let e = &s.events[0];
        assert_eq!((&e.name[..], e.attributes.len(), e.time_unix_nano), (name, attributes, 6_000_000_001));
        let back = encode(&batch(|out| decode::span(&jaeger.encode_to_vec(), out)));
        assert_eq!(Span::decode(&back[..]).unwrap(), jaeger);
    }
}

#[test]
fn the_service_comes_first() {
    let tags = vec![string("a", "b"), string("service.name", "other")];
    let (_, resource) = otlp(&Span { process: Some(Process { service_name: "svc".into(), tags }), ..a_span() });
    assert!(resource[0].contains("service.name") && resource[0].contains("svc"), "{resource:?}");
    assert_eq!(resource.len(), 3);
    let (_, resource) = otlp(&Span { process: None, ..a_span() });
    assert!(resource[0].contains("null-process-and-service-name"), "{resource:?}");
    let (_, resource) = otlp(&Span { process: Some(Process::default()), ..a_span() });
    assert!(resource[0].contains(r#"StringValue("")"#), "{resource:?}");
}

#[test]
fn times_before_1970_are_1970() {
    let time = |seconds, nanos| Some(Time { seconds, nanos });
    for (start, duration, want) in [
        (time(-62_135_596_800, 0), time(1, 5), (0, 1_000_000_005)), // Go's zero time
        (None, None, (0, 0)),
        (time(5, 0), time(-1, -1), (5_000_000_000, 3_999_999_999)),
        (time(5, 0), time(-10, 0), (5_000_000_000, 0)),
        (time(i64::MAX, i32::MAX), time(i64::MAX, 0), (u64::MAX, u64::MAX)),
        (time(i64::MIN, i32::MIN), time(i64::MIN, 0), (0, 0)),
    ] {
        let (s, _) = otlp(&Span { start_time: start, duration, ..a_span() });
        assert_eq!((s.start_time_unix_nano, s.end_time_unix_nano), want);
    }
}

#[test]
fn short_trace_ids_have_a_zero_high_half() {
    let (s, _) = otlp(&Span { trace_id: vec![7; 8], ..a_span() });
    assert_eq!(s.trace_id, [[0; 8], [7; 8]].concat());
}

#[test]
fn warnings_are_a_list() {
    let jaeger = Span { warnings: vec!["w".into(), String::new()], ..a_span() };
    let b = batch(|out| decode::span(&jaeger.encode_to_vec(), out));
    assert_eq!(b.view(&b.spans()[0]).warnings().collect::<Vec<_>>(), [&b"w"[..], b""]);
}

/// Values of types that do not exist are texts, and only the value of the tag's own type is seen.
#[test]
fn odd_tags_are_kept() {
    let odd = crate::api_v2::KeyValue { v_type: 9, v_int64: 5, ..string("k", "v") };
    let b = batch(|out| decode::span(&Span { tags: vec![odd], ..a_span() }.encode_to_vec(), out));
    assert_eq!(Span::decode(&encode(&b)[..]).unwrap().tags, [string("k", "v")]);
}

/// Jaeger stores such bytes as they are.
#[test]
fn bad_utf8_is_kept() {
    let mut message = a_span().encode_to_vec();
    put_bytes(&mut message, 3, b"\xff");
    let b = batch(|out| decode::span(&message, out));
    assert_eq!((b.view(&b.spans()[0]).name, b.bad_strings()), (&b"\xff"[..], 1));
}

/// Every error names its field, and writes nothing.
#[test]
fn errors_name_the_field() {
    let bytes = |number, content: &[u8]| {
        let mut message = a_span().encode_to_vec();
        put_bytes(&mut message, number, content);
        message
    };
    let varint = |number: u64| {
        let mut message = a_span().encode_to_vec();
        put_varint(&mut message, number << 3);
        put_varint(&mut message, 1);
        message
    };
    for (message, want) in [
        (bytes(1, b""), "jaeger.api_v2.Span.trace_id: an id of 0 bytes instead of 8 or 16"),
        (bytes(1, b"123456789"), "jaeger.api_v2.Span.trace_id: an id of 9 bytes instead of 8 or 16"),
        (bytes(2, b""), "jaeger.api_v2.Span.span_id: an id of 0 bytes instead of 8"),
        (bytes(4, &[0x0a, 1, 5]), "jaeger.api_v2.SpanRef.trace_id: an id of 1 bytes instead of 8 or 16"),
        (bytes(4, &[0x12, 0]), "jaeger.api_v2.SpanRef.span_id: an id of 0 bytes instead of 8"),
        (bytes(6, &[0x08]), "jaeger.api_v2.Span.start_time: the message ends inside a field"),
        (bytes(7, &[0x0a, 0]), "jaeger.api_v2.Span.duration: a field has another wire type than its definition"),
        (bytes(8, &[0x0a, 5]), "jaeger.api_v2.Span.tags: the message ends inside a field"),
        (bytes(9, &[0x12, 2, 0x0a, 5]), "jaeger.api_v2.Log.fields: the message ends inside a field"),
        (bytes(9, &[0x0a, 1, 0x08]), "jaeger.api_v2.Log.timestamp: the message ends inside a field"),
        (bytes(10, &[0x12, 1, 0xff]), "jaeger.api_v2.Process.tags: the message ends inside a field"),
        (bytes(10, &[0x08, 1]), "jaeger.api_v2.Process: a field has another wire type than its definition"),
        (varint(8), "jaeger.api_v2.Span: a field has another wire type than its definition"),
        (vec![0x0a, 200], "jaeger.api_v2.Span.trace_id: the message ends inside a field"),
        (vec![0x0b], "jaeger.api_v2.Span: a field has another wire type than its definition"),
    ] {
        let mut out = b"kept".to_vec();
        let error = decode::span(&message, &mut out).unwrap_err();
        assert_eq!(error.to_string(), want);
        assert_eq!(out, b"kept");
        assert!(!matches!(error, JaegerError::Json(_)));
    }
}
