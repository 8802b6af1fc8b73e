//! Senders of OTLP that report exactly what the collector answered.

use crate::{Error, Result, wait};
use bytes::{Buf, BufMut, Bytes};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use prost::Message;
use std::fmt::{self, Display};
use std::time::Duration;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::{Channel, Endpoint};

const TIMEOUT: Duration = Duration::from_secs(60);
const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const POST_SPANS: &str = "/jaeger.api_v2.CollectorService/PostSpans";

/// What the collector said to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Every span of the request is acknowledged.
    Accepted,
    /// The collector answered, and did not acknowledge every span.
    Refused(Refusal),
    /// No answer: no connection, or it broke. Whether the spans arrived is unknown.
    None(String),
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// gRPC: the code's name, as `Unavailable`. HTTP: the status, as `503`. `partial` when only some spans were refused.
    pub code: String,
    /// HTTP: the `Retry-After` header, in seconds. gRPC: the `RetryInfo` detail, whose delay is not read (0).
    pub retry_after: Option<u64>,
    /// The text that came with it.
    pub message: String,
}

/// A client of one collector.
#[derive(Clone)]
pub enum Sender {
    /// OTLP over gRPC.
    Grpc(Channel),
    /// OTLP over HTTP, as protobuf, to this address.
    Http(reqwest::Client, String),
}

impl Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Sender::Grpc(_) => "grpc",
            Sender::Http(..) => "http",
        })
    }
}

impl Sender {
    /// Sends over gRPC to a port of 127.0.0.1. Connects at the first request, and again whenever the connection is lost.
    pub fn grpc(port: u16) -> Result<Self> {
        let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{port}"))?.timeout(TIMEOUT);
        Ok(Self::Grpc(endpoint.connect_lazy()))
    }

    /// Sends over HTTP to a port of 127.0.0.1.
    pub fn http(port: u16) -> Self {
        Self::Http(reqwest::Client::new(), format!("http://127.0.0.1:{port}/v1/traces"))
    }

    /// Sends one request and gives the answer.
    pub async fn send(&self, request: &ExportTraceServiceRequest) -> Answer {
        let body = Bytes::from(request.encode_to_vec());
        match self {
            Sender::Grpc(channel) => call(channel.clone(), EXPORT, body).await,
            Sender::Http(client, url) => send_http(client, url, body).await.unwrap_or_else(|e| Answer::None(e.to_string())),
        }
    }

    /// Sends one request again and again until the collector acknowledges it.
    pub async fn deliver(&self, request: &ExportTraceServiceRequest) -> Result<()> {
        wait::until(format!("a request to be accepted over {self}"), async || match self.send(request).await {
            Answer::Accepted => Ok(Some(())),
            other => Err(Error::new(format!("{other:?}"))),
        })
        .await
    }
}

/// Calls Jaeger's `CollectorService.PostSpans` on a port of 127.0.0.1 with an encoded `PostSpansRequest`.
pub async fn post_spans(port: u16, request: Vec<u8>) -> Answer {
    let Ok(endpoint) = Endpoint::from_shared(format!("http://127.0.0.1:{port}")) else {
        return Answer::None(format!("no address: port {port}"));
    };
    call(endpoint.timeout(TIMEOUT).connect_lazy(), POST_SPANS, request.into()).await
}

/// Calls a method of a gRPC service on a port of 127.0.0.1 with an encoded request, and gives the encoded answer.
pub async fn call_grpc(port: u16, path: &'static str, request: Vec<u8>) -> Result<Bytes> {
    let channel = Endpoint::from_shared(format!("http://127.0.0.1:{port}"))?.timeout(TIMEOUT).connect_lazy();
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await?;
    let request = tonic::Request::new(Bytes::from(request));
    Ok(client.unary(request, http::uri::PathAndQuery::from_static(path), RawCodec).await?.into_inner())
}

async fn call(channel: Channel, path: &'static str, body: Bytes) -> Answer {
    let mut client = tonic::client::Grpc::new(channel);
    if let Err(error) = client.ready().await {
        return Answer::None(Error::from(error).to_string());
    }
    match client.unary(tonic::Request::new(body), http::uri::PathAndQuery::from_static(path), RawCodec).await {
        Ok(answer) => accepted(answer.into_inner()),
        // A status of tonic's own, made because the connection broke, has a source; one that the server sent has none.
        Err(status) if std::error::Error::source(&status).is_some() => Answer::None(Error::from(status).to_string()),
        Err(status) => Answer::Refused(Refusal {
            code: format!("{:?}", status.code()),
            retry_after: contains(status.details(), b"google.rpc.RetryInfo").then_some(0),
            message: status.message().to_owned(),
        }),
    }
}

async fn send_http(client: &reqwest::Client, url: &str, body: Bytes) -> Result<Answer> {
    let request = client.post(url).header("content-type", "application/x-protobuf").timeout(TIMEOUT).body(body);
    let answer = request.send().await?;
    let status = answer.status();
    let header = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let bytes = answer.bytes().await?;
    if status.is_success() {
        return Ok(accepted(bytes));
    }
    let message = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Answer::Refused(Refusal {
        code: status.as_u16().to_string(),
        retry_after: header.and_then(|value| value.parse().ok()),
        message,
    }))
}

/// A success may still say that some spans were refused.
fn accepted(body: Bytes) -> Answer {
    match ExportTraceServiceResponse::decode(body).map(|response| response.partial_success.unwrap_or_default()) {
        Ok(partial) if partial.rejected_spans == 0 => Answer::Accepted,
        Ok(partial) => Answer::Refused(Refusal {
            code: "partial".to_owned(),
            retry_after: None,
            message: format!("{} spans refused: {}", partial.rejected_spans, partial.error_message),
        }),
        Err(error) => Answer::None(format!("an unreadable answer: {error}")),
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Messages are encoded before they are sent, and decoded after: between the two they are bytes.
struct RawCodec;

impl Codec for RawCodec {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for RawCodec {
    type Item = Bytes;
    type Error = tonic::Status;

    fn encode(&mut self, item: Bytes, target: &mut EncodeBuf<'_>) -> std::result::Result<(), tonic::Status> {
        target.put(item);
        Ok(())
    }
}

impl Decoder for RawCodec {
    type Item = Bytes;
    type Error = tonic::Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> std::result::Result<Option<Bytes>, tonic::Status> {
        Ok(Some(source.copy_to_bytes(source.remaining())))
    }
}
