//! Every parameter: its default, its value, its error's text.

use super::*;

const NOW: u64 = 1_700_000_000_000_000;

fn pairs(given: &[(&str, &str)]) -> Vec<(String, String)> {
    given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn search(given: &[(&str, &str)]) -> TracesParams {
    traces(&pairs(&[&[("service", "shop")], given].concat()), NOW).unwrap()
}

fn error(given: &[(&str, &str)]) -> String {
    traces(&pairs(given), NOW).unwrap_err().to_string()
}

#[test]
fn defaults() {
    let query = TraceQuery {
        service: "shop".to_owned(),
        operation: String::new(),
        tags: vec![],
        start_min: NOW - 172_800_000_000,
        start_max: NOW,
        duration_min: 0,
        duration_max: 0,
        limit: 100,
    };
    let want = TracesParams { query, trace_ids: vec![], raw: false };
    assert_eq!(search(&[]), want);
    let empty = ["operation", "start", "end", "limit", "minDuration", "maxDuration", "raw"].map(|name| (name, ""));
    assert_eq!(search(&empty), want, "an empty parameter is an absent one");
    assert_eq!(search(&[("lookback", "rubbish"), ("unknown", "1")]), want, "others are not read");
}

#[test]
fn values() {
    let got = search(&[
        ("service", "the first counts"),
        ("operation", "GET /"),
        ("start", "5"),
        ("end", "+70"),
        ("limit", "-3"),
        ("minDuration", "1.5ms"),
        ("maxDuration", "1h"),
        ("raw", "T"),
        ("tag", "url:http://x"),
        ("tag", "a:1"),
        ("tag", "a:2"),
        ("tags", r#"{"a":"3","empty":null}"#),
        ("tags", r#"{"b":":"}"#),
    ]);
    let tags = [("a", "3"), ("b", ":"), ("empty", ""), ("url", "http://x")];
    let query = TraceQuery {
        service: "shop".to_owned(),
        operation: "GET /".to_owned(),
        tags: pairs(&tags),
        start_min: 5,
        start_max: 70,
        duration_min: 1_500,
        duration_max: 3_600_000_000,
        limit: -3,
    };
    assert_eq!(got, TracesParams { query, trace_ids: vec![], raw: true });
    assert_eq!(search(&[("start", "-5")]).query.start_min, 0, "before 1970");
    assert_eq!(search(&[("maxDuration", "10ns")]).query.duration_max, 1, "a bound stays a bound");
    assert_eq!(search(&[("minDuration", "-1s")]).query.duration_min, 0);
    let ids = traces(&pairs(&[("traceID", "abc"), ("traceID", "10000000000000001")]), NOW).unwrap();
    assert_eq!(ids.trace_ids, ["abc", "10000000000000001"].map(|t| t.parse().unwrap()), "no service needed");
}

#[test]
fn errors() {
    let long = "1".repeat(33);
    for (name, value, want) in [
        ("start", "abc", "unable to parse param 'start': strconv.ParseInt: parsing \"abc\": invalid syntax"),
        ("start", "1.5", "unable to parse param 'start': strconv.ParseInt: parsing \"1.5\": invalid syntax"),
        ("end", "-", "unable to parse param 'end': strconv.ParseInt: parsing \"-\": invalid syntax"),
        (
            "end",
            "9223372036854775808",
            "unable to parse param 'end': strconv.ParseInt: parsing \"9223372036854775808\": value out of range",
        ),
        ("tag", "foo", "malformed 'tag' parameter, expecting key:value, received: foo"),
        ("tag", "", "malformed 'tag' parameter, expecting key:value, received: "),
        ("tags", "", "malformed 'tags' parameter, cannot unmarshal JSON: unexpected end of JSON input"),
        ("tags", "{\"a\":", "malformed 'tags' parameter, cannot unmarshal JSON: unexpected end of JSON input"),
        (
            "tags",
            "{\"a\":1}",
            "malformed 'tags' parameter, cannot unmarshal JSON: json: cannot unmarshal number into Go value of type string",
        ),
        (
            "tags",
            "[]",
            "malformed 'tags' parameter, cannot unmarshal JSON: json: cannot unmarshal array into Go value of type map[string]string",
        ),
        ("limit", "abc", "strconv.ParseInt: parsing \"abc\": invalid syntax"),
        ("limit", "2147483648", "strconv.ParseInt: parsing \"2147483648\": value out of range"),
        ("minDuration", "5", "unable to parse param 'minDuration': time: missing unit in duration \"5\""),
        ("minDuration", "1d", "unable to parse param 'minDuration': time: unknown unit \"d\" in duration \"1d\""),
        ("maxDuration", "abc", "unable to parse param 'maxDuration': time: invalid duration \"abc\""),
        ("maxDuration", "-1s", "unable to parse param 'maxDuration': no span is shorter than 0s"),
        ("traceID", "xyz", "cannot parse traceID param: strconv.ParseUint: parsing \"xyz\": invalid syntax"),
        ("traceID", &long, &format!("cannot parse traceID param: TraceID cannot be longer than 32 hex characters: {long}")),
        ("raw", "yes", "unable to parse param 'raw': strconv.ParseBool: parsing \"yes\": invalid syntax"),
    ] {
        assert_eq!(error(&[("service", "s"), (name, value)]), want, "{name}={value}");
    }
    assert_eq!(error(&[]), "parameter 'service' is required");
    assert_eq!(error(&[("service", "")]), "parameter 'service' is required");
    let crossed = [("service", "s"), ("minDuration", "2s"), ("maxDuration", "1s")];
    assert_eq!(error(&crossed), "'maxDuration' should be greater than 'minDuration'");
}

/// What Go says of the same texts, asked once.
#[test]
fn tags_that_are_not_json() {
    for (text, want) in [
        ("x", "invalid character 'x' looking for beginning of value"),
        ("{a:1}", "invalid character 'a' looking for beginning of object key string"),
        ("{'a':1}", "invalid character '\\'' looking for beginning of object key string"),
        ("{} x", "invalid character 'x' after top-level value"),
        ("{\"a\" 1}", "invalid character '1' after object key"),
        ("{\"a\":\"b\" \"c\"}", "invalid character '\"' after object key:value pair"),
        ("{\"a\":", "unexpected end of JSON input"),
        ("{\"a\":{}}", "json: cannot unmarshal object into Go value of type string"),
        ("{\"a\":true}", "json: cannot unmarshal bool into Go value of type string"),
        ("\"s\"", "json: cannot unmarshal string into Go value of type map[string]string"),
    ] {
        let want = format!("malformed 'tags' parameter, cannot unmarshal JSON: {want}");
        assert_eq!(error(&[("service", "s"), ("tags", text)]), want, "{text}");
    }
}

/// Scenario: everything is wrong; then one thing after the other is put right.
/// Guarantees: errors come in Jaeger's order.
#[test]
fn the_first_error_wins() {
    let order = ["start", "end", "tag", "tags", "limit", "minDuration", "maxDuration", "traceID", "raw"];
    let begins = [
        "unable to parse param 'start'",
        "unable to parse param 'end'",
        "malformed 'tag' ",
        "malformed 'tags' ",
        "strconv.ParseInt",
        "unable to parse param 'minDuration'",
        "unable to parse param 'maxDuration'",
        "cannot parse traceID",
        "unable to parse param 'raw'",
    ];
    for (i, begin) in begins.iter().enumerate() {
        let given: Vec<_> = order[i..].iter().rev().map(|name| (*name, "x")).collect();
        assert!(error(&given).starts_with(begin), "{i}: {}", error(&given));
    }
}

#[test]
fn one_trace() {
    let got = trace("ABC", &pairs(&[("start", "1"), ("raw", "1")])).unwrap();
    assert_eq!(got, TraceParams { id: "abc".parse().unwrap(), start: Some(1), end: None, raw: true });
    let error = |id, given| trace(id, &pairs(given)).unwrap_err().to_string();
    let all = [("raw", "x"), ("end", "x"), ("start", "x")];
    assert_eq!(error("q", &all), "strconv.ParseUint: parsing \"q\": invalid syntax");
    assert!(error("1", &all).starts_with("unable to parse param 'start'"));
    assert!(error("1", &all[..2]).starts_with("unable to parse param 'end'"));
    assert!(error("1", &all[..1]).starts_with("unable to parse param 'raw'"));
}

#[test]
fn the_rest() {
    assert_eq!(operations(&pairs(&[("service", "s"), ("spanKind", "server")])), Ok(("s".to_owned(), "server".to_owned())));
    assert_eq!(operations(&[]).unwrap_err().to_string(), "parameter 'service' is required");
    for (value, want) in [("true", true), ("1", true), ("false", false), ("", false), ("no", true)] {
        assert_eq!(pretty_print(&pairs(&[("prettyPrint", value)])), want, "{value}");
    }
}

#[test]
fn dependencies_have_an_end_and_a_lookback() {
    let of = |given: &[(&str, &str)]| dependencies(&pairs(given), NOW);
    let want = |start, end, service: &str| Ok(DependenciesParams { start, end, service: service.to_owned() });
    assert_eq!(of(&[]), want(NOW - 86_400_000_000, NOW, ""));
    assert_eq!(of(&[("endTs", ""), ("lookback", "")]), of(&[]), "an empty parameter is an absent one");
    assert_eq!(of(&[("endTs", "5000"), ("lookback", "2000"), ("service", "a")]), want(3_000_000, 5_000_000, "a"));
    assert_eq!(of(&[("endTs", "5"), ("lookback", "9")]), want(0, 5_000, ""), "1970 is the start");
    assert_eq!(of(&[("endTs", "5"), ("lookback", "-9")]), want(14_000, 5_000, ""), "nothing lies in there");
    assert_eq!(of(&[("endTs", "-5")]), want(0, 0, ""));
    let most = i64::MAX.to_string();
    assert_eq!(of(&[("endTs", &most), ("lookback", &most)]), want(0, i64::MAX as u64, ""));
    for (given, text) in [
        (
            &[("endTs", "x"), ("lookback", "y")][..],
            "unable to parse param 'endTs': strconv.ParseInt: parsing \"x\": invalid syntax",
        ),
        (&[("lookback", "24h")], "unable to parse param 'lookback': strconv.ParseInt: parsing \"24h\": invalid syntax"),
    ] {
        assert_eq!(of(given).unwrap_err().to_string(), text);
    }
}
