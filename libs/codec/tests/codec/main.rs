//! The codecs against oracles: bytes that Jaeger wrote, structs derived with prost, and opentelemetry-proto's serde.

mod answers;
mod api_v2;
mod damage;
mod encodings;
mod golden;
mod jaeger_batch;
mod jaeger_span;
mod otlp_json;
mod round_trip;
