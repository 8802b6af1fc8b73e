//! From a decoded batch to a delivered one.

use crate::room::{Place, Room};
use crate::{Acknowledge, CollectorMetrics, InFlight, Ledger, Options, Transport};
use skua_model::{Refusals, SpanBatch};
use skua_store::{ErrorKind, SpanWriter, StoreError, Written};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// A batch was delivered, perhaps without some of its spans.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Spans refused for good.
    pub refused: u64,
    /// Why, for the sender.
    pub why: String,
}

impl Delivered {
    fn without(refused: &Refusals) -> Self {
        Self { refused: refused.total(), why: refused.to_string() }
    }
}

/// Takes batches and delivers them, within bounds, counting every span.
pub struct Pipeline {
    writer: Arc<dyn SpanWriter>,
    ledger: Arc<Ledger>,
    pub(crate) metrics: CollectorMetrics,
    room: Room,
    /// Batches that may be written at the same time, if that is bounded.
    workers: Option<Semaphore>,
    pub(crate) options: Options,
    started: Instant,
    /// The second, since the start, of the last complaint.
    complained: AtomicU64,
}

/// When a sender that was refused for want of room should come again.
const RETRY_WHEN_FULL: Duration = Duration::from_secs(1);

/// Tries of a delivery that nobody will ask for again ([`Acknowledge::Queued`], UDP).
const LAST_TRIES: u32 = 5;

impl Pipeline {
    /// Delivers to `writer`.
    pub fn new(writer: Arc<dyn SpanWriter>, ledger: Arc<Ledger>, metrics: CollectorMetrics, options: Options) -> Arc<Self> {
        let room = Room::new(options.max_in_flight_bytes, options.max_in_flight_spans);
        metrics.queue_capacity(room.capacity());
        let workers = options.workers.filter(|_| options.acknowledge == Acknowledge::Queued);
        let workers = workers.map(|n| Semaphore::new(n.clamp(1, Semaphore::MAX_PERMITS)));
        let (started, complained) = (Instant::now(), AtomicU64::new(0));
        Arc::new(Self { writer, ledger, metrics, room, workers, options, started, complained })
    }

    /// Sanitizes and delivers a batch. The delivery goes on when the caller stops waiting for it, so that every span is
    /// counted under what became of it.
    ///
    /// # Errors
    /// No span was delivered as far as the caller may rely on; [`StoreError::is_retryable`] tells whether to send again.
    pub async fn deliver(self: &Arc<Self>, batch: SpanBatch, transport: Transport) -> Result<Delivered, StoreError> {
        let accepted = Instant::now();
        let mut open = self.ledger.received(batch.len() as u64 + batch.refused().total());
        if !transport.is_answered() {
            open = open.unanswered();
        }
        let again = self.options.acknowledge == Acknowledge::Stored && transport.is_answered();
        self.metrics.received(&batch, transport);
        batch.refused().iter().for_each(|(why, n)| open.refused(why.as_str(), n));
        if batch.is_empty() {
            return Ok(self.complain(Delivered::without(batch.refused())));
        }
        let Some(place) = self.room.take(batch.bytes().len(), batch.len()) else {
            self.metrics.dropped(open.open());
            let left = open.open();
            open.refused("queue-full", left);
            return Err(StoreError {
                retry_after: Some(RETRY_WHEN_FULL),
                ..StoreError::new(ErrorKind::Overloaded, "too many spans wait to be stored; send them again later")
            });
        };
        let batch = self.prepare(batch, &mut open).map_err(|e| {
            let left = open.open();
            open.refused("malformed", left);
            StoreError::new(ErrorKind::Invalid, e.to_string())
        })?;
        let delivered = self.complain(Delivered::without(batch.refused()));
        if batch.is_empty() {
            return Ok(delivered);
        }
        let task = tokio::spawn(self.clone().write(batch, open, place, accepted, again));
        if self.options.acknowledge == Acknowledge::Queued {
            return Ok(delivered);
        }
        let written = task.await.map_err(|e| StoreError::new(ErrorKind::Internal, "the delivery failed").caused_by(e))??;
        if !written.refused.is_empty() {
            return Ok(self.complain(with_refusals(delivered, &written)));
        }
        Ok(delivered)
    }

