//! Receivers with an intake behind them that answers as told: requests go into their routes, or through a socket where the
//! socket matters.

mod bounds;
mod grpc;
mod otlp;
mod sampling;
mod server;
mod thrift;
mod zipkin;

use crate::{Accepted, Format, Intake, Rejection, RejectionKind, Strategies};
use ::http::{HeaderMap, Request, StatusCode};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use skua_codec::sampling::{Kind, Response};
use std::future::Future;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Remembers what it was given and answers what it was told.
struct Told {
    answer: Result<Accepted, Rejection>,
    given: Mutex<Vec<(Bytes, Format)>>,
}

#[async_trait]
impl Intake for Told {
    async fn accept(&self, request: Bytes, format: Format) -> Result<Accepted, Rejection> {
        self.given.lock().unwrap().push((request, format));
        self.answer.clone()
    }
}

impl Told {
    fn given(&self) -> Vec<(Bytes, Format)> {
        self.given.lock().unwrap().clone()
    }
}

fn told(answer: Result<Accepted, Rejection>) -> Arc<Told> {
    Arc::new(Told { answer, given: Mutex::default() })
}

fn takes_all() -> Arc<Told> {
    told(Ok(Accepted::default()))
}

fn full() -> Rejection {
    let retry_after = Some(Duration::from_millis(1500));
    Rejection { kind: RejectionKind::Full, message: "too many spans wait".into(), retry_after }
}

fn invalid(message: &str) -> Rejection {
    Rejection { kind: RejectionKind::Invalid, message: message.into(), retry_after: None }
}

/// Knows a few services, one of them with a limit that the legacy form cannot tell.
struct Known;

#[async_trait]
impl Strategies for Known {
    async fn strategy(&self, service: &str) -> Result<Response, String> {
        let limit = |limit| Response { kind: Kind::RateLimiting, rate_limiting: Some(limit), ..Response::default() };
        match service {
            "away" => Err("no strategies to be had".into()),
            "limited" => Ok(limit(5)),
            "fast" => Ok(limit(40_000)),
            _ => Ok(Response { probabilistic: Some(0.5), ..Response::default() }),
        }
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut e = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    e.write_all(body).unwrap();
    e.finish().unwrap()
}

/// One request into the routes.
async fn send(
    router: Router,
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> (StatusCode, HeaderMap, Bytes) {
    let mut request = Request::builder().method(method).uri(uri);
    for (k, v) in headers {
        request = request.header(*k, *v);
    }
    let response = router.oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    (parts.status, parts.headers, body.collect().await.unwrap().to_bytes())
}

/// A server on a port of its own.
struct Running<R> {
    address: SocketAddr,
    stop: CancellationToken,
    ended: JoinHandle<R>,
}

impl<R: Send + 'static> Running<R> {
    async fn start<F>(serve: impl FnOnce(TcpListener, CancellationToken) -> F) -> Self
    where
        F: Future<Output = R> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let ended = tokio::spawn(serve(listener, stop.clone()));
        Self { address, stop, ended }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Asks it to stop and waits until it has.
    async fn end(self) -> R {
        self.stop.cancel();
        self.ended.await.unwrap()
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}
