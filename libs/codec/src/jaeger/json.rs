//! Kafka's `json` encoding: gogo's jsonpb of `jaeger.api_v2.Span`. Names in camel case, ids in base64, times as RFC 3339,
//! durations as `"0.001s"`, 64-bit integers as strings, enums as names, defaults left out.

use super::{JaegerError, decode, encode};
use crate::protojson::{self, tables::JAEGER_SPAN};
use skua_model::{ProcessView, SpanView};
use std::cell::RefCell;

thread_local! {
    /// The message's protobuf bytes, on their way from or to JSON.
    static PROTO: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Kept for the next message; a longer buffer is given back.
const KEEP: usize = 1 << 20;

fn with_scratch<R>(f: impl FnOnce(&mut Vec<u8>) -> R) -> R {
    PROTO.with_borrow_mut(|proto| {
        proto.clear();
        let r = f(proto);
        proto.shrink_to(KEEP);
        r
    })
}

/// Appends the span, process included, as one JSON object. Bytes that are not UTF-8 become U+FFFD.
pub fn put_span(out: &mut Vec<u8>, span: &SpanView<'_>, process: &ProcessView<'_>) {
    with_scratch(|proto| {
        encode::put_process(proto, process);
        let head = proto.len();
        encode::put_before_process(proto, span);
        proto.extend_from_within(..head);
        encode::put_after_process(proto, span);
        protojson::write(out, &JAEGER_SPAN, &proto[head..]);
    });
}

/// Reads one span and appends one OTLP `TracesData`, as [`decode::span`] does. Names may be in snake case, 64-bit integers
/// numbers, enums numbers; unknown names are passed over.
///
/// # Errors
/// When the text is not the JSON of a span; `out` is then as before.
pub fn decode(message: &[u8], out: &mut Vec<u8>) -> Result<(), JaegerError> {
    with_scratch(|proto| {
        protojson::read(&JAEGER_SPAN, message, proto)?;
        decode::span(proto, out)
    })
}
