//! Answering the questions of people and of their tools: find traces, mend them for display, write them as Jaeger's JSON.
//! No HTTP here.
//!
//! - [`QueryService`]: what stores keep ([`Stores`]), with Jaeger's adjusters applied to it.
//! - [`adjust`]: those adjusters.
//! - [`params`]: the parameters of Jaeger's HTTP API, with its defaults and its error texts.
//! - [`json`]: the JSON of Jaeger's HTTP API.
//! - [`otlp`]: traces as OTLP.
//! - [`go`]: texts as Go's standard library reads and writes them.

pub mod adjust;
mod archive;
mod dependencies;
pub mod go;
pub mod json;
pub mod otlp;
pub mod params;
mod service;
mod summary;
mod v3;

pub use archive::Archive;
pub use dependencies::Calls;
pub use service::{ById, QueryService, Stores};
pub use summary::{ServiceSummary, TraceSummary};
pub use v3::Listed;
