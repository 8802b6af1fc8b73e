//! From the agent's UDP ports to the collector's pipeline, without a network between.

use async_trait::async_trait;
use skua_agent::{Came, Reporter};
use skua_model::SpanBatch;
use skua_pipeline::{Pipeline, Transport};
use std::sync::Arc;

/// Hands the agent's spans to a pipeline, which counts them under what becomes of them. Nobody who sends by UDP can be told to send
/// again: what the pipeline has no room for is lost, and counted there.
pub struct LocalReporter(pub Arc<Pipeline>);

#[async_trait]
impl Reporter for LocalReporter {
    fn format_tag(&self) -> Option<&'static str> {
        Some("proto") // that of Jaeger's all-in-one, whose agent sent by gRPC
    }

    async fn report(&self, batch: SpanBatch, _: Came) {
        let spans = batch.len();
        if let Err(e) = self.0.deliver(batch, Transport::JaegerUdp).await {
            tracing::error!(error = %e, spans, "failed to deliver spans that came by UDP; they are lost");
        }
    }
}
