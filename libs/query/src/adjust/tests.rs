//! One adjuster at a time, then all of them on random traces.

use super::*;
use proptest::prelude::*;
use skua_model::{Log, RefType, Reference, SpanId, Tag, TraceId, Value};

const TRACE: TraceId = TraceId([7; 16]);
const MS: u64 = 1_000_000;

fn id(n: u64) -> SpanId {
    SpanId(n.to_be_bytes())
}

fn reference(kind: RefType, trace_id: TraceId, span: u64) -> Reference {
    Reference { kind, trace_id, span_id: id(span) }
}

/// Start and duration in milliseconds; parent 0 for a root; `ip` empty for none.
fn span(n: u64, parent: u64, start: u64, duration: u64, ip: &str) -> Span {
    let tags = if ip.is_empty() { vec![] } else { vec![Tag::string("ip", ip)] };
    Span {
        trace_id: TRACE,
        span_id: id(n),
        operation_name: format!("op{n}"),
        references: if parent == 0 { vec![] } else { vec![reference(RefType::ChildOf, TRACE, parent)] },
        start_time: start * MS,
        duration: duration * MS,
        process: Arc::new(Process { service_name: "service".to_owned(), tags }),
        ..Span::default()
    }
}

fn tagged(mut span: Span, key: &str, value: Value) -> Span {
    span.tags.push(Tag { key: key.to_owned(), value });
    span
}

fn kind(span: Span, kind: &str) -> Span {
    tagged(span, "span.kind", Value::String(kind.to_owned()))
}

fn keys(tags: &[Tag]) -> Vec<&str> {
    tags.iter().map(|t| t.key.as_str()).collect()
}

/// Scenario: Zipkin's client and server span of one call share the id 5; the server has a child; ids 1 and 2 are taken.
/// Guarantees: the server's span gets the smallest free id, is a child of the client's, and its child follows it.
#[test]
fn shared_ids_become_unique() {
    let spans = vec![
        span(1, 0, 0, 100, ""),
        kind(span(5, 1, 10, 50, ""), "client"),
        kind(span(5, 1, 20, 30, ""), "server"),
        span(2, 5, 25, 5, ""),
    ];
    let mut trace = Trace { spans };
    unique_span_ids(&mut trace);
    let got: Vec<_> = trace.spans.iter().map(|s| (s.span_id, s.parent_id())).collect();
    assert_eq!(got, [(id(1), None), (id(5), Some(id(1))), (id(3), Some(id(5))), (id(2), Some(id(3)))]);

    let mut root = Trace { spans: vec![kind(span(5, 0, 0, 9, ""), "client"), kind(span(5, 0, 1, 2, ""), "server")] };
    unique_span_ids(&mut root);
    assert_eq!((root.spans[1].span_id, root.spans[1].parent_id()), (id(1), Some(id(5))), "a shared root");

    let alone = vec![kind(span(5, 0, 0, 9, ""), "server"), kind(span(6, 5, 1, 2, ""), "server")];
    let mut trace = Trace { spans: alone.clone() };
    unique_span_ids(&mut trace);
    assert_eq!(trace.spans, alone, "servers that share no id stay");
}

#[test]
fn tags_are_sorted() {
    let mut s = span(1, 0, 0, 1, "");
    let values =
        [Value::Binary(vec![1]), Value::Float64(2.0), Value::Int64(10), Value::Int64(9), Value::Bool(true), Value::Bool(false)];
    s.tags.push(Tag::string("b", "x"));
    s.tags.extend(values.iter().cloned().map(|value| Tag { key: "a".to_owned(), value }));
    s.tags.push(Tag::string("a", "z"));
    let field = |key: &str| Tag::string(key, "v");
    let number = Tag { key: "event".to_owned(), value: Value::Int64(1) };
    s.logs = vec![
        Log { timestamp: 0, fields: vec![field("x"), field("a"), field("event")] },
        Log { timestamp: 0, fields: vec![number, field("a")] },
    ];
    s.process = Arc::new(Process { service_name: "s".to_owned(), tags: vec![field("q"), field("p")] });
    let mut trace = Trace { spans: vec![s] };
    sort_tags(&mut trace);
    let s = &trace.spans[0];
    let got: Vec<_> = s.tags.iter().map(|t| t.value.clone()).collect();
    let [binary, float, ten, nine, yes, no] = values;
    let text = |t: &str| Value::String(t.to_owned());
    assert_eq!(got, [text("z"), no, yes, nine, ten, float, binary, text("x")], "by key, type and value");
    assert_eq!(keys(&s.logs[0].fields), ["event", "a", "x"], "a text `event` leads");
    assert_eq!(keys(&s.logs[1].fields), ["a", "event"], "another `event` does not");
    assert_eq!(keys(&s.process.tags), ["p", "q"]);
}

