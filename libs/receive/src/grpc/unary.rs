//! A service of one unary method whose messages are handed over as bytes.

use bytes::Bytes;
use skua_proto::Raw;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tonic::codec::CompressionEncoding;
use tonic::server::NamedService;
use tonic::{Request, Response, Status, body::Body};

/// The one method of a service.
pub(crate) trait Handler: Clone + Send + Sync + 'static {
    /// Package and name.
    const SERVICE: &'static str;
    /// With a slash before it.
    const METHOD: &'static str;

    fn handle(self, request: Bytes) -> impl Future<Output = Result<Bytes, Status>> + Send;
}

/// The service.
#[derive(Clone)]
pub(crate) struct Unary<H> {
    pub handler: H,
    /// Bytes of one request, before and after decompression.
    pub max_message_size: usize,
}

impl<H: Handler> NamedService for Unary<H> {
    const NAME: &'static str = H::SERVICE;
}

impl<H: Handler> tower::Service<::http::Request<Body>> for Unary<H> {
    type Response = ::http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: ::http::Request<Body>) -> Self::Future {
        let handler = self.handler.clone();
        let mut grpc = tonic::server::Grpc::new(Raw::LONG_REQUESTS)
            .max_decoding_message_size(self.max_message_size)
            .accept_compressed(CompressionEncoding::Gzip)
            .accept_compressed(CompressionEncoding::Zstd);
        Box::pin(async move {
            if !request.uri().path().ends_with(H::METHOD) {
                let status = Status::unimplemented(format!("unknown method {}", request.uri().path()));
                return Ok(status.into_http());
            }
            let unary = tower::service_fn(move |request: Request<Bytes>| {
                let handler = handler.clone();
                async move { handler.handle(request.into_inner()).await.map(Response::new) }
            });
            Ok(too_large_is_final(grpc.unary(unary, request).await))
        })
    }
}

/// tonic answers OUT_OF_RANGE to a message over the limit, which OTLP's rules let a sender retry for ever. Go's servers, and so
/// Jaeger, answer RESOURCE_EXHAUSTED; without RetryInfo that is final. To be laid around services of tonic.
pub fn too_large_is_final<B>(mut response: ::http::Response<B>) -> ::http::Response<B> {
    const OUT_OF_RANGE: &[u8] = b"11";
    if let Some(status) = response.headers_mut().get_mut("grpc-status")
        && status.as_bytes() == OUT_OF_RANGE
    {
        *status = ::http::HeaderValue::from_static("8");
    }
    response
}
