//! Jaeger's tags as OTLP's fields, one by one; then any trace there and back.

use super::*;
use attributes::{Any, KeyValue};
use proptest::prelude::*;
use prost::Message;
use skua_model::{Log, RefType, Reference, SpanBatch, SpanId, TraceId};
use skua_proto::otlp::trace::v1 as otlp;
use std::collections::BTreeMap;
use std::sync::Arc;

const TRACE: TraceId = TraceId([7; 16]);

fn id(n: u64) -> SpanId {
    SpanId(n.to_be_bytes())
}

fn tag(key: &str, value: Value) -> Tag {
    Tag { key: key.to_owned(), value }
}

fn process(service: &str, tags: Vec<Tag>) -> Arc<Process> {
    Arc::new(Process { service_name: service.to_owned(), tags })
}

fn span(n: u64, tags: Vec<Tag>) -> Span {
    Span { trace_id: TRACE, span_id: id(n), tags, process: process("shop", vec![]), ..Span::default() }
}

fn one(span: Span) -> otlp::Span {
    let mut data = traces_data(&Trace { spans: vec![span] });
    data.resource_spans.remove(0).scope_spans.remove(0).spans.remove(0)
}

fn texts(list: &[KeyValue]) -> Vec<(&str, String)> {
    let text = |kv: &KeyValue| format!("{:?}", kv.value.as_ref().unwrap().value.as_ref().unwrap());
    list.iter().map(|kv| (kv.key.as_str(), text(kv))).collect()
}

fn string(s: &str) -> String {
    format!("{:?}", Any::StringValue(s.to_owned()))
}

/// Scenario: spans of three processes, two of equal content, and of several scopes, in turns.
/// Guarantees: resources and scopes are in the order of first use, each once, and spans keep theirs.
#[test]
fn spans_are_grouped_in_order_of_first_use() {
    let (a, b, again) = (process("a", vec![]), process("b", vec![]), process("a", vec![]));
    let scoped = |n, process: &Arc<Process>, scope: &str| {
        let tags = if scope.is_empty() { vec![] } else { vec![Tag::string(SCOPE_NAME, scope), Tag::string(SCOPE_VERSION, "1")] };
        Span { process: Arc::clone(process), ..span(n, tags) }
    };
    let spans = vec![
        scoped(1, &b, ""),
        scoped(2, &a, "y"),
        scoped(3, &b, "x"),
        scoped(4, &again, "y"),
        scoped(5, &a, ""),
        scoped(6, &b, ""),
    ];
    let data = traces_data(&Trace { spans });
    let seen: Vec<_> = data
        .resource_spans
        .iter()
        .flat_map(|r| {
            let service = texts(&r.resource.as_ref().unwrap().attributes).remove(0).1;
            r.scope_spans.iter().map(move |s| {
                let scope = s.scope.as_ref().unwrap();
                let ids: Vec<u8> = s.spans.iter().map(|s| s.span_id[7]).collect();
                assert!(s.spans.iter().all(|s| s.attributes.is_empty()), "the scope is no attribute");
                (service.clone(), format!("{} {}", scope.name, scope.version), ids)
            })
        })
        .collect();
    let want = [("b", " ", vec![1, 6]), ("b", "x 1", vec![3]), ("a", "y 1", vec![2, 4]), ("a", " ", vec![5])];
    assert_eq!(seen, want.map(|(service, scope, ids)| (string(service), scope.to_owned(), ids)));
}

