//! One sender on hyper itself: no generated stubs, no layers, so that the load costs little beside what it loads.

use crate::Failure;
use crate::formats::Format;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use skua_model::wire::{Cursor, messages};
use std::str::FromStr;
use std::time::Duration;
use tokio::net::TcpStream;

/// What is spoken to the receiver. gRPC is HTTP/2 without TLS, the rest HTTP/1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// OTLP/gRPC.
    Grpc,
    /// OTLP/HTTP with protobuf: `POST /v1/traces`.
    Http,
    /// `jaeger.api_v2.CollectorService/PostSpans`.
    JaegerGrpc,
    /// Jaeger's Thrift over HTTP: `POST /api/traces`.
    ThriftHttp,
    /// Zipkin v2 in JSON: `POST /api/v2/spans`.
    ZipkinJson,
}

impl Protocol {
    /// The names of [`Protocol::from_str`].
    const NAMES: [(&str, Self); 5] = [
        ("grpc", Self::Grpc),
        ("http", Self::Http),
        ("jaeger-grpc", Self::JaegerGrpc),
        ("thrift-http", Self::ThriftHttp),
        ("zipkin-json", Self::ZipkinJson),
    ];

    /// True for HTTP/2 with frames and trailers.
    pub fn is_grpc(self) -> bool {
        matches!(self, Self::Grpc | Self::JaegerGrpc)
    }

    /// How requests are written; `None` for OTLP, as they are generated.
    pub fn format(self) -> Option<Format> {
        match self {
            Self::Grpc | Self::Http => None,
            Self::JaegerGrpc => Some(Format::JaegerProto),
            Self::ThriftHttp => Some(Format::ThriftBatch),
            Self::ZipkinJson => Some(Format::ZipkinJson),
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Grpc => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            Self::Http => "/v1/traces",
            Self::JaegerGrpc => "/jaeger.api_v2.CollectorService/PostSpans",
            Self::ThriftHttp => "/api/traces",
            Self::ZipkinJson => "/api/v2/spans",
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Grpc | Self::JaegerGrpc => "application/grpc",
            Self::Http => "application/x-protobuf",
            Self::ThriftHttp => "application/x-thrift",
            Self::ZipkinJson => "application/json",
        }
    }
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        let found = Self::NAMES.iter().find(|(name, _)| *name == s).map(|(_, protocol)| *protocol);
        found.ok_or_else(|| {
            let names: Vec<_> = Self::NAMES.iter().map(|(name, _)| *name).collect();
            format!("unknown protocol {s:?}, use one of {}", names.join(", "))
        })
    }
}

/// What the receiver made of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Taken, less the spans named in a partial success.
    Accepted { rejected: u64 },
    /// Try again: gRPC RESOURCE_EXHAUSTED or UNAVAILABLE, HTTP 429, 502, 503 or 504.
    Busy { reason: String, after: Option<Duration> },
    /// Do not try again.
    Refused(String),
}

enum Wire {
    Grpc(http2::SendRequest<Full<Bytes>>),
    Http(http1::SendRequest<Full<Bytes>>),
}

/// A connection, or one of several senders on it.
pub struct Client {
    protocol: Protocol,
    wire: Wire,
    host: String,
}

/// Receive windows of HTTP/2; answers are tiny.
const WINDOW: u32 = 1 << 20;

impl Client {
    /// Opens a connection.
    pub async fn connect(protocol: Protocol, target: &str) -> std::io::Result<Self> {
        let stream = TcpStream::connect(target).await?;
        stream.set_nodelay(true)?;
        let io = TokioIo::new(stream);
        let wire = if protocol.is_grpc() {
            let (sender, connection) = http2::Builder::new(TokioExecutor::new())
                .initial_stream_window_size(WINDOW)
                .initial_connection_window_size(WINDOW)
                .max_send_buf_size(WINDOW as usize)
                .handshake(io)
                .await
                .map_err(std::io::Error::other)?;
            tokio::spawn(connection);
            Wire::Grpc(sender)
        } else {
            let (sender, connection) = http1::handshake(io).await.map_err(std::io::Error::other)?;
            tokio::spawn(connection);
            Wire::Http(sender)
        };
        Ok(Self { protocol, wire, host: target.to_owned() })
    }

    /// Another sender on the same connection; `None` where the protocol has no streams.
    pub fn share(&self) -> Option<Self> {
        match &self.wire {
            Wire::Grpc(sender) => {
                let (protocol, host) = (self.protocol, self.host.clone());
                Some(Self { protocol, wire: Wire::Grpc(sender.clone()), host })
            }
            Wire::Http(_) => None,
        }
    }

