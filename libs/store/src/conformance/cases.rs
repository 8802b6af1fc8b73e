//! Services, operations, traces by id, and what of a span has to survive.

use super::Bench;
use super::spans::{Spec, id};
use crate::{ErrorKind, Operation};
use skua_model::{RefType, Reference, SpanId, Value};
use std::collections::HashSet;

/// A store that pages reads at most so many spans at once: Elasticsearch's `index.max_result_window`.
const PAGE: u64 = 10_000;

pub(super) async fn services(b: &Bench<'_>) {
    let names = ["zebra", "ant", "ant.2"];
    b.write(&names.map(|n| b.span(n))).await;
    let got = b.reader.services().await.expect("services: failed to list");
    for name in names {
        assert!(got.contains(&b.service(name)), "services: {name} is missing in {got:?}");
    }
    assert!(got.is_sorted(), "services: not sorted: {got:?}");
    assert_eq!(got.iter().collect::<HashSet<_>>().len(), got.len(), "services: named twice: {got:?}");
}

pub(super) async fn operations(b: &Bench<'_>) {
    let span = |name: &str, kind| b.span("ops").named(name).kind(kind);
    b.write(&[span("put", 2), span("get", 2), span("get", 3), span("get", 2), span("aux", 0), b.span("other").named("foreign")])
        .await;
    let list = async |service: &str, kind: &str| {
        let got = b.reader.operations(service, kind).await;
        got.unwrap_or_else(|e| panic!("operations: failed to list: {e}"))
    };
    let all = list(&b.service("ops"), "").await;
    assert!(all.is_sorted_by_key(|o| &o.name), "operations: not sorted: {all:?}");
    let of = |name: &str, kind: &str| Operation { name: name.to_owned(), kind: kind.to_owned() };
    if all.iter().all(|o| o.kind.is_empty()) {
        assert_eq!(all, [of("aux", ""), of("get", ""), of("put", "")], "operations: of a store without kinds");
    } else {
        assert_eq!(all, [of("aux", ""), of("get", "client"), of("get", "server"), of("put", "server")], "operations: with kinds");
        let client = list(&b.service("ops"), "client").await;
        assert_eq!(client, [of("get", "client")], "operations: of kind client");
        assert_eq!(list(&b.service("ops"), "no-such-kind").await, [], "operations: of an unknown kind");
    }
    assert_eq!(list(&b.service("nobody"), "").await, [], "operations: of an unknown service");
}

pub(super) async fn trace_by_id(b: &Bench<'_>) {
    let root = b.span("front").kind(3).process_tag("host.name", "a").tag("error", Value::Bool(false));
    let mut back = Spec { service: b.service("back"), ..root.child(2) }.later(100).kind(2);
    back.failed = true;
    let want = b.write(&[root.clone(), root.child(3).later(200), back, b.span("front")]).await;
    let want: Vec<_> = want.into_iter().filter(|s| s.trace_id == root.trace_id).collect();
    assert_eq!(want.len(), 3);
    let got = b.trace(root.trace_id).await;
    assert_eq!(got, want, "trace-by-id: spans of the trace");
    assert_eq!(got[1].parent_id(), Some(id(1)), "trace-by-id: the parent");
    assert_eq!(got[1].process.service_name, b.service("back"), "trace-by-id: the service");
}

pub(super) async fn not_found(b: &Bench<'_>) {
    b.write(&[b.span("there")]).await;
    let absent = b.trace_id();
    let e = b.reader.trace(absent).await.expect_err("not-found: a trace that nobody wrote");
    assert_eq!((e.kind, e.to_string()), (ErrorKind::NotFound, "trace not found".to_owned()), "not-found: the error");
}

pub(super) async fn typed_tags(b: &Bench<'_>) {
    let span = b
        .span("typed")
        .tag("text", Value::String("a text".to_owned()))
        .tag("empty", Value::String(String::new()))
        .tag("number-like", Value::String("42".to_owned()))
        .tag("yes", Value::Bool(true))
        .tag("no", Value::Bool(false))
        .tag("zero", Value::Int64(0))
        .tag("largest", Value::Int64(i64::MAX))
        .tag("smallest", Value::Int64(i64::MIN))
        .tag("float", Value::Float64(1.5))
        .tag("whole", Value::Float64(-3.0))
        .tag("tiny", Value::Float64(1.25e-9))
        .tag("bytes", Value::Binary(vec![0, 255, 1, 254]))
        .tag("twice", Value::String("first".to_owned()))
        .tag("twice", Value::String("second".to_owned()))
        .tag("dotted.key.of.a.tag", Value::String("dots".to_owned()));
    let want = b.write(std::slice::from_ref(&span)).await;
    assert_eq!(b.trace(span.trace_id).await, want, "typed-tags: each with its type and value");
}