#[test]
fn equal_spans_become_one() {
    let nan = tagged(span(1, 0, 0, 1, "h"), "nan", Value::Float64(f64::NAN));
    let other = tagged(span(1, 0, 0, 1, "h"), "nan", Value::String("NaN".to_owned()));
    let elsewhere = tagged(span(1, 0, 0, 1, "other host"), "nan", Value::Float64(f64::NAN));
    let mut trace = Trace { spans: vec![nan.clone(), other, nan.clone(), elsewhere, nan] };
    dedupe(&mut trace);
    let got: Vec<_> =
        trace.spans.iter().map(|s| (s.tags[0].value.type_name(), s.process.tags[0].value.as_text().into_owned())).collect();
    let want = [("float64", "h"), ("string", "h"), ("float64", "other host")];
    assert_eq!(got, want.map(|(t, h)| (t, h.to_owned())));
}

/// Each row: parent's start, its duration, child's start, its duration, and the shift that is calculated.
#[test]
fn skew_is_centred() {
    for (parent, parent_lasts, child, child_lasts, delta) in [
        (10, 100, 20, 50, 0),   // fits
        (10, 100, 0, 50, 35),   // begins too early: centred
        (10, 100, 80, 50, -45), // ends too late: centred
        (10, 100, 0, 200, 10),  // longer: not before the parent
        (10, 100, 20, 200, 0),  // longer, and not before
        (1000, 100, 5000, 100, -4000),
    ] {
        for ips in [("a", "b"), ("", "")] {
            let mut s = span(2, 1, child, child_lasts, ips.1);
            s.logs.push(Log { timestamp: child * MS, fields: vec![] });
            let mut trace = Trace { spans: vec![span(1, 0, parent, parent_lasts, ips.0), s] };
            clock_skew(&mut trace, Duration::from_secs(60));
            let s = &trace.spans[1];
            let want = (child as i64 + delta) as u64 * MS;
            assert_eq!((s.start_time, s.logs[0].timestamp), (want, want), "{parent} {child}");
            let warning = format!("This span's timestamps were adjusted by {}", crate::go::duration_text(delta * MS as i64));
            assert_eq!(s.warnings, if delta == 0 { vec![] } else { vec![warning] });
        }
    }
}

/// Scenario: a consumer works on another host, long after the producer's span has ended: it follows from it, or it has both kinds of
/// reference to it. Guarantee: the one that follows is left alone without a word, the other is shifted.
#[test]
fn what_follows_is_not_shifted() {
    let follower = |references| Span { references, ..span(2, 0, 500, 10, "b") };
    let (follows, child) = (reference(RefType::FollowsFrom, TRACE, 1), reference(RefType::ChildOf, TRACE, 1));
    for (references, start) in [(vec![follows], 500), (vec![follows, child], 55)] {
        let mut trace = Trace { spans: vec![span(1, 0, 10, 100, "a"), follower(references)] };
        clock_skew(&mut trace, Duration::from_secs(60));
        assert_eq!(trace.spans[1].start_time / MS, start);
        assert_eq!(trace.spans[1].warnings.is_empty(), start == 500);
    }
}

/// Scenario: a server's span is an hour late; its child is on the same host, and that one's child on a third.
/// Guarantees: the same host moves along by the same shift, and the third is measured against what was moved.
#[test]
fn skew_goes_down_within_a_host() {
    let hour = 3_600_000;
    let spans = vec![
        span(1, 0, 0, 100, "a"),
        span(2, 1, hour + 10, 80, "b"),
        span(3, 2, hour + 20, 30, "b"),
        span(4, 3, 12, 10, "c"),
        span(5, 1, 500, 1, "a"),
    ];
    let mut trace = Trace { spans };
    clock_skew(&mut trace, Duration::from_secs(7200));
    let starts: Vec<u64> = trace.spans.iter().map(|s| s.start_time / MS).collect();
    assert_eq!(starts, [0, 10, 20, 30, 500], "of one host with its parent nothing moves, even where it does not fit");
}

