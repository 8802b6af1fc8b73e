//! Golden forms, written by Jaeger 1.76 itself, and the round trip.

use super::{Kind, LegacyError, PerOperation, Response, put_request, read_request};
use proptest::prelude::*;

fn probabilistic(rate: f64) -> Response {
    Response { probabilistic: Some(rate), ..Response::default() }
}

fn limit(limit: i32) -> Response {
    Response { kind: Kind::RateLimiting, rate_limiting: Some(limit), ..Response::default() }
}

fn adaptive() -> PerOperation {
    PerOperation { default_probability: 0.001, default_lower_bound: 1.0 / 60.0, ..PerOperation::default() }
}

fn full() -> PerOperation {
    let odd = "GET /<a>&\"b\"\\\n\u{2028}é\u{1}".to_owned();
    PerOperation {
        default_probability: 0.5,
        default_upper_bound: 7.5,
        operations: vec![(odd, 0.25), (String::new(), 0.0), ("x".to_owned(), 1e-5)],
        ..PerOperation::default()
    }
}

/// Response, protobuf in hex, JSON, legacy JSON (empty where Jaeger has an error).
fn golden() -> Vec<(Response, &'static str, &'static str, &'static str)> {
    vec![
        (
            probabilistic(0.8),
            "1209099a9999999999e93f",
            r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.8}}"#,
            r#"{"strategyType":0,"probabilisticSampling":{"samplingRate":0.8}}"#,
        ),
        (
            probabilistic(0.0),
            "1200",
            r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0}}"#,
            r#"{"strategyType":0,"probabilisticSampling":{"samplingRate":0}}"#,
        ),
        (
            probabilistic(-0.0),
            "1200",
            r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":-0}}"#,
            r#"{"strategyType":0,"probabilisticSampling":{"samplingRate":-0}}"#,
        ),
        (
            probabilistic(1.0),
            "120909000000000000f03f",
            r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":1}}"#,
            r#"{"strategyType":0,"probabilisticSampling":{"samplingRate":1}}"#,
        ),
        (
            probabilistic(0.001),
            "120909fca9f1d24d62503f",
            r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.001}}"#,
            r#"{"strategyType":0,"probabilisticSampling":{"samplingRate":0.001}}"#,
        ),
        (
            probabilistic(1e-6),
            "1209098dedb5a0f7c6b03e",
            r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.000001}}"#,
            r#"{"strategyType":0,"probabilisticSampling":{"samplingRate":0.000001}}"#,
        ),
        (
            probabilistic(1.5e-7),
            "12090976830df4f521843e",
            r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":1.5e-7}}"#,
            r#"{"strategyType":0,"probabilisticSampling":{"samplingRate":1.5e-7}}"#,
        ),
        (
            probabilistic(1.0 / 3.0),
            "120909555555555555d53f",
            r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.3333333333333333}}"#,
            r#"{"strategyType":0,"probabilisticSampling":{"samplingRate":0.3333333333333333}}"#,
        ),
        (
            probabilistic(1e20),
            "120909408cb5781daf1544",
            r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":100000000000000000000}}"#,
            r#"{"strategyType":0,"probabilisticSampling":{"samplingRate":100000000000000000000}}"#,
        ),
        (
            probabilistic(1e21),
            "12090950efe2d6e41a4b44",
            r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":1e+21}}"#,
            r#"{"strategyType":0,"probabilisticSampling":{"samplingRate":1e+21}}"#,
        ),
        (
            probabilistic(-2.5e100),
            "1209095cf4f96e18dcc6d4",
            r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":-2.5e+100}}"#,
            r#"{"strategyType":0,"probabilisticSampling":{"samplingRate":-2.5e+100}}"#,
        ),
        (
            probabilistic(5e-324),
            "1209090100000000000000",
            r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":5e-324}}"#,
            r#"{"strategyType":0,"probabilisticSampling":{"samplingRate":5e-324}}"#,
        ),
        (
            probabilistic(123_456_789_012_345_678.0),
            "120909350f63bab4697b43",
            r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":123456789012345680}}"#,
            r#"{"strategyType":0,"probabilisticSampling":{"samplingRate":123456789012345680}}"#,
        ),
        (
            probabilistic(f64::from_bits(0x7ff8_0000_0000_0001)),
            "120909010000000000f87f",
            r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":"NaN"}}"#,
            r#""#,
        ),
        (
            probabilistic(f64::INFINITY),
            "120909000000000000f07f",
            r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":"Infinity"}}"#,
            r#""#,
        ),
        (
            probabilistic(f64::NEG_INFINITY),
            "120909000000000000f0ff",
            r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":"-Infinity"}}"#,
            r#""#,
        ),
        (
            limit(5),
            "08011a020805",
            r#"{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":5}}"#,
            r#"{"strategyType":1,"rateLimitingSampling":{"maxTracesPerSecond":5}}"#,
        ),
        (
            limit(0),
            "08011a00",
            r#"{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":0}}"#,
            r#"{"strategyType":1,"rateLimitingSampling":{"maxTracesPerSecond":0}}"#,
        ),
        (
            limit(32_767),
            "08011a0408ffff01",
            r#"{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":32767}}"#,
            r#"{"strategyType":1,"rateLimitingSampling":{"maxTracesPerSecond":32767}}"#,
        ),
        (
            limit(32_768),
            "08011a0408808002",
            r#"{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":32768}}"#,
            r#""#,
        ),
        (
            limit(-3),
            "08011a0b08fdffffffffffffffff01",
            r#"{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":-3}}"#,
            r#"{"strategyType":1,"rateLimitingSampling":{"maxTracesPerSecond":-3}}"#,
        ),
        (
            Response { operations: Some(adaptive()), ..Response::default() },
            "221209fca9f1d24d62503f11111111111111913f",
            r#"{"strategyType":"PROBABILISTIC","operationSampling":{"defaultSamplingProbability":0.001,"defaultLowerBoundTracesPerSecond":0.016666666666666666,"perOperationStrategies":[],"defaultUpperBoundTracesPerSecond":0}}"#,
            r#"{"strategyType":0,"operationSampling":{"defaultSamplingProbability":0.001,"defaultLowerBoundTracesPerSecond":0.016666666666666666,"perOperationStrategies":[],"defaultUpperBoundTracesPerSecond":0}}"#,
        ),
        (
            Response { operations: Some(full()), ..probabilistic(0.5) },
            "120909000000000000e03f224909000000000000e03f1a210a14474554202f3c613e262262225c0ae280a8c3a901120909000000000000d03f1a0212001a0e0a0178120909f168e388b5f8e43e210000000000001e40",
            r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.5},"operationSampling":{"defaultSamplingProbability":0.5,"defaultLowerBoundTracesPerSecond":0,"perOperationStrategies":[{"operation":"GET /\u003ca\u003e\u0026\"b\"\\\n\u2028é\u0001","probabilisticSampling":{"samplingRate":0.25}},{"operation":"","probabilisticSampling":{"samplingRate":0}},{"operation":"x","probabilisticSampling":{"samplingRate":0.00001}}],"defaultUpperBoundTracesPerSecond":7.5}}"#,
            r#"{"strategyType":0,"probabilisticSampling":{"samplingRate":0.5},"operationSampling":{"defaultSamplingProbability":0.5,"defaultLowerBoundTracesPerSecond":0,"perOperationStrategies":[{"operation":"GET /\u003ca\u003e\u0026\"b\"\\\n\u2028é\u0001","probabilisticSampling":{"samplingRate":0.25}},{"operation":"","probabilisticSampling":{"samplingRate":0}},{"operation":"x","probabilisticSampling":{"samplingRate":0.00001}}],"defaultUpperBoundTracesPerSecond":7.5}}"#,
        ),
        (
            Response { operations: Some(PerOperation::default()), ..limit(9) },
            "08011a0208092200",
            r#"{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":9},"operationSampling":{"defaultSamplingProbability":0,"defaultLowerBoundTracesPerSecond":0,"perOperationStrategies":[],"defaultUpperBoundTracesPerSecond":0}}"#,
            r#"{"strategyType":1,"rateLimitingSampling":{"maxTracesPerSecond":9},"operationSampling":{"defaultSamplingProbability":0,"defaultLowerBoundTracesPerSecond":0,"perOperationStrategies":[],"defaultUpperBoundTracesPerSecond":0}}"#,
        ),
    ]
}

