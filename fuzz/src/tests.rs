//! The seeds are good: every one is taken by its decoder and passes every check.

use super::*;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The memory that is counted is that of the process: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The inputs below `seeds/`, by target.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    files.map(|file| std::fs::read(file.expect("a file").path()).expect("a readable file")).collect()
}

#[test]
fn each_seed_is_decoded_and_passes_the_checks() {
    let _alone = alone();
    for target in targets::ALL.iter().copied().chain([&targets::OTLP_PROTO]) {
        let name = target.name.to_lowercase();
        // Its seeds are of two kinds, and each decoder takes only its own.
        let shared = name == "jaeger_batch" || name == "jaeger_span";
        let seeds = seeds(if shared { "jaeger_proto" } else { &name });
        let refused: Vec<_> = seeds.iter().filter_map(|seed| (target.decode)(seed, &mut Vec::new()).err()).collect();
        assert!(refused.is_empty() || shared, "{name}: {refused:?}");
        assert!(refused.len() < seeds.len(), "{name} has no seed that is decoded");
        seeds.iter().for_each(|seed| check(target, seed));
    }
    for seed in seeds("sampling_strategies") {
        sampling::check_messages(&seed);
        sampling::check_file(&seed);
    }
}

/// How often the parts of the worst inputs are repeated.
const MANY: usize = 2000;

