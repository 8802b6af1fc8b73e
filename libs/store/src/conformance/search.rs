//! Searching: each condition alone, then together.

use super::Bench;
use super::spans::Spec;
use crate::{ErrorKind, TraceQuery};
use skua_model::Value;

pub(super) fn text(value: &str) -> Value {
    Value::String(value.to_owned())
}

pub(super) fn tagged(query: TraceQuery, tags: &[(&str, &str)]) -> TraceQuery {
    TraceQuery { tags: tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(), ..query }
}

pub(super) async fn service(b: &Bench<'_>) {
    let both = b.span("one");
    let second = Spec { service: b.service("two"), ..both.child(2) }.later(10);
    let alone = b.span("two").later(1_000);
    b.write(&[both.clone(), second, alone.clone()]).await;
    b.expect("of one service", &b.query("one"), &[&both]).await;
    b.expect("latest first", &b.query("two"), &[&alone, &both]).await;
    b.expect("of an unknown service", &b.query("three"), &[]).await;
    let found = b.find(&b.query("one")).await;
    assert_eq!(found.traces[0].spans.len(), 2, "search-service: the whole trace is returned, other services too");
}

pub(super) async fn operation(b: &Bench<'_>) {
    let (get, put) = (b.span("shop").named("GET /a/{b}"), b.span("shop").named("put"));
    b.write(&[get.clone(), put.clone()]).await;
    let of = |name: &str| TraceQuery { operation: name.to_owned(), ..b.query("shop") };
    b.expect("of one operation", &of("GET /a/{b}"), &[&get]).await;
    b.expect("of another", &of("put"), &[&put]).await;
    b.expect("of a part of a name", &of("pu"), &[]).await;
}

pub(super) async fn tags(b: &Bench<'_>) {
    let spans = [
        b.span("tags").tag("color", text("red")).tag("size", Value::Int64(42)),
        b.span("tags").later(1_000).process_tag("color", "blue").process_tag("zone", "eu1"),
        b.span("tags").later(2_000).log(5, &[("event", "boom"), ("color", "green")]),
        b.span("tags").later(3_000).tag("ratio", Value::Float64(0.25)).tag("ok", Value::Bool(true)),
        b.span("tags")
            .later(4_000)
            .tag("raw", Value::Binary(vec![0xca, 0xfe]))
            .tag("color", text("pink"))
            .tag("color", text("teal")),
        b.span("tags").later(5_000).tag("dotted.key", text("two words")),
    ];
    b.write(&spans).await;
    type Case = (&'static str, &'static [(&'static str, &'static str)], Option<usize>);
    let cases: &[Case] = &[
        ("a string", &[("color", "red")], Some(0)),
        ("an integer", &[("size", "42")], Some(0)),
        ("two tags of a span", &[("color", "red"), ("size", "42")], Some(0)),
        ("a process tag", &[("zone", "eu1")], Some(1)),
        ("two process tags", &[("color", "blue"), ("zone", "eu1")], Some(1)),
        ("a field of a log", &[("color", "green")], Some(2)),
        ("the event of a log", &[("event", "boom")], Some(2)),
        ("a float", &[("ratio", "0.25")], Some(3)),
        ("a bool", &[("ok", "true")], Some(3)),
        ("bytes, as hex", &[("raw", "cafe")], Some(4)),
        ("the first of two values", &[("color", "pink")], Some(4)),
        ("the second of two values", &[("color", "teal")], Some(4)),
        ("a dotted key, a value of two words", &[("dotted.key", "two words")], Some(5)),
        ("a part of a value", &[("color", "re")], None),
        ("an unknown key", &[("colour", "red")], None),
        ("tags of two spans", &[("color", "red"), ("zone", "eu1")], None),
    ];
    for (what, tags, want) in cases {
        let want: Vec<&Spec> = want.iter().map(|i| &spans[*i]).collect();
        b.expect(what, &tagged(b.query("tags"), tags), &want).await;
    }
}

