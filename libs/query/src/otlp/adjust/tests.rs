//! Where the adjusters for OTLP differ from those of Jaeger's own model.

use super::*;
use skua_model::{Log, Process, RefType, Reference, Span as Stored, Tag, TraceId, Value};
use std::sync::Arc;

const TRACE: TraceId = TraceId([7; 16]);
const MS: u64 = 1_000_000;

fn id(n: u64) -> SpanId {
    SpanId(n.to_be_bytes())
}

fn tag(key: &str, value: Value) -> Tag {
    Tag { key: key.to_owned(), value }
}

/// Start and duration in milliseconds; parent 0 for a root; tags of its process.
fn span(n: u64, parent: u64, start: u64, duration: u64, host: &[(&str, &str)]) -> Stored {
    let tags = host.iter().map(|(k, v)| Tag::string(*k, *v)).collect();
    let reference = |kind, n| Reference { kind, trace_id: TRACE, span_id: id(n) };
    Stored {
        trace_id: TRACE,
        span_id: id(n),
        references: if parent == 0 { vec![] } else { vec![reference(RefType::ChildOf, parent)] },
        start_time: start * MS,
        duration: duration * MS,
        process: Arc::new(Process { service_name: "s".to_owned(), tags }),
        ..Stored::default()
    }
}

fn tagged(span: Stored, tags: &[(&str, &str)]) -> Stored {
    Stored { tags: tags.iter().map(|(k, v)| Tag::string(*k, *v)).collect(), ..span }
}

/// All spans, by id.
fn adjusted(spans: Vec<Stored>, max: Duration) -> Vec<Span> {
    let mut data = adjust(Trace { spans }, max);
    let mut spans: Vec<Span> = spans_mut(&mut data).map(|s| s.clone()).collect();
    spans.sort_by(|a, b| a.span_id.cmp(&b.span_id));
    spans
}

fn text(value: &AnyValue) -> String {
    match value.value.as_ref().unwrap() {
        Any::StringValue(s) => s.clone(),
        Any::ArrayValue(list) => list.values.iter().map(text).collect::<Vec<_>>().join("; "),
        other => format!("{other:?}"),
    }
}

fn attribute(span: &Span, key: &str) -> String {
    span.attributes.iter().find(|kv| kv.key == key).map_or(String::new(), |kv| text(kv.value.as_ref().unwrap()))
}

fn warnings(span: &Span) -> String {
    attribute(span, WARNINGS)
}

fn keys(span: &Span) -> Vec<&str> {
    span.attributes.iter().map(|kv| kv.key.as_str()).collect()
}

#[test]
fn attributes_and_events_are_sorted() {
    let log = |event: &str, time, key: &str| Log {
        timestamp: time,
        fields: vec![Tag::string("event", event), Tag::string("z", ""), Tag::string(key, "")],
    };
    let logs = vec![log("b", 1, "x"), log("a", 2, "x"), log("b", 0, "y")];
    let got =
        adjusted(vec![Stored { logs, ..tagged(span(1, 0, 0, 1, &[]), &[("b", "1"), ("c", "2"), ("a", "3")]) }], Duration::ZERO);
    assert_eq!(keys(&got[0]), ["a", "b", "c"]);
    let events: Vec<_> = got[0].events.iter().map(|e| (e.name.as_str(), e.time_unix_nano)).collect();
    assert_eq!(events, [("a", 2), ("b", 1), ("b", 0)], "by name alone");
    assert!(got[0].events.iter().all(|e| e.attributes.is_sorted_by_key(|kv| kv.key.clone())));
}

/// Scenario: one span twice, its tags and those of its process in another order the second time; and one that differs.
/// Guarantees: equal ones become one; a resource that has no span left is not shown.
#[test]
fn equal_spans_become_one() {
    let host = [("x", "1"), ("y", "2")];
    let first = tagged(span(1, 0, 0, 1, &host), &[("a", "1"), ("b", "2")]);
    let again = tagged(span(1, 0, 0, 1, &[host[1], host[0]]), &[("b", "2"), ("a", "1")]);
    let data = adjust(Trace { spans: vec![first.clone(), again.clone(), first.clone()] }, Duration::ZERO);
    assert_eq!((data.resource_spans.len(), data.resource_spans[0].scope_spans[0].spans.len()), (1, 1));
    let other = tagged(again, &[("b", "3"), ("a", "1")]);
    assert_eq!(adjusted(vec![first, other], Duration::ZERO).len(), 2);
}

