//! A service whose messages are handed over as bytes, for spans, which need not be UTF-8.

use bytes::Bytes;
use skua_proto::Raw;
use skua_receive::grpc::too_large_is_final;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tonic::codec::CompressionEncoding;
use tonic::server::{Grpc, NamedService};
use tonic::{Request, Response, Status, Streaming, body::Body};

/// The methods of a service.
pub(crate) trait Methods: Clone + Send + Sync + 'static {
    /// Package and name.
    const SERVICE: &'static str;

    /// Answers a call of a method, by its name.
    fn call(self, method: &str, call: Call) -> impl Future<Output = http::Response<Body>> + Send;
}

/// The service.
#[derive(Clone)]
pub(crate) struct Service<M> {
    pub methods: M,
    /// Bytes of one message, before and after decompression.
    pub max_message_size: usize,
}

impl<M: Methods> NamedService for Service<M> {
    const NAME: &'static str = M::SERVICE;
}

impl<M: Methods> tower::Service<http::Request<Body>> for Service<M> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let methods = self.methods.clone();
        let grpc = Grpc::new(Raw::STREAMS)
            .max_decoding_message_size(self.max_message_size)
            .accept_compressed(CompressionEncoding::Gzip)
            .accept_compressed(CompressionEncoding::Zstd);
        Box::pin(async move {
            let path = request.uri().path().to_owned();
            let method = path.rsplit('/').next().unwrap_or_default();
            Ok(too_large_is_final(methods.call(method, Call { grpc, request }).await))
        })
    }
}

/// A call that waits for its handler.
pub(crate) struct Call {
    grpc: Grpc<Raw>,
    request: http::Request<Body>,
}

impl Call {
    /// One message, one answer.
    pub async fn unary<F>(mut self, handler: impl Fn(Bytes) -> F) -> http::Response<Body>
    where
        F: Future<Output = Result<Bytes, Status>> + Send + 'static,
    {
        let service = tower::service_fn(|request: Request<Bytes>| {
            let answer = handler(request.into_inner());
            async move { answer.await.map(Response::new) }
        });
        self.grpc.unary(service, self.request).await
    }

    /// One message, a stream of answers.
    pub async fn answers<F, S>(mut self, handler: impl Fn(Bytes) -> F) -> http::Response<Body>
    where
        F: Future<Output = Result<Response<S>, Status>> + Send + 'static,
        S: futures::Stream<Item = Result<Bytes, Status>> + Send + 'static,
    {
        let service = tower::service_fn(|request: Request<Bytes>| handler(request.into_inner()));
        self.grpc.server_streaming(service, self.request).await
    }

    /// A stream of messages, one answer.
    pub async fn messages<F>(mut self, handler: impl Fn(Streaming<Bytes>) -> F) -> http::Response<Body>
    where
        F: Future<Output = Result<Bytes, Status>> + Send + 'static,
    {
        let service = tower::service_fn(|request: Request<Streaming<Bytes>>| {
            let answer = handler(request.into_inner());
            async move { answer.await.map(Response::new) }
        });
        self.grpc.client_streaming(service, self.request).await
    }

    /// There is no such method.
    pub fn unknown(self) -> http::Response<Body> {
        Status::unimplemented(format!("unknown method {}", self.request.uri().path())).into_http()
    }
}