#[test]
fn processes_are_resources() {
    let of = |service: &str, tags: &[(&str, &str)]| {
        let tags = tags.iter().map(|(k, v)| Tag::string(*k, *v)).collect();
        let data = traces_data(&Trace { spans: vec![Span { process: process(service, tags), ..span(1, vec![]) }] });
        texts(&data.resource_spans[0].resource.as_ref().unwrap().attributes)
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v))
            .collect::<Vec<_>>()
    };
    for (service, tags, want) in [
        ("s", &[("b", "1"), ("a", "2"), ("b", "3")][..], &[("service.name", "s"), ("b", "3"), ("a", "2")][..]),
        ("s", &[("hostname", "h"), ("z", "")], &[("service.name", "s"), ("z", ""), ("host.name", "h")]),
        ("s", &[("hostname", "h"), ("host.name", "i")], &[("service.name", "s"), ("hostname", "h"), ("host.name", "i")]),
        ("s", &[("jaeger.version", "Go-2")], &[("service.name", "s"), ("opencensus.exporterversion", "Jaeger-Go-2")]),
        ("s", &[("service.name", "other")], &[("service.name", "s")]),
        (NO_SERVICE, &[("a", "1")], &[("a", "1")]),
        ("", &[("service.name", "t")], &[("service.name", "t")]),
    ] {
        let want: Vec<_> = want.iter().map(|(k, v)| ((*k).to_owned(), string(v))).collect();
        assert_eq!(of(service, tags), want, "{service} {tags:?}");
    }
}

#[test]
fn kinds() {
    for (value, kind) in
        [("internal", 1), ("server", 2), ("client", 3), ("producer", 4), ("consumer", 5), ("Server", 0), ("local", 0), ("", 0)]
    {
        let got = one(span(1, vec![Tag::string("span.kind", value), Tag::string("a", "b")]));
        assert_eq!((got.kind, texts(&got.attributes)), (kind, vec![("a", string("b"))]), "{value}");
    }
    let twice = one(span(1, vec![Tag::string("span.kind", "mine"), Tag::string("span.kind", "client")]));
    assert_eq!((twice.kind, twice.attributes.len()), (3, 0), "the last counts");
}

/// Each row: tags (`true` and `false` are bools, digits integers), the code, the message, and the keys that stay.
#[test]
fn statuses() {
    let parse = |text: &str| match (text.parse::<bool>(), text.parse::<i64>()) {
        (Ok(v), _) => Value::Bool(v),
        (_, Ok(v)) => Value::Int64(v),
        _ => Value::String(text.trim_matches('\'').to_owned()),
    };
    for (tags, code, message, left) in [
        ("", 0, "", ""),
        ("error=true", 2, "", ""),
        ("error=false", 0, "", "error"),
        ("error='true'", 0, "", "error"),
        ("error=true otel.status_description=why http.status_message=other", 2, "why", "http.status_message"),
        ("error=true http.status_message=other otel.status_code=OK", 2, "other", "http.status_message"),
        ("otel.status_code=ok otel.status_description=fine", 1, "fine", ""),
        ("otel.status_code=ERROR error=false", 2, "", "error"),
        ("otel.status_code=Error http.status_code=200", 2, "", "http.status_code"),
        ("otel.status_code=UNSET http.status_code=500", 0, "", "http.status_code"),
        ("otel.status_description=alone", 0, "", "otel.status_description"),
        ("http.status_code=200 http.status_message=OK", 0, "", "http.status_code http.status_message"),
        ("http.status_code=398", 0, "", "http.status_code"),
        ("http.status_code=399", 2, "", "http.status_code"),
        ("http.status_code='503' http.status_message=busy", 2, "busy", "http.status_code http.status_message"),
        ("http.status_code=404", 2, "", "http.status_code"),
        ("http.status_code=404 span.kind=client", 2, "", "http.status_code"),
        ("http.status_code=404 span.kind=server", 0, "", "http.status_code"),
        ("http.status_code=500 span.kind=server", 2, "", "http.status_code"),
        ("http.status_code=99", 2, "", "http.status_code"),
        ("http.status_code=x", 0, "", "http.status_code"),
    ] {
        let pairs = tags.split_whitespace().filter_map(|t| t.split_once('='));
        let got = one(span(1, pairs.map(|(k, v)| tag(k, parse(v))).collect()));
        let status = got.status.unwrap();
        let keys: Vec<&str> = got.attributes.iter().map(|kv| kv.key.as_str()).collect();
        assert_eq!((status.code, status.message.as_str(), keys.join(" ").as_str()), (code, message, left), "{tags}");
    }
}

