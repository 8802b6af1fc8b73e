//! `jaeger.api_v2` from its definition (jaeger-idl, `model.proto`), and random values of it.

use proptest::collection::vec;
use proptest::prelude::*;

#[derive(Clone, PartialEq, prost::Message)]
pub struct KeyValue {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(int32, tag = "2")]
    pub v_type: i32,
    #[prost(string, tag = "3")]
    pub v_str: String,
    #[prost(bool, tag = "4")]
    pub v_bool: bool,
    #[prost(int64, tag = "5")]
    pub v_int64: i64,
    #[prost(double, tag = "6")]
    pub v_float64: f64,
    #[prost(bytes = "vec", tag = "7")]
    pub v_binary: Vec<u8>,
}

/// `google.protobuf.Timestamp` and `Duration`.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Time {
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Log {
    #[prost(message, optional, tag = "1")]
    pub timestamp: Option<Time>,
    #[prost(message, repeated, tag = "2")]
    pub fields: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct SpanRef {
    #[prost(bytes = "vec", tag = "1")]
    pub trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub span_id: Vec<u8>,
    #[prost(int32, tag = "3")]
    pub ref_type: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Process {
    #[prost(string, tag = "1")]
    pub service_name: String,
    #[prost(message, repeated, tag = "2")]
    pub tags: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Span {
    #[prost(bytes = "vec", tag = "1")]
    pub trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub span_id: Vec<u8>,
    #[prost(string, tag = "3")]
    pub operation_name: String,
    #[prost(message, repeated, tag = "4")]
    pub references: Vec<SpanRef>,
    #[prost(uint32, tag = "5")]
    pub flags: u32,
    #[prost(message, optional, tag = "6")]
    pub start_time: Option<Time>,
    #[prost(message, optional, tag = "7")]
    pub duration: Option<Time>,
    #[prost(message, repeated, tag = "8")]
    pub tags: Vec<KeyValue>,
    #[prost(message, repeated, tag = "9")]
    pub logs: Vec<Log>,
    #[prost(message, optional, tag = "10")]
    pub process: Option<Process>,
    #[prost(string, tag = "11")]
    pub process_id: String,
    #[prost(string, repeated, tag = "12")]
    pub warnings: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Batch {
    #[prost(message, repeated, tag = "1")]
    pub spans: Vec<Span>,
    #[prost(message, optional, tag = "2")]
    pub process: Option<Process>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct PostSpansRequest {
    #[prost(message, optional, tag = "1")]
    pub batch: Option<Batch>,
}

pub fn string(key: &str, value: &str) -> KeyValue {
    KeyValue { key: key.into(), v_str: value.into(), ..Default::default() }
}

pub fn boolean(key: &str, value: bool) -> KeyValue {
    KeyValue { key: key.into(), v_type: 1, v_bool: value, ..Default::default() }
}

pub fn reference(trace_id: u8, span_id: u8, ref_type: i32) -> SpanRef {
    SpanRef { trace_id: vec![trace_id; 16], span_id: vec![span_id; 8], ref_type }
}

/// Trace 1, span 2, of the service `s`, 1970-01-01T00:00:05 for a second.
pub fn a_span() -> Span {
    Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        operation_name: "op".into(),
        start_time: Some(Time { seconds: 5, nanos: 0 }),
        duration: Some(Time { seconds: 1, nanos: 0 }),
        process: Some(Process { service_name: "s".into(), tags: vec![] }),
        ..Default::default()
    }
}

fn key_value() -> impl Strategy<Value = KeyValue> {
    let key = prop_oneof![
        3 => "[a-z.]{0,12}",
        1 => prop::sample::select(vec!["event", "span.kind", "error", "service.name", "@jaeger@warnings", "@jaeger@format"])
            .prop_map(str::to_owned),
        1 => ".{0,5}",
    ];
    let text = prop_oneof![".{0,200}", prop::sample::select(vec!["true", "Server", "client", ""]).prop_map(str::to_owned)];
    let value = prop_oneof![
        text.prop_map(|v| string("", &v)),
        any::<bool>().prop_map(|v| boolean("", v)),
        any::<i64>().prop_map(|v_int64| KeyValue { v_type: 2, v_int64, ..Default::default() }),
        any::<f64>().prop_map(|v_float64| KeyValue { v_type: 3, v_float64, ..Default::default() }),
        vec(any::<u8>(), 0..200).prop_map(|v_binary| KeyValue { v_type: 4, v_binary, ..Default::default() }),
    ];
    (key, value).prop_map(|(key, value)| KeyValue { key, ..value })
}

fn time() -> impl Strategy<Value = Option<Time>> {
    (0..9_000_000_000_i64, 0..1_000_000_000_i32).prop_map(|(seconds, nanos)| Some(Time { seconds, nanos }))
}

pub fn process() -> impl Strategy<Value = Process> {
    ("[a-z]{1,8}", vec(key_value(), 0..4)).prop_map(|(service_name, tags)| Process { service_name, tags })
}

/// A span as Jaeger writes it: one value in a tag, ids that are not zero, times since 1970.
pub fn span() -> impl Strategy<Value = Span> {
    let reference = (1..3_u8, 0..4_u8, 0..2).prop_map(|(trace, span, kind)| reference(trace, span, kind));
    let log = (time(), vec(key_value(), 0..4)).prop_map(|(timestamp, fields)| Log { timestamp, fields });
    let lists = (vec(reference, 0..4), vec(key_value(), 0..6), vec(log, 0..3), vec(".{0,20}", 0..3));
    ((1..3_u8, any::<u32>(), ".{0,20}"), time(), time(), lists, process()).prop_map(
        |((trace, flags, operation_name), start_time, duration, (references, tags, logs, warnings), process)| Span {
            trace_id: vec![trace; 16],
            span_id: vec![9; 8],
            operation_name,
            references,
            flags,
            start_time,
            duration,
            tags,
            logs,
            process: Some(process),
            process_id: String::new(),
            warnings,
        },
    )
}
