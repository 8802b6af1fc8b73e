//! Zipkin: v1 (JSON, Thrift) and v2 (JSON, protobuf) as Jaeger's collector reads them on 9411, and the Thrift of Kafka's `zipkin-thrift`.
//!
//! What Jaeger 1.76 takes is shown as Jaeger shows it, its losses included (what follows the `|` of an annotation in two parts;
//! resource tags of a span without a service). These differ on purpose:
//!
//! | in | Jaeger | here |
//! | --- | --- | --- |
//! | resource tags of v2 spans of one service | those of one span are all spans' process, the others' are lost | each span keeps its own |
//! | an annotation `a|b|c` that is not packed | the request is refused | all of it is the event's name |
//! | whole numbers as text or with an exponent; `true` and numbers in v1's binary annotations; trace ids of 8 bytes and strings that are not UTF-8 in protobuf | the request is refused | taken |
//! | times beyond 64 bits of nanoseconds | start again at 0 | are the last that there is |
//! | a span without a service over UDP | its whole batch is dropped | `unknown-service-name`, as in the rest of that converter |
//! | further spans of a message of `zipkin-thrift` | lost | taken |
//! | a trace id of zero | taken | refused, as of every format |

pub(crate) mod core;
mod error;
mod group;
mod hex;
mod ip;
mod json;
mod json_values;
mod unique;
mod v1;
mod v2;

use crate::thrift::binary::Binary;
use crate::thrift::reader::Reader as _;

pub use error::{Problem, ZipkinError};
pub use json::JsonError;

/// Reads a list of v2 spans in JSON and appends one OTLP `TracesData`.
///
/// # Errors
/// When any span is malformed; `out` is then as before.
pub fn v2_json(body: &[u8], out: &mut Vec<u8>) -> Result<(), ZipkinError> {
    or_truncate(out, |out| v2::json::decode(body, out))
}

/// Reads `zipkin.proto3.ListOfSpans` and appends one OTLP `TracesData`. Strings that are not UTF-8 are kept
/// ([`skua_model::repair`] mends them), where the collector refuses the request.
///
/// # Errors
/// As [`v2_json`].
pub fn v2_proto(body: &[u8], out: &mut Vec<u8>) -> Result<(), ZipkinError> {
    or_truncate(out, |out| v2::proto::decode(body, out))
}

/// Reads a list of v1 spans in JSON and appends one OTLP `TracesData`. A span without any time is of `now`, nanoseconds since 1970.
///
/// # Errors
/// As [`v2_json`].
pub fn v1_json(body: &[u8], now: u64, out: &mut Vec<u8>) -> Result<(), ZipkinError> {
    or_truncate(out, |out| v1::json::decode(body, now, out))
}

/// Reads a list of `zipkincore.Span` in the binary protocol, as Jaeger's collector does on 9411, and appends one OTLP
/// `TracesData`. Bytes after the list are ignored, as in Go. A span without any time is of 1970.
///
/// # Errors
/// As [`v2_json`].
pub fn v1_thrift(body: &[u8], out: &mut Vec<u8>) -> Result<(), ZipkinError> {
    or_truncate(out, |out| v1::thrift::decode(body, out))
}

/// Reads the same as [`v1_thrift`] with the other converter of Jaeger, that of its ingester (Kafka's `zipkin-thrift`): spans in
/// Jaeger's own model. All spans of the list are taken, of which Jaeger takes the first.
///
/// # Errors
/// As [`v2_json`].
pub fn core_thrift(body: &[u8], out: &mut Vec<u8>) -> Result<(), ZipkinError> {
    or_truncate(out, |out| core::list(&mut Binary::new(body), core::Way::Ingester, out).map(drop))
}

fn or_truncate(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<(), ZipkinError>) -> Result<(), ZipkinError> {
    let from = out.len();
    write(out).inspect_err(|_| out.truncate(from))
}