#[test]
fn the_rest_of_a_span() {
    let reference = |kind, trace_id, n| Reference { kind, trace_id, span_id: id(n) };
    let other = TraceId([9; 16]);
    let log = |time, fields| Log { timestamp: time, fields };
    let got = one(Span {
        operation_name: "op".to_owned(),
        start_time: 5,
        duration: 7,
        flags: 1,
        references: vec![
            reference(RefType::FollowsFrom, other, 4),
            reference(RefType::ChildOf, TRACE, 2),
            reference(RefType::ChildOf, other, 2),
        ],
        logs: vec![
            log(6, vec![Tag::string("a", "1"), Tag::string("event", "boom")]),
            log(8, vec![tag("event", Value::Int64(3))]),
            log(9, vec![]),
        ],
        warnings: vec!["slow".to_owned(), "late".to_owned()],
        ..span(1, vec![Tag::string("w3c.tracestate", "k=v"), tag("b", Value::Binary(vec![1])), tag("f", Value::Float64(0.5))])
    });
    let scope_spans = vec![ScopeSpans { spans: vec![got], ..ScopeSpans::default() }];
    let data = TracesData { resource_spans: vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }] };
    let mut out = Vec::new();
    crate::json::v3::put_traces(&mut out, &[data], &[]);
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}

#[test]
fn the_parents_reference_is_no_link() {
    use RefType::{ChildOf, FollowsFrom};
    let other = TraceId([9; 16]);
    for (references, parent, links) in [
        (vec![], 0, vec![]),
        (vec![(ChildOf, TRACE, 2)], 2, vec![]),
        (vec![(FollowsFrom, TRACE, 2)], 2, vec![("follows_from", 2)]),
        (vec![(FollowsFrom, TRACE, 2), (ChildOf, TRACE, 3)], 3, vec![("follows_from", 2)]),
        (vec![(ChildOf, other, 2)], 0, vec![("child_of", 2)]),
        (vec![(ChildOf, TRACE, 2), (ChildOf, TRACE, 3)], 2, vec![("child_of", 3)]),
    ] {
        let references =
            references.into_iter().map(|(kind, trace_id, n)| Reference { kind, trace_id, span_id: id(n) }).collect::<Vec<_>>();
        let got = one(Span { references: references.clone(), ..span(1, vec![]) });
        let got_links: Vec<_> = got.links.iter().map(|l| (texts(&l.attributes)[0].1.clone(), l.span_id[7])).collect();
        let want: Vec<_> = links.into_iter().map(|(kind, n)| (string(kind), n)).collect();
        assert_eq!((got.parent_span_id.last().copied().unwrap_or(0), got_links), (parent, want), "{references:?}");
    }
}

/// Back in Jaeger's model, as a receiver of OTLP would have it.
fn and_back(trace: &Trace) -> Vec<Span> {
    let batch = SpanBatch::parse(traces_data(trace).encode_to_vec()).unwrap();
    let process = |entry| Arc::new(Process::from_view(&batch.process(batch.resource_of(entry))));
    let mut spans: Vec<Span> = batch.spans().iter().map(|e| Span::from_view(&batch.view(e), process(e))).collect();
    spans.sort_by_key(|s| s.span_id);
    spans
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        "[a-z]{0,3}".prop_map(Value::String),
        prop::sample::select(vec!["server", "internal", "OK", "ERROR", "true", "404"]).prop_map(|s| Value::String(s.to_owned())),
        any::<bool>().prop_map(Value::Bool),
        (0..600_i64).prop_map(Value::Int64),
        (-9..9_i32).prop_map(|v| Value::Float64(f64::from(v) / 4.0)),
        prop::collection::vec(any::<u8>(), 0..3).prop_map(Value::Binary),
    ]
}

fn any_tags() -> impl Strategy<Value = Vec<Tag>> {
    let special = [
        "error",
        "span.kind",
        "otel.status_code",
        "otel.status_description",
        "http.status_code",
        "http.status_message",
        "otel.scope.name",
        "otel.scope.version",
        "w3c.tracestate",
        "event",
        "a",
        "b",
        "c",
    ];
    prop::collection::vec((prop::sample::select(special.to_vec()), any_value()).prop_map(|(k, v)| tag(k, v)), 0..8)
}

