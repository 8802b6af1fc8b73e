//! The codecs against oracles: bytes that Jaeger wrote, structs derived with prost, and opentelemetry-proto's serde.

mod answers;
mod api_v2;
mod damage;
mod encodings;
mod golden;
mod jaeger_batch;
mod jaeger_span;
mod otlp_json;
mod owned;
mod post_spans;
mod round_trip;
mod thrift_batch;
mod thrift_datagram;
mod thrift_golden;
mod thrift_oracle;
mod zipkin_core;
mod zipkin_random;
mod zipkin_show;
mod zipkin_thrift;
mod zipkin_v1;
mod zipkin_v2;
