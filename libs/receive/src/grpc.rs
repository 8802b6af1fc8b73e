//! gRPC: OTLP (4317) and Jaeger's own collector service (14250), both unary, gzip and zstd accepted.

use crate::raw::Raw;
use crate::{Accepted, Format, Intake, Rejection};
use bytes::Bytes;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::codec::CompressionEncoding;
use tonic::server::NamedService;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Response, Status, body::Body};

/// Receive window of one HTTP/2 stream, in bytes; the connection's is four times that. With HTTP/2's default of 64 KiB every
/// request of 200 spans waits for a window update.
const STREAM_WINDOW: u32 = 1 << 20;

/// Requests that one connection may have under way. An exporter has one, a busy proxy some tens.
const STREAMS: u32 = 128;

/// Limits of one listener, by Jaeger's flags `…grpc.{max-message-size,max-connection-age,max-connection-age-grace}`.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one request, before and after decompression.
    pub max_message_size: usize,
    /// A connection is asked to end after this time; zero means never.
    pub max_connection_age: Duration,
    /// Time that such a connection has to finish what it is doing; zero means as long as it takes.
    pub max_connection_age_grace: Duration,
}

/// Serves OTLP's `TraceService` until `stop`; then finishes what is under way.
///
/// # Errors
/// When the listener fails.
pub async fn serve_otlp(
    listener: TcpListener,
    limits: Limits,
    intake: Arc<dyn Intake>,
    stop: CancellationToken,
) -> Result<(), tonic::transport::Error> {
    serve(listener, otlp_service(limits, intake), limits, stop).await
}

pub(crate) fn otlp_service(limits: Limits, intake: Arc<dyn Intake>) -> Otlp {
    Otlp(Service { intake, limits, format: Format::OtlpProto, method: "/Export" })
}

/// Serves `jaeger.api_v2.CollectorService` until `stop`; then finishes what is under way.
///
/// # Errors
/// When the listener fails.
pub async fn serve_jaeger(
    listener: TcpListener,
    limits: Limits,
    intake: Arc<dyn Intake>,
    stop: CancellationToken,
) -> Result<(), tonic::transport::Error> {
    serve(listener, Jaeger(Service { intake, limits, format: Format::JaegerProto, method: "/PostSpans" }), limits, stop).await
}

async fn serve<S>(
    listener: TcpListener,
    service: S,
    limits: Limits,
    stop: CancellationToken,
) -> Result<(), tonic::transport::Error>
where
    S: tower::Service<::http::Request<Body>, Error = Infallible> + NamedService + Clone + Send + Sync + 'static,
    S::Response: axum::response::IntoResponse,
    S::Future: Send + 'static,
{
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_service_status(S::NAME, tonic_health::ServingStatus::Serving).await;
    let mut server = tonic::transport::Server::builder()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(STREAM_WINDOW * 4)
        .max_frame_size(Some(1 << 20))
        .max_concurrent_streams(Some(STREAMS));
    if !limits.max_connection_age.is_zero() {
        server = server.max_connection_age(limits.max_connection_age);
        if !limits.max_connection_age_grace.is_zero() {
            server = server.max_connection_age_grace(limits.max_connection_age_grace);
        }
    }
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    server.add_service(health).add_service(service).serve_with_incoming_shutdown(incoming, stop.cancelled_owned()).await
}

/// One unary method whose requests are handed over as bytes.
#[derive(Clone)]
struct Service {
    intake: Arc<dyn Intake>,
    limits: Limits,
    format: Format,
    method: &'static str,
}

type Answer = Pin<Box<dyn Future<Output = Result<::http::Response<Body>, Infallible>> + Send>>;

impl Service {
    fn call(&self, request: ::http::Request<Body>) -> Answer {
        let (intake, format) = (self.intake.clone(), self.format);
        let mut grpc = tonic::server::Grpc::new(Raw)
            .max_decoding_message_size(self.limits.max_message_size)
            .accept_compressed(CompressionEncoding::Gzip)
            .accept_compressed(CompressionEncoding::Zstd);
        let known = request.uri().path().ends_with(self.method);
        Box::pin(async move {
            if !known {
                let status = Status::unimplemented(format!("unknown method {}", request.uri().path()));
                return Ok(status.into_http());
            }
            let unary = tower::service_fn(move |request: Request<Bytes>| {
                let intake = intake.clone();
                async move { intake.accept(request.into_inner(), format).await.map(|a| answer(format, &a)).map_err(status) }
            });
            Ok(too_large_is_final(grpc.unary(unary, request).await))
        })
    }
}

/// tonic answers OUT_OF_RANGE to a message over the limit, which OTLP's rules let a sender retry for ever. Go's servers, and so
/// Jaeger, answer RESOURCE_EXHAUSTED; without RetryInfo that is final.
fn too_large_is_final(mut response: ::http::Response<Body>) -> ::http::Response<Body> {
    const OUT_OF_RANGE: &[u8] = b"11";
    if let Some(status) = response.headers_mut().get_mut("grpc-status")
        && status.as_bytes() == OUT_OF_RANGE
    {
        *status = ::http::HeaderValue::from_static("8");
    }
    response
}

/// An `ExportTraceServiceResponse`, empty when all went well; Jaeger's `PostSpansResponse` has no fields to tell more.
fn answer(format: Format, accepted: &Accepted) -> Response<Bytes> {
    if format == Format::JaegerProto || accepted.refused == 0 {
        return Response::new(Bytes::new());
    }
    Response::new(skua_codec::otlp::export_response(accepted.refused, &accepted.why).into())
}

fn status(rejection: Rejection) -> Status {
    let code = rejection.grpc_code();
    let details = skua_codec::otlp::status(code, &rejection.message, rejection.retry_after);
    Status::with_details(Code::from_i32(code), rejection.message, details.into())
}

macro_rules! named {
    ($type:ident, $name:literal) => {
        #[derive(Clone)]
        pub(crate) struct $type(Service);

        impl NamedService for $type {
            const NAME: &'static str = $name;
        }

        impl tower::Service<::http::Request<Body>> for $type {
            type Response = ::http::Response<Body>;
            type Error = Infallible;
            type Future = Answer;

            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: ::http::Request<Body>) -> Answer {
                self.0.call(request)
            }
        }
    };
}

named!(Otlp, "opentelemetry.proto.collector.trace.v1.TraceService");
named!(Jaeger, "jaeger.api_v2.CollectorService");
