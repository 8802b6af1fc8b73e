//! What requests may take, together and each.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use skua_model::{Span, Tag, Value};
use skua_store::{ErrorKind, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// Bounds of the query tier. Zero means no bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Spans of one trace that are read; what is beyond is left out, with a warning on the trace's first span.
    pub max_trace_size: usize,
    /// Bytes that the spans of one answer take in memory, added up: a search stops there and says so.
    pub max_result_size: usize,
    /// Bytes that the spans of all answers under way take in memory at a time. A request waits for room.
    pub max_memory: usize,
    /// Requests that ask the store at a time; further ones wait.
    pub max_concurrent: usize,
    /// From the request to the last span read, waiting included, also for a client that does not take what was read.
    pub timeout: Duration,
}

impl Default for Limits {
    /// The defaults of the flags.
    fn default() -> Self {
        Self {
            max_trace_size: 200_000,
            max_result_size: 512 << 20,
            max_memory: 1 << 30,
            max_concurrent: 32,
            timeout: Duration::from_secs(60),
        }
    }
}

/// How often each limit was met.
#[derive(Debug, Clone, Default)]
pub struct LimitMetrics(Family<Met, Counter>);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Met {
    limit: &'static str,
}

impl LimitMetrics {
    /// Registers `skua_query_limited_total{limit}`, once a process; all series exist from now on.
    pub fn register(&self, registry: &mut Registry) {
        for limit in ["trace-size", "result-size", "memory", "concurrency", "timeout"] {
            self.0.get_or_create_owned(&Met { limit });
        }
        registry.register("skua_query_limited", "Answers that met a limit of the query tier", self.0.clone());
    }

    pub(crate) fn met(&self, limit: &'static str) {
        self.0.get_or_create_owned(&Met { limit }).inc();
    }
}

/// Memory is counted in these.
const UNIT: usize = 1024;

/// The limits at work, shared by all requests.
#[derive(Debug)]
pub(crate) struct Gate {
    pub limits: Limits,
    pub metrics: LimitMetrics,
    running: Arc<Semaphore>,
    memory: Arc<Semaphore>,
}

/// A request's share; what it holds is given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Pass {
    gate: Arc<Gate>,
    deadline: Instant,
    _running: OwnedSemaphorePermit,
}

/// Memory that is in use until this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Room(Option<OwnedSemaphorePermit>);

/// A century, for "no limit".
const NEVER: Duration = Duration::from_secs(100 * 365 * 86_400);

impl Gate {
    pub fn new(limits: Limits, metrics: LimitMetrics) -> Arc<Self> {
        let unlimited = |n: usize| if n == 0 { Semaphore::MAX_PERMITS } else { n.min(Semaphore::MAX_PERMITS) };
        Arc::new(Self {
            running: Arc::new(Semaphore::new(unlimited(limits.max_concurrent))),
            memory: Arc::new(Semaphore::new(unlimited(limits.max_memory.div_ceil(UNIT)).min(u32::MAX as usize))),
            limits,
            metrics,
        })
    }

    /// Waits for its turn.
    pub async fn enter(self: &Arc<Self>) -> Result<Pass, StoreError> {
        let time = if self.limits.timeout.is_zero() { NEVER } else { self.limits.timeout };
        let deadline = Instant::now() + time;
        let Ok(Ok(running)) = timeout_at(deadline, self.running.clone().acquire_owned()).await else {
            self.metrics.met("concurrency");
            let message = format!(
                "{} other queries are under way; try again later (--query.max-concurrent-requests)",
                self.limits.max_concurrent
            );
            return Err(StoreError::new(ErrorKind::Overloaded, message));
        };
        Ok(Pass { gate: self.clone(), deadline, _running: running })
    }
}

impl Pass {
    pub fn limits(&self) -> &Limits {
        &self.gate.limits
    }

    pub fn met(&self, limit: &'static str) {
        self.gate.metrics.met(limit);
    }

    /// The result of a call to the store, unless it takes too long.
    pub async fn in_time<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        timeout_at(self.deadline, call).await.unwrap_or_else(|_| {
            self.met("timeout");
            let message = format!("the query took longer than {:?} (--query.timeout)", self.limits().timeout);
            Err(StoreError::new(ErrorKind::Timeout, message))
        })
    }

    /// Waits until so many bytes more may be in use.
    pub async fn room(&self, room: &mut Room, bytes: usize) -> Result<(), StoreError> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let taken = timeout_at(self.deadline, self.gate.memory.clone().acquire_many_owned(units)).await;
        let Ok(Ok(more)) = taken else {
            self.met("memory");
            let message = format!("answers under way take {} bytes (--query.max-memory)", self.limits().max_memory);
            return Err(StoreError::new(ErrorKind::Overloaded, message));
        };
        match &mut room.0 {
            Some(all) => all.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }
}

/// What an allocator adds to a text.
const PER_TEXT: usize = 8;

/// About how many bytes a span takes in memory, but for its process.
pub(crate) fn weight(span: &Span) -> usize {
    let tags = |tags: &[Tag]| tags.iter().map(weight_of_tag).sum::<usize>();
    size_of::<Span>()
        + span.operation_name.len()
        + PER_TEXT
        + size_of_val(&span.references[..])
        + tags(&span.tags)
        + span.logs.iter().map(|log| size_of_val(log) + tags(&log.fields)).sum::<usize>()
        + span.warnings.iter().map(|w| size_of_val(w) + w.len() + PER_TEXT).sum::<usize>()
}

fn weight_of_tag(tag: &Tag) -> usize {
    let value = match &tag.value {
        Value::String(text) => text.len() + PER_TEXT,
        Value::Binary(bytes) => bytes.len() + PER_TEXT,
        Value::Bool(_) | Value::Int64(_) | Value::Float64(_) => 0,
    };
    size_of::<Tag>() + tag.key.len() + PER_TEXT + value
}