    /// True when the connection cannot be used any more.
    pub fn is_closed(&self) -> bool {
        match &self.wire {
            Wire::Grpc(sender) => sender.is_closed(),
            Wire::Http(sender) => sender.is_closed(),
        }
    }

    /// Sends one request (for gRPC with its frame) and waits for the answer.
    pub async fn send(&mut self, body: Bytes) -> Result<Verdict, Failure> {
        let (path, content_type) = (self.protocol.path(), self.protocol.content_type());
        match &mut self.wire {
            Wire::Grpc(sender) => {
                let uri = format!("http://{}{path}", self.host);
                let request = Request::post(uri).header("content-type", content_type).header("te", "trailers");
                sender.ready().await?;
                let (parts, body) = sender.send_request(request.body(Full::new(body))?).await?.into_parts();
                let body = body.collect().await?;
                let trailers = body.trailers().cloned().unwrap_or_default();
                Ok(grpc_verdict(parts.status, &parts.headers, &trailers, &body.to_bytes()))
            }
            Wire::Http(sender) => {
                let request =
                    Request::post(path).header("host", &self.host).header("content-type", content_type).body(Full::new(body))?;
                sender.ready().await?;
                let (parts, body) = sender.send_request(request).await?.into_parts();
                Ok(http_verdict(parts.status, &parts.headers, &body.collect().await?.to_bytes()))
            }
        }
    }
}

fn grpc_verdict(status: StatusCode, headers: &HeaderMap, trailers: &HeaderMap, body: &[u8]) -> Verdict {
    let find = |name| trailers.get(name).or_else(|| headers.get(name)).and_then(|v| v.to_str().ok());
    let code: u16 = match find("grpc-status").and_then(|v| v.parse().ok()) {
        Some(0) => return Verdict::Accepted { rejected: rejected(body.get(5..).unwrap_or_default()) },
        Some(code) => code,
        None => return Verdict::Refused(format!("HTTP {status} without a gRPC status")),
    };
    let reason = format!("gRPC status {code}: {}", find("grpc-message").unwrap_or_default());
    match code {
        8 | 14 => Verdict::Busy { reason, after: None },
        _ => Verdict::Refused(reason),
    }
}

fn http_verdict(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Verdict {
    let after = headers.get("retry-after").and_then(|v| v.to_str().ok()?.parse().ok()).map(Duration::from_secs);
    match status.as_u16() {
        200..300 => Verdict::Accepted { rejected: rejected(body) },
        429 | 502..=504 => Verdict::Busy { reason: format!("HTTP {status}"), after },
        _ => Verdict::Refused(format!("HTTP {status}")),
    }
}

/// `partial_success.rejected_spans` of an `ExportTraceServiceResponse`.
fn rejected(response: &[u8]) -> u64 {
    const PARTIAL_SUCCESS: u32 = 1 << 3 | 2;
    const REJECTED_SPANS: u32 = 1 << 3;
    let count = |partial| {
        let mut c = Cursor::new(partial);
        while let Ok(Some(tag)) = c.tag() {
            match tag {
                REJECTED_SPANS => return c.varint().unwrap_or(0),
                _ if c.skip(tag, 0).is_err() => return 0,
                _ => {}
            }
        }
        0
    };
    messages(response, PARTIAL_SUCCESS).map(count).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_success_says_how_many_were_rejected() {
        // partial_success { rejected_spans: 300, error_message: "no" }
        let answer = [0x0a, 7, 0x08, 0xac, 0x02, 0x12, 2, b'n', b'o'];
        assert_eq!(rejected(&answer), 300);
        assert_eq!(rejected(&[]), 0);
        assert_eq!(http_verdict(StatusCode::OK, &HeaderMap::new(), &answer), Verdict::Accepted { rejected: 300 });
    }

    #[test]
    fn busy_answers_are_told_from_refusals() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", "2".parse().unwrap());
        let busy = http_verdict(StatusCode::TOO_MANY_REQUESTS, &headers, b"");
        assert!(matches!(busy, Verdict::Busy { after: Some(d), .. } if d.as_secs() == 2));
        headers.insert("grpc-status", "8".parse().unwrap());
        let exhausted = grpc_verdict(StatusCode::OK, &headers, &HeaderMap::new(), b"");
        assert!(matches!(exhausted, Verdict::Busy { .. }));
        headers.insert("grpc-status", "3".parse().unwrap());
        let invalid = grpc_verdict(StatusCode::OK, &HeaderMap::new(), &headers, b"");
        assert!(matches!(invalid, Verdict::Refused(_)));
        assert!(matches!(http_verdict(StatusCode::BAD_REQUEST, &HeaderMap::new(), b""), Verdict::Refused(_)));
    }
}
