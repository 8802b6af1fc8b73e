//! Writes the seeds of the fuzz targets: `cargo run -p skua-bench --example fuzz-seeds -- fuzz/seeds`. The same bytes every time.
//!
//! Each format gets spans of the load generator, and a message with what those lack: every type of tag, references, statistics of
//! a client, endpoints, annotations, shared and empty spans.

use skua_bench::Failure;
use skua_bench::formats::thrift::{Protocol, Type, Writer};
use skua_bench::formats::{Format, write};
use skua_bench::spans::{Config, generate};
use skua_codec::sampling::{Kind, PerOperation, Response, put_request};
use skua_codec::{jaeger, otlp_json};
use skua_model::SpanBatch;
use skua_model::wire::{put_bytes, put_message, put_uint, put_varint};
use std::fs;
use std::path::{Path, PathBuf};

/// Microseconds since 1970.
const TIME: i64 = 1_700_000_000_123_456;

fn main() -> Result<(), Failure> {
    let folder = std::env::args().nth(1).ok_or("usage: fuzz-seeds FOLDER")?;
    let seeds = Seeds(PathBuf::from(folder));
    for spans in [1, 4] {
        generated(&seeds, spans)?;
    }
    for (protocol, name) in [(Protocol::Compact, "thrift_datagram_compact"), (Protocol::Binary, "thrift_datagram_binary")] {
        let datagram = |method, arguments: &dyn Fn(&mut Writer)| {
            let mut w = Writer::new(protocol);
            w.oneway(method, 7, arguments);
            w.finish()
        };
        seeds.put(name, "full", &datagram("emitBatch", &|w| w.field(1, full_batch)))?;
        let zipkin = |w: &mut Writer| {
            w.list(1, Type::Struct, ZIPKIN_SPANS);
            zipkin_spans(w);
        };
        seeds.put(name, "zipkin", &datagram("emitZipkinBatch", &zipkin))?;
    }
    let mut w = Writer::new(Protocol::Binary);
    w.structure(full_batch);
    seeds.put("thrift_batch", "full", &w.finish())?;
    for name in ["zipkin_v1_thrift", "zipkin_core_thrift"] {
        let mut w = Writer::new(Protocol::Binary);
        w.elements(Type::Struct, ZIPKIN_SPANS);
        zipkin_spans(&mut w);
        seeds.put(name, "full", &w.finish())?;
    }
    seeds.put("zipkin_v2_json", "full", ZIPKIN_V2.as_bytes())?;
    seeds.put("zipkin_v1_json", "full", ZIPKIN_V1.as_bytes())?;
    seeds.put("zipkin_v2_proto", "full", &zipkin_proto())?;
    sampling(&seeds)
}

struct Seeds(PathBuf);

impl Seeds {
    fn put(&self, target: &str, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let folder: &Path = &self.0.join(target);
        fs::create_dir_all(folder)?;
        Ok(fs::write(folder.join(name), bytes)?)
    }
}

/// Spans of the load generator in each format that it can be written in.
fn generated(seeds: &Seeds, spans: usize) -> Result<(), Failure> {
    let now = TIME as u64 * 1000;
    let load = generate(&Config { seed: spans as u64, now, ..Config::new(spans, spans) });
    let name = format!("spans-{spans}");
    for request in load.requests {
        let batch = SpanBatch::parse(request.clone())?;
        seeds.put("otlp_proto", &name, &request)?;
        let mut text = Vec::new();
        otlp_json::put_spans(&mut text, &batch, &(0..spans as u32).collect::<Vec<_>>());
        seeds.put("otlp_json", &name, &text)?;
        let formats = [
            ("jaeger_proto", Format::JaegerProto),
            ("thrift_batch", Format::ThriftBatch),
            ("thrift_datagram_compact", Format::ThriftDatagram(Protocol::Compact)),
            ("thrift_datagram_binary", Format::ThriftDatagram(Protocol::Binary)),
            ("zipkin_v2_json", Format::ZipkinJson),
        ];
        for (target, format) in formats {
            seeds.put(target, &name, &write(format, &batch, batch.spans(), 1))?;
        }
        let span = &batch.spans()[0];
        let (view, resource) = (batch.view(span), batch.process(batch.resource_of(span)));
        let (mut process, mut message, mut text) = (Vec::new(), Vec::new(), Vec::new());
        jaeger::encode::put_process(&mut process, &resource);
        jaeger::encode::put_span(&mut message, &view, &process);
        seeds.put("jaeger_proto", &format!("one-of-{spans}"), &message)?;
        jaeger::json::put_span(&mut text, &view, &resource);
        seeds.put("jaeger_json", &name, &text)?;
    }
    // A span in Jaeger's own model, read from the full batch of Thrift: references, warnings to come, odd floats.
    let (mut w, mut otlp) = (Writer::new(Protocol::Binary), Vec::new());
    w.structure(full_batch);
    skua_codec::thrift::batch(&w.finish(), Some("jaeger"), &mut otlp)?;
    let batch = SpanBatch::parse(otlp)?;
    seeds.put("otlp_proto", "jaeger", batch.bytes())?;
    seeds.put("jaeger_proto", "full", &write(Format::JaegerProto, &batch, batch.spans(), 1))?;
    let (mut text, span) = (Vec::new(), &batch.spans()[0]);
    jaeger::json::put_span(&mut text, &batch.view(span), &batch.process(batch.resource_of(span)));
    seeds.put("jaeger_json", "full", &text)?;
    let mut text = Vec::new();
    otlp_json::put_spans(&mut text, &batch, &(0..batch.len() as u32).collect::<Vec<_>>());
    seeds.put("otlp_json", "jaeger", &text)
}

