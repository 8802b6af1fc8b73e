//! OTLP's `TraceService`.

use crate::answer::{status, unreadable};
use crate::intake::Intake;
use crate::service::{Call, Methods};
use bytes::Bytes;
use skua_codec::otlp::export_response;
use skua_model::SpanBatch;
use std::sync::Arc;
use tonic::{Status, body::Body};

/// The service.
#[derive(Clone)]
pub(crate) struct Export(pub Arc<Intake>);

impl Methods for Export {
    const SERVICE: &'static str = "opentelemetry.proto.collector.trace.v1.TraceService";

    async fn call(self, method: &str, call: Call) -> http::Response<Body> {
        match method {
            "Export" => call.unary(|request| self.clone().export(request)).await,
            _ => call.unknown(),
        }
    }
}

impl Export {
    /// `ExportTraceServiceRequest` → `ExportTraceServiceResponse`.
    async fn export(self, request: Bytes) -> Result<Bytes, Status> {
        let room = self.0.room_now(request.len()).map_err(|e| status(&e))?;
        let batch = SpanBatch::parse(request).map_err(|e| {
            self.0.undecodable();
            unreadable("ExportTraceServiceRequest", &e)
        })?;
        let kept = self.0.store(batch, room).await.map_err(|e| status(&e))?;
        if kept.refused == 0 { Ok(Bytes::new()) } else { Ok(export_response(kept.refused, &kept.why).into()) }
    }
}
