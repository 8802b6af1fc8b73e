//! One chunk, from messages to handed over to the store.

use crate::Ingester;
use crate::assemble::Assembled;
use crate::turns::Turn;
use crate::waiting::Waiting;
use skua_kafka::Chunk;
use skua_model::{SpanBatch, repair};
use skua_store::{Later, Written};
use std::time::{Duration, Instant};

/// Pauses between tries to write to a store that is away: doubling from the first to the last, then for ever the last.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LAST_PAUSE: Duration = Duration::from_secs(10);

impl Ingester {
    /// Returns when every span of the chunk is in the dead-letter topic or the store has it; the chunk is acknowledged when the store keeps it.
    pub(crate) async fn work(&self, chunk: Chunk, turn: Turn<'_>, waiting: &Waiting) {
        let started = Instant::now();
        let mut assembled = Assembled::new(&chunk, self.encoding);
        let bad: u64 = assembled.bad.iter().map(|b| b.spans).sum();
        let mut open = self.ledger.received(assembled.spans_to_store() as u64 + bad);
        if let Some(downsampling) = &self.downsampling {
            open.sampled_out(assembled.sample(downsampling));
        }
        match repair(std::mem::take(&mut assembled.batch)) {
            Ok((batch, _)) => assembled.batch = batch,
            Err(e) => {
                // A batch that outgrows 4 GiB while it is mended: the limits on chunks make that impossible.
                tracing::error!(error = %e, "failed to mend a chunk; it is left uncommitted");
                return;
            }
        }
        if let Some(rollups) = &self.rollups {
            turn.come().await;
            rollups.count(&chunk, &assembled).await;
        }
        drop(turn);
        assembled.leave_out_again();
        let (written, later) = self.hand_over(&assembled.batch).await;
        for bad in &assembled.bad {
            self.bury_record(&chunk, bad).await;
            open.refused(bad.reason, bad.spans);
        }
        for refused in &written.refused {
            self.bury_span(&chunk, &assembled, refused).await;
            open.refused(refused.reason, 1);
        }
        // The messages and the batch are let go here; what waits is small.
        drop(assembled);
        let (chunk, latency, stored) = (chunk.hand_over(), self.metrics.latency.clone(), written.stored);
        waiting.hold(later, move || {
            open.stored(stored);
            chunk.ack();
            latency.observe(started.elapsed().as_secs_f64());
        });
    }

    /// Tries for ever; the caller stops waiting when the process has to end.
    async fn hand_over(&self, batch: &SpanBatch) -> (Written, Later) {
        let mut pause = FIRST_PAUSE;
        loop {
            if batch.is_empty() {
                return (Written::default(), Later::done());
            }
            match self.writer.hand_over(batch).await {
                Ok(taken) => return taken,
                Err(e) => {
                    let wait = e.retry_after.unwrap_or(pause).max(pause);
                    tracing::warn!(error = %e, cause = ?e.source.as_ref().map(ToString::to_string), spans = batch.len(),
                        retry_in_ms = wait.as_millis() as u64, "the store did not take a batch; it will be sent again");
                    self.metrics.errors.inc();
                    tokio::time::sleep(wait).await;
                    self.metrics.retries.inc();
                    pause = (pause * 2).min(LAST_PAUSE);
                }
            }
        }
    }
}