    /// Logs why spans were refused, once a second at most: not every protocol can tell the sender, Jaeger's gRPC cannot.
    fn complain(&self, delivered: Delivered) -> Delivered {
        if delivered.refused > 0 {
            let now = self.started.elapsed().as_secs() + 1;
            if self.complained.swap(now, Ordering::Relaxed) != now {
                tracing::warn!(spans = delivered.refused, why = %delivered.why, "spans were refused");
            }
        }
        delivered
    }

    /// `again`: the sender is told when this fails, and sends the spans again.
    async fn write(
        self: Arc<Self>,
        batch: SpanBatch,
        mut open: InFlight,
        place: Place,
        accepted: Instant,
        again: bool,
    ) -> Result<Written, StoreError> {
        let worker = match &self.workers {
            Some(workers) => workers.acquire().await.ok(), // it is never closed
            None => None,
        };
        self.metrics.in_queue(accepted.elapsed());
        let start = Instant::now();
        let result = self.try_write(&batch, again).await;
        drop(worker);
        self.metrics.saved(&batch, result.is_ok(), start.elapsed());
        if self.options.span_size_metrics {
            self.metrics.processed(&batch);
        }
        match &result {
            Ok(written) => {
                open.stored(written.stored);
                written.refused.iter().for_each(|r| open.refused(r.reason, 1));
            }
            Err(e) if !again => {
                tracing::error!(error = %e, spans = batch.len(), "spans that nobody will send again are lost");
                let left = open.open();
                open.dropped(reason(e.kind), left);
                self.metrics.dropped(left);
            }
            Err(e) => {
                let left = open.open();
                open.refused(reason(e.kind), left);
            }
        }
        drop(place);
        result
    }

    /// Once, when the sender will send again; else several times.
    async fn try_write(&self, batch: &SpanBatch, again: bool) -> Result<Written, StoreError> {
        let mut pause = Duration::from_millis(200);
        let tries = if again { 1 } else { LAST_TRIES };
        for _ in 1..tries {
            match self.writer.write(batch).await {
                Err(e) if e.is_retryable() => tokio::time::sleep(pause).await,
                other => return other,
            }
            pause *= 2;
        }
        self.writer.write(batch).await
    }

    /// Counts a request in which no spans could be found: it is refused whole, and how many spans it held nobody knows.
    pub fn undecodable(&self) {
        self.metrics.undecodable();
    }

    /// Bytes of batches under way.
    pub fn in_flight_bytes(&self) -> usize {
        self.room.taken()
    }

    /// Refreshes the gauges that are read rather than counted.
    pub fn refresh_metrics(&self) {
        self.metrics.queue_length(self.in_flight_bytes());
    }

    /// Returns when nothing is under way any more and the writer has kept what it was given.
    ///
    /// # Errors
    /// What the writer's flush returned.
    pub async fn drain(&self) -> Result<(), StoreError> {
        self.room.empty().await;
        self.writer.flush().await
    }
}

fn with_refusals(mut delivered: Delivered, written: &Written) -> Delivered {
    if let Some(first) = written.refused.first() {
        if !delivered.why.is_empty() {
            delivered.why.push_str("; ");
        }
        let n = written.refused.len();
        delivered.why.push_str(&format!("{n} span{} refused by the store: {}", if n == 1 { "" } else { "s" }, first.detail));
        delivered.refused += n as u64;
    }
    delivered
}

/// The metric label for a failed delivery.
fn reason(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Unavailable => "unavailable",
        ErrorKind::Overloaded => "overloaded",
        ErrorKind::Timeout => "timeout",
        ErrorKind::Unsupported => "unsupported",
        ErrorKind::Invalid => "invalid",
        ErrorKind::NotFound | ErrorKind::Internal => "internal",
    }
}
