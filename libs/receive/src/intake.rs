//! What a receiver hands on, and what it gets back to answer with.

use async_trait::async_trait;
use bytes::Bytes;
use std::time::Duration;

/// What the bytes of a request are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `ExportTraceServiceRequest` in protobuf.
    OtlpProto,
    /// `ExportTraceServiceRequest` in JSON.
    OtlpJson,
    /// `jaeger.api_v2.PostSpansRequest` in protobuf.
    JaegerProto,
    /// A bare `jaeger.Batch` in Thrift's binary protocol.
    JaegerThrift,
    /// A list of Zipkin v1 spans in JSON.
    ZipkinV1Json,
    /// A list of `zipkincore.Span` in Thrift's binary protocol.
    ZipkinV1Thrift,
    /// A list of Zipkin v2 spans in JSON.
    ZipkinV2Json,
    /// `zipkin.proto3.ListOfSpans`.
    ZipkinV2Proto,
}

/// Takes requests from receivers.
#[async_trait]
pub trait Intake: Send + Sync + 'static {
    /// Returns when the request's spans are as safe as the configuration asks (`collector.ack`).
    ///
    /// # Errors
    /// A [`Rejection`] means that the sender still owns all spans of the request.
    async fn accept(&self, request: Bytes, format: Format) -> Result<Accepted, Rejection>;
}

/// The request was taken, perhaps without some of its spans.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Spans that are refused for good; sending them again would not help.
    pub refused: u64,
    /// Why, for the sender; empty when none was refused.
    pub why: String,
}

/// The request was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// What the sender can do about it.
    pub kind: RejectionKind,
    /// What is wrong, where, and what to do.
    pub message: String,
    /// When the sender should try again.
    pub retry_after: Option<Duration>,
}

/// What a sender can do about a [`Rejection`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectionKind {
    /// Nothing: the request cannot be read. gRPC `INVALID_ARGUMENT`, HTTP 400.
    Invalid,
    /// Send it again, later. gRPC `RESOURCE_EXHAUSTED` with RetryInfo, HTTP 503 with `Retry-After`.
    Full,
    /// Send it again, later. gRPC `UNAVAILABLE` with RetryInfo, HTTP 503 with `Retry-After`.
    Unavailable,
}

impl Rejection {
    /// The gRPC status code, also in the `google.rpc.Status` of an HTTP answer.
    pub fn grpc_code(&self) -> i32 {
        match self.kind {
            RejectionKind::Invalid => 3,
            RejectionKind::Full => 8,
            RejectionKind::Unavailable => 14,
        }
    }
}
