//! Streams of spans, and what is refused.

use crate::given::{Failing, Server, batch, memory, span};
use bytes::Bytes;
use futures::StreamExt;
use http::uri::PathAndQuery;
use skua_codec::jaeger::owned_proto;
use skua_model::wire::put_bytes;
use skua_model::{Span, TraceId};
use skua_proto::Raw;
use skua_remote_storage::{Grpc, Versions};
use skua_store::memory::MemoryStore;
use skua_store::{SpanReader, SpanWriter};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::Status;
use tonic::transport::Endpoint;

fn request(span: &Span) -> Bytes {
    let (mut process, mut message, mut request) = (Vec::new(), Vec::new(), Vec::new());
    owned_proto::put_process(&mut process, &span.process);
    owned_proto::put_span(&mut message, span, &process);
    put_bytes(&mut request, 1, &message);
    request.into()
}

/// An open stream, as a Jaeger collector has it.
struct Stream {
    spans: mpsc::UnboundedSender<Bytes>,
    answer: tokio::task::JoinHandle<Result<(), Status>>,
}

async fn stream(server: &Server) -> Stream {
    let channel = Endpoint::from_shared(format!("http://{}", server.address)).unwrap().connect().await.unwrap();
    let (spans, requests) = mpsc::unbounded_channel();
    let answer = tokio::spawn(async move {
        let mut grpc = tonic::client::Grpc::new(channel);
        grpc.ready().await.unwrap();
        let path = PathAndQuery::from_static("/jaeger.storage.v1.StreamingSpanWriterPlugin/WriteSpanStream");
        let requests = tonic::Request::new(UnboundedReceiverStream::new(requests).map(|b: Bytes| b));
        grpc.client_streaming(requests, path, Raw::STREAMS).await.map(|_| ())
    });
    Stream { spans, answer }
}

async fn until_held(store: &MemoryStore, trace: u128, spans: usize) {
    while store.trace(TraceId(trace.to_be_bytes())).await.map_or(0, |t| t.spans.len()) < spans {
        tokio::task::yield_now().await;
    }
}

/// Scenario: a client that keeps its stream open and sends a span now and then, as Jaeger's collector does. Guarantee: each span is
/// stored while the stream goes on, and the answer comes at its end.
#[tokio::test]
async fn a_stream_that_pauses_is_stored() {
    let store = memory();
    let server = Server::start(store.clone(), Versions::All).await;
    let stream = stream(&server).await;
    for i in 1..=3 {
        stream.spans.send(request(&span(1, i, "a"))).unwrap();
        until_held(&store, 1, i as usize).await;
    }
    assert!(!stream.answer.is_finished());
    drop(stream.spans);
    stream.answer.await.unwrap().unwrap();
}

/// Scenario: a message that is no span, a span without an id and sound ones in one stream. Guarantee: the sound ones are stored, the
/// others counted under their reasons, and the client is told at the end.
#[tokio::test]
async fn a_bad_span_costs_itself() {
    let store = memory();
    let server = Server::start(store.clone(), Versions::All).await;
    let stream = stream(&server).await;
    for message in
        [request(&span(1, 1, "a")), Bytes::from_static(b"\x0a\x02\xff\xff"), request(&span(1, 0, "b")), request(&span(1, 2, "c"))]
    {
        stream.spans.send(message).unwrap();
    }
    until_held(&store, 1, 2).await;
    drop(stream.spans);
    let status = stream.answer.await.unwrap().unwrap_err();
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
    assert!(status.message().starts_with("2 spans of the stream are refused, the others are stored: "), "{}", status.message());
    let counted = |outcome, reason| server.spans(outcome, reason);
    assert_eq!((counted("received", ""), counted("stored", "")), (4, 2));
    assert_eq!((counted("refused", "undecodable"), counted("refused", "zero-span-id")), (1, 1));
}

/// Scenario: a store that refuses a whole batch for the sake of one span, which it does not name. Guarantee: the client finds the span,
/// and all others are stored, in both versions.
#[tokio::test]
async fn one_poisonous_span_is_found() {
    for versions in [Versions::V1, Versions::V2] {
        let store = Arc::new(Failing { poison: Some("poison"), ..Failing::new() });
        let server = Server::start(store.clone(), versions).await;
        let spans: Vec<_> = (1..=50).map(|i| span(1, i, if i == 20 { "poison" } else { "a" })).collect();
        let written = server.client().write(&batch(&spans)).await.unwrap();
        assert_eq!((written.stored, written.refused.len(), written.refused[0].span), (49, 1, 19), "{versions:?}");
        assert_eq!(store.inner.trace(TraceId(1_u128.to_be_bytes())).await.unwrap().spans.len(), 49, "{versions:?}");
    }
}

/// Scenario: much more is sent at a time than may be under way. Guarantee: streams wait for each other and nothing is lost.
#[tokio::test]
async fn streams_wait_for_room() {
    let store = memory();
    let grpc = Grpc { host_port: String::new(), max_message_size: 1 << 20, max_in_flight_bytes: 2_000 };
    let server = Server::with(store.clone(), Versions::All, grpc).await;
    let client = server.client();
    let writes = (1..=20_u128).map(|trace| {
        let client = client.clone();
        async move {
            let spans: Vec<_> = (1..=100).map(|i| span(trace, i, "a")).collect();
            client.write(&batch(&spans)).await.unwrap()
        }
    });
    let written = futures::future::join_all(writes).await;
    assert!(written.iter().all(|w| w.stored == 100 && w.refused.is_empty()));
    assert_eq!((server.spans("received", ""), server.spans("stored", "")), (2000, 2000));
}

/// Scenario: a server is asked to stop while a stream is open. Guarantee: what was sent before is stored, the client is told to send
/// what follows elsewhere, and the server ends.
#[tokio::test]
async fn a_stop_ends_open_streams() {
    let store = memory();
    let server = Server::start(store.clone(), Versions::All).await;
    let stream = stream(&server).await;
    stream.spans.send(request(&span(1, 1, "a"))).unwrap();
    until_held(&store, 1, 1).await;
    server.stop.cancel();
    let status = stream.answer.await.unwrap().unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unavailable, "{status}");
    server.ended.await.unwrap();
}
