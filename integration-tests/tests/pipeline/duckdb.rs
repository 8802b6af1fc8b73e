//! Other people's programs read the files of the store in Parquet: pyarrow, DuckDB, pandas.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message as _;
use serde_json::{Value, json};
use skua_bench::spans::{Config as BenchConfig, generate};
use skua_integration_tests::process::{Process, new_log};
use skua_integration_tests::{Result, ensure, wait};
use skua_model::SpanBatch;
use skua_store::SpanWriter as _;
use skua_store_parquet::manifest::Manifest;
use skua_store_parquet::tools::{inspect, verify};
use skua_store_parquet::{Bucket, Config, JoinConfig, ParquetStore, Role};
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

/// The trace of the example in docs/parquet.md.
const TRACE: u128 = 0x5b8e_fff7_9803_8103_d269_b633_813f_c60c;
/// Blocks that are joined when there are so many alike.
const TOGETHER: usize = 8;
/// Spans of each, and one more.
const SPANS: usize = 400;
/// More than a block has columns of attributes.
const MANY: usize = 300;

fn any(value: Any) -> Option<AnyValue> {
    Some(AnyValue { value: Some(value) })
}

fn attribute(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: any(value), ..KeyValue::default() }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Any::StringValue(value.to_owned()))
}

/// Every type of value, and values at their edges; what has no column too.
fn odd_attributes() -> Vec<KeyValue> {
    let list = Any::ArrayValue(ArrayValue { values: vec![AnyValue { value: Some(Any::IntValue(1)) }, AnyValue { value: None }] });
    let map = Any::KvlistValue(KeyValueList { values: vec![attribute("in", list.clone())] });
    let mut all = vec![
        text("größe/日本 \"quoted\" 'key'", "grün 😀 \u{0} end"),
        text("empty", ""),
        text("", "the empty key"),
        text("long", &"x".repeat(70_000)),
        text("http.route", "/odd"),
        text("twice", "1"),
        text("twice", "2"),
        attribute("http.response.status_code", Any::IntValue(-1)),
        attribute("http.response.status_code", Any::BoolValue(true)),
        attribute("list", list),
        attribute("map", map),
        attribute("bytes", Any::BytesValue(vec![0, 255])),
        KeyValue { key: "nothing".to_owned(), ..KeyValue::default() },
    ];
    all.extend([i64::MIN, i64::MAX, 0].iter().zip(["least", "most", "zero"]).map(|(n, key)| attribute(key, Any::IntValue(*n))));
    let doubles = [f64::NAN, f64::INFINITY, -0.0, f64::MIN_POSITIVE].into_iter().zip(["nan", "infinite", "minus zero", "tiny"]);
    all.extend(doubles.map(|(n, key)| attribute(key, Any::DoubleValue(n))));
    all
}

/// Spans that have what those of the bench lack.
fn odd(now: u64) -> ExportTraceServiceRequest {
    let span = |id: u64, name: &str| Span {
        trace_id: TRACE.to_be_bytes().to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        name: name.to_owned(),
        kind: 2,
        start_time_unix_nano: now - id,
        end_time_unix_nano: now,
        status: Some(Status { code: 2, message: "schön schief".to_owned() }),
        ..Span::default()
    };
    let strange = Span {
        trace_state: "a=b".to_owned(),
        attributes: odd_attributes(),
        events: vec![Event { name: "cache miss".to_owned(), attributes: vec![text("in.event", "1")], ..Event::default() }],
        links: vec![Link { trace_id: vec![1; 16], span_id: vec![2; 8], ..Link::default() }],
        flags: 0x301,
        dropped_attributes_count: 3,
        ..span(1, "strange\nname")
    };
    let plain = Span { parent_span_id: 1_u64.to_be_bytes().to_vec(), kind: 0, status: None, ..span(2, "") };
    let keys = (0..MANY).map(|n| text(&format!("many.{n}"), &format!("value {n}")));
    let many = Span { trace_id: vec![9; 16], attributes: keys.collect(), ..span(3, "many") };
    let resource =
        Resource { attributes: vec![text("service.name", "sonderbar"), text("host.name", "ß")], ..Resource::default() };
    let scope_spans = vec![ScopeSpans { spans: vec![strange, plain, many], ..ScopeSpans::default() }];
    let resource = ResourceSpans { resource: Some(resource), scope_spans, schema_url: "https://schema.example/1".to_owned() };
    ExportTraceServiceRequest { resource_spans: vec![resource] }
}

/// An attribute's column and value; `None` for what has no column.
fn column(kv: &KeyValue) -> Option<(String, Value)> {
    if kv.key.is_empty() {
        return None;
    }
    let (suffix, value) = match kv.value.as_ref()?.value.as_ref()? {
        Any::StringValue(text) => ("", json!(text)),
        Any::IntValue(n) => (":int", json!(n)),
        Any::BoolValue(b) => (":bool", json!(b)),
        Any::DoubleValue(n) => (":double", json!({"bits": n.to_bits()})),
        _ => return None,
    };
    Some((format!("attr.{}{suffix}", kv.key), value))
}

