//! What goes to the dead-letter topic, and why.

use crate::Ingester;
use crate::assemble::{Assembled, BadRecord};
use skua_kafka::{Chunk, DeadLetter};
use skua_model::{SpanId, TraceId, write_subset};
use skua_store::RefusedSpan;
use std::time::Duration;

/// Pause between tries to reach the dead-letter topic.
const PAUSE: Duration = Duration::from_secs(1);

impl Ingester {
    /// The message as it came.
    pub(crate) async fn bury_record(&self, chunk: &Chunk, bad: &BadRecord) {
        let record = &chunk.records()[bad.record];
        self.bury(&DeadLetter {
            reason: bad.reason,
            detail: &bad.detail,
            topic: chunk.topic(),
            source: Some((record.partition, record.offset)),
            span: None,
            key: chunk.key(record),
            payload: chunk.payload(record),
        })
        .await;
    }

    /// The message as it came when the span was all of it, else (or if down-sampling may have left out others) the span alone as OTLP.
    pub(crate) async fn bury_span(&self, chunk: &Chunk, assembled: &Assembled, refused: &RefusedSpan) {
        let of = assembled.record_of(refused.span as usize);
        let record = &chunk.records()[of];
        let mut alone = Vec::new();
        if assembled.spans_of(of) > 1 || self.downsampling.is_some() {
            write_subset(&assembled.batch, &[refused.span], &mut alone);
        }
        let span = assembled.batch.view(&assembled.batch.spans()[refused.span as usize]);
        self.bury(&DeadLetter {
            reason: refused.reason,
            detail: &refused.detail,
            topic: chunk.topic(),
            source: Some((record.partition, record.offset)),
            span: Some((TraceId(span.trace_id), SpanId(span.span_id))),
            key: chunk.key(record),
            payload: if alone.is_empty() { chunk.payload(record) } else { &alone },
        })
        .await;
    }

    /// Waits for Kafka to take it, for as long as it takes: the offset is not committed before.
    async fn bury(&self, letter: &DeadLetter<'_>) {
        let (reason, detail, source) = (letter.reason, letter.detail, letter.source.unwrap_or_default());
        tracing::warn!(reason, detail, topic = letter.topic, partition = source.0, offset = source.1, "dead-lettered");
        while let Err(e) = self.dead_letters.send(*letter).await {
            tracing::error!(error = %e, "the dead-letter topic did not take a message; it will be sent again");
            tokio::time::sleep(PAUSE).await;
        }
    }
}
