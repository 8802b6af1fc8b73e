//! Answering the questions of people and of their tools: find traces, mend them for display, write them as Jaeger's JSON or
//! protobuf. No HTTP here.
//!
//! - [`QueryService`]: what stores keep ([`Stores`]), with Jaeger's adjusters applied to it.
//! - [`Answers`]: traces on their way to a client, one after the other, within [`Limits`].
//! - [`rollups`]: the graph of services.
//! - [`transform`]: OTLP JSON of a file as traces.
//! - [`adjust`](mod@adjust): those adjusters.
//! - [`api_v2`], [`api_v3`]: the messages of Jaeger's gRPC API.
//! - [`params`]: the parameters of Jaeger's HTTP API, with its defaults and its error texts.
//! - [`Metric`]: latencies, calls and errors over time.
//! - [`json`]: the JSON of Jaeger's HTTP API.
//! - [`otlp`]: traces as OTLP.
//! - [`go`]: texts as Go's standard library reads and writes them.

pub mod adjust;
mod answers;
pub mod api_v2;
pub mod api_v3;
mod archive;
mod dependencies;
pub mod go;
mod graph;
pub mod json;
mod limits;
mod metrics;
pub mod otlp;
pub mod params;
mod service;
mod summary;
mod transform;
mod v3;

pub use answers::{Answers, Held, Item, Wanted};
pub use archive::Archive;
pub use dependencies::Calls;
pub use limits::{LimitMetrics, Limits};
pub use metrics::{Metric, MetricAnswer};
pub use service::{ById, QueryService, Stores};
pub use skua_rollup::read::RollupReader;
pub use summary::{ServiceSummary, TraceSummary};
pub use transform::{TransformError, Transformed, transform};
pub use v3::Listed;

/// What a graph of services is made of.
pub mod rollups {
    pub use skua_rollup::document::{Connection, Exemplar};
    pub use skua_rollup::read::{Edge, Graph, GraphQuery, Node, NodeKind};
}