/// `jaeger.Batch` with everything in it.
fn full_batch(w: &mut Writer) {
    w.field(1, |w| {
        w.binary(1, b"front\xc3\xa9nd");
        w.list(2, Type::Struct, 3);
        w.structure(|w| tag(w, b"client-uuid", 0, |w| w.binary(3, b"1cf3c9bd5a0d7b2f")));
        w.structure(|w| tag(w, b"hostname", 0, |w| w.binary(3, b"node-1")));
        w.structure(|w| tag(w, b"ip", 3, |w| w.i64(6, 0x7f00_0001)));
    });
    w.list(2, Type::Struct, 2);
    w.structure(|w| {
        [0x1234_5678_9abc_def0, 0x0fed_cba9_8765_4321, 77, 76].iter().zip(1..).for_each(|(v, n)| w.i64(n, *v));
        w.binary(5, b"GET /cart");
        w.list(6, Type::Struct, 2);
        for (kind, span) in [(0, 76), (1, -5)] {
            w.structure(|w| {
                w.i32(1, kind);
                [0x1234_5678_9abc_def0, 0x0fed_cba9_8765_4321, span].iter().zip(2..).for_each(|(v, n)| w.i64(n, *v));
            });
        }
        w.i32(7, 3);
        w.i64(8, TIME);
        w.i64(9, 1500);
        w.list(10, Type::Struct, 7);
        w.structure(|w| tag(w, b"span.kind", 0, |w| w.binary(3, b"server")));
        w.structure(|w| tag(w, b"load", 1, |w| w.double(4, 0.75)));
        w.structure(|w| tag(w, b"error", 2, |w| w.bool(5, true)));
        w.structure(|w| tag(w, b"http.status_code", 3, |w| w.i64(6, 500)));
        w.structure(|w| tag(w, b"raw", 4, |w| w.binary(7, &[0, 0xff, 0x80])));
        w.structure(|w| tag(w, b"unknown", 9, |_| {}));
        w.structure(|w| tag(w, b"", 0, |_| {}));
        w.list(11, Type::Struct, 1);
        w.structure(|w| {
            w.i64(1, TIME + 7);
            w.list(2, Type::Struct, 2);
            w.structure(|w| tag(w, b"event", 0, |w| w.binary(3, b"error")));
            w.structure(|w| tag(w, b"retry", 2, |w| w.bool(5, false)));
        });
    });
    w.structure(|w| {
        [1, 0, 2, 0].iter().zip(1..).for_each(|(v, n)| w.i64(n, *v));
        w.binary(5, b"");
        w.i32(7, 0);
        w.i64(8, TIME);
        w.i64(9, -1);
    });
    w.i64(3, 42);
    w.field(4, |w| [1, 2, 3].iter().zip(1..).for_each(|(v, n)| w.i64(n, *v)));
}

fn tag(w: &mut Writer, key: &[u8], kind: i32, value: impl FnOnce(&mut Writer)) {
    w.binary(1, key);
    w.i32(2, kind);
    value(w);
}

