//! What writing a span costs in CPU, without a server: `cargo test --release --test cost -- --ignored --nocapture`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

use opentelemetry_proto::tonic::trace::v1::{Span, span};
use prometheus_client::registry::Registry;
use skua_model::SpanBatch;
use skua_store::SpanWriter;
use skua_store_elasticsearch::{Config, ElasticsearchStore};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

mod given;
use given::{now_ns, text};

static RECEIVED: AtomicU64 = AtomicU64::new(0);
/// The first body.
static BODY: OnceLock<Vec<u8>> = OnceLock::new();

/// Takes every request and says that all went well.
fn serve(stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::with_capacity(1 << 18, stream.try_clone()?);
    loop {
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if let Some(n) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = n.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        RECEIVED.fetch_add(length, Ordering::Relaxed);
        if BODY.get().is_none() && length > 100_000 {
            let mut body = vec![0; length as usize];
            reader.read_exact(&mut body)?;
            let _ = BODY.set(body);
        } else {
            std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink())?;
        }
        let body = br#"{"errors":false}"#;
        (&stream).write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes())?;
        (&stream).write_all(body)?;
    }
}

/// A span of ordinary size: its document has about 1.7 KB.
fn ordinary(i: u64) -> Span {
    let start = now_ns() + i;
    let value = |k: &str, v: String| text(k, &v);
    Span {
        trace_id: (u128::from(i.wrapping_mul(0x9e37_79b9_7f4a_7c15)) << 64 | u128::from(i / 10 + 1)).to_be_bytes().to_vec(),
        span_id: i.wrapping_mul(0x2545_f491_4f6c_dd1d).to_be_bytes().to_vec(),
        parent_span_id: (i ^ 0x55).to_be_bytes().to_vec(),
        name: format!("GET /api/v1/things/{{id}}/{}", i % 20),
        kind: 2,
        start_time_unix_nano: start,
        end_time_unix_nano: start + 1_000_000 + i,
        attributes: vec![
            value("http.request.method", "GET".to_owned()),
            value("url.full", format!("https://shop.example.com/api/v1/things/{}?page=2", i * 7919)),
            value("http.route", "/api/v1/things/{id}".to_owned()),
            value("http.response.status_code", "200".to_owned()),
            value("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36".to_owned()),
            value("enduser.id", format!("user-{}", i % 1000)),
            value("thread.name", format!("worker-{}", i % 16)),
        ],
        events: vec![span::Event {
            time_unix_nano: start + 1000,
            name: "cache.miss".to_owned(),
            attributes: vec![value("key", format!("thing:{i}"))],
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn thread_cpu_ns() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse().unwrap()
}

#[test]
#[ignore = "a measurement"]
fn cost_of_a_span() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.incoming().for_each(|s| drop(std::thread::spawn(move || serve(s.unwrap())))));
    let spans: u64 = 10_000;
    let attributes = ["telemetry.sdk.name", "host.name", "k8s.pod.name", "k8s.namespace.name", "service.version"];
    let one = |i: u64| {
        let all: Vec<Span> = (i..i + 100).map(ordinary).collect();
        use opentelemetry_proto::tonic::{resource::v1::Resource, trace::v1::*};
        let mut tags = vec![text("service.name", "checkout")];
        tags.extend(attributes.iter().map(|k| text(k, "some-value-of-usual-length")));
        let resource = Some(Resource { attributes: tags, ..Default::default() });
        let scope_spans = vec![ScopeSpans { spans: all, ..Default::default() }];
        prost::Message::encode_to_vec(&TracesData {
            resource_spans: vec![ResourceSpans { resource, scope_spans, ..Default::default() }],
        })
    };
    let bytes: Vec<u8> = (0..spans / 100).flat_map(|i| one(i * 100)).collect();
    println!("{} bytes of OTLP a span", bytes.len() as u64 / spans);
    let batch = SpanBatch::parse(bytes).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for compress in [false, true] {
        let config = Config { server_urls: vec![url.clone()], version: 7, http_compression: compress, ..Config::default() };
        runtime.block_on(async {
            let store = ElasticsearchStore::connect(config, &mut Registry::default()).await.unwrap();
            store.write(&batch).await.unwrap();
            for _ in 0..3 {
                let (sent, from) = (RECEIVED.load(Ordering::Relaxed), thread_cpu_ns());
                for _ in 0..10 {
                    store.write(&batch).await.unwrap();
                }
                let cpu = (thread_cpu_ns() - from) as f64 / 1000.0 / (10 * spans) as f64;
                let size = (RECEIVED.load(Ordering::Relaxed) - sent) / (10 * spans);
                println!("compression {compress}: {cpu:.2} µs and {size} bytes sent a span");
            }
        });
    }
    let body = BODY.get().unwrap();
    let per_span = |what: &str, compress: &mut dyn FnMut() -> usize| {
        let (from, mut size) = (thread_cpu_ns(), 0);
        for _ in 0..20 {
            size = compress();
        }
        let cpu = (thread_cpu_ns() - from) as f64 / 1000.0 / 20.0 / 1000.0;
        println!("{what}: {cpu:.2} µs and {} bytes a span", size / 1000);
    };
    for level in [1, 2] {
        let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::new(level).unwrap());
        let mut room = vec![0; compressor.gzip_compress_bound(body.len())];
        per_span(&format!("libdeflate {level}"), &mut || compressor.gzip_compress(body, &mut room).unwrap());
    }
    per_span("zlib-rs 1", &mut || {
        let mut encoder = flate2::write::GzEncoder::new(Vec::with_capacity(1 << 20), flate2::Compression::new(1));
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap().len()
    });
}
