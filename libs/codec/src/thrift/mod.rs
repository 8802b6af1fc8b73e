//! Jaeger's Thrift: `jaeger.Batch` over HTTP (14268) and the datagrams that clients send to an agent.
//!
//! A batch becomes OTLP while it is read, in Jaeger's own model as [`crate::jaeger`] describes it. What Thrift has of its own:
//!
//! | `jaeger.thrift` | here |
//! | --- | --- |
//! | `parentSpanId` | unless 0, a CHILD_OF reference before all others, if none has that span of this trace |
//! | `startTime`, `duration`, `timestamp` | microseconds; before 1970 is 1970. A negative duration ends the span before it starts, and the sanitizer mends that |
//! | a tag without the value that its `vType` says | the zero of that type |
//! | a tag of a `vType` that does not exist | the text `Unknown VType: <UNSET>` |
//! | a known field of another type | passed over, as if it was not there |
//! | a required field that is not there | an error, as in Go's reader |
//! | a list of something else than structs | an error; Go's reader takes it for structs |
//! | a field that is there twice | the last one |

mod batch;
pub(crate) mod binary;
pub(crate) mod compact;
mod datagram;
mod error;
mod malformed;
pub(crate) mod reader;
#[cfg(test)]
mod reader_tests;
mod span;
pub(crate) mod tag;

pub use datagram::{ClientReport, Datagram, Method};
pub use error::ThriftError;
pub use malformed::Malformed;

use binary::Binary;
use compact::Compact;
use reader::Reader;

/// Thrift's two wire protocols.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// UDP 5775 and 6831.
    Compact,
    /// UDP 6832, HTTP 14268 and Zipkin's v1.
    Binary,
}

/// Reads a bare `jaeger.Batch` in the binary protocol, the body of `POST :14268/api/traces`, and appends one OTLP
/// `TracesData` whose spans are in Jaeger's own model. With `format_tag` the tag `@jaeger@format` of that value is appended to
/// every span. Bytes after the batch are ignored, as in Go.
///
/// # Errors
/// When any part of it is malformed; `out` is then as before.
pub fn batch(body: &[u8], format_tag: Option<&str>, out: &mut Vec<u8>) -> Result<(), ThriftError> {
    or_truncate(out, |out| batch::put(&mut Binary::new(body), format_tag, out).map(drop))
}

/// Reads one datagram of a client to an agent, a whole Thrift message, and appends one OTLP `TracesData`, as [`batch`] does.
///
/// # Errors
/// When any part of it is malformed or the method is unknown; `out` is then as before.
pub fn datagram(protocol: Protocol, packet: &[u8], format_tag: Option<&str>, out: &mut Vec<u8>) -> Result<Datagram, ThriftError> {
    or_truncate(out, |out| match protocol {
        Protocol::Compact => datagram::put(Compact::new(packet), format_tag, out),
        Protocol::Binary => datagram::put(Binary::new(packet), format_tag, out),
    })
}

fn or_truncate<T>(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<T, ThriftError>) -> Result<T, ThriftError> {
    let from = out.len();
    write(out).inspect_err(|_| out.truncate(from))
}