#[test]
fn skew_warns_when_it_does_not_shift() {
    let early = |max| {
        let mut trace = Trace { spans: vec![span(1, 0, 10, 100, "a"), span(2, 1, 0, 50, "b")] };
        clock_skew(&mut trace, max);
        assert_eq!(trace.spans[1].start_time, 0);
        trace.spans[1].warnings.clone()
    };
    assert_eq!(early(Duration::ZERO), ["clock skew adjustment disabled; not applying calculated delta of 35ms"]);
    let max = Duration::from_millis(34);
    assert_eq!(early(max), ["max clock skew adjustment delta of 34ms exceeded; not applying calculated delta of 35ms"]);

    let mut trace = Trace { spans: vec![span(1, 0, 0, 9, ""), span(1, 0, 0, 9, ""), span(2, 0xabc, 50, 1, "")] };
    clock_skew(&mut trace, Duration::ZERO);
    let warnings: Vec<_> = trace.spans.iter().map(|s| s.warnings.join("")).collect();
    let orphan = "invalid parent span IDs=0000000000000abc; skipping clock skew adjustment";
    assert_eq!(warnings, ["", "duplicate span IDs; skipping clock skew adjustment", orphan]);
}

/// Scenario: parents that form a ring, a span that is its own parent, a chain of 100 000 spans.
/// Guarantees: an end, without a deep stack.
#[test]
fn skew_ends() {
    let mut trace = Trace { spans: vec![span(1, 2, 0, 1, ""), span(2, 1, 0, 1, ""), span(3, 3, 0, 1, "")] };
    clock_skew(&mut trace, Duration::ZERO);
    let spans = (1..=100_000).map(|n| span(n, n - 1, n, 1, "")).collect();
    clock_skew(&mut Trace { spans }, Duration::ZERO);
}

#[test]
fn hosts_are_known_by_any_form_of_ip() {
    let with = |value| {
        let mut s = span(2, 1, 500, 10, "");
        s.process = Arc::new(Process { service_name: "s".to_owned(), tags: vec![Tag { key: "ip".to_owned(), value }] });
        let mut trace = Trace { spans: vec![span(1, 0, 0, 100, "1.2.3.4"), s] };
        clock_skew(&mut trace, Duration::ZERO);
        trace.spans[1].warnings.is_empty()
    };
    let mapped = [&[0; 10][..], &[255, 255, 1, 2, 3, 4]].concat();
    assert!(with(Value::Int64(0x0102_0304)) && with(Value::Binary(vec![1, 2, 3, 4])) && with(Value::Binary(mapped)));
    assert!(!with(Value::Binary(vec![1, 2, 3])) && !with(Value::Bool(true)) && !with(Value::String("::1".to_owned())));
}

#[test]
fn ips_become_text() {
    let mut s = span(1, 0, 0, 1, "");
    let tag = |key: &str, value| Tag { key: key.to_owned(), value };
    s.tags = vec![
        tag("ip", Value::Int64(0x0808_0404)),
        tag("peer.ipv4", Value::Float64(2_130_706_433.0)),
        tag("peer.ipv4", Value::Int64(-1)),
        tag("ip", Value::String("as it is".to_owned())),
        tag("port", Value::Int64(80)),
    ];
    s.process = Arc::new(Process { service_name: "s".to_owned(), tags: vec![tag("ip", Value::Int64(1))] });
    let mut trace = Trace { spans: vec![s] };
    ip_tags(&mut trace);
    let texts: Vec<_> = trace.spans[0].tags.iter().map(|t| t.value.as_text().into_owned()).collect();
    assert_eq!(texts, ["8.8.4.4", "127.0.0.1", "255.255.255.255", "as it is", "80"]);
    assert_eq!(trace.spans[0].process.tags, [Tag::string("ip", "0.0.0.1")]);
}