fn any_span() -> impl Strategy<Value = Span> {
    let reference = (any::<bool>(), any::<bool>(), 1..4_u64).prop_map(|(child, own, n)| Reference {
        kind: if child { RefType::ChildOf } else { RefType::FollowsFrom },
        trace_id: if own { TRACE } else { TraceId([9; 16]) },
        span_id: id(n),
    });
    let log = (any::<u32>(), any_tags()).prop_map(|(t, fields)| Log { timestamp: t.into(), fields });
    let references = prop::collection::vec(reference, 0..3);
    let logs = prop::collection::vec(log, 0..3);
    let warnings = prop::collection::vec("[a-z]{1,3}", 0..2);
    let times = (any::<u32>(), any::<u32>());
    (any_tags(), references, logs, warnings, times, "[a-z]{0,2}", 1..3_u8).prop_map(
        |(tags, references, logs, warnings, (start, duration), name, service)| Span {
            references,
            logs,
            warnings,
            start_time: start.into(),
            duration: duration.into(),
            operation_name: name,
            process: process(&format!("s{service}"), vec![Tag::string("zone", "eu")]),
            ..span(1, tags)
        },
    )
}

/// The last of each key.
fn last(tags: &[Tag]) -> BTreeMap<&str, &Value> {
    tags.iter().map(|t| (t.key.as_str(), &t.value)).collect()
}

/// What may come back otherwise than it went: kind, status and scope are made anew.
const TOLD_OTHERWISE: [&str; 6] =
    ["span.kind", "error", "otel.status_code", "otel.status_description", "otel.scope.name", "otel.scope.version"];

proptest! {
    /// Kept are ids, name, times, process, warnings, the parent, the set of references, events and all tags (of a key the
    /// last) that OTLP has no field for. A tag beside the one that its field became (`error` = "" and true) goes the next time;
    /// then nothing changes any more.
    #[test]
    fn there_and_back(spans in prop::collection::vec(any_span(), 1..5)) {
        let spans: Vec<Span> = (1..).zip(spans).map(|(n, s)| Span { span_id: id(n), ..s }).collect();
        let back = and_back(&Trace { spans: spans.clone() });
        prop_assert_eq!(back.len(), spans.len());
        for (old, new) in spans.iter().zip(&back) {
            prop_assert_eq!(
                (old.trace_id, old.span_id, &old.operation_name, old.start_time, old.duration, &old.process, &old.warnings),
                (new.trace_id, new.span_id, &new.operation_name, new.start_time, new.duration, &new.process, &new.warnings)
            );
            prop_assert_eq!(old.parent_id(), new.parent_id());
            for r in &old.references {
                let kept = |n: &Reference| (n.trace_id, n.span_id) == (r.trace_id, r.span_id);
                prop_assert!(new.references.iter().any(kept));
            }
            let (was, is) = (last(&old.tags), last(&new.tags));
            for (key, value) in was.iter().filter(|(k, _)| !TOLD_OTHERWISE.contains(k)) {
                let lost = *key == "w3c.tracestate" && **value == Value::String(String::new());
                prop_assert!(lost || is.get(key) == Some(value), "{key} {value:?} {is:?}");
            }
            prop_assert_eq!(old.logs.len(), new.logs.len());
            for (was, is) in old.logs.iter().zip(&new.logs) {
                prop_assert_eq!(was.timestamp, is.timestamp);
                let mut fields = last(&was.fields);
                fields.retain(|key, value| *key != "event" || **value != Value::String(String::new()));
                prop_assert_eq!(fields, last(&is.fields));
            }
        }
        let again = |spans: &Vec<Span>| Some(and_back(&Trace { spans: spans.clone() }));
        let rounds: Vec<_> = std::iter::successors(Some(back), again).take(9).collect();
        prop_assert_eq!(&rounds[7], &rounds[8]);
    }
}