#[test]
fn shared_ids_become_unique() {
    let kind = |span, kind| tagged(span, &[("span.kind", kind)]);
    let spans = vec![
        span(1, 0, 0, 100, &[]),
        kind(span(5, 1, 10, 50, &[]), "client"),
        kind(span(5, 1, 20, 30, &[]), "server"),
        span(2, 5, 25, 5, &[]),
    ];
    let got = adjusted(spans, Duration::ZERO);
    let ids: Vec<_> = got.iter().map(|s| (span_id(&s.span_id), span_id(&s.parent_span_id))).collect();
    assert_eq!(ids, [(id(1), SpanId::default()), (id(2), id(3)), (id(3), id(5)), (id(5), id(1))]);
    let alone = adjusted(vec![kind(span(5, 0, 0, 9, &[]), "server"), kind(span(5, 0, 1, 9, &[]), "server")], Duration::ZERO);
    assert!(alone.iter().all(|s| span_id(&s.span_id) == id(5)), "no client has it");
}

/// Each row: the hosts of a parent and of a child that begins before it, and whether they are one host.
#[test]
fn hosts() {
    type Host<'a> = &'a [(&'a str, &'a str)];
    for (parent, child, same) in [
        (&[][..] as Host, &[][..] as Host, false),
        (&[("host.name", "a")], &[("host.name", "a")], true),
        (&[("host.name", "a")], &[("host.name", "b")], false),
        (&[("hostname", "a")], &[("host.name", "a")], true),
        (&[("host.id", "1"), ("host.name", "a")], &[("host.id", "1"), ("host.name", "b")], true),
        (&[("host.ip", "1"), ("host.name", "a")], &[("host.ip", "2"), ("host.name", "a")], false),
        (&[("host.id", ""), ("host.name", "a")], &[("host.id", ""), ("host.name", "a")], false),
        (&[("ip", "1")], &[("ip", "1")], false),
    ] {
        let child_span = Stored { logs: vec![Log { timestamp: 5 * MS, fields: vec![] }], ..span(2, 1, 5, 50, child) };
        let got = adjusted(vec![span(1, 0, 10, 100, parent), child_span], Duration::from_secs(1));
        let moved = if same { 5 } else { 35 };
        let (start, end) = (got[1].start_time_unix_nano, got[1].end_time_unix_nano);
        assert_eq!(
            (start, end, got[1].events[0].time_unix_nano),
            (moved * MS, (moved + 50) * MS, moved * MS),
            "{parent:?} {child:?}"
        );
        assert_eq!(warnings(&got[1]), if same { "" } else { "This span's timestamps were adjusted by 30ms" });
    }
}

#[test]
fn clock_skew_that_is_not_corrected() {
    let other = &[("host.name", "b")];
    let early = |max| warnings(&adjusted(vec![span(1, 0, 10, 100, &[]), span(2, 1, 5, 50, other)], max)[1]);
    assert_eq!(early(Duration::ZERO), "clock skew adjustment disabled; not applying calculated delta of 30ms");
    let far = "max clock skew adjustment delta of 1ms exceeded; not applying calculated delta of 30ms";
    assert_eq!(early(Duration::from_millis(1)), far);
    let got = adjusted(vec![span(1, 0, 0, 9, &[]), span(1, 0, 1, 9, &[]), span(2, 0xabc, 50, 1, &[])], Duration::ZERO);
    assert_eq!(warnings(&got[1]), "duplicate span IDs; skipping clock skew adjustment");
    assert_eq!(warnings(&got[2]), "parent span ID=0000000000000abc is not in the trace; skipping clock skew adjustment");
}

