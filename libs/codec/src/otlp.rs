//! What an OTLP receiver answers: `ExportTraceServiceResponse` and `google.rpc.Status`, in protobuf and in JSON.

use skua_model::json::{put_int, put_string};
use skua_model::wire::{Cursor, WireError, len, messages, put_bytes, put_message, put_uint};
use std::io::Write as _;
use std::time::Duration;

const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// `ExportTraceServiceResponse{1 partial_success{1 rejected_spans, 2 error_message}}`. When nothing was rejected and there is
/// nothing to say it is the two bytes of an empty `partial_success`, as the OpenTelemetry collector answers.
pub fn export_response(rejected_spans: u64, message: &str) -> Vec<u8> {
    let mut out = Vec::new();
    put_message(&mut out, 1, |out| {
        put_uint(out, 1, rejected_spans);
        put_text(out, 2, message);
    });
    out
}

/// [`export_response`] in JSON: `{"partialSuccess":{}}`, or with `rejectedSpans` (a string) and `errorMessage` in it.
pub fn export_response_json(rejected_spans: u64, message: &str) -> Vec<u8> {
    let mut out = b"{\"partialSuccess\":{".to_vec();
    if rejected_spans > 0 {
        out.extend_from_slice(b"\"rejectedSpans\":\"");
        put_int(&mut out, rejected_spans);
        out.push(b'"');
    }
    if !message.is_empty() {
        out.extend_from_slice(if rejected_spans > 0 { b",\"errorMessage\":" } else { b"\"errorMessage\":" });
        put_string(&mut out, message.as_bytes());
    }
    out.extend_from_slice(b"}}");
    out
}

/// `google.rpc.Status{1 code, 2 message, 3 details}`: the body of an OTLP/HTTP error, or the header `grpc-status-details-bin`
/// of gRPC. `code` is gRPC's; `retry_after` becomes a `google.rpc.RetryInfo`, without which a client may not retry
/// `RESOURCE_EXHAUSTED` (OTLP 1.x, "Failures").
pub fn status(code: i32, message: &str, retry_after: Option<Duration>) -> Vec<u8> {
    let mut out = Vec::new();
    put_uint(&mut out, 1, i64::from(code) as u64);
    put_text(&mut out, 2, message);
    if let Some(delay) = retry_after {
        put_message(&mut out, 3, |out| {
            put_bytes(out, 1, RETRY_INFO.as_bytes());
            put_message(out, 2, |out| {
                put_message(out, 1, |out| {
                    put_uint(out, 1, delay.as_secs());
                    put_uint(out, 2, u64::from(delay.subsec_nanos()));
                });
            });
        });
    }
    out
}

/// [`status`] in JSON: `{"code":3,"message":"…"}`, and `details` when there is a delay.
pub fn status_json(code: i32, message: &str, retry_after: Option<Duration>) -> Vec<u8> {
    let mut out = b"{\"code\":".to_vec();
    put_int(&mut out, code);
    out.extend_from_slice(b",\"message\":");
    put_string(&mut out, message.as_bytes());
    if let Some(delay) = retry_after {
        let nanos = format!("{:09}", delay.subsec_nanos());
        let nanos = nanos.trim_end_matches('0');
        let dot = if nanos.is_empty() { "" } else { "." };
        // Writing to a Vec cannot fail.
        drop(write!(out, ",\"details\":[{{\"@type\":\"{RETRY_INFO}\",\"retryDelay\":\"{}{dot}{nanos}s\"}}]", delay.as_secs()));
    }
    out.push(b'}');
    out
}

/// What [`status`] has as `retry_after`: the delay of a `google.rpc.RetryInfo` in a `google.rpc.Status`.
///
/// # Errors
/// When it is not that message.
pub fn retry_info(details: &[u8]) -> Result<Option<Duration>, WireError> {
    const DETAILS: u32 = len(3);
    for any in messages(details, DETAILS) {
        let (mut kind, mut value) = (&b""[..], &b""[..]);
        let mut c = Cursor::new(any);
        while let Some(tag) = c.tag()? {
            match tag {
                0x0a => kind = c.bytes()?,
                0x12 => value = c.bytes()?,
                _ => c.skip(tag, 0b110)?,
            }
        }
        if kind == RETRY_INFO.as_bytes() {
            return messages(value, len(1)).next().map(duration).transpose();
        }
    }
    Ok(None)
}

/// A `google.protobuf.Duration`; a negative one is zero.
fn duration(message: &[u8]) -> Result<Duration, WireError> {
    let (mut seconds, mut nanos) = (0_i64, 0_i32);
    let mut c = Cursor::new(message);
    while let Some(tag) = c.tag()? {
        match tag {
            0x08 => seconds = c.varint()? as i64,
            0x10 => nanos = c.varint()? as i32,
            _ => c.skip(tag, 0b110)?,
        }
    }
    Ok(Duration::from_secs(seconds.max(0) as u64) + Duration::from_nanos(nanos.max(0) as u64))
}

fn put_text(out: &mut Vec<u8>, number: u32, text: &str) {
    if !text.is_empty() {
        put_bytes(out, number, text.as_bytes());
    }
}