/// Every form is Jaeger's, to the byte: numbers in Go's notation, HTML escaped, defaults of the parts written, zeros left out of
/// the protobuf.
#[test]
fn forms_are_jaegers() {
    for (response, proto, json, legacy) in golden() {
        let bytes: String = response.to_proto().iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(bytes, proto, "{response:?}");
        assert_eq!(response.to_json(), json);
        assert_eq!(response.to_legacy_json().unwrap_or_default(), legacy);
    }
}

#[test]
fn what_has_no_legacy_form_says_why() {
    assert_eq!(limit(32_768).to_legacy_json(), Err(LegacyError::RateLimit(32_768)));
    assert_eq!(limit(-32_769).to_legacy_json(), Err(LegacyError::RateLimit(-32_769)));
    let infinite = PerOperation { operations: vec![("op".to_owned(), f64::INFINITY)], ..adaptive() };
    let infinite = Response { operations: Some(infinite), ..Response::default() };
    assert_eq!(infinite.to_legacy_json(), Err(LegacyError::Number(f64::INFINITY)));
}

#[test]
fn a_request_is_a_name() {
    assert_eq!(put_request("shop"), b"\x0a\x04shop");
    assert_eq!(put_request(""), b"");
    for name in ["shop", "", "é"] {
        assert_eq!(read_request(&put_request(name)).unwrap(), name);
    }
    assert!(read_request(b"\x0a\x05shop").is_err());
    assert_eq!(read_request(b"\x12\x01x").unwrap(), "", "unknown fields are passed over");
}

