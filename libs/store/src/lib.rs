//! What a store is: the traits that writers and readers meet, their errors, the memory store and what wraps any store.
//!
//! - [`SpanWriter`]: takes batches; Elasticsearch, Kafka and memory are all writers.
//! - [`SpanReader`]: answers the query tier.
//! - [`memory`]: a bounded store in memory.
//! - [`metrics`]: counts the calls to a reader, under Jaeger's names.
//! - [`sampling`]: what adaptive sampling keeps, and its lease.
//! - [`dependencies`]: who calls whom, as counted by a job.
//! - [`rollups`]: what was counted while the spans streamed by, and [`span_metrics`]: metrics made of it.
//! - [`bearer`]: the token of whoever asks, for a storage that wants to know.
//! - [`fan_out`]: one writer that writes to several.
//! - [`conformance`]: the one suite that every reading store has to pass.

pub mod bearer;
pub mod conformance;
pub mod dependencies;
mod error;
pub mod fan_out;
mod later;
pub mod memory;
pub mod metrics;
mod reader;
pub mod rollups;
pub mod sampling;
pub mod span_metrics;
mod writer;

pub use dependencies::{DependencyLink, DependencyReader, DependencyWriter};
pub use error::{ErrorKind, StoreError};
pub use later::Later;
pub use reader::{Found, FoundItem, FoundStream, Operation, SpanReader, SpanStream, TraceQuery, all_found, whole_trace};
pub use writer::{RefusedSpan, SpanWriter, Written};
