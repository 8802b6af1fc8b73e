//! Against a receiver of a few lines: busy at first, then content.

use super::*;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use std::convert::Infallible;

/// Listens on a free port; the first `busy` requests are turned away. Returns its address and the bytes it took.
async fn receiver(busy: usize) -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (taken, asked) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counter = taken.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (counter, asked) = (counter.clone(), asked.clone());
            let answer = service_fn(move |request: Request<Incoming>| {
                let (counter, asked) = (counter.clone(), asked.clone());
                async move {
                    let grpc = request.headers()["content-type"] == "application/grpc";
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    let first = asked.fetch_add(1, Ordering::Relaxed) < busy;
                    if !first {
                        counter.fetch_add(body.len(), Ordering::Relaxed);
                    }
                    let response = match (grpc, first) {
                        (true, _) => Response::builder().header("grpc-status", if first { "14" } else { "0" }),
                        (false, _) => Response::builder().status(if first { 503 } else { 200 }),
                    };
                    Ok::<_, Infallible>(response.body(Full::<Bytes>::default()).unwrap())
                }
            });
            tokio::spawn(async move {
                let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    });
    (address, taken)
}

async fn send(protocol: Protocol, busy: usize, attempts: u32) -> (Outcome, usize, usize) {
    let (target, taken) = receiver(busy).await;
    let requests: Vec<Bytes> = (0..10usize).map(|n| vec![7; 100 * n].into()).collect();
    let plan = Plan { target, protocol, conns: 2, streams_per_conn: 2, attempts };
    let ready = prepare(plan, requests, vec![50; 10]).await.unwrap();
    let senders = ready.senders();
    (ready.run().await, taken.load(Ordering::Relaxed), senders)
}

#[tokio::test]
async fn every_request_is_sent_once_and_busy_ones_again() {
    let (outcome, taken, senders) = send(Protocol::Grpc, 3, 5).await;
    assert_eq!((outcome.accepted, outcome.failed, outcome.retries, senders), (500, 0, 3, 4));
    assert_eq!(taken, 4500 + 10 * 5, "with their frames");
    assert_eq!(outcome.latencies.len(), 10);
    assert!(outcome.percentile(0.5) <= outcome.percentile(0.99));
    let (outcome, taken, senders) = send(Protocol::Http, 3, 5).await;
    assert_eq!((outcome.accepted, outcome.failed, outcome.retries, senders, taken), (500, 0, 3, 2, 4500));
}

#[tokio::test]
async fn every_protocol_has_its_path_and_is_sent_whole() {
    for (protocol, frame) in [(Protocol::JaegerGrpc, 5), (Protocol::ThriftHttp, 0), (Protocol::ZipkinJson, 0)] {
        let (outcome, taken, _) = send(protocol, 1, 3).await;
        assert_eq!((outcome.accepted, outcome.retries, taken), (500, 1, 4500 + 10 * frame), "{protocol:?}");
    }
    let error = "carrier-pigeon".parse::<Protocol>().unwrap_err();
    assert!(error.ends_with("grpc, http, jaeger-grpc, thrift-http, zipkin-json"), "{error}");
}

#[tokio::test]
async fn attempts_are_bounded_and_what_is_given_up_is_counted() {
    let (outcome, taken, _) = send(Protocol::Grpc, usize::MAX, 2).await;
    assert_eq!((outcome.accepted, outcome.failed, outcome.retries, taken), (0, 500, 10, 0));
    assert_eq!(outcome.reasons.values().sum::<u64>(), 20);
}
