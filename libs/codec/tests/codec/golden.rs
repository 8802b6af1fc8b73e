//! Bytes and texts that Jaeger 1.76's own model (jaeger-idl 0.6.0, gogo/protobuf 1.3.2) wrote with `proto.Marshal` and
//! `jsonpb.Marshaler{}`, which is what its Kafka writer calls.

use skua_codec::jaeger;
use skua_model::{BatchBuilder, SpanBatch};

/// Every kind of field: both reference types, all five tag types with odd floats, logs with and without fields, warnings.
const FULL: &str = "0a100af7651916cd43dd8448eb211c80319c1208b7ad6b71692033311a09474554202f613c623e221c0a100af7651916cd43dd8448eb211c8\
0319c12080000000000000001221e0a10000000000000000000000000000000051208000000000000000218012803320b0880e2cfaa0610959aef3a3a0410e0c65b\
42130a097370616e2e6b696e641a06736572766572420b0a056572726f721001200142060a026e6f100142100a0169100228f9ffffffffffffffff0142050a017a1\
002420e0a01661003310000000000000440420e0a016e100331010000000000f87f42100a03696e66100331000000000000f07f42110a046d696e6610033100000\
0000000f0ff42100a0362696710033150efe2d6e41a4b44420a0a016210043a030102ff42004a2d0a0b0880e2cfaa0610d59eac3b120e0a056576656e741a05626\
f6f6d0a120e0a016e10022881808080808080104a040a02080152250a0866726f6e74656e64120e0a08686f73746e616d651a02683112090a037069641002282a6\
202773162027732";

const FULL_JSON: &str = r#"{"traceId":"CvdlGRbNQ92ESOshHIAxnA==","spanId":"t61rcWkgMzE=","operationName":"GET /a\u003cb\u003e","references":[{"traceId":"CvdlGRbNQ92ESOshHIAxnA==","spanId":"AAAAAAAAAAE="},{"traceId":"AAAAAAAAAAAAAAAAAAAABQ==","spanId":"AAAAAAAAAAI=","refType":"FOLLOWS_FROM"}],"flags":3,"startTime":"2023-11-14T22:13:20.123456789Z","duration":"0.001500s","tags":[{"key":"span.kind","vStr":"server"},{"key":"error","vType":"BOOL","vBool":true},{"key":"no","vType":"BOOL"},{"key":"i","vType":"INT64","vInt64":"-7"},{"key":"z","vType":"INT64"},{"key":"f","vType":"FLOAT64","vFloat64":2.5},{"key":"n","vType":"FLOAT64","vFloat64":"NaN"},{"key":"inf","vType":"FLOAT64","vFloat64":"Infinity"},{"key":"minf","vType":"FLOAT64","vFloat64":"-Infinity"},{"key":"big","vType":"FLOAT64","vFloat64":1e+21},{"key":"b","vType":"BINARY","vBinary":"AQL/"},{}],"logs":[{"timestamp":"2023-11-14T22:13:20.124456789Z","fields":[{"key":"event","vStr":"boom\n"},{"key":"n","vType":"INT64","vInt64":"9007199254740993"}]},{"timestamp":"1970-01-01T00:00:01Z"}],"process":{"serviceName":"frontend","tags":[{"key":"hostname","vStr":"h1"},{"key":"pid","vType":"INT64","vInt64":"42"}]},"warnings":["w1","w2"]}"#;

/// A span of nothing but ids and times, its process empty.
const BARE: &str = "0a100000000000000000000000000000000112080000000000000002320b0880e2cfaa0610809c9c393a0208015200";
const BARE_JSON: &str = r#"{"traceId":"AAAAAAAAAAAAAAAAAAAAAQ==","spanId":"AAAAAAAAAAI=","startTime":"2023-11-14T22:13:20.120Z","duration":"1s","process":{}}"#;