pub(super) async fn duration(b: &Bench<'_>) {
    let [short, middle, long] = [1_000, 2_000, 3_000].map(|d| b.span("slow").later(d).lasting(d));
    b.write(&[short.clone(), middle.clone(), long.clone()]).await;
    let of = |duration_min, duration_max| TraceQuery { duration_min, duration_max, ..b.query("slow") };
    b.expect("at least", &of(2_000, 0), &[&long, &middle]).await;
    b.expect("more than", &of(2_001, 0), &[&long]).await;
    b.expect("at most", &of(0, 2_000), &[&middle, &short]).await;
    b.expect("less than", &of(0, 1_999), &[&short]).await;
    b.expect("both, inclusive", &of(2_000, 2_000), &[&middle]).await;
    b.expect("none", &of(3_001, 0), &[]).await;
}

pub(super) async fn time(b: &Bench<'_>) {
    let [first, second, third] = [0, 1_000_000, 2_000_000].map(|t| b.span("when").later(t));
    b.write(&[first.clone(), second.clone(), third.clone()]).await;
    let of = |start_min, start_max| TraceQuery { start_min, start_max, ..b.query("when") };
    b.expect("both ends, inclusive", &of(first.start, second.start), &[&second, &first]).await;
    b.expect("after the first", &of(first.start + 1, third.start), &[&third, &second]).await;
    b.expect("before the third", &of(first.start, third.start - 1), &[&second, &first]).await;
    b.expect("one microsecond", &of(second.start, second.start), &[&second]).await;
    b.expect("between two", &of(second.start + 1, third.start - 1), &[]).await;
}

pub(super) async fn combined(b: &Bench<'_>) {
    let hit = b.span("mix").named("pay").lasting(5_000).tag("color", text("red")).process_tag("zone", "eu1");
    let misses = [
        Spec { service: b.service("mixed"), ..hit.clone() },
        hit.clone().named("play"),
        hit.clone().lasting(4_999),
        hit.clone().later(1),
        Spec { tags: Vec::new(), ..hit.clone() },
        Spec { process: Vec::new(), ..hit.clone() },
    ];
    let misses = misses.map(|s| Spec { trace_id: b.trace_id(), ..s });
    b.write(&[std::slice::from_ref(&hit), &misses[..]].concat()).await;
    let query = TraceQuery {
        operation: "pay".to_owned(),
        duration_min: 5_000,
        duration_max: 6_000,
        start_max: hit.start,
        ..b.query("mix")
    };
    b.expect("all conditions", &tagged(query, &[("color", "red"), ("zone", "eu1")]), &[&hit]).await;
}

pub(super) async fn one_span(b: &Bench<'_>) {
    let root = b.span("pair").named("outer").tag("color", text("red")).lasting(9_000);
    b.write(&[root.clone(), root.child(2).named("inner").tag("shape", text("round")).later(3)]).await;
    let span = Spec { tags: Vec::new(), ..root.child(3) }.named("third").lasting(10).tag("shape", text("square"));
    b.write(&[span]).await;
    let of = |name: &str, tags: &[(&str, &str)]| tagged(TraceQuery { operation: name.to_owned(), ..b.query("pair") }, tags);
    b.expect("operation and tag of one span", &of("outer", &[("color", "red")]), &[&root]).await;
    b.expect("operation and tag of two spans", &of("third", &[("color", "red")]), &[]).await;
    b.expect("tags of two spans", &of("", &[("color", "red"), ("shape", "square")]), &[]).await;
    let brief = TraceQuery { duration_max: 100, ..of("outer", &[]) };
    b.expect("operation and duration of two spans", &brief, &[]).await;
}

/// Without a service: by a tag that nobody else has, in the time of the case.
pub(super) async fn any_service(b: &Bench<'_>) {
    let mark = b.service("mark");
    let [first, second] = ["one", "two"].map(|service| b.span(service).tag("mark", text(&mark)));
    let second = second.later(1_000);
    b.write(&[first.clone(), second.clone(), b.span("one").later(2_000)]).await;
    let query = TraceQuery { service: String::new(), ..tagged(b.query("one"), &[("mark", &mark)]) };
    assert_eq!(b.reader.searches_any_service(), b.abilities.any_service, "what the store says of itself");
    if b.abilities.any_service {
        b.expect("of two services", &query, &[&second, &first]).await;
        b.expect("of a short time", &TraceQuery { start_max: first.start, ..query }, &[&first]).await;
    } else {
        let e = b.reader.find(&query).await.expect_err("search-any-service: the store says that it cannot");
        assert_eq!(e.kind, ErrorKind::Unsupported, "search-any-service: {e}");
    }
}
