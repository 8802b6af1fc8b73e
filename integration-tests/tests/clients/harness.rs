//! The harness itself: a check that could not fail would prove nothing.

use serde_json::{Value, json};
use skua_integration_tests::Checkout;
use skua_integration_tests::checkout::{expected, says};
use std::collections::BTreeMap;

const TEXT: &str = "\
checkout 0+10000 process 1
  count: int64 42
  log 1000
    event: string \"cache miss\"
charge 2000+3000 process 2 id 0000000000000001 flags 3
  CHILD_OF checkout
  warning \"late\"
process 1 shop
  ip: string \"10.0.0.1\"
process 2 payments
";

fn checkout() -> Checkout {
    let spans = BTreeMap::from([("checkout".to_owned(), "00000000000000aa".to_owned())]);
    Checkout { trace: "ab".to_owned(), spans, start: 1_700_000_000_000_000 }
}

fn trace() -> Value {
    json!({
        "traceID": "ab",
        "spans": [{
            "traceID": "ab", "spanID": "0000000000000001", "operationName": "charge", "flags": 3,
            "references": [{"refType": "CHILD_OF", "traceID": "ab", "spanID": "00000000000000aa"}],
            "startTime": 1_700_000_000_002_000_i64, "duration": 3000, "tags": [], "logs": [], "processID": "p1",
            "warnings": ["late"],
        }, {
            "traceID": "ab", "spanID": "00000000000000aa", "operationName": "checkout", "references": [],
            "startTime": 1_700_000_000_000_000_i64, "duration": 10000, "processID": "p2", "warnings": null,
            "tags": [{"key": "count", "type": "int64", "value": 42}],
            "logs": [{
                "timestamp": 1_700_000_000_000_999_i64,
                "fields": [{"key": "event", "type": "string", "value": "cache miss"}],
            }],
        }],
        "processes": {
            "p1": {"serviceName": "payments", "tags": []},
            "p2": {"serviceName": "shop", "tags": [{"key": "ip", "type": "string", "value": "10.0.0.1"}]},
        },
        "warnings": null,
    })
}

/// Guarantee: an answer's text has every field, spans by their start, processes by their first use.
#[test]
fn says_every_field_of_an_answer() {
    assert_eq!(checkout().text_of(&trace()), TEXT);
}

/// Scenario: each field of an answer is changed, one at a time, or another is added. Guarantee: its text changes.
#[test]
fn notices_a_change_of_any_field() {
    let (original, span, late) = (trace(), "/spans/1", "/spans/0");
    let changes = [
        ("/traceID".to_owned(), json!("ac")),
        (format!("{span}/traceID"), json!("ac")),
        (format!("{span}/spanID"), json!("00000000000000ab")),
        (format!("{span}/operationName"), json!("check out")),
        (format!("{span}/startTime"), json!(1_700_000_000_000_100_i64)),
        (format!("{span}/duration"), json!(9900)),
        (format!("{span}/processID"), json!("p1")),
        (format!("{span}/warnings"), json!(["a warning"])),
        (format!("{span}/tags/0/key"), json!("counts")),
        (format!("{span}/tags/0/type"), json!("string")),
        (format!("{span}/tags/0/value"), json!("42")),
        (format!("{span}/logs/0/timestamp"), json!(1_700_000_000_000_000_i64)),
        (format!("{span}/logs/0/fields/0/value"), json!("cache hit")),
        (format!("{late}/flags"), json!(1)),
        (format!("{late}/references/0/refType"), json!("FOLLOWS_FROM")),
        (format!("{late}/references/0/traceID"), json!("ac")),
        (format!("{late}/references/0/spanID"), json!("0000000000000001")),
        ("/processes/p1/serviceName".to_owned(), json!("payment")),
        ("/processes/p2/tags/0/value".to_owned(), json!("10.0.0.2")),
    ];
    for (pointer, value) in changes {
        let mut changed = original.clone();
        *changed.pointer_mut(&pointer).expect("a field of the answer") = value;
        assert_ne!(checkout().text_of(&changed), TEXT, "{pointer}");
    }
    for pointer in ["", span, "/processes/p1"] {
        let mut changed = original.clone();
        changed.pointer_mut(pointer).expect("an object of the answer")["more"] = json!(1);
        assert_ne!(checkout().text_of(&changed), TEXT, "more in {pointer:?}");
    }
}

/// Guarantee: a template's names and optional lines are filled in, and `<any>` stands for the end of one line only.
#[test]
fn compares_with_a_template() {
    let template = "process 1 {service}\n[uuid]  client-uuid: string \"<any>\n  replica: {int} 3\n";
    let text = expected(template, &[("service", "shop"), ("int", "int64")], &["uuid"]);
    assert_eq!(text, "process 1 shop\n  client-uuid: string \"<any>\n  replica: int64 3\n");
    assert!(says("process 1 shop\n  client-uuid: string \"ab\"\n  replica: int64 3\n", &text));
    for other in [
        "process 1 shop\n  client-uuid: string \"\n  replica: int64 3\n",
        "process 1 shop\n  client-uuid: string \"ab\"\n  replica: int64 4\n",
        "process 1 shop\n  client-uuid: string \"ab\"\n",
        "process 1 shop\n  client-uuid: string \"ab\"\n  replica: int64 3\n  more: int64 3\n",
    ] {
        assert!(!says(other, &text), "{other}");
    }
    assert_eq!(expected(template, &[], &[]).lines().count(), 2);
}