/// A negative duration, and a service name of letters that JSON escapes.
const NEGATIVE: &str = "0a100000000000000000000000000000000112080000000000000002320a0880e2cfaa0610c0a9073a1608ffffffffffffffffff011080\
b6ca91feffffffff01520a0a08c3a9e280a8080c7f";
const NEGATIVE_JSON: &str = "{\"traceId\":\"AAAAAAAAAAAAAAAAAAAAAQ==\",\"spanId\":\"AAAAAAAAAAI=\",\"startTime\":\"2023-11-14T22:13:20.000120Z\",\"duration\":\"-1.500s\",\"process\":{\"serviceName\":\"é\\u2028\\b\\f\u{7f}\"}}";

/// `model.Span{}`: Go's zero time, and ids that are zero.
const EMPTY: &str = "0a100000000000000000000000000000000012080000000000000000320b088092b8c398feffffff013a00";

pub fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).expect("hex")).collect()
}

pub fn full() -> Vec<u8> {
    hex(FULL)
}

/// JSON has one NaN; Go's `math.NaN()` is another than Rust's.
pub fn full_from_json() -> Vec<u8> {
    hex(&FULL.replace("010000000000f87f", "000000000000f87f"))
}

pub fn full_json() -> &'static str {
    FULL_JSON
}

/// The batch that a decoder writes.
pub fn batch(decode: impl FnOnce(&mut Vec<u8>) -> Result<(), jaeger::JaegerError>) -> SpanBatch {
    let mut builder = BatchBuilder::default();
    builder.push_with(decode).expect("a span");
    builder.finish()
}

/// The first span of a batch as `api_v2` protobuf.
pub fn encode(batch: &SpanBatch) -> Vec<u8> {
    let (mut process, mut out) = (Vec::new(), Vec::new());
    let span = &batch.spans()[0];
    jaeger::encode::put_process(&mut process, &batch.process(batch.resource_of(span)));
    jaeger::encode::put_span(&mut out, &batch.view(span), &process);
    out
}

/// The first span of a batch as jsonpb.
pub fn encode_json(batch: &SpanBatch) -> String {
    let mut out = Vec::new();
    let span = &batch.spans()[0];
    jaeger::json::put_span(&mut out, &batch.view(span), &batch.process(batch.resource_of(span)));
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn protobuf_comes_back_byte_for_byte() {
    let message = hex(FULL);
    assert_eq!(encode(&batch(|out| jaeger::decode::span(&message, out))), message);
}

#[test]
fn protobuf_becomes_jaegers_json() {
    assert_eq!(encode_json(&batch(|out| jaeger::decode::span(&hex(FULL), out))), FULL_JSON);
}

#[test]
fn json_becomes_jaegers_protobuf_and_comes_back() {
    let from_json = batch(|out| jaeger::json::decode(FULL_JSON.as_bytes(), out));
    assert_eq!(encode(&from_json), full_from_json());
    assert_eq!(encode_json(&from_json), FULL_JSON);
}

/// Jaeger's sanitizer names the service; the rest is the same.
#[test]
fn a_bare_span_gets_a_service_name() {
    for b in [batch(|out| jaeger::decode::span(&hex(BARE), out)), batch(|out| jaeger::json::decode(BARE_JSON.as_bytes(), out))] {
        assert_eq!(encode_json(&b), BARE_JSON.replace("{}}", r#"{"serviceName":"empty-service-name"}}"#));
    }
}

#[test]
fn a_negative_duration_is_for_the_sanitizer() {
    for b in
        [batch(|out| jaeger::decode::span(&hex(NEGATIVE), out)), batch(|out| jaeger::json::decode(NEGATIVE_JSON.as_bytes(), out))]
    {
        let view = b.view(&b.spans()[0]);
        assert_eq!((view.start, view.end), (1_700_000_000_000_120_000, 1_699_999_998_500_120_000));
        assert_eq!(b.backward_spans(), 1);
        let (mended, _) = skua_model::repair(b).expect("mended");
        let text = encode_json(&mended);
        assert!(text.contains(r#""duration":"0.000000001s""#), "{text}");
        assert!(text.contains("InvalidNegativeDuration") && text.contains(r#""é\u2028\b\f"#), "{text}");
    }
}

#[test]
fn an_empty_span_is_refused_by_the_batch() {
    let b = batch(|out| jaeger::decode::span(&hex(EMPTY), out));
    assert_eq!((b.len(), b.refused().of(skua_model::Refusal::ZeroTraceId)), (0, 1));
}
