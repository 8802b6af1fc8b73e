//! Readers and writers of the formats that spans come and go in. All of them are between bytes and bytes: decoders append
//! OTLP protobuf (what a [`skua_model::SpanBatch`] holds), encoders read a [`skua_model::SpanView`]. No sockets, no tokio, no
//! copies of strings in between.
//!
//! - [`jaeger`]: `jaeger.api_v2`, in protobuf and in the JSON of Kafka; and owned spans of its model.
//! - [`thrift`]: `jaeger.thrift` over HTTP and UDP.
//! - [`zipkin`]: Zipkin's v1 and v2, over HTTP, UDP and Kafka.
//! - [`otlp_json`]: OTLP in JSON.
//! - [`otlp`]: what an OTLP receiver answers.
//! - [`Encoding`], [`decode_message`]: the encodings of Kafka messages by name.

mod encoding;
mod frame;
pub mod jaeger;
pub mod otlp;
pub mod otlp_json;
mod protojson;
pub mod sampling;
pub mod thrift;
pub mod zipkin;

pub use encoding::{CodecError, Encoding, InputEncoding, UnknownEncoding, decode_message};
