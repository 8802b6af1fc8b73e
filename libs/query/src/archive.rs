//! Keeping a trace for longer than the store does.

use crate::QueryService;
use futures::future::FutureExt;
use futures::stream::StreamExt;
use skua_codec::jaeger::owned;
use skua_model::{Span, SpanBatch, TraceId};
use skua_store::{ErrorKind, Later, SpanReader, SpanWriter, StoreError};
use std::sync::Arc;

/// Spans of a batch: one is written after the other, so that a large trace is never there twice.
const TOGETHER: usize = 1000;

/// Where traces go that somebody wants kept.
#[derive(Clone)]
pub struct Archive {
    /// Asked for traces that the store does not have.
    pub reader: Arc<dyn SpanReader>,
    /// Takes them.
    pub writer: Arc<dyn SpanWriter>,
}

impl QueryService {
    /// True when there is an archive.
    pub fn can_archive(&self) -> bool {
        self.stores.archive.is_some()
    }

    /// Writes a trace to the archive, as it was stored: Jaeger archives the adjusted one, with other ids and tags. One that is
    /// only in the archive stays there.
    ///
    /// # Errors
    /// As [`SpanReader::trace`] and [`SpanWriter::write`]; `Unsupported` when there is no archive; `Internal` when the archive
    /// refuses spans. A part of the trace may then be archived: to archive it again is right.
    pub async fn archive(&self, id: TraceId) -> Result<(), StoreError> {
        let Some(archive) = &self.stores.archive else {
            return Err(StoreError::new(ErrorKind::Unsupported, "archive span storage was not configured"));
        };
        let pass = self.gate.enter().await?;
        let mut pieces = self.stores.spans.spans(id);
        let mut next = match pass.in_time(pieces.next().map(Option::transpose)).await {
            Err(e) if e.kind == ErrorKind::NotFound => return archive.reader.trace(id).await.map(drop),
            first => first?,
        };
        let mut kept = Vec::new();
        while let Some(piece) = next {
            for spans in piece.chunks(TOGETHER) {
                let (written, later) = pass.in_time(archive.writer.hand_over(&batch(spans)?)).await?;
                kept.push(later);
                if let Some(refused) = written.refused.first() {
                    let count = written.refused.len();
                    let message =
                        format!("the archive refused {count} spans of trace {id}: {}: {}", refused.reason, refused.detail);
                    return Err(StoreError::new(ErrorKind::Internal, message));
                }
            }
            next = pass.in_time(pieces.next().map(Option::transpose)).await?;
        }
        // Whoever asked waits: an archive that gathers keeps it now.
        pass.in_time(archive.writer.flush()).await?;
        pass.in_time(Later::all(kept).kept().map(Ok)).await
    }
}

fn batch(spans: &[Span]) -> Result<SpanBatch, StoreError> {
    let mut out = Vec::new();
    owned::spans(spans, &mut out);
    let unsound = |e| StoreError::new(ErrorKind::Internal, "archive a trace whose spans are not sound").caused_by(e);
    SpanBatch::parse(out).map_err(unsound)
}

#[cfg(test)]
mod tests;