/// A type that a later version may add does not cost the answer.
#[test]
fn unknown_fields_and_types_are_passed_over() {
    let response = Response::from_proto(b"\x08\x07\x12\x09\x09\0\0\0\0\0\0\xe0\x3f\x2a\x01x").unwrap();
    assert_eq!(response, probabilistic(0.5));
}

fn responses() -> impl Strategy<Value = Response> {
    let rate = || prop_oneof![Just(0.0), 0.0..=1.0, any::<f64>().prop_filter("equals itself, has one zero", |v| *v != 0.0)];
    let operations = prop::collection::vec((".{0,20}", rate()), 0..5);
    let per_operation = (rate(), rate(), rate(), operations).prop_map(|(p, lower, upper, operations)| PerOperation {
        default_probability: p,
        default_lower_bound: lower,
        default_upper_bound: upper,
        operations,
    });
    let kind = prop_oneof![Just(Kind::Probabilistic), Just(Kind::RateLimiting)];
    (kind, prop::option::of(rate()), any::<Option<i32>>(), prop::option::of(per_operation))
        .prop_map(|(kind, probabilistic, rate_limiting, operations)| Response { kind, probabilistic, rate_limiting, operations })
}

proptest! {
    #[test]
    fn protobuf_comes_back(response in responses()) {
        prop_assert_eq!(Response::from_proto(&response.to_proto()).unwrap(), response);
    }

    #[test]
    fn both_json_forms_are_json(response in responses()) {
        let json: serde_json::Value = serde_json::from_str(&response.to_json()).unwrap();
        if let Ok(legacy) = response.to_legacy_json() {
            let legacy: serde_json::Value = serde_json::from_str(&legacy).unwrap();
            prop_assert_eq!(&legacy["probabilisticSampling"], &json["probabilisticSampling"]);
            prop_assert_eq!(&legacy["operationSampling"], &json["operationSampling"]);
        }
    }

    /// Any bytes are read or refused, and what was read comes back.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = read_request(&bytes);
        if let Ok(response) = Response::from_proto(&bytes) {
            let again = Response::from_proto(&response.to_proto()).unwrap();
            prop_assert_eq!(format!("{again:?}").replace("-0.0", "0.0"), format!("{response:?}").replace("-0.0", "0.0"));
        }
    }
}