/// For each target, inputs made of the parts that become the most bytes for each of their own.
fn worst() -> Vec<(&'static Target, Vec<u8>)> {
    let field = |tag: u8, body: &[u8]| {
        let mut field = vec![tag];
        let mut n = body.len();
        while n >= 0x80 {
            field.push(n as u8 | 0x80);
            n >>= 7;
        }
        field.push(n as u8);
        field.extend_from_slice(body);
        field
    };
    let text = |json: &[u8]| String::from_utf8_lossy(json).into_owned();
    let json = |part: &str| format!("[{}]", vec![part; MANY].join(",")).into_bytes();
    // Compact: the head of a list of 2000 structs is fc and a varint of two bytes.
    let many = [0xfc, 0xd0, 0x0f];
    let compact =
        |process: &[u8], spans: &[u8]| [b"\x82\x81\x01\x09emitBatch\x1c\x1c", process, b"\x19", spans, b"\0\0"].concat();
    let compact_span = b"\x16\x00\x16\x02\x16\x02\x16\x00\x18\x00\x25\x00\x16\x00\x16\x00";
    let tags = |tag: &[u8]| [&compact_span[..], b"\x19", &many, &tag.repeat(MANY), b"\0"].concat();
    let logs = [&compact_span[..], b"\x29", &many, &b"\x16\x00\x19\x0c\x00".repeat(MANY), b"\0"].concat();
    let binary_span = [
        &[10, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 10, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 10, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1][..],
        &[10, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 11, 0, 5, 0, 0, 0, 0, 8, 0, 7, 0, 0, 0, 0],
        &[10, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    let binary_batch =
        [&[12, 0, 1, 11, 0, 1, 0, 0, 0, 0, 0, 15, 0, 2, 12, 0, 0, 7, 0xd0][..], &binary_span.repeat(MANY), &[0]].concat();
    let zipkin_proto_span = field(0x0a, &[field(0x0a, &[1; 8]), field(0x1a, &[2; 8])].concat());
    let one = [0x1c];
    let tags_of_zipkin: Vec<u8> =
        (0..MANY as u16).flat_map(|n| field(0x5a, &field(0x0a, &n.to_le_bytes().map(|b| b & 0x7f)))).collect();
    // An empty `zipkincore.Span` is one byte.
    let zipkin = |span: &[u8]| [b"\x82\x81\x01\x0femitZipkinBatch\x19", &many[..], &span.repeat(MANY), b"\0"].concat();
    let binary_list = |span: &[u8]| [&[12, 0, 0, 7, 0xd0][..], &span.repeat(MANY)].concat();
    let listed =
        |field: &[u8], element: &[u8]| [&[12, 0, 0, 0, 1][..], field, &[0, 0, 7, 0xd0], &element.repeat(MANY), &[0]].concat();
    let both_halves = b"\x69\x2c\x28\x02cs\x00\x28\x02sr\x00\x00";
    let value = [&[15, 0, 6, 12, 0, 0, 0, 2][..], &[11, 0, 2, 0, 0, 0, 2, b'c', b's', 0, 11, 0, 2, 0, 0, 0, 2, b's', b'r', 0, 0]]
        .concat();
    let v1 = "{\"traceId\":\"0000000000000001\",\"id\":\"0000000000000002\"";
    vec![
        (&targets::OTLP_PROTO, [0x0a, 0].repeat(MANY)),
        (&targets::OTLP_PROTO, field(0x0a, &[0x12, 0].repeat(MANY))),
        (&targets::OTLP_JSON, format!("{{\"resourceSpans\":{}}}", text(&json("{}"))).into_bytes()),
        (&targets::OTLP_JSON, format!("{{\"resourceSpans\":[{{\"scopeSpans\":{}}}]}}", text(&json("{}"))).into_bytes()),
        (&targets::JAEGER_BATCH, field(0x0a, &[0x0a, 0].repeat(MANY))),
        (&targets::JAEGER_BATCH, field(0x0a, &[0x0a, 2, 0x52, 0, 0x0a, 5, 0x52, 3, 0x0a, 1, b'x'].repeat(MANY))),
        (&targets::JAEGER_SPAN, [0x22, 0].repeat(MANY)),
        (&targets::JAEGER_SPAN, [0x42, 0].repeat(MANY)),
        (&targets::JAEGER_SPAN, [0x4a, 0].repeat(MANY)),
        (&targets::JAEGER_SPAN, [0x62, 0].repeat(MANY)),
        (&targets::JAEGER_JSON, [b"{\"references\":", &json("{}")[..], b"}"].concat()),
        (&targets::JAEGER_JSON, [b"{\"logs\":", &json("{}")[..], b"}"].concat()),
        (&targets::JAEGER_JSON, [b"{\"warnings\":", &json("\"\"")[..], b"}"].concat()),
        (
            &targets::THRIFT_DATAGRAM_COMPACT,
            compact(b"\x18\0\0", &[&many[..], &[&compact_span[..], b"\0"].concat().repeat(MANY)].concat()),
        ),
        (&targets::THRIFT_DATAGRAM_COMPACT, compact(b"\x18\0\0", &[&one[..], &tags(b"\x18\0\x15\0\0"), b""].concat())),
        // A type of tag that does not exist: the tag becomes a text that shows it.
        (&targets::THRIFT_DATAGRAM_COMPACT, compact(b"\x18\0\0", &[&one[..], &tags(b"\x18\0\x15\x7f\0")].concat())),
        (&targets::THRIFT_DATAGRAM_COMPACT, compact(b"\x18\0\0", &[&one[..], &tags(b"\x18\0\x15\x7f\x12\0")].concat())),
        (&targets::THRIFT_DATAGRAM_COMPACT, compact(b"\x18\0\0", &[&one[..], &logs].concat())),
        (&targets::THRIFT_BATCH, binary_batch),
        (&targets::ZIPKIN_V2_JSON, json("{\"traceId\":\"1\",\"id\":\"2\"}")),
        (
            &targets::ZIPKIN_V2_JSON,
            json("{\"traceId\":\"1\",\"id\":\"2\",\"localEndpoint\":{\"serviceName\":\"a\"},\"annotations\":[{}]}"),
        ),
        (
            &targets::ZIPKIN_V2_JSON,
            format!("[{{\"traceId\":\"1\",\"id\":\"2\",\"annotations\":{}}}]", text(&json("{}"))).into_bytes(),
        ),
        (&targets::THRIFT_DATAGRAM_COMPACT, zipkin(&[0])),
        (&targets::THRIFT_DATAGRAM_COMPACT, zipkin(both_halves)),
        (
            &targets::THRIFT_DATAGRAM_BINARY,
            [b"\x80\x01\0\x04\0\0\0\x0femitZipkinBatch\0\0\0\x01\x0f\0\x01", &binary_list(&[0])[..], b"\0"].concat(),
        ),
        (&targets::ZIPKIN_V1_THRIFT, binary_list(&[0])),
        (&targets::ZIPKIN_V1_THRIFT, binary_list(&value)),
        (&targets::ZIPKIN_V1_THRIFT, binary_list(&[10, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 10, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1, 0])),
        (&targets::ZIPKIN_V1_THRIFT, listed(&[15, 0, 6, 12], &[0])),
        (&targets::ZIPKIN_V1_THRIFT, listed(&[15, 0, 8, 12], &[0])),
        (&targets::ZIPKIN_CORE_THRIFT, binary_list(&[0])),
        (&targets::ZIPKIN_CORE_THRIFT, binary_list(&value)),
        (&targets::ZIPKIN_CORE_THRIFT, listed(&[15, 0, 6, 12], &[0])),
        (&targets::ZIPKIN_CORE_THRIFT, listed(&[15, 0, 8, 12], &[0])),
        (&targets::ZIPKIN_V1_JSON, json(&format!("{v1}}}"))),
        (&targets::ZIPKIN_V1_JSON, format!("[{v1},\"annotations\":{}}}]", text(&json("{}"))).into_bytes()),
        (&targets::ZIPKIN_V1_JSON, format!("[{v1},\"annotations\":{}}}]", text(&json("{\"timestamp\":1}"))).into_bytes()),
        (&targets::ZIPKIN_V1_JSON, format!("[{v1},\"binaryAnnotations\":{}}}]", text(&json("{}"))).into_bytes()),
        (
            &targets::ZIPKIN_V2_JSON,
            format!("[{{\"traceId\":\"1\",\"id\":\"2\",\"annotations\":{}}}]", text(&json("{\"timestamp\":1}"))).into_bytes(),
        ),
        (&targets::ZIPKIN_V2_PROTO, zipkin_proto_span.repeat(MANY)),
        (&targets::ZIPKIN_V2_PROTO, field(0x0a, &[field(0x0a, &[1; 8]), field(0x1a, &[2; 8]), tags_of_zipkin].concat())),
        (&targets::ZIPKIN_V2_PROTO, field(0x0a, &[field(0x0a, &[1; 8]), field(0x1a, &[2; 8]), [0x52, 0].repeat(MANY)].concat())),
    ]
}

#[test]
fn the_worst_inputs_stay_within_the_bounds() {
    let _alone = alone();
    for (target, input) in worst() {
        if std::env::var_os("SKUA_FUZZ_RATIOS").is_some() {
            let (meter, mut out) = (Meter::start(), Vec::new());
            let result = (target.decode)(&input, &mut out).map_err(|e| e.to_string());
            let [out, heap] = [out.len(), meter.peak()].map(|n| n as f64 / input.len() as f64);
            eprintln!("{:24} {:6} bytes: {out:5.1} written, {heap:5.1} of memory, {result:?}", target.name, input.len());
        }
        check(target, &input);
    }
}
