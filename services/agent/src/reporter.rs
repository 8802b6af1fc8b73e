//! Where an agent's spans go.

use async_trait::async_trait;
use skua_model::SpanBatch;

/// Takes the spans of some datagrams. There is one for collectors over gRPC ([`crate::GrpcReporter`]); in one process with a
/// collector, another hands them to its pipeline.
#[async_trait]
pub trait Reporter: Send + Sync + 'static {
    /// The tag `@jaeger@format` that spans of `emitBatch` get when they are decoded; `None` when a collector adds it later.
    fn format_tag(&self) -> Option<&'static str> {
        None
    }

    /// Returns when the fate of all spans is known, refused ones ([`SpanBatch::refused`]) included. Nobody can be told when
    /// they are lost: a reporter counts them, and logs why. As long as it does not return, their bytes count as waiting.
    async fn report(&self, batch: SpanBatch, came: Came);
}

/// In what a batch's spans came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Came {
    /// By `emitBatch`.
    pub jaeger: Tally,
    /// By `emitZipkinBatch`.
    pub zipkin: Tally,
}

/// Datagrams and their spans.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Each is a batch to Jaeger.
    pub datagrams: u64,
    /// As many as the datagrams say, refused ones included.
    pub spans: u64,
}
