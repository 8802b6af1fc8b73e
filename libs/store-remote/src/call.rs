//! Calls: bounded in time and in bytes, counted.

use crate::config::Config;
use crate::metrics::Metrics;
use crate::{channel, error};
use bytes::Bytes;
use futures::stream;
use http::uri::PathAndQuery;
use prometheus_client::registry::Registry;
use prost::Message;
use skua_proto::Raw;
use skua_proto::jaeger::storage::PARTIAL;
use skua_store::StoreError;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};
use tonic::client::Grpc;
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataMap;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};

/// Bytes of one message of an answer. Jaeger's servers put up to 1000 spans into one, however long they are.
const MAX_MESSAGE: usize = 64 << 20;

/// A method: its whole path, `/package.Service/Method`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Method(pub &'static str);

impl Method {
    /// The last part of the path.
    pub fn name(self) -> &'static str {
        self.0.rsplit('/').next().unwrap_or(self.0)
    }
}

/// The server, and what a call to it may take.
pub(crate) struct Caller {
    channel: Channel,
    pub server: String,
    /// `grpc-storage` or `grpc-storage-archive`.
    pub group: &'static str,
    /// Zero means for ever.
    patience: Duration,
    /// Bytes of a streamed answer.
    pub max_answer: usize,
    metrics: Metrics,
}

impl Caller {
    /// `group` is the group of flags, `role` the label of the metrics.
    ///
    /// # Errors
    /// As [`channel::channel`].
    pub fn new(config: &Config, group: &'static str, role: &str, registry: &mut Registry) -> Result<Self, StoreError> {
        Ok(Self {
            channel: channel::channel(config, group)?,
            server: config.server.clone(),
            group,
            patience: config.request_timeout,
            max_answer: if config.max_answer_bytes == 0 { usize::MAX } else { config.max_answer_bytes },
            metrics: Metrics::register(registry, role),
        })
    }

    /// One message there, one back.
    pub async fn unary<A: Message + Default>(&self, method: Method, request: &impl Message) -> Result<A, StoreError> {
        self.send(method, request.encode_to_vec().into()).await
    }

    /// [`Caller::unary`] of a message that is written already.
    pub async fn send<A: Message + Default>(&self, method: Method, request: Bytes) -> Result<A, StoreError> {
        let path = PathAndQuery::from_static(method.0);
        let answer = self.within(method, async {
            let answer = self.ready().await?.unary(self.request(request), path, Raw::STREAMS).await;
            answer.map(Response::into_inner)
        });
        A::decode(answer.await?).map_err(|e| error::unreadable(method.name(), &self.server, e))
    }

    /// Many messages there, one back.
    pub async fn send_all<A: Message + Default>(&self, method: Method, requests: Vec<Bytes>) -> Result<A, StoreError> {
        let path = PathAndQuery::from_static(method.0);
        let answer = self.within(method, async {
            let requests = self.request(stream::iter(requests));
            let answer = self.ready().await?.client_streaming(requests, path, Raw::STREAMS).await;
            answer.map(Response::into_inner)
        });
        A::decode(answer.await?).map_err(|e| error::unreadable(method.name(), &self.server, e))
    }

    /// One message there, many back, each given to `take` until that breaks off. Returns the metadata before the first message.
    pub async fn read<E: Into<ReadError>>(
        &self,
        method: Method,
        request: &impl Message,
        mut take: impl FnMut(Bytes) -> Result<ControlFlow<()>, E>,
    ) -> Result<MetadataMap, StoreError> {
        let path = PathAndQuery::from_static(method.0);
        let request = Bytes::from(request.encode_to_vec());
        let mut unreadable = None;
        let read = self.within(method, async {
            let answer = self.ready().await?.server_streaming(self.request(request), path, Raw::STREAMS).await?;
            let (metadata, mut messages, _) = answer.into_parts();
            while let Some(message) = messages.message().await? {
                match take(message).map_err(Into::into) {
                    Ok(ControlFlow::Continue(())) => {}
                    Ok(ControlFlow::Break(())) => break,
                    Err(ReadError(e)) => {
                        unreadable = Some(e);
                        break;
                    }
                }
            }
            Ok(metadata)
        });
        let metadata = read.await?;
        match unreadable {
            Some(e) => {
                let doing = format!("{} of the remote storage {}: cannot read the answer: {e}", method.name(), self.server);
                Err(StoreError::new(skua_store::ErrorKind::Internal, doing).caused_by(e))
            }
            None => Ok(metadata),
        }
    }

    async fn ready(&self) -> Result<Grpc<Channel>, Status> {
        let mut grpc = Grpc::new(self.channel.clone())
            .max_decoding_message_size(MAX_MESSAGE)
            .accept_compressed(CompressionEncoding::Gzip)
            .accept_compressed(CompressionEncoding::Zstd);
        grpc.ready().await.map_err(|e| Status::from_error(Box::new(e)))?;
        Ok(grpc)
    }

    /// Tells the server how long we wait.
    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if !self.patience.is_zero() {
            request.set_timeout(self.patience);
        }
        request
    }

    async fn within<T>(&self, method: Method, call: impl Future<Output = Result<T, Status>>) -> Result<T, StoreError> {
        let since = Instant::now();
        let patience = if self.patience.is_zero() { Duration::MAX } else { self.patience };
        let Ok(answer) = tokio::time::timeout(patience, call).await else {
            self.metrics.count(method.name(), since, Code::DeadlineExceeded);
            return Err(error::late(method.name(), &self.server, patience));
        };
        self.metrics.count(method.name(), since, answer.as_ref().err().map_or(Code::Ok, Status::code));
        answer.map_err(|status| error::of(&status, method.name(), &self.server))
    }
}

/// A message of an answer is not what it should be.
pub(crate) struct ReadError(Box<dyn std::error::Error + Send + Sync>);

impl<E: std::error::Error + Send + Sync + 'static> From<E> for ReadError {
    fn from(e: E) -> Self {
        Self(Box::new(e))
    }
}

/// What a server of ours says of an answer that is not complete; see [`PARTIAL`].
pub(crate) fn partial(metadata: &MetadataMap) -> Vec<String> {
    let reasons = metadata.get_all_bin(PARTIAL).iter().filter_map(|reason| reason.to_bytes().ok());
    reasons.map(|reason| String::from_utf8_lossy(&reason).into_owned()).collect()
}