const ZIPKIN_SPANS: usize = 3;

/// `zipkincore.Span`s: a client's and a server's half in one, one of a local component, one that is nearly empty.
fn zipkin_spans(w: &mut Writer) {
    let host = |w: &mut Writer| {
        w.field(3, |w| {
            w.i32(1, 0x0a00_0001);
            w.i16(2, 8080);
            w.binary(3, b"cart");
        });
    };
    w.structure(|w| {
        w.i64(1, 0x1234);
        w.binary(3, b"get /cart");
        w.i64(4, 0x55);
        w.i64(5, 0x54);
        w.list(6, Type::Struct, 5);
        for (i, value) in ["cs", "sr", "ss", "cr", "{\"event\":\"retry\",\"n\":\"2\"}"].iter().enumerate() {
            w.structure(|w| {
                w.i64(1, TIME + i as i64);
                w.binary(2, value.as_bytes());
                host(w);
            });
        }
        w.list(8, Type::Struct, 9);
        let values: [(&str, &[u8], i32); 9] = [
            ("sa", &[1], 0),
            ("http.path", b"/cart", 6),
            ("raw", &[1, 2, 3], 1),
            ("short", &[0, 7], 2),
            ("int", &[0, 0, 0, 7], 3),
            ("long", &[0, 0, 0, 0, 0, 0, 0, 7], 4),
            ("double", &[0x3f, 0xf0, 0, 0, 0, 0, 0, 0], 5),
            ("error", b"refused", 6),
            ("jaeger.hostname", b"node-1", 6),
        ];
        for (key, value, kind) in values {
            w.structure(|w| {
                w.binary(1, key.as_bytes());
                w.binary(2, value);
                w.i32(3, kind);
                w.field(4, |w| {
                    w.i32(1, 0x0a00_0002);
                    w.i16(2, -1);
                    w.binary(3, b"payment");
                    w.binary(4, &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
                });
            });
        }
        w.bool(9, true);
        w.i64(10, TIME);
        w.i64(11, 1500);
        w.i64(12, 0x77);
    });
    w.structure(|w| {
        w.i64(1, 0x1234);
        w.binary(3, b"price");
        w.i64(4, 0x56);
        w.i64(5, 0x55);
        w.list(8, Type::Struct, 1);
        w.structure(|w| {
            w.binary(1, b"lc");
            w.binary(2, b"pricing");
            w.i32(3, 6);
        });
        w.i64(10, TIME);
        w.i64(11, 20);
    });
    w.structure(|w| {
        w.i64(1, 9);
        w.i64(4, 10);
    });
}

const ZIPKIN_V2: &str = r#"[{"traceId":"5982fe77008310cc80f1da5e10147517","parentId":"90394f6bcffb5d13","id":"67fae42571535f60",
"kind":"SERVER","name":"/m/n/2.6.1","timestamp":1516781775726000,"duration":26000,"shared":true,"debug":true,
"localEndpoint":{"serviceName":"api","ipv4":"10.0.0.1","port":80},"remoteEndpoint":{"serviceName":"cart","ipv6":"2001:db8::1","port":9411},
"annotations":[{"timestamp":1516781775727000,"value":"foo|{\"a\":1,\"b\":true,\"c\":\"d\"}|2"},{"timestamp":1516781775728000,"value":"wr"}],
"tags":{"http.path":"/cart\u00e9\ud83d\ude00","error":"refused","otel.status_code":"STATUS_CODE_ERROR","service.version":"1",
"otel.library.name":"lib","otel.library.version":"2","w3c.tracestate":"a=b","otlp.link.0":
"5982fe77008310cc80f1da5e10147517|90394f6bcffb5d13|a=b|{\"opentracing.ref_type\":\"child_of\"}|0"}},
{"traceId":"0000000000000001","id":"0000000000000002","tags":{"span.kind":"internal"}}]"#;