pub(super) async fn references(b: &Bench<'_>) {
    let other = b.span("refs").named("other");
    let root = b.span("refs");
    let child = root
        .child(2)
        .later(1)
        .link(RefType::FollowsFrom, root.trace_id, 7)
        .link(RefType::ChildOf, other.trace_id, 1)
        .link(RefType::FollowsFrom, other.trace_id, 9);
    let want = b.write(&[root.clone(), child, other.clone()]).await;
    let want: Vec<_> = want.into_iter().filter(|s| s.trace_id == root.trace_id).collect();
    let got = b.trace(root.trace_id).await;
    assert_eq!(got, want, "references: all of them");
    let reference = |kind, trace_id, span| Reference { kind, trace_id, span_id: id(span) };
    let expected = [
        reference(RefType::ChildOf, root.trace_id, 1),
        reference(RefType::FollowsFrom, root.trace_id, 7),
        reference(RefType::ChildOf, other.trace_id, 1),
        reference(RefType::FollowsFrom, other.trace_id, 9),
    ];
    assert_eq!(got[1].references, expected, "references: the parent first, then the links in order");
    assert_eq!(got[0].references, [], "references: a root has none");
}

pub(super) async fn logs(b: &Bench<'_>) {
    let span = b
        .span("logs")
        .log(700, &[("event", "late"), ("detail", "second in time, first on the wire")])
        .log(20, &[("event", "early"), ("stack", "line one\nline two\t\"quoted\" \\ back")])
        .log(20, &[]);
    let want = b.write(std::slice::from_ref(&span)).await;
    assert_eq!(b.trace(span.trace_id).await, want, "logs: in the order of the wire, with all fields");
}

pub(super) async fn warnings(b: &Bench<'_>) {
    let span = b.span("warned").warning("clock skew").warning("größe: \"x\"").tag("color", Value::String("red".to_owned()));
    let mut want = b.write(&[span.clone(), b.span("warned")]).await;
    want.retain(|s| s.trace_id == span.trace_id);
    assert_eq!(want[0].warnings, ["clock skew", "größe: \"x\""]);
    if !b.abilities.warnings {
        want.iter_mut().for_each(|s| s.warnings.clear());
    }
    assert_eq!(b.trace(span.trace_id).await, want, "warnings: with the warnings, where the store keeps them, and not as tags");
}

pub(super) async fn unicode(b: &Bench<'_>) {
    let name = "größe/値 🦆 <a&b> \u{2028}\u{202e}";
    let value = Value::String("naïve \u{0}\u{1f} \u{10ffff} e\u{301}".to_owned());
    let mut span = b.span("möwe-🐦").named(name).tag("schlüssel 🗝", value).log(1, &[("event", "ÿ")]);
    span.process.push(skua_model::Tag::string("ört", "überall"));
    let want = b.write(std::slice::from_ref(&span)).await;
    assert_eq!(b.trace(span.trace_id).await, want, "unicode: unchanged by storing");
    let operations = b.reader.operations(&span.service, "").await.expect("unicode: failed to list operations");
    assert_eq!(operations.iter().map(|o| o.name.as_str()).collect::<Vec<_>>(), [name], "unicode: the operation");
    let mut query = b.query("möwe-🐦");
    query.operation = name.to_owned();
    b.expect("by service and operation", &query, &[&span]).await;
}

pub(super) async fn large_trace(b: &Bench<'_>) {
    let root = b.span("large").lasting(20_000_000);
    many(b, &root, PAGE, |i| i).await;
}

pub(super) async fn one_microsecond(b: &Bench<'_>) {
    // Wherever a reader cuts its pages, spans of one microsecond lie on both sides of the cut.
    let root = b.span("crowd").lasting(20_000_000);
    many(b, &root, PAGE + 100, |i| i / 4_000).await;
}

async fn many(b: &Bench<'_>, root: &Spec, count: u64, start: impl Fn(u64) -> u64) {
    let spans: Vec<Spec> = (1..=count).map(|i| Spec { span_id: i, parent: i / 2, ..root.clone() }.later(start(i))).collect();
    for some in spans.chunks(1_000) {
        b.deliver(some).await;
    }
    (b.settle)().await;
    let got = b.trace(root.trace_id).await;
    let ids: HashSet<SpanId> = got.iter().map(|s| s.span_id).collect();
    let missing = (1..=count).filter(|i| !ids.contains(&id(*i))).count();
    assert_eq!((missing, got.len() as u64), (0, count), "{}: spans missing, spans read", b.case);
    let found = b.find(&b.query(root.service.rsplit_once('-').map_or("", |(name, _)| name))).await;
    let sizes: Vec<usize> = found.traces.iter().map(|t| t.spans.len()).collect();
    assert_eq!(sizes, [count as usize], "{}: a search returns the whole trace", b.case);
}

pub(super) async fn duplicates(b: &Bench<'_>) {
    let root = b.span("twice");
    let spans = [root.clone(), root.child(2).later(5), root.child(2).later(5)];
    b.deliver(&spans).await;
    b.deliver(&spans).await;
    (b.settle)().await;
    b.deliver(&spans[1..]).await;
    (b.settle)().await;
    let got: Vec<SpanId> = b.trace(root.trace_id).await.iter().map(|s| s.span_id).collect();
    assert_eq!(got, [id(1), id(2)], "duplicates: a span delivered again is kept once");
    b.expect("found once", &b.query("twice"), &[&root]).await;
}

pub(super) async fn shared_span_id(b: &Bench<'_>) {
    let client = b.span("caller").kind(3);
    let server = Spec { service: b.service("callee"), ..client.clone() }.kind(2);
    let want = b.write(&[client.clone(), server]).await;
    assert_eq!(want.len(), 2);
    assert_eq!(b.trace(client.trace_id).await, want, "shared-span-id: the client's and the server's span both stay");
}
