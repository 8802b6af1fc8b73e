//! `jaeger.api_v2`: Jaeger's own model, as it travels over gRPC (port 14250) and in Kafka.
//!
//! A Jaeger span becomes an OTLP span and back without loss: the same tags in the same order, references, logs, flags and
//! process. What OTLP has no room for travels so that its readers still understand the span:
//!
//! | Jaeger | OTLP |
//! | --- | --- |
//! | flags | the unknown field 1001, always written; it says that the attributes below are Jaeger's tags, verbatim |
//! | tags | attributes; besides, `span.kind` sets the kind and a true `error` sets the status |
//! | references | `parent_span_id` by Jaeger's rule (first CHILD_OF, else first FOLLOWS_FROM of the same trace); the others are links with the attribute `opentracing.ref_type`; all of them are when the parent is not first, or not once, or FOLLOWS_FROM |
//! | logs | events; a first and only text field `event` that is not empty is the event's name |
//! | warnings | the attribute `@jaeger@warnings`, a list of strings |
//! | process | a resource with `service.name` first |
//!
//! Lost are only times before 1970 (they become 1970), negative durations' remainder before 1970, values of a type other
//! than the tag says, the types of references beyond the two that exist, and `process_id`, which Jaeger never sets here.

pub(crate) mod attributes;
pub mod decode;
pub mod encode;
mod error;
pub mod json;
pub mod owned;
pub mod owned_proto;
mod request;
pub(crate) mod span;

pub use error::JaegerError;
pub use request::{PostSpans, post_spans};
