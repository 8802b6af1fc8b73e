//! What a probe and a client that knows nothing learn.

use crate::given::{Server, memory};
use bytes::Bytes;
use futures::stream;
use http::uri::PathAndQuery;
use skua_model::wire::put_bytes;
use skua_proto::Raw;
use skua_remote_storage::Versions;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};

/// All that is served.
const SERVICES: [&str; 8] = [
    "jaeger.storage.v1.SpanWriterPlugin",
    "jaeger.storage.v1.StreamingSpanWriterPlugin",
    "jaeger.storage.v1.SpanReaderPlugin",
    "jaeger.storage.v1.DependenciesReaderPlugin",
    "jaeger.storage.v1.PluginCapabilities",
    "jaeger.storage.v2.TraceReader",
    "jaeger.storage.v2.DependencyReader",
    "opentelemetry.proto.collector.trace.v1.TraceService",
];

async fn grpc(server: &Server) -> Grpc<Channel> {
    let channel = Endpoint::from_shared(format!("http://{}", server.address)).unwrap().connect().await.unwrap();
    let mut grpc = Grpc::new(channel);
    grpc.ready().await.unwrap();
    grpc
}

/// Guarantees: each service is healthy by its name and the server by none, and reflection names all of them in both of its versions.
#[tokio::test]
async fn all_services_are_healthy_and_can_be_listed() {
    let server = Server::start(memory(), Versions::All).await;
    let mut grpc = grpc(&server).await;
    for service in SERVICES.into_iter().chain([""]) {
        let mut request = Vec::new();
        put_bytes(&mut request, 1, service.as_bytes());
        let path = PathAndQuery::from_static("/grpc.health.v1.Health/Check");
        let answer = grpc.unary(tonic::Request::new(Bytes::from(request)), path, Raw::STREAMS).await.unwrap().into_inner();
        assert_eq!(&answer[..], [0x08, 1], "{service} is serving");
        grpc.ready().await.unwrap();
    }
    for path in [
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    ] {
        let list_services = Bytes::from_static(b"\x3a\x00");
        let request = tonic::Request::new(stream::iter([list_services]));
        let answer = grpc.streaming(request, PathAndQuery::from_static(path), Raw::STREAMS).await.unwrap();
        let listed = answer.into_inner().message().await.unwrap().unwrap();
        let listed = String::from_utf8_lossy(&listed).into_owned();
        assert!(SERVICES.iter().all(|service| listed.contains(service)), "{path}: {listed}");
        grpc.ready().await.unwrap();
    }
}

/// Scenario: a method that there is not. Guarantee: UNIMPLEMENTED, by which a client knows what the server speaks.
#[tokio::test]
async fn an_unknown_method_is_said_to_be_so() {
    let server = Server::start(memory(), Versions::V1).await;
    for path in ["/jaeger.storage.v1.SpanReaderPlugin/Get", "/jaeger.storage.v2.TraceReader/GetServices"] {
        let request = tonic::Request::new(Bytes::new());
        let status = grpc(&server).await.unary(request, PathAndQuery::from_static(path), Raw::STREAMS).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::Unimplemented, "{path}: {status}");
    }
}
