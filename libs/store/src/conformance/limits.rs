//! Searching with a limit: the newest traces that match, however many match in a part.

use super::Bench;
use super::search::{tagged, text};
use super::spans::Spec;
use crate::TraceQuery;
use skua_model::{TraceId, Value};

pub(super) async fn limit(b: &Bench<'_>) {
    let spans: Vec<Spec> = [3_000, 1_000, 5_000, 2_000, 4_000].map(|t| b.span("many").later(t)).to_vec();
    b.write(&spans).await;
    let of = |limit| TraceQuery { limit, ..b.query("many") };
    b.expect("the newest two", &of(2), &[&spans[2], &spans[4]]).await;
    b.expect("fewer than the limit", &of(50), &[&spans[2], &spans[4], &spans[0], &spans[3], &spans[1]]).await;
    b.expect("the store's own limit", &of(0), &[&spans[2], &spans[4], &spans[0], &spans[3], &spans[1]]).await;
    let red = b.span("many").later(500).tag("color", text("red"));
    b.write(std::slice::from_ref(&red)).await;
    b.expect("the limit counts matches only", &tagged(of(1), &[("color", "red")]), &[&red]).await;
}

/// Many traces have the one tag, many the other, few both.
pub(super) async fn tags(b: &Bench<'_>) {
    let mut spans = Vec::new();
    for i in 0..300 {
        spans.push(b.span("busy").later(20 * i).tag("a", Value::Int64(1)));
        spans.push(b.span("busy").later(20 * i + 10).tag("b", Value::Int64(2)));
    }
    let both = |i: u64| b.span("busy").later(i * 850 + 5).tag("a", Value::Int64(1)).tag("b", Value::Int64(2));
    let both: Vec<Spec> = (0..7).map(both).collect();
    b.write(&[&spans[..], &both[..]].concat()).await;
    let of = |limit| TraceQuery { limit, ..tagged(b.query("busy"), &[("a", "1"), ("b", "2")]) };
    let newest: Vec<&Spec> = both.iter().rev().collect();
    b.expect("the newest five with both tags", &of(5), &newest[..5]).await;
    b.expect("all with both tags", &of(100), &newest).await;
}

/// Many spans last long without the tag, many have the tag and are short, in traces of their own and in the same; few spans
/// are both.
pub(super) async fn duration(b: &Bench<'_>) {
    let (long, tag) = (9_000, |s: Spec| s.tag("color", text("red")));
    let mut spans = Vec::new();
    for i in 0..200 {
        spans.push(b.span("busy").later(40 * i).lasting(long));
        spans.push(tag(b.span("busy").later(40 * i + 10)));
        let root = b.span("busy").later(40 * i + 20).lasting(long);
        spans.push(tag(root.child(2).later(1).lasting(10)));
        spans.push(root);
    }
    let both: Vec<Spec> = (0..6).map(|i| tag(b.span("busy").later(i * 1_300 + 5).lasting(long))).collect();
    b.write(&[&spans[..], &both[..]].concat()).await;
    let newest: Vec<&Spec> = both.iter().rev().collect();
    let red = tagged(TraceQuery { duration_min: long, ..b.query("busy") }, &[("color", "red")]);
    let of = |limit, operation: &str| TraceQuery { limit, operation: operation.to_owned(), ..red.clone() };
    b.expect("the newest four", &of(4, ""), &newest[..4]).await;
    b.expect("the newest four of the operation", &of(4, "op"), &newest[..4]).await;
    b.expect("all", &of(100, ""), &newest).await;
    b.expect("none of another operation", &of(4, "other"), &[]).await;
}

pub(super) async fn many_traces(b: &Bench<'_>) {
    let mut spans = Vec::new();
    for i in 0..1_000 {
        // Not in the order of time.
        let root = b.span("crowd").later(i * 387 % 1_000 * 10);
        spans.extend([root.child(2).later(3), root]);
    }
    b.write(&spans).await;
    let mut roots: Vec<&Spec> = spans.iter().filter(|s| s.parent == 0).collect();
    roots.sort_by_key(|s| std::cmp::Reverse(s.start));
    for limit in [1, 20, 1_000] {
        let query = TraceQuery { limit, ..b.query("crowd") };
        b.expect("the newest, in order", &query, &roots[..limit as usize]).await;
    }
}

/// Traces that only their ids tell apart.
pub(super) async fn one_microsecond(b: &Bench<'_>) {
    let spans: Vec<Spec> = (0..50).map(|_| b.span("same").tag("color", text("red"))).collect();
    b.write(&spans).await;
    let all = |mut ids: Vec<TraceId>| {
        ids.sort_unstable();
        ids
    };
    let want = all(spans.iter().map(|s| s.trace_id).collect());
    let service = b.query("same");
    let operation = TraceQuery { operation: "op".to_owned(), ..service.clone() };
    let tag = tagged(service.clone(), &[("color", "red")]);
    let duration = TraceQuery { duration_min: 1_000, ..service.clone() };
    for query in [service, operation, tag, duration] {
        let one = TraceQuery { start_min: spans[0].start, start_max: spans[0].start, ..query.clone() };
        for query in [query, one] {
            assert!(all(b.found(&query).await) == want, "{}: all of one microsecond: {query:?}", b.case);
        }
    }
}
