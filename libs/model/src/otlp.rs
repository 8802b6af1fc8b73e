//! Tags of the OTLP trace messages (opentelemetry-proto 1.x), and which field numbers each message has.

use crate::wire::{fixed32, fixed64, len, varint};

macro_rules! message {
    ($(#[$doc:meta])* $module:ident: $($name:ident = $kind:ident $number:literal),+ $(,)?) => {
        $(#[$doc])*
        #[allow(missing_docs, unused_imports, reason = "the names are those of opentelemetry-proto")]
        pub mod $module {
            use super::*;
            $(pub const $name: u32 = $kind($number);)+
            /// A bit for each field number, for `Cursor::skip`.
            pub const KNOWN: u32 = $(1 << $number)|+;
        }
    };
}

message!(traces_data: RESOURCE_SPANS = len 1);
message!(resource_spans: RESOURCE = len 1, SCOPE_SPANS = len 2, SCHEMA_URL = len 3);
message!(resource: ATTRIBUTES = len 1, DROPPED = varint 2);
message!(scope_spans: SCOPE = len 1, SPANS = len 2, SCHEMA_URL = len 3);
message!(scope: NAME = len 1, VERSION = len 2, ATTRIBUTES = len 3, DROPPED = varint 4);
message!(
    span: TRACE_ID = len 1, SPAN_ID = len 2, TRACE_STATE = len 3, PARENT_SPAN_ID = len 4, NAME = len 5, KIND = varint 6,
    START = fixed64 7, END = fixed64 8, ATTRIBUTES = len 9, DROPPED_ATTRIBUTES = varint 10, EVENTS = len 11,
    DROPPED_EVENTS = varint 12, LINKS = len 13, DROPPED_LINKS = varint 14, STATUS = len 15, FLAGS = fixed32 16,
);

/// A field of ours in `Span`, unknown to everybody else (protobuf readers pass over it): its presence says that the span came
/// in Jaeger's own model, so that its attributes already hold `span.kind`, `error` and the like; its value is Jaeger's `flags`.
pub const JAEGER_FLAGS: u32 = varint(1001);

message!(event: TIME = fixed64 1, NAME = len 2, ATTRIBUTES = len 3, DROPPED = varint 4);
message!(
    link: TRACE_ID = len 1, SPAN_ID = len 2, TRACE_STATE = len 3, ATTRIBUTES = len 4, DROPPED = varint 5, FLAGS = fixed32 6,
);
message!(status: MESSAGE = len 2, CODE = varint 3);
message!(key_value: KEY = len 1, VALUE = len 2);
message!(
    any_value: STRING = len 1, BOOL = varint 2, INT = varint 3, DOUBLE = fixed64 4, ARRAY = len 5, MAP = len 6, BYTES = len 7,
);
message!(/** `ArrayValue` and `KeyValueList` */ list: VALUES = len 1);
