//! Where the receivers meet the pipeline.

use crate::decode::decode;
use async_trait::async_trait;
use bytes::Bytes;
use skua_pipeline::{Pipeline, Transport};
use skua_receive::{Accepted, Format, Intake, Rejection, RejectionKind};
use skua_store::{ErrorKind, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// Decodes and delivers.
pub(crate) struct CollectorIntake {
    pipeline: Arc<Pipeline>,
}

/// When a sender should try again, if the store did not say.
const RETRY: Duration = Duration::from_secs(1);

impl CollectorIntake {
    pub(crate) fn new(pipeline: Arc<Pipeline>) -> Self {
        Self { pipeline }
    }
}

#[async_trait]
impl Intake for CollectorIntake {
    async fn accept(&self, request: Bytes, format: Format) -> Result<Accepted, Rejection> {
        let batch = decode(request, format).map_err(|why| {
            tracing::debug!(%why, ?format, "a request could not be read");
            self.pipeline.undecodable();
            Rejection { kind: RejectionKind::Invalid, message: why, retry_after: None }
        })?;
        let delivered = self.pipeline.deliver(batch, transport(format)).await.map_err(rejection)?;
        Ok(Accepted { refused: delivered.refused, why: delivered.why })
    }
}

/// As Jaeger's metrics tell them apart.
fn transport(format: Format) -> Transport {
    match format {
        Format::OtlpProto | Format::OtlpJson => Transport::Otlp,
        Format::JaegerProto => Transport::JaegerGrpc,
        Format::JaegerThrift => Transport::JaegerHttp,
        Format::ZipkinV1Json | Format::ZipkinV1Thrift | Format::ZipkinV2Json | Format::ZipkinV2Proto => Transport::Zipkin,
    }
}

/// What the sender is told; the operator's message, with its cause, is in the log.
fn rejection(e: StoreError) -> Rejection {
    let kind = match e.kind {
        ErrorKind::Overloaded => RejectionKind::Full,
        ErrorKind::Invalid => RejectionKind::Invalid,
        _ => RejectionKind::Unavailable,
    };
    let retry_after = (kind != RejectionKind::Invalid).then(|| e.retry_after.unwrap_or(RETRY));
    Rejection { kind, message: e.message, retry_after }
}
