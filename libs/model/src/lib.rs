//! The vocabulary of tracing: spans, traces and ids. No input or output, no formats beside the one that travels, no tokio.
//!
//! - [`SpanBatch`]: what travels between two stages: one OTLP `TracesData` message and an index of its spans.
//! - [`SpanView`]: one borrowed span of a batch; attributes, events and links are read when asked for.
//! - [`Trace`], [`Span`]: owned, for the way out, where a person waits for one trace.
//! - [`regroup`]: splits a batch by Kafka partition, copying slices.
//! - [`repair`], [`mark_times`], [`limit_spans`]: rewrite the rare batch that holds something to sanitize, to warn of or to trim.
//! - [`tag_resources`]: adds a collector's own tags.
//! - [`wire`], [`otlp`]: the protobuf wire format and the tags of the OTLP trace messages.
//! - [`json`]: the JSON text of an attribute value, as Jaeger writes it.

mod batch;
mod check;
mod copy;
mod header;
mod id;
mod jaeger;
pub mod json;
mod limit;
pub mod otlp;
pub mod partition;
mod refused;
mod regroup;
mod repair;
mod rewrite;
mod tagging;
mod times;
mod trace;
mod view;
mod warn;
pub mod wire;

pub use batch::{BatchBuilder, SpanBatch, SpanEntry};
pub use check::{DecodeError, MAX_NESTING};
pub use id::{IdError, SpanId, TraceId};
pub use jaeger::{FORMAT_TAG, WARNINGS_KEY, for_each_reference, for_each_tag, kind_text};
pub use limit::{Over, SpanLimit, limit_spans};
pub use refused::{Refusal, Refusals};
pub use regroup::{Groups, partition_spans, regroup, write_subset};
pub use repair::{Repairs, repair};
pub use tagging::tag_resources;
pub use times::{EARLIEST_START, LATEST_END, LONGEST, mark_times};
pub use trace::{Log, Process, RefType, Reference, Span, Tag, Trace, Value};
pub use view::{AnyValue, EventView, KeyValue, LinkView, ProcessView, SpanView};
