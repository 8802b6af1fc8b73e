//! Version 3 of the API: OTLP, and summaries of traces.

mod answer;
mod handlers;

pub(crate) use answer::Failed;
pub(crate) use handlers::{operations, services, summaries, trace, traces};