const ZIPKIN_V1: &str = r#"[{"traceId":"5982fe77008310cc80f1da5e10147517","name":"checkavailability","id":"bd7a977555f6b982",
"parentId":"ebf33e1a81dc6f71","timestamp":1544805927448081,"duration":363999,"debug":false,
"annotations":[{"timestamp":1544805927448081,"value":"sr","endpoint":{"ipv4":"172.31.0.4","port":80,"serviceName":"service1"}},
{"timestamp":1544805927812080,"value":"ss","endpoint":{"ipv6":"7::80:807f","serviceName":"service1"}},
{"timestamp":1544805927460102,"value":"custom time event"}],
"binaryAnnotations":[{"key":"http.status_code","value":"403","endpoint":{"ipv4":"172.31.0.4","port":0,"serviceName":"service1"}},
{"key":"lc","value":"spring-boot"},{"key":"ok","value":true},{"key":"n","value":7.5},{"key":"error","value":""}]},
{"traceId":"0ed2e63cbe71f5a8","id":"fe351a053fbcac1f","timestamp":1544805927453923}]"#;

/// `zipkin.proto3.ListOfSpans`.
fn zipkin_proto() -> Vec<u8> {
    let fixed64 = |out: &mut Vec<u8>, number: u64, v: u64| {
        put_varint(out, number << 3 | 1);
        out.extend_from_slice(&v.to_le_bytes());
    };
    let mut out = Vec::new();
    put_message(&mut out, 1, |out| {
        put_bytes(out, 1, &[0x59, 0x82, 0xfe, 0x77, 0, 0x83, 0x10, 0xcc, 0x80, 0xf1, 0xda, 0x5e, 0x10, 0x14, 0x75, 0x17]);
        put_bytes(out, 2, &[0x90, 0x39, 0x4f, 0x6b, 0xcf, 0xfb, 0x5d, 0x13]);
        put_bytes(out, 3, &[0x67, 0xfa, 0xe4, 0x25, 0x71, 0x53, 0x5f, 0x60]);
        put_uint(out, 4, 2); // SERVER
        put_bytes(out, 5, b"get /cart");
        fixed64(out, 6, TIME as u64);
        put_uint(out, 7, 1500);
        put_message(out, 8, |out| {
            put_bytes(out, 1, b"api");
            put_bytes(out, 2, &[10, 0, 0, 1]);
            put_uint(out, 4, 80);
        });
        put_message(out, 9, |out| {
            put_bytes(out, 1, b"cart");
            put_bytes(out, 3, &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        });
        put_message(out, 10, |out| {
            fixed64(out, 1, TIME as u64 + 5);
            put_bytes(out, 2, b"foo|{\"a\":1}|0");
        });
        for (key, value) in [("http.path", "/cart"), ("error", "true"), ("k8s.pod.name", "api-1"), ("otel.library.name", "lib")] {
            put_message(out, 11, |out| {
                put_bytes(out, 1, key.as_bytes());
                put_bytes(out, 2, value.as_bytes());
            });
        }
        put_uint(out, 12, 1);
        put_uint(out, 13, 1);
    });
    put_message(&mut out, 1, |out| {
        put_bytes(out, 1, &[0, 0, 0, 0, 0, 0, 0, 1]);
        put_bytes(out, 3, &[0, 0, 0, 0, 0, 0, 0, 2]);
    });
    out
}

const STRATEGIES: &str = r#"{"default_strategy":{"type":"probabilistic","param":0.5,
"operation_strategies":[{"operation":"/health","type":"probabilistic","param":0}]},
"service_strategies":[{"service":"cart","type":"ratelimiting","param":5},{"service":"api","type":"probabilistic","param":0.8,
"operation_strategies":[{"operation":"GET /","type":"probabilistic","param":0.2},{"operation":"x","type":"ratelimiting","param":1e3}]}]}"#;

fn sampling(seeds: &Seeds) -> Result<(), Failure> {
    let operations = vec![("GET /".to_owned(), 0.25), ("x".to_owned(), 0.0)];
    let of = PerOperation { default_probability: 0.001, default_lower_bound: 1.0 / 60.0, default_upper_bound: 0.0, operations };
    let full = Response { kind: Kind::Probabilistic, probabilistic: Some(0.5), rate_limiting: None, operations: Some(of) };
    seeds.put("sampling_strategies", "response", &full.to_proto())?;
    let limited = Response { kind: Kind::RateLimiting, rate_limiting: Some(100), ..Response::default() };
    seeds.put("sampling_strategies", "limited", &limited.to_proto())?;
    seeds.put("sampling_strategies", "request", &put_request("cart"))?;
    seeds.put("sampling_strategies", "file", STRATEGIES.as_bytes())?;
    seeds.put("sampling_strategies", "null", b"null")
}
