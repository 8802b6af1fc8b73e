//! What a pipeline is told: bounds, promises, and what it does to spans on their way.

use crate::Downsampling;
use skua_model::{SpanBatch, SpanLimit};
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

/// When a sender is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledge {
    /// When the writer has every span.
    Stored,
    /// When the batch is in our memory, as Jaeger does: what fails later is counted as dropped.
    Queued,
}

/// Sees the batches that a pipeline accepts, for example to count throughput for adaptive sampling.
pub trait Observer: Send + Sync {
    /// Called once for each accepted batch, after it was sanitized and before any span of it is left out by down-sampling or the
    /// limit for one span, and before tags are added. It holds up the delivery: it must be short and must not block. A sender
    /// that was refused afterwards and sends again is seen again.
    fn observe(&self, batch: &SpanBatch);
}

/// Bounds and promises of a pipeline, and what it does to spans. [`Options::default`] does nothing but sanitize.
#[derive(Clone)]
pub struct Options {
    /// When a sender is answered. Default: when stored.
    pub acknowledge: Acknowledge,
    /// Bytes of batches that may be under way, as they came; more are refused as
    /// [`ErrorKind::Overloaded`](skua_store::ErrorKind::Overloaded). Default: 32 MiB.
    pub max_in_flight_bytes: usize,
    /// Spans that may be under way beside that; `None` and 0 are no such bound. A single batch of more spans is taken when nothing
    /// else is under way. Jaeger's default of 2000 (`--collector.queue-size`) is for single spans that wait for a worker; here four requests
    /// of 512 spans would fill it, so only a value that somebody has set is to be passed on.
    pub max_in_flight_spans: Option<u64>,
    /// Batches that are written at the same time with [`Acknowledge::Queued`]; further ones wait, within the bounds. `None` is no such
    /// bound. With [`Acknowledge::Stored`] each sender waits for its own batch and this has no meaning.
    pub workers: Option<usize>,
    /// Tags for every process or resource; see [`skua_model::tag_resources`] and [`crate::tags::parse`].
    pub tags: Vec<(String, String)>,
    /// Leaves out whole traces, which are counted as `sampled-out`.
    pub downsampling: Option<Arc<Downsampling>>,
    /// Trims or refuses long spans.
    pub span_limit: Option<SpanLimit>,
    /// Sums up the bytes of spans in `jaeger_collector_spans_bytes`.
    pub span_size_metrics: bool,
    /// Who sees each batch.
    pub observers: Vec<Arc<dyn Observer>>,
    /// The time, for telling times that cannot be; see [`skua_model::mark_times`].
    pub clock: fn() -> SystemTime,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            acknowledge: Acknowledge::Stored,
            max_in_flight_bytes: 32 << 20,
            max_in_flight_spans: None,
            workers: None,
            tags: Vec::new(),
            downsampling: None,
            span_limit: None,
            span_size_metrics: false,
            observers: Vec::new(),
            clock: SystemTime::now,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("acknowledge", &self.acknowledge)
            .field("max_in_flight_bytes", &self.max_in_flight_bytes)
            .field("max_in_flight_spans", &self.max_in_flight_spans)
            .field("workers", &self.workers)
            .field("tags", &self.tags)
            .field("downsampling", &self.downsampling)
            .field("span_limit", &self.span_limit)
            .field("span_size_metrics", &self.span_size_metrics)
            .field("observers", &self.observers.len())
            .finish_non_exhaustive()
    }
}
