//! Jaeger's documents: the names of its Go fields, and Go's numbers, strings and times.

use crate::index::rfc3339;
use serde::Deserialize;
use serde::de::IgnoredAny;
use skua_model::json::{Commas, put_float, put_html_safe, put_int};
use skua_store::sampling::{ByOperation, Throughput};
use std::collections::BTreeMap;

/// `at` is in microseconds since 1970.
pub(super) fn put_throughput(out: &mut Vec<u8>, at: u64, one: &Throughput) {
    put_head(out, at, "throughputs");
    out.extend_from_slice(b"{\"Service\":");
    put_html_safe(out, one.service.as_bytes());
    out.extend_from_slice(b",\"Operation\":");
    put_html_safe(out, one.operation.as_bytes());
    out.extend_from_slice(b",\"Count\":");
    put_int(out, one.count);
    out.extend_from_slice(b",\"Probabilities\":{");
    let mut list = Commas::default();
    for probability in &one.probabilities {
        list.next(out);
        put_html_safe(out, probability.as_bytes());
        out.extend_from_slice(b":{}");
    }
    out.extend_from_slice(b"}}}");
}

/// `at` is in microseconds since 1970.
pub(super) fn put_probabilities(out: &mut Vec<u8>, at: u64, host: &str, probabilities: &ByOperation, qps: &ByOperation) {
    put_head(out, at, "probabilitiesandqps");
    out.extend_from_slice(b"{\"Hostname\":");
    put_html_safe(out, host.as_bytes());
    out.extend_from_slice(b",\"Probabilities\":");
    put_by_operation(out, probabilities);
    out.extend_from_slice(b",\"QPS\":");
    put_by_operation(out, qps);
    out.extend_from_slice(b"}}");
}

fn put_head(out: &mut Vec<u8>, at: u64, name: &str) {
    out.extend_from_slice(format!("{{\"timestamp\":\"{}\",\"{name}\":", rfc3339(at)).as_bytes());
}

fn put_by_operation(out: &mut Vec<u8>, numbers: &ByOperation) {
    put_map(out, numbers, |out, operations| put_map(out, operations, |out, v| put_float(out, *v)));
}

fn put_map<V>(out: &mut Vec<u8>, map: &BTreeMap<String, V>, put: impl Fn(&mut Vec<u8>, &V)) {
    out.push(b'{');
    let mut list = Commas::default();
    for (key, value) in map {
        list.next(out);
        put_html_safe(out, key.as_bytes());
        out.push(b':');
        put(out, value);
    }
    out.push(b'}');
}

#[derive(Deserialize)]
struct ThroughputDocument {
    throughputs: Option<ThroughputFields>,
}

#[derive(Deserialize)]
#[serde(default, rename_all = "PascalCase")]
#[derive(Default)]
struct ThroughputFields {
    service: String,
    operation: String,
    count: i64,
    /// `null` when a Jaeger had none.
    probabilities: Option<BTreeMap<String, IgnoredAny>>,
}

/// `None` for a document of the other kind. A count below zero, which nobody writes, is none.
pub(super) fn read_throughput(source: &str) -> Result<Option<Throughput>, serde_json::Error> {
    let read: ThroughputDocument = serde_json::from_str(source)?;
    Ok(read.throughputs.map(|t| Throughput {
        service: t.service,
        operation: t.operation,
        count: u64::try_from(t.count).unwrap_or(0),
        probabilities: t.probabilities.unwrap_or_default().into_keys().collect(),
    }))
}

#[derive(Deserialize)]
struct ProbabilitiesDocument {
    probabilitiesandqps: ProbabilitiesFields,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ProbabilitiesFields {
    probabilities: Option<ByOperation>,
}

pub(super) fn read_probabilities(source: &str) -> Result<ByOperation, serde_json::Error> {
    let read: ProbabilitiesDocument = serde_json::from_str(source)?;
    Ok(read.probabilitiesandqps.probabilities.unwrap_or_default())
}
