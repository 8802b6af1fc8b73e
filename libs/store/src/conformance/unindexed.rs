//! Searching for tags that Jaeger on Cassandra keeps out of its index: long values, JSON, bytes, and what is empty.

use super::Bench;
use super::search::{tagged, text};
use super::spans::Spec;
use crate::ErrorKind;
use skua_model::{Tag, Value};

pub(super) async fn unindexed(b: &Bench<'_>) {
    let ending = |length: usize, end: char| "0123456789".chars().cycle().take(length - 1).chain([end]).collect::<String>();
    let (short, long, longer) = (|end| ending(256, end), |end| ending(300, end), |end| ending(5_000, end));
    let json = |number: u8| format!(r#"{{"a": [1, "b"], "c.d": {{"e": {number}}}}}"#);
    let bytes = |last: u8| Value::Binary([&[0xca, 0xfe, 0x00][..], &[0x11; 40], &[last]].concat());
    let span = |end: char, number: u8, service: &str| {
        b.span(service)
            .tag("short", text(&short(end)))
            .tag("long", text(&long(end)))
            .tag("longer", text(&longer(end)))
            .tag("json", text(&json(number)))
            .tag("bytes", bytes(number))
    };
    let hit = span('x', 1, "odd").tag("empty", text("")).tag("", text("of no name"));
    let hit = hit.process_tag("p.json", &json(1)).process_tag("p.long", &long('x'));
    let hit = hit.log(5, &[("l.json", &json(1)), ("l.long", &long('x')), ("l.empty", "")]);
    let miss = span('y', 2, "odd").later(10).tag("empty", text("no")).tag("", text("of another"));
    let miss = miss.process_tag("p.json", &json(2)).log(5, &[("l.json", &json(2)), ("l.empty", "no")]);
    let want = b.write(&[hit.clone(), miss]).await;
    let want: Vec<_> = want.into_iter().filter(|s| s.trace_id == hit.trace_id).collect();
    assert_eq!(b.trace(hit.trace_id).await, want, "search-unindexed: the span, whole");

    for key in ["short", "json", "bytes", "empty", "", "p.json", "l.json", "l.empty"] {
        find(b, &hit, &[(key, &value(&hit, key))]).await;
    }
    find(b, &hit, &[("json", &json(1)), ("empty", "")]).await;
    find(b, &hit, &[("json", &json(1)), ("p.json", &json(1)), ("short", &short('x'))]).await;
    for key in ["long", "longer", "p.long", "l.long"] {
        let value = value(&hit, key);
        if b.abilities.long_values {
            find(b, &hit, &[(key, &value)]).await;
            find(b, &hit, &[(key, &value), ("short", &short('x'))]).await;
        } else {
            find_nothing(b, key, &value).await;
        }
    }
}

/// As a search writes it.
fn value(span: &Spec, key: &str) -> String {
    let logs = span.logs.iter().flat_map(|l| &l.fields);
    let all: Vec<&Tag> = span.tags.iter().chain(&span.process).chain(logs).collect();
    all.iter().find(|t| t.key == key).map(|t| t.value.as_text().into_owned()).unwrap_or_default()
}

async fn find(b: &Bench<'_>, hit: &Spec, tags: &[(&str, &str)]) {
    let literal: Vec<_> = tags.iter().map(|(key, value)| (*key, b.abilities.literal(value))).collect();
    let literal: Vec<_> = literal.iter().map(|(key, value)| (*key, value.as_str())).collect();
    b.expect("by what has no index", &tagged(b.query("odd"), &literal), &[hit]).await;
}

/// A store that does not look into long values finds none, or says that the value is too long to look for.
async fn find_nothing(b: &Bench<'_>, key: &str, value: &str) {
    match b.reader.find(&tagged(b.query("odd"), &[(key, &b.abilities.literal(value))])).await {
        Ok(found) => assert!(found.traces.is_empty(), "search-unindexed: {key} is found, so long_values is wrong"),
        Err(e) => assert_eq!(e.kind, ErrorKind::Invalid, "search-unindexed: {key}: {e}"),
    }
}
