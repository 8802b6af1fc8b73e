//! Kafka on both sides: spans into the topic with an acknowledgement for each request, and out of it with an offset committed
//! only after the store has answered.
//!
//! - [`KafkaWriter`]: a [`SpanWriter`](skua_store::SpanWriter) over librdkafka's producer. No message exceeds what the broker
//!   takes.
//! - [`KafkaSource`]: a member of the consumer group; hands out [`Chunk`]s and commits the contiguous prefix of what was
//!   acknowledged.
//! - [`DeadLetters`]: where a message or span goes that nobody can take, with the reason in its headers.
//! - [`ProducerConfig`], [`ConsumerConfig`]: Jaeger's flags `kafka.producer.*` and `kafka.consumer.*`.
//!
//! On the topic: `protobuf` and `json` are Jaeger v1's, one span a message, its key the trace id in hex; `otlp-proto` and
//! `otlp-json` are one OTLP message per partition and request, without a key. All four put a trace into the partition that
//! Jaeger v1 would choose.

mod auth;
mod chunk;
mod client;
mod config;
mod consumer;
mod dead_letter;
mod delivery;
mod follower;
mod link;
mod metrics;
mod offsets;
mod oversize;
mod producer;
mod rebalance;
mod split;
#[cfg(test)]
mod testing;

pub use auth::{Authentication, Kerberos, Plaintext, Tls};
pub use chunk::{Chunk, HandedOver, Record};
pub use config::{ConsumerConfig, Limits, ProducerConfig};
pub use consumer::{KafkaSource, Progress};
pub use dead_letter::{DeadLetter, DeadLetters};
pub use follower::{Assigned, Follower};
pub use producer::KafkaWriter;
