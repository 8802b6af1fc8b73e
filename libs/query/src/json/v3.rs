//! The JSON of version 3 of the API: protobuf's mapping of its messages, and OTLP's of traces.

use super::{put_list, put_text};
use crate::{ServiceSummary, TraceSummary};
use prost::Message;
use skua_codec::otlp_json;
use skua_model::json::{put_hex, put_int};
use skua_proto::otlp::trace::v1::TracesData;
use skua_store::Operation;

/// Writes `{"result":{"resourceSpans":[…]}}`: the resources of all traces in one list. Reasons why there could be more go behind
/// it, as `"warnings"`, which Jaeger has not.
pub fn put_traces(out: &mut Vec<u8>, traces: &[TracesData], partial: &[String]) {
    // One message after the other is again a message.
    let bytes: Vec<u8> = traces.iter().flat_map(Message::encode_to_vec).collect();
    out.extend_from_slice(b"{\"result\":");
    otlp_json::put_traces_data(out, &bytes);
    put_end(out, partial);
}

/// Writes `{"error":{"httpCode":404,"message":"…"}}`.
pub fn put_error(out: &mut Vec<u8>, code: u16, message: &str) {
    out.extend_from_slice(b"{\"error\":{\"httpCode\":");
    put_int(out, code);
    put_text(out, ",\"message\":", message);
    out.extend_from_slice(b"}}");
}

/// Writes `{"services":["…"]}`.
pub fn put_services(out: &mut Vec<u8>, services: &[String]) {
    out.extend_from_slice(b"{\"services\":");
    super::put_texts(out, services);
    out.push(b'}');
}

/// Writes `{"operations":[{"name":"…","spanKind":"server"}]}`. A kind that the store does not know is `internal`, as in Jaeger.
pub fn put_operations(out: &mut Vec<u8>, operations: &[Operation]) {
    out.extend_from_slice(b"{\"operations\":");
    put_list(out, operations, |out, o| {
        put_text(out, "{\"name\":", &o.name);
        put_text(out, ",\"spanKind\":", if o.kind.is_empty() { "internal" } else { &o.kind });
        out.push(b'}');
    });
    out.push(b'}');
}

/// Writes `{"summaries":[…]}`. Counts of zero are there: to readers an absent one is not known. Reasons why there could be more
/// go behind it, as `"warnings"`.
pub fn put_summaries(out: &mut Vec<u8>, summaries: &[TraceSummary], partial: &[String]) {
    out.extend_from_slice(b"{\"summaries\":");
    put_list(out, summaries, put_summary);
    put_end(out, partial);
}

fn put_end(out: &mut Vec<u8>, partial: &[String]) {
    if !partial.is_empty() {
        out.extend_from_slice(b",\"warnings\":");
        super::put_texts(out, partial);
    }
    out.push(b'}');
}

fn put_summary(out: &mut Vec<u8>, s: &TraceSummary) {
    out.extend_from_slice(b"{\"traceId\":\"");
    put_hex(out, &s.trace_id.0);
    put_text(out, "\",\"rootServiceName\":", &s.root_service);
    put_text(out, ",\"rootOperationName\":", &s.root_operation);
    for (key, time) in [(&b"minStart"[..], s.start), (b"maxEnd", s.end)] {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(key);
        out.extend_from_slice(b"TimeUnixNano\":\"");
        put_int(out, time);
        out.push(b'"');
    }
    put_counts(out, s.spans, s.errors);
    out.extend_from_slice(b",\"orphanSpanCount\":");
    put_int(out, s.orphans);
    out.extend_from_slice(b",\"services\":");
    put_list(out, &s.services, |out, service: &ServiceSummary| {
        put_text(out, "{\"name\":", &service.name);
        put_counts(out, service.spans, service.errors);
        out.push(b'}');
    });
    out.push(b'}');
}

fn put_counts(out: &mut Vec<u8>, spans: usize, errors: usize) {
    for (key, count) in [(&b",\"spanCount\":"[..], spans), (b",\"errorSpanCount\":", errors)] {
        out.extend_from_slice(key);
        put_int(out, count);
    }
}
