//! `Encoding`: names, and one door for all decoders.

use crate::golden::{full, full_from_json, full_json};
use skua_codec::{CodecError, Encoding, decode_message};
use skua_model::{BatchBuilder, SpanBatch, write_subset};

#[test]
fn names_are_jaegers_and_ours() {
    for e in Encoding::ALL {
        assert_eq!(e.name().parse::<Encoding>(), Ok(e));
        assert_eq!(e.to_string(), e.name());
    }
    let unknown = "zipkin-thrift".parse::<Encoding>().unwrap_err();
    assert_eq!(unknown.to_string(), "unknown encoding \"zipkin-thrift\": one of protobuf, json, otlp-proto, otlp-json");
}

/// One span in all four encodings is the same span.
#[test]
fn every_encoding_is_the_same_span() {
    let mut builder = BatchBuilder::default();
    builder.push_with(|out| decode_message(Encoding::Protobuf, &full(), out)).unwrap();
    let first = builder.finish();
    let (mut proto, mut json) = (Vec::new(), Vec::new());
    write_subset(&first, &[0], &mut proto);
    skua_codec::otlp_json::put_spans(&mut json, &first, &[0]);
    for (encoding, message) in
        [(Encoding::Json, full_json().as_bytes()), (Encoding::OtlpProto, &proto), (Encoding::OtlpJson, &json)]
    {
        let mut builder = BatchBuilder::default();
        builder.push_with(|out| decode_message(encoding, message, out)).unwrap();
        let b: SpanBatch = builder.finish();
        let want = if encoding == Encoding::OtlpProto { full() } else { full_from_json() };
        assert_eq!(crate::golden::encode(&b), want, "{encoding}");
    }
}

#[test]
fn errors_name_encoding_and_place() {
    for (encoding, message, want) in [
        (Encoding::Protobuf, &b"\x0a\x01"[..], "protobuf: jaeger.api_v2.Span.trace_id: the message ends inside a field"),
        (Encoding::Json, b"{\n\"flags\":-1}", "json: jaeger.api_v2.Span in JSON: flags: -1 is out of range at line 2 column 10"),
        (
            Encoding::OtlpJson,
            b"{\"resourceSpans\":{}}",
            "otlp-json: not an OTLP JSON request: invalid type: map, expected a list in resourceSpans",
        ),
        (Encoding::OtlpProto, b"\x0a\x01", "otlp-proto: not an OTLP TracesData message: the message ends inside a field"),
    ] {
        let mut builder = BatchBuilder::default();
        let error: CodecError = builder.push_with(|out| decode_message(encoding, message, out)).unwrap_err();
        assert!(error.to_string().starts_with(want), "{error}");
        assert_eq!(builder.size(), 0);
    }
}
