//! What remote samplers ask over gRPC: `SamplingManager/GetSamplingStrategy`.

use super::unary::Handler;
use crate::Strategies;
use bytes::Bytes;
use std::sync::Arc;
use tonic::Status;

/// `SamplingStrategyParameters` → `SamplingStrategyResponse`.
#[derive(Clone)]
pub(crate) struct Sampling(pub Arc<dyn Strategies>);

impl Handler for Sampling {
    const SERVICE: &'static str = "jaeger.api_v2.SamplingManager";
    const METHOD: &'static str = "/GetSamplingStrategy";

    async fn handle(self, request: Bytes) -> Result<Bytes, Status> {
        // Both codes are those of Go's server: of a message it cannot read, and of a plain error of a handler.
        let service = skua_codec::sampling::read_request(&request)
            .map_err(|e| Status::internal(format!("failed to read SamplingStrategyParameters: {e}")))?;
        self.0.strategy(&service).await.map(|response| response.to_proto().into()).map_err(Status::unknown)
    }
}
