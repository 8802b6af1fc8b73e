//! The encodings of a Kafka message, by name.

use crate::jaeger::{self, JaegerError};
use crate::otlp_json::{self, OtlpJsonError};
use crate::zipkin::{self, ZipkinError};
use skua_model::DecodeError;
use std::fmt;
use std::str::FromStr;

/// How spans lie in a Kafka message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// One `jaeger.api_v2.Span`; Jaeger's default.
    Protobuf,
    /// One `jaeger.api_v2.Span` in gogo's JSON.
    Json,
    /// One OTLP `TracesData` of any number of spans.
    OtlpProto,
    /// One OTLP `TracesData` in JSON.
    OtlpJson,
}

impl Encoding {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Protobuf, Self::Json, Self::OtlpProto, Self::OtlpJson];

    /// The value of `--kafka.producer.encoding` and `--kafka.consumer.encoding`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Protobuf => "protobuf",
            Self::Json => "json",
            Self::OtlpProto => "otlp-proto",
            Self::OtlpJson => "otlp-json",
        }
    }

    /// True when a message holds one span with its process, false when it holds a batch.
    pub fn is_one_span(self) -> bool {
        matches!(self, Self::Protobuf | Self::Json)
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How spans lie in a Kafka message that is read: one of those that are written here too, or one of Zipkin's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InputEncoding {
    /// What a collector produces.
    Ours(Encoding),
    /// A list of `zipkincore.Span` in Thrift's binary protocol.
    ZipkinThrift,
    /// A list of Zipkin v2 spans in JSON.
    ZipkinJson,
    /// `zipkin.proto3.ListOfSpans`.
    ZipkinProto,
}

impl From<Encoding> for InputEncoding {
    fn from(encoding: Encoding) -> Self {
        Self::Ours(encoding)
    }
}

impl FromStr for InputEncoding {
    type Err = UnknownEncoding;

    fn from_str(name: &str) -> Result<Self, UnknownEncoding> {
        Ok(match name {
            "zipkin-thrift" => Self::ZipkinThrift,
            "zipkin-json" => Self::ZipkinJson,
            "zipkin-proto" => Self::ZipkinProto,
            name => Self::Ours(name.parse()?),
        })
    }
}

/// The name is not one of [`Encoding::name`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown encoding {0:?}: one of protobuf, json, otlp-proto, otlp-json")]
pub struct UnknownEncoding(pub String);

impl FromStr for Encoding {
    type Err = UnknownEncoding;

    fn from_str(name: &str) -> Result<Self, UnknownEncoding> {
        Self::ALL.into_iter().find(|e| e.name() == name).ok_or_else(|| UnknownEncoding(name.to_owned()))
    }
}

/// Why a message cannot be read. The text names the encoding and the place.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// In `protobuf`.
    #[error("protobuf: {0}")]
    Protobuf(#[source] JaegerError),
    /// In `json`.
    #[error("json: {0}")]
    Json(#[source] JaegerError),
    /// In `otlp-json`.
    #[error("otlp-json: {0}")]
    OtlpJson(#[source] OtlpJsonError),
    /// In `zipkin-thrift`, `zipkin-json` or `zipkin-proto`.
    #[error("zipkin: {0}")]
    Zipkin(#[from] ZipkinError),
    /// In `otlp-proto`, or of any encoding's decoded message when it is indexed.
    #[error("otlp-proto: {0}")]
    Otlp(#[from] DecodeError),
}

/// Appends a message as one OTLP `TracesData`. `otlp-proto` is only copied: [`skua_model::BatchBuilder`] checks it.
///
/// # Errors
/// When the message is malformed; `out` is then as before.
pub fn decode_message(encoding: impl Into<InputEncoding>, message: &[u8], out: &mut Vec<u8>) -> Result<(), CodecError> {
    let encoding = match encoding.into() {
        InputEncoding::Ours(encoding) => encoding,
        InputEncoding::ZipkinThrift => return Ok(zipkin::core_thrift(message, out)?),
        InputEncoding::ZipkinJson => return Ok(zipkin::v2_json(message, out)?),
        InputEncoding::ZipkinProto => return Ok(zipkin::v2_proto(message, out)?),
    };
    match encoding {
        Encoding::Protobuf => jaeger::decode::span(message, out).map_err(CodecError::Protobuf),
        Encoding::Json => jaeger::json::decode(message, out).map_err(CodecError::Json),
        Encoding::OtlpJson => otlp_json::decode(message, out).map_err(CodecError::OtlpJson),
        Encoding::OtlpProto => {
            out.extend_from_slice(message);
            Ok(())
        }
    }
}