#[test]
fn warnings_add_up() {
    let mut stored = span(2, 9, 0, 1, &[]);
    stored.warnings = vec!["late".to_owned()];
    stored.tags = vec![Tag::string(WARNINGS, "text"), tag("a", Value::Bool(true))];
    let orphan = "parent span ID=0000000000000009 is not in the trace; skipping clock skew adjustment";
    assert_eq!(warnings(&adjusted(vec![stored.clone()], Duration::ZERO)[0]), format!("text; late; {orphan}"));
    stored.warnings.clear();
    stored.tags = vec![tag(WARNINGS, Value::Int64(3))];
    assert_eq!(warnings(&adjusted(vec![stored], Duration::ZERO)[0]), format!("IntValue(3); {orphan}"));
}

/// Scenario: two spans of one process tell of their library, the second of another version.
/// Guarantees: what the first says goes to the resource, the second keeps what differs and is warned of.
#[test]
fn libraries_go_to_the_resource() {
    let library = |n, version| {
        let tags = [("a", "b"), ("telemetry.sdk.name", "otel"), ("telemetry.sdk.version", version)];
        tagged(span(n, 0, n, 1, &[("zone", "eu")]), &tags)
    };
    let data = adjust(Trace { spans: vec![library(1, "1"), library(2, "2")] }, Duration::ZERO);
    let of_all = &data.resource_spans[0].resource.as_ref().unwrap().attributes;
    let of_all: Vec<_> = of_all.iter().map(|kv| (kv.key.as_str(), text(kv.value.as_ref().unwrap()))).collect();
    let want = [("service.name", "s"), ("zone", "eu"), ("telemetry.sdk.name", "otel"), ("telemetry.sdk.version", "1")];
    assert_eq!(of_all, want.map(|(k, v)| (k, v.to_owned())));
    let spans = &data.resource_spans[0].scope_spans[0].spans;
    assert_eq!(keys(&spans[0]), ["a"]);
    assert_eq!(keys(&spans[1]), ["a", "telemetry.sdk.version", WARNINGS]);
    assert_eq!(warnings(&spans[1]), "conflicting values between Span and Resource for attribute telemetry.sdk.version");
}

#[test]
fn addresses_and_links() {
    let mut stored = span(1, 0, 0, 1, &[]);
    stored.tags = vec![tag("ip", Value::Int64(0x0808_0404)), tag("peer.ipv4", Value::Float64(1.0)), tag("port", Value::Int64(8))];
    stored.process = Arc::new(Process {
        service_name: "s".to_owned(),
        tags: vec![tag("ip", Value::Int64(-1)), Tag::string("peer.ipv4", "x")],
    });
    let reference = |trace_id| Reference { kind: RefType::FollowsFrom, trace_id, span_id: id(3) };
    stored.references = vec![reference(TraceId::default()), reference(TraceId([9; 16])), reference(TraceId::default())];
    let data = adjust(Trace { spans: vec![stored] }, Duration::ZERO);
    let resource = &data.resource_spans[0].resource.as_ref().unwrap().attributes;
    assert_eq!(text(resource[0].value.as_ref().unwrap()), "255.255.255.255");
    let span = &data.resource_spans[0].scope_spans[0].spans[0];
    assert_eq!(
        [attribute(span, "ip"), attribute(span, "peer.ipv4"), attribute(span, "port")],
        ["8.8.4.4", "0.0.0.1", "IntValue(8)"]
    );
    assert_eq!((span.links.len(), warnings(span).as_str()), (1, "Invalid span link removed; Invalid span link removed"));
}

/// Scenario: the same spans from another store. Guarantee: the same answer.
#[test]
fn the_order_of_a_store_does_not_matter() {
    let spans: Vec<Stored> = (1..9)
        .map(|n| tagged(span(n, n / 2, 10 - n, n, &[("host.name", if n % 3 == 0 { "a" } else { "b" })]), &[("a", "b")]))
        .collect();
    let backwards = spans.iter().rev().cloned().collect();
    let max = Duration::from_millis(3);
    assert_eq!(adjust(Trace { spans }, max), adjust(Trace { spans: backwards }, max));
}
