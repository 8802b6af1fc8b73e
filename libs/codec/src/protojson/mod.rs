//! The JSON of protobuf messages, between text and wire bytes without structs between: a table names each message's fields,
//! one reader and one writer serve all tables.

mod read;
pub(crate) mod tables;
mod time;
mod write;

pub(crate) use read::read;
pub(crate) use write::write;

use skua_model::wire;

/// A message.
pub(crate) struct Table {
    pub fields: &'static [Field],
    /// At most one field is set; the last one counts.
    pub oneof: bool,
    pub dialect: Dialect,
}

/// What the two kinds of JSON disagree on. Both readers accept both.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// OTLP: enums are numbers.
    Otlp,
    /// gogo's jsonpb: enums are names, and strings have Go's escapes for HTML.
    Gogo,
}

/// A field of a message.
pub(crate) struct Field {
    pub number: u32,
    pub camel: &'static str,
    pub snake: &'static str,
    pub kind: Kind,
    pub repeated: bool,
    pub when: When,
}

/// When a field is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// It holds something other than its type's default.
    Filled,
    /// It is on the wire.
    Present,
    /// Always: strict readers insist on it. Only strings and lists.
    Always,
}

/// A field's type on the wire and in JSON.
pub(crate) enum Kind {
    /// A string; on the wire not always UTF-8, in JSON then with U+FFFD.
    Text,
    /// `bytes` as base64.
    Base64,
    /// `bytes` as hex, written in lower case.
    Hex,
    /// `true` or `false`.
    Bool,
    /// A varint as a decimal string.
    Int64,
    /// A varint as a number.
    Uint32,
    /// A fixed64 as a decimal string.
    Fixed64,
    /// A fixed32 as a number.
    Fixed32,
    /// A double as a number, or `"NaN"`, `"Infinity"`, `"-Infinity"`.
    Double,
    /// A varint as one of these names, by number.
    Enum(&'static [&'static str]),
    /// An object.
    Message(&'static Table),
    /// `google.protobuf.Timestamp` as RFC 3339.
    Timestamp,
    /// `google.protobuf.Duration` as `1.500s`.
    Duration,
}

impl Field {
    /// The tag on the wire.
    pub fn tag(&self) -> u32 {
        match self.kind {
            Kind::Bool | Kind::Int64 | Kind::Uint32 | Kind::Enum(_) => wire::varint(self.number),
            Kind::Fixed64 | Kind::Double => wire::fixed64(self.number),
            Kind::Fixed32 => wire::fixed32(self.number),
            _ => wire::len(self.number),
        }
    }
}
