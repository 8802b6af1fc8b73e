//! Deterministic spans and the small tools the benchmarks share.
//!
//! - [`spans`]: OTLP requests of realistic spans, the same bytes for the same seed. Integration tests use it too.
//! - [`formats`]: the same spans as Jaeger's and Zipkin's clients send them.
//! - [`load`]: senders that each wait for their answer, over gRPC or HTTP.
//! - [`udp`]: senders of datagrams, at a rate.
//! - [`messages`]: the same spans as Kafka messages, for the floor program.
//! - [`elastic`]: the few calls to Elasticsearch that they make.
//! - [`cassandra`]: what a keyspace holds.
//! - [`usage`]: CPU time and memory of a process, as the kernel counts them.
//! - [`args`]: `--name value` for the programs in `src/bin`.

pub mod args;
pub mod cassandra;
pub mod elastic;
pub mod formats;
pub mod load;
pub mod messages;
pub mod spans;
pub mod udp;
pub mod usage;

/// What ends a program: a message for the person who called it.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
