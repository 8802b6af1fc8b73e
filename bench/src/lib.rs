//! Deterministic spans and the small tools the benchmarks share.
//!
//! - [`spans`]: OTLP requests of realistic spans, the same bytes for the same seed. Integration tests use it too.
//! - [`load`]: senders that each wait for their answer, over OTLP/gRPC or OTLP/HTTP.
//! - [`messages`]: the same spans as Kafka messages, for the floor program.
//! - [`elastic`]: the few calls to Elasticsearch that they make.
//! - [`usage`]: CPU time and memory of a process, as the kernel counts them.
//! - [`args`]: `--name value` for the programs in `src/bin`.

pub mod args;
pub mod elastic;
pub mod load;
pub mod messages;
pub mod spans;
pub mod usage;

/// What ends a program: a message for the person who called it.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
