//! `SpanWriterPlugin`: one span a call.

use crate::answer::{status, unreadable};
use crate::intake::Intake;
use crate::service::{Call, Methods};
use bytes::Bytes;
use skua_codec::jaeger::{JaegerError, decode};
use skua_model::SpanBatch;
use std::sync::Arc;
use tonic::{Status, body::Body};

/// The service.
#[derive(Clone)]
pub(crate) struct Writer(pub Arc<Intake>);

impl Methods for Writer {
    const SERVICE: &'static str = "jaeger.storage.v1.SpanWriterPlugin";

    async fn call(self, method: &str, call: Call) -> http::Response<Body> {
        match method {
            "WriteSpan" => call.unary(|request| self.clone().write(request)).await,
            "Close" => call.unary(async |_| Ok(Bytes::new())).await, // nothing waits here for the end of a client
            _ => call.unknown(),
        }
    }
}

impl Writer {
    /// `WriteSpanRequest` → `WriteSpanResponse`, which has no fields.
    async fn write(self, request: Bytes) -> Result<Bytes, Status> {
        let room = self.0.room_now(request.len()).map_err(|e| status(&e))?;
        let batch = batch(&[request]).map_err(|e| {
            self.0.undecodable();
            unreadable("WriteSpanRequest", &e)
        })?;
        if batch.is_empty() && batch.refused().total() == 0 {
            self.0.undecodable();
            return Err(Status::invalid_argument("WriteSpanRequest without a span"));
        }
        let kept = self.0.store(batch, room).await.map_err(|e| status(&e))?;
        if kept.refused > 0 { Err(Status::invalid_argument(kept.why)) } else { Ok(Bytes::new()) }
    }
}

/// The spans of some `WriteSpanRequest`s.
pub(crate) fn batch(requests: &[Bytes]) -> Result<SpanBatch, JaegerError> {
    let bytes = requests.iter().map(Bytes::len).sum::<usize>();
    let mut otlp = Vec::with_capacity(bytes + bytes / 4);
    match requests {
        [one] => decode::spans(one, &mut otlp)?,
        // One after the other they are a message with a list of spans.
        all => decode::spans(&all.concat(), &mut otlp)?,
    }
    Ok(SpanBatch::parse(otlp)?)
}