/// Scenario: three spans share a process, two tell of the same library, one of none.
/// Guarantees: the tags move to the process of those spans only, and the two go on sharing it.
#[test]
fn library_tags_move_to_the_process() {
    let process = Arc::new(Process { service_name: "s".to_owned(), tags: vec![Tag::string("zone", "eu")] });
    let mut spans: Vec<Span> = (1..4).map(|n| Span { process: Arc::clone(&process), ..span(n, 0, n, 1, "") }).collect();
    for s in &mut spans[..2] {
        s.tags = ["a", "telemetry.sdk.name", "telemetry.distro.version", "z"].map(|k| Tag::string(k, "v")).to_vec();
    }
    let mut trace = Trace { spans };
    library_tags(&mut trace);
    assert_eq!(keys(&trace.spans[0].tags), ["a", "z"]);
    assert_eq!(keys(&trace.spans[0].process.tags), ["telemetry.distro.version", "telemetry.sdk.name", "zone"]);
    assert!(Arc::ptr_eq(&trace.spans[0].process, &trace.spans[1].process));
    assert!(Arc::ptr_eq(&trace.spans[2].process, &process));
}

#[test]
fn references_to_nothing_go() {
    let mut s = span(1, 2, 0, 1, "");
    s.references.insert(0, reference(RefType::FollowsFrom, TraceId::default(), 10));
    let mut trace = Trace { spans: vec![s] };
    valid_references(&mut trace);
    let s = &trace.spans[0];
    assert_eq!(s.references, [reference(RefType::ChildOf, TRACE, 2)]);
    let ids = "TraceID:0000000000000000 SpanID:000000000000000a RefType:FOLLOWS_FROM";
    assert_eq!(s.warnings, [format!("Invalid span reference removed {{{ids}}}")]);
}

#[test]
fn the_parent_comes_first() {
    use RefType::{ChildOf, FollowsFrom};
    let other = TraceId([9; 16]);
    for (given, want) in [
        (vec![], vec![]),
        (vec![(ChildOf, other, 1)], vec![(ChildOf, other, 1)]),
        (vec![(ChildOf, TRACE, 1), (FollowsFrom, TRACE, 2)], vec![(ChildOf, TRACE, 1), (FollowsFrom, TRACE, 2)]),
        (vec![(ChildOf, other, 1), (ChildOf, TRACE, 2)], vec![(ChildOf, TRACE, 2), (ChildOf, other, 1)]),
        (vec![(ChildOf, other, 1), (FollowsFrom, TRACE, 2)], vec![(FollowsFrom, TRACE, 2), (ChildOf, other, 1)]),
        (
            vec![(FollowsFrom, other, 1), (FollowsFrom, TRACE, 2), (ChildOf, TRACE, 3)],
            vec![(ChildOf, TRACE, 3), (FollowsFrom, TRACE, 2), (FollowsFrom, other, 1)],
        ),
    ] {
        let all = |list: Vec<(RefType, TraceId, u64)>| list.into_iter().map(|(k, t, s)| reference(k, t, s)).collect::<Vec<_>>();
        let mut trace = Trace { spans: vec![Span { references: all(given), ..span(1, 0, 0, 1, "") }] };
        parent_first(&mut trace);
        assert_eq!(trace.spans[0].references, all(want));
    }
}

/// Parents, starts and durations of spans with few ids, hosts and kinds, so that they collide.
fn any_trace() -> impl Strategy<Value = Trace> {
    let one = (
        1..6_u64,
        0..6_u64,
        0..50_u64,
        0..50_u64,
        prop::sample::select(vec!["", "a", "b"]),
        prop::sample::select(vec!["client", "server", ""]),
    );
    let one = one.prop_map(|(n, parent, start, duration, ip, k)| kind(span(n, parent, start, duration, ip), k));
    prop::collection::vec(one, 0..12).prop_map(|spans| Trace { spans })
}

proptest! {
    /// The same spans in another order are mended to the same trace, and its spans are in order of start.
    #[test]
    fn the_order_of_a_store_does_not_matter(trace in any_trace(), max in 0..100_u64) {
        let max = Duration::from_millis(max);
        let mut other = Trace { spans: trace.spans.iter().rev().cloned().collect() };
        let mut trace = trace;
        adjust(&mut trace, max);
        adjust(&mut other, max);
        prop_assert!(trace.spans.is_sorted_by_key(|s| s.start_time));
        prop_assert_eq!(trace, other);
    }
}
