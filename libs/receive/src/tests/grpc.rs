use super::*;
use crate::grpc::{self, Limits, Otlp, Unary};
use skua_codec::sampling::put_request;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

async fn call(intake: Arc<Told>, max_message_size: usize, body: Vec<u8>, encoding: Option<&str>) -> (HeaderMap, Bytes) {
    let mut framed = vec![u8::from(encoding.is_some())];
    framed.extend((body.len() as u32).to_be_bytes());
    framed.extend(body);
    let mut request =
        Request::post("/opentelemetry.proto.collector.trace.v1.TraceService/Export").header("content-type", "application/grpc");
    if let Some(encoding) = encoding {
        request = request.header("grpc-encoding", encoding);
    }
    let body = tonic::body::Body::new(http_body_util::Full::new(Bytes::from(framed)));
    let service = Unary { handler: Otlp(intake), max_message_size };
    let response = service.oneshot(request.body(body).unwrap()).await.unwrap();
    let (mut parts, body) = response.into_parts();
    let collected = body.collect().await.unwrap();
    parts.headers.extend(collected.trailers().cloned().unwrap_or_default());
    (parts.headers, collected.to_bytes())
}

#[tokio::test]
async fn grpc_hands_on_the_message_as_it_came() {
    let all = takes_all();
    let (headers, body) = call(all.clone(), 100, b"abc".to_vec(), None).await;
    assert_eq!((&headers["grpc-status"], &body[..]), (&"0".parse().unwrap(), &[0; 5][..]));
    let (headers, _) = call(all.clone(), 100, gzip(b"abc"), Some("gzip")).await;
    assert_eq!(headers["grpc-status"], "0");
    assert!(all.given().iter().all(|(b, f)| b == "abc" && *f == Format::OtlpProto));
}

#[tokio::test]
async fn grpc_reports_partial_success() {
    let some = told(Ok(Accepted { refused: 2, why: "2 spans refused".into() }));
    let (_, body) = call(some, 100, vec![], None).await;
    assert_eq!(&body[5..], b"\x0a\x13\x08\x02\x12\x0f2 spans refused");
}

#[tokio::test]
async fn grpc_tells_a_sender_to_come_again_later() {
    let (headers, _) = call(told(Err(full())), 100, vec![], None).await;
    assert_eq!(headers["grpc-status"], "8");
    let details = headers["grpc-status-details-bin"].as_bytes();
    assert!(!details.is_empty(), "RetryInfo is in the details");
}

#[tokio::test]
async fn grpc_bounds_messages_before_and_after_decompression() {
    let all = takes_all();
    for (body, encoding) in [(vec![0; 101], None), (gzip(&[0; 100_000]), Some("gzip"))] {
        let (headers, _) = call(all.clone(), 100, body, encoding).await;
        assert_eq!(headers["grpc-status"], "8", "as Go's servers; OUT_OF_RANGE would be sent again and again");
        assert!(!headers.contains_key("grpc-status-details-bin"), "without RetryInfo it is final");
    }
    assert!(all.given().is_empty());
}

async fn connect<R: Send + 'static>(server: &Running<R>) -> Channel {
    Endpoint::from_shared(server.url("")).unwrap().connect().await.unwrap()
}

/// Calls a method with a message in bytes.
async fn ask(channel: &Channel, path: &'static str, message: impl Into<Bytes>) -> Result<Bytes, Status> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let path = ::http::uri::PathAndQuery::from_static(path);
    client.unary(tonic::Request::new(message.into()), path, skua_proto::Raw::LONG_REQUESTS).await.map(tonic::Response::into_inner)
}

const NAMES: [&str; 2] = ["jaeger.api_v2.CollectorService", "jaeger.api_v2.SamplingManager"];

/// Scenario: a client of Jaeger's gRPC port sends spans, asks for its sampling strategy, and asks for the port's health.
/// Guarantee: all three are served there, with the codes of Go's server when something is wrong.
#[tokio::test]
async fn jaegers_port_serves_spans_and_strategies() {
    let all = takes_all();
    let intake = all.clone();
    let serve = |listener, stop| grpc::serve_jaeger(listener, Limits::default(), intake, Arc::new(Known), stop);
    let server = Running::start(serve).await;
    let channel = connect(&server).await;
    assert_eq!(ask(&channel, "/jaeger.api_v2.CollectorService/PostSpans", "spans").await.unwrap(), "");
    assert_eq!(all.given(), [("spans".into(), Format::JaegerProto)]);

    const STRATEGY: &str = "/jaeger.api_v2.SamplingManager/GetSamplingStrategy";
    let answer = ask(&channel, STRATEGY, put_request("limited")).await.unwrap();
    assert_eq!(&answer[..], b"\x08\x01\x1a\x02\x08\x05", "strategyType 1, maxTracesPerSecond 5");
    let status = ask(&channel, STRATEGY, put_request("away")).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unknown, "no strategies to be had"));
    assert_eq!(ask(&channel, STRATEGY, "\x0a").await.unwrap_err().code(), Code::Internal);
    let unknown = ask(&channel, "/jaeger.api_v2.SamplingManager/Other", "").await.unwrap_err();
    assert_eq!(unknown.code(), Code::Unimplemented);

    for name in NAMES {
        let answer = ask(&channel, "/grpc.health.v1.Health/Check", put_request(name)).await.unwrap();
        assert_eq!(&answer[..], b"\x08\x01", "{name} is SERVING");
    }
    drop(channel);
    server.end().await.unwrap();
}

/// Scenario: a listener with room for one connection, and a second client. Guarantee: the second one is served when the first
/// one is gone, and it is counted that it had to wait.
#[tokio::test]
async fn connections_are_bounded() {
    let limits = Limits { max_connections: 1, ..Limits::default() };
    let (waited, intake) = (limits.waited.clone(), takes_all());
    let server = Running::start(|listener, stop| grpc::serve_otlp(listener, limits, intake, stop)).await;
    const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    let first = connect(&server).await;
    ask(&first, EXPORT, "").await.unwrap();
    let second = connect(&server).await;
    let answer = tokio::spawn(async move { ask(&second, EXPORT, "").await });
    while waited.get() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(!answer.is_finished());
    drop(first);
    answer.await.unwrap().unwrap();
    server.end().await.unwrap();
}

/// Scenario: somebody connects and says nothing. Guarantee: the connection does not stay.
#[tokio::test]
async fn a_silent_connection_is_closed() {
    use tokio::io::AsyncReadExt;
    let server = Running::start(|listener, stop| grpc::serve_otlp(listener, Limits::default(), takes_all(), stop)).await;
    let mut silent = tokio::net::TcpStream::connect(server.address).await.unwrap();
    tokio::time::pause(); // and so the clock leaps as soon as nobody has anything to do
    let mut settings = Vec::new();
    drop(silent.read_to_end(&mut settings).await); // which the server sends at once, and then a close or a reset
    server.end().await.unwrap();
}
