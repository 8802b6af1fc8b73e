//! Requests with spans: OTLP's `TraceService/Export` and Jaeger's `CollectorService/PostSpans`.

use super::unary::Handler;
use crate::{Format, Intake, Rejection};
use bytes::Bytes;
use std::sync::Arc;
use tonic::{Code, Status};

/// `ExportTraceServiceRequest` → `ExportTraceServiceResponse`.
#[derive(Clone)]
pub(crate) struct Otlp(pub Arc<dyn Intake>);

impl Handler for Otlp {
    const SERVICE: &'static str = "opentelemetry.proto.collector.trace.v1.TraceService";
    const METHOD: &'static str = "/Export";

    async fn handle(self, request: Bytes) -> Result<Bytes, Status> {
        let accepted = self.0.accept(request, Format::OtlpProto).await.map_err(status)?;
        if accepted.refused == 0 {
            return Ok(Bytes::new());
        }
        Ok(skua_codec::otlp::export_response(accepted.refused, &accepted.why).into())
    }
}

/// `PostSpansRequest` → `PostSpansResponse`, which has no fields to tell what was refused.
#[derive(Clone)]
pub(crate) struct Jaeger(pub Arc<dyn Intake>);

impl Handler for Jaeger {
    const SERVICE: &'static str = "jaeger.api_v2.CollectorService";
    const METHOD: &'static str = "/PostSpans";

    async fn handle(self, request: Bytes) -> Result<Bytes, Status> {
        self.0.accept(request, Format::JaegerProto).await.map(|_| Bytes::new()).map_err(status)
    }
}

fn status(rejection: Rejection) -> Status {
    let code = rejection.grpc_code();
    let details = skua_codec::otlp::status(code, &rejection.message, rejection.retry_after);
    Status::with_details(Code::from_i32(code), rejection.message, details.into())
}