/// A span as `readers/read.py` wants it.
fn expected(service: &str, span: &Span) -> Value {
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    };
    let (mut columns, mut rest) = (serde_json::Map::new(), !span.events.is_empty() || !span.links.is_empty());
    for kv in &span.attributes {
        match column(kv) {
            Some((name, value)) if !columns.contains_key(&name) => _ = columns.insert(name, value),
            _ => rest = true,
        }
    }
    let many = columns.len() >= MANY;
    let optional = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
    let status = span.status.clone().unwrap_or_default();
    json!({
        "trace": hex(&span.trace_id), "span": hex(&span.span_id), "parent": optional(&hex(&span.parent_span_id)),
        "start": span.start_time_unix_nano, "duration": span.end_time_unix_nano - span.start_time_unix_nano,
        "service": service, "name": span.name, "kind": span.kind, "status": status.code, "message": optional(&status.message),
        "state": optional(&span.trace_state), "flags": span.flags, "rest": rest || many || span.dropped_attributes_count > 0,
        "attributes": columns, "many": many,
    })
}

/// All spans of a request, a line each.
fn lines(request: &ExportTraceServiceRequest, out: &mut String) {
    for resource in &request.resource_spans {
        let attributes = resource.resource.iter().flat_map(|resource| &resource.attributes);
        let name = attributes.filter(|kv| kv.key == "service.name").filter_map(|kv| kv.value.as_ref()?.value.as_ref());
        let name = name.filter_map(|value| if let Any::StringValue(text) = value { Some(text) } else { None }).next();
        let service = name.map(String::as_str).unwrap_or_default();
        for span in resource.scope_spans.iter().flat_map(|scope| &scope.spans) {
            let _ = writeln!(out, "{}", expected(service, span));
        }
    }
}

/// A store of blocks that were joined and of some that were not; gives what was sent.
async fn filled(path: &Path) -> Result<String> {
    let join = JoinConfig { interval: Duration::from_millis(100), rate: 0, ..JoinConfig::default() };
    let config = Config { path: path.display().to_string(), block_age: Duration::from_millis(20), join, ..Config::default() };
    let bucket = Bucket::open(&config.path, &config.s3)?;
    let mut registry = prometheus_client::registry::Registry::default();
    let store = ParquetStore::open(config, bucket.clone(), Role::Primary, &mut registry).await?;
    let now = UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos() as u64;
    let load = generate(&BenchConfig::new((TOGETHER + 2) * SPANS, SPANS));
    let mut requests: Vec<ExportTraceServiceRequest> = Vec::new();
    for request in &load.requests {
        requests.push(ExportTraceServiceRequest::decode(&request[..])?);
    }
    // The odd ones go into a block that is joined.
    requests.insert(1, odd(now));
    let (mut sent, mut text) = (0, String::new());
    let manifest = async |what: &str, is: &dyn Fn(&Manifest) -> bool| {
        wait::until(format!("{what} in {}", path.display()), async || {
            let manifest = inspect(&bucket).await?.unwrap_or_default();
            ensure(is(&manifest), || format!("{:?}", manifest.blocks))?;
            Ok(Some(()))
        })
        .await
    };
    for (n, request) in requests.iter().enumerate() {
        let batch = SpanBatch::parse(request.encode_to_vec())?;
        sent += batch.len() as u64;
        lines(request, &mut text);
        store.write(&batch).await?;
        manifest("a block of the last spans", &|manifest| manifest.spans() == sent).await?;
        if n == TOGETHER {
            manifest("joined blocks", &|m| m.blocks.iter().any(|b| b.joined > 0) && m.dropped.is_empty()).await?;
        }
    }
    store.close().await?;
    let blocks = inspect(&bucket).await?.unwrap_or_default().blocks.clone();
    assert!(blocks.iter().any(|b| b.joined > 0) && blocks.iter().any(|b| b.joined == 0), "{blocks:?}");
    let mut problems = Vec::new();
    verify(&bucket, |checked| problems.extend(checked.problems.clone())).await?;
    assert_eq!(problems, Vec::<String>::new());
    Ok(text)
}

/// Scenario: spans of the bench and odd ones in blocks, some joined, read by pyarrow and DuckDB; the examples of docs/parquet.md run over them. Guarantee: spans,
/// values, types and nulls are those that were sent, and the examples say what is so.
#[tokio::test]
async fn duckdb_and_pyarrow_read_the_files() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let store = folder.path().join("store");
    let sent = folder.path().join("sent.jsonl");
    std::fs::write(&sent, filled(&store).await?)?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = root.join("readers/run.sh");
    let arguments = [store.join("blocks"), sent, root.join("../docs/parquet.md")].map(|path| path.display().to_string());
    let mut readers = Process::spawn("readers", &program, &arguments, &[], true, &new_log(folder.path(), "readers")?)?;
    let status = readers.wait(wait::PATIENCE).await?;
    let output = readers.output()?;
    ensure(status.success(), || format!("{status}: {output}"))?;
    for wanted in ["pyarrow: 4003 spans", "DuckDB: 4003 spans", "parquet.md: 3 statements and 1 programs"] {
        assert!(output.contains(wanted), "{wanted}: {output}");
    }
    Ok(())
}
