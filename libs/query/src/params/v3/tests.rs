//! Every parameter by both of its names: its default, its value, its error's text (as of Jaeger 2.20, asked once).

use super::*;

const LAYOUT: &str = "as \\\"2006-01-02T15:04:05.999999999Z07:00\\\": cannot parse";

fn pairs(given: &[(&str, &str)]) -> Vec<(String, String)> {
    given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

const MIN: (&str, &str) = ("query.startTimeMin", "2026-01-01T00:00:00Z");
const MAX: (&str, &str) = ("query.startTimeMax", "2026-01-02T00:00:00Z");
const FROM: u64 = 1_767_225_600_000_000;

fn found(given: &[(&str, &str)]) -> SearchParams {
    search(&pairs(&[&[MIN, MAX], given].concat())).unwrap()
}

fn error(given: &[(&str, &str)]) -> String {
    search(&pairs(given)).unwrap_err().to_string()
}

#[test]
fn defaults() {
    let query = TraceQuery {
        service: String::new(),
        operation: String::new(),
        tags: vec![],
        start_min: FROM,
        start_max: FROM + 86_400_000_000,
        duration_min: 0,
        duration_max: 0,
        limit: 100,
    };
    let want = SearchParams { query, raw: false };
    assert_eq!(found(&[]), want);
    let names =
        ["serviceName", "operationName", "searchDepth", "durationMin", "durationMax", "rawTraces", "attributes", "num_traces"];
    let names: Vec<String> = names.iter().map(|n| format!("query.{n}")).collect();
    let empty: Vec<_> = names.iter().map(|n| (n.as_str(), "")).collect();
    assert_eq!(found(&empty), want, "an empty parameter is an absent one");
    assert_eq!(found(&[("service", "x"), ("query.tags", "x")]), want, "others are not read");
}

#[test]
fn values_by_either_name() {
    let camel = [
        ("query.serviceName", "shop"),
        ("query.operationName", "GET /"),
        ("query.attributes", r#"{"b":"2","a":"1","empty":null}"#),
        ("query.startTimeMin", "2026-01-01T01:00:00.123456789+01:00"),
        ("query.startTimeMax", "2026-01-01T00:00:01Z"),
        ("query.searchDepth", "7"),
        ("query.durationMin", "1.5ms"),
        ("query.durationMax", "1h"),
        ("query.rawTraces", "T"),
    ];
    let query = TraceQuery {
        service: "shop".to_owned(),
        operation: "GET /".to_owned(),
        tags: pairs(&[("a", "1"), ("b", "2"), ("empty", "")]),
        start_min: FROM + 123_456,
        start_max: FROM + 1_000_000,
        duration_min: 1_500,
        duration_max: 3_600_000_000,
        limit: 7,
    };
    let want = SearchParams { query, raw: true };
    assert_eq!(search(&pairs(&camel)), Ok(want.clone()));
    let snake = [
        "query.service_name",
        "query.operation_name",
        "query.attributes",
        "query.start_time_min",
        "query.start_time_max",
        "query.search_depth",
        "query.duration_min",
        "query.duration_max",
        "query.raw_traces",
    ];
    let snake: Vec<_> = snake.iter().zip(camel).map(|(name, (_, value))| (*name, value)).collect();
    assert_eq!(search(&pairs(&snake)), Ok(want.clone()));
    let wrong: Vec<_> = snake.iter().map(|(n, v)| (*n, if *n == "query.attributes" { *v } else { "x" })).collect();
    assert_eq!(search(&pairs(&[&wrong[..], &camel[..]].concat())), Ok(want), "camel case counts");
}

#[test]
fn numbers_of_traces() {
    for (given, want) in [
        (&[("query.num_traces", "5")][..], 5),
        (&[("query.num_traces", "5"), ("query.search_depth", "6")], 6),
        (&[("query.search_depth", "6"), ("query.searchDepth", "7")], 7),
        (&[("query.searchDepth", "0")], 0),
        (&[("query.searchDepth", "-1")], -1),
        (&[("query.searchDepth", "99999999999")], i32::MAX),
    ] {
        assert_eq!(found(given).query.limit, want, "{given:?}");
    }
}

#[test]
fn times() {
    for (text, micros) in [
        ("2026-01-01T00:00:00.000001999Z", 1),
        ("2026-01-01T02:00:00 02:00", 0),
        ("2026-01-01T00:00:00.5 00:00", 500_000),
        ("2025-12-31T22:00:00-02:00", 0),
    ] {
        let got = search(&pairs(&[("query.startTimeMin", text), MAX])).unwrap();
        assert_eq!(got.query.start_min, FROM + micros, "{text}");
    }
    let before = search(&pairs(&[("query.startTimeMin", "1960-01-01T00:00:00Z"), MAX])).unwrap();
    assert_eq!(before.query.start_min, 0, "before 1970");
    let close =
        [("query.startTimeMin", "2026-01-01T00:00:00.000000001Z"), ("query.startTimeMax", "2026-01-01T00:00:00.000000002Z")];
    assert!(search(&pairs(&close)).is_ok(), "to the nanosecond");
}

#[test]
fn errors() {
    let required = "query.startTimeMin and query.startTimeMax are required";
    assert_eq!(error(&[]), required);
    assert_eq!(error(&[MIN]), required);
    assert_eq!(error(&[MAX, ("query.start_time_min", "")]), required);
    let order = "query.startTimeMin must be before query.startTimeMax";
    assert_eq!(error(&[MIN, ("query.start_time_max", MIN.1)]), order);
    assert_eq!(error(&[("query.startTimeMin", MAX.1), ("query.startTimeMax", MIN.1)]), order);
    let not_a_time =
        |name| format!("malformed parameter {name}: parsing time \"1\" {} \"1\" as \"2006\"", LAYOUT.replace("\\\"", "\""));
    assert_eq!(error(&[("query.start_time_min", "1"), MAX]), not_a_time("query.start_time_min"));
    assert_eq!(error(&[MIN, ("query.startTimeMax", "1")]), not_a_time("query.startTimeMax"));
    for (name, value, want) in [
        ("query.searchDepth", "1.5", "strconv.Atoi: parsing \"1.5\": invalid syntax"),
        ("query.search_depth", "99999999999999999999", "strconv.Atoi: parsing \"99999999999999999999\": value out of range"),
        ("query.num_traces", "x", "strconv.Atoi: parsing \"x\": invalid syntax"),
        ("query.durationMin", "5", "time: missing unit in duration \"5\""),
        ("query.duration_min", "1d", "time: unknown unit \"d\" in duration \"1d\""),
        ("query.durationMax", "x", "time: invalid duration \"x\""),
        ("query.duration_max", "-1s", "no span is shorter than 0s"),
        ("query.rawTraces", "yes", "strconv.ParseBool: parsing \"yes\": invalid syntax"),
        ("query.raw_traces", "2", "strconv.ParseBool: parsing \"2\": invalid syntax"),
        ("query.attributes", "x", "invalid character 'x' looking for beginning of value"),
        ("query.attributes", "{\"a\":1}", "json: cannot unmarshal number into Go value of type string"),
        ("query.attributes", "[]", "json: cannot unmarshal array into Go value of type map[string]string"),
    ] {
        assert_eq!(error(&[MIN, MAX, (name, value)]), format!("malformed parameter {name}: {want}"));
    }
}

/// Scenario: everything is wrong; then one thing after the other is put right. Guarantees: errors come in Jaeger's order.
#[test]
fn the_first_error_wins() {
    let order = ["attributes", "startTimeMin", "startTimeMax", "searchDepth", "durationMin", "durationMax", "rawTraces"];
    let right = ["{}", MIN.1, MAX.1, "1", "1s", "2s", "0"];
    for (i, name) in order.iter().enumerate() {
        let names: Vec<String> = order.iter().map(|n| format!("query.{n}")).collect();
        let given: Vec<_> = (0..order.len()).map(|n| (names[n].as_str(), if n < i { right[n] } else { "x" })).rev().collect();
        assert!(error(&given).starts_with(&format!("malformed parameter query.{name}: ")), "{}", error(&given));
    }
}

#[test]
fn one_trace() {
    let got = trace("ABC", &pairs(&[("startTime", "2026-01-01T00:00:00Z"), ("end_time", "2026-01-01T00:00:00 00:00")])).unwrap();
    assert_eq!(got, TraceParams { id: "abc".parse().unwrap(), start: Some(FROM), end: Some(FROM), raw: false });
    assert!(trace("1", &pairs(&[("raw_traces", "1")])).unwrap().raw && trace("1", &pairs(&[("rawTraces", "true")])).unwrap().raw);
    let error = |id: &str, given| trace(id, &pairs(given)).unwrap_err().to_string();
    let all = [("raw_traces", "x"), ("endTime", "1"), ("start_time", "1")];
    assert!(error("!", &all).starts_with("malformed parameter trace_id: "));
    assert!(error("1", &all).starts_with("malformed parameter start_time: parsing time \"1\""));
    assert!(error("1", &all[..2]).starts_with("malformed parameter endTime: parsing time \"1\""));
    assert_eq!(error("1", &all[..1]), "malformed parameter raw_traces: strconv.ParseBool: parsing \"x\": invalid syntax");
}

#[test]
fn trace_ids() {
    let id = |text: &str| trace(text, &[]).map(|t| t.id.to_string()).map_err(|e| e.to_string());
    for (text, want) in [
        ("abcd", "000000000000abcd"),
        ("5B8EFFF798038103D269B633813FC60C", "5b8efff798038103d269b633813fc60c"),
        ("AAAAAAAAq80=", "000000000000abcd"),
        ("AAAAAAAAq80", "000000000000abcd"),
        ("W47_95gDgQPSabYzgT_GDA", "5b8efff798038103d269b633813fc60c"),
        ("W47/95gDgQPSabYzgT/GDA==", "5b8efff798038103d269b633813fc60c"),
    ] {
        assert_eq!(id(text), Ok(want.to_owned()), "{text}");
    }
    let long = "1".repeat(33);
    for (text, want) in [
        ("!!", "strconv.ParseUint: parsing \"!!\": invalid syntax"),
        ("xyz", "invalid length for TraceID"),
        (&long, &format!("TraceID cannot be longer than 32 hex characters: {long}")),
    ] {
        assert_eq!(id(text), Err(format!("malformed parameter trace_id: {want}")));
    }
}

#[test]
fn operations_need_nothing() {
    let of = |given: &[(&str, &str)]| operations(&pairs(given));
    let want = |service: &str, kind: &str| (service.to_owned(), kind.to_owned());
    assert_eq!(of(&[]), want("", ""));
    assert_eq!(of(&[("service", "s"), ("span_kind", "server")]), want("s", "server"));
    assert_eq!(of(&[("span_kind", "server"), ("spanKind", "client")]), want("", "client"));
}
