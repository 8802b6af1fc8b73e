//! What an OTLP receiver answers, against the definitions.

use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use prost::Message;
use skua_codec::otlp::{export_response, export_response_json, retry_info, status, status_json};
use std::time::Duration;

#[derive(Clone, PartialEq, prost::Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<crate::api_v2::Time>,
}

#[test]
fn all_accepted_is_two_bytes() {
    assert_eq!(export_response(0, ""), [0x0a, 0x00]);
    assert_eq!(export_response_json(0, ""), br#"{"partialSuccess":{}}"#);
}

#[test]
fn refused_spans_are_reported() {
    let message = "300 spans refused: \"zero\" ".repeat(9);
    let got = ExportTraceServiceResponse::decode(&export_response(300, &message)[..]).unwrap();
    let want = ExportTracePartialSuccess { rejected_spans: 300, error_message: message.clone() };
    assert_eq!(got.partial_success, Some(want));
    let json: serde_json::Value = serde_json::from_slice(&export_response_json(300, &message)).unwrap();
    assert_eq!(json["partialSuccess"]["rejectedSpans"], "300");
    assert_eq!(json["partialSuccess"]["errorMessage"], message);
    assert_eq!(export_response_json(0, "w"), br#"{"partialSuccess":{"errorMessage":"w"}}"#);
    assert_eq!(export_response_json(2, ""), br#"{"partialSuccess":{"rejectedSpans":"2"}}"#);
}

#[test]
fn a_status_may_say_when_to_come_back() {
    let got = Status::decode(&status(8, "full", Some(Duration::from_millis(1_500)))[..]).unwrap();
    assert_eq!((got.code, &got.message[..], got.details.len()), (8, "full", 1));
    assert_eq!(got.details[0].type_url, "type.googleapis.com/google.rpc.RetryInfo");
    let info = RetryInfo::decode(&got.details[0].value[..]).unwrap();
    assert_eq!(info.retry_delay.map(|d| (d.seconds, d.nanos)), Some((1, 500_000_000)));
    assert_eq!(Status::decode(&status(3, "bad", None)[..]).unwrap().details, []);
    assert_eq!(status_json(3, "b\"d", None), br#"{"code":3,"message":"b\"d"}"#);
    let json =
        r#"{"code":14,"message":"full","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.5s"}]}"#;
    assert_eq!(status_json(14, "full", Some(Duration::from_millis(1_500))), json.as_bytes());
    assert!(status_json(14, "", Some(Duration::from_secs(3))).ends_with(br#""retryDelay":"3s"}]}"#));
}

#[test]
fn when_to_come_back_is_read() {
    for wish in [None, Some(Duration::from_millis(1_500)), Some(Duration::from_secs(3))] {
        assert_eq!(retry_info(&status(8, "full", wish)).unwrap(), wish);
    }
    assert_eq!(retry_info(b"").unwrap(), None);
    assert!(retry_info(&[0x1a, 2, 0x12, 9]).is_err());
}
