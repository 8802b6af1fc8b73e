//! What both ports share: health, reflection, bounds, and how they end.

use super::*;
use prost_types::FileDescriptorProto;
use skua_proto::jaeger::api_v2::GetServicesRequest;
use skua_proto::jaeger::api_v2::query_service_client::QueryServiceClient;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

const NAMES: [&str; 4] =
    ["", "jaeger.api_v2.QueryService", "jaeger.api_v2.metrics.MetricsQueryService", "jaeger.api_v3.QueryService"];

fn of(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

/// Guarantee: the names that Jaeger serves are serving, others are not known.
#[tokio::test]
async fn health() {
    let server = serving(shop_and_bank()).await;
    for channel in server.clients().await {
        let mut client = HealthClient::new(channel);
        for name in NAMES {
            assert_eq!(client.check(of(name)).await.unwrap().into_inner().status(), ServingStatus::Serving, "{name}");
        }
        assert_eq!(client.check(of("nobody")).await.unwrap_err().code(), Code::NotFound);
    }
    server.end().await;
}

/// Scenario: clients watch the health on both ports, and the server is asked to stop. Guarantees: they are told that it does not serve
/// any more, and they do not hold it up.
#[tokio::test]
async fn who_watches_is_told_of_the_stop() {
    let server = serving(shop_and_bank()).await;
    let mut watched = Vec::new();
    for channel in server.clients().await {
        let mut watch = HealthClient::new(channel).watch(of(NAMES[1])).await.unwrap().into_inner();
        assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
        watched.push(watch);
    }
    server.end().await;
    for mut watch in watched {
        assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
        assert!(watch.message().await.unwrap().is_none());
    }
}

/// Asks one version of the reflection service for the list of services and for two symbols; gives the names and the files.
macro_rules! reflect {
    ($version:ident, $channel:expr) => {{
        use tonic_reflection::pb::$version::ServerReflectionRequest;
        use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
        use tonic_reflection::pb::$version::server_reflection_request::MessageRequest::*;
        use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;
        let ask = |message| ServerReflectionRequest { host: String::new(), message_request: Some(message) };
        let symbols = ["jaeger.api_v3.QueryService", "grpc.reflection.v1.ServerReflection"];
        let symbols = symbols.map(|symbol| ask(FileContainingSymbol(symbol.to_owned())));
        let requests = [ask(ListServices(String::new()))].into_iter().chain(symbols);
        let requests = futures::stream::iter(requests.collect::<Vec<_>>());
        let mut answers = ServerReflectionClient::new($channel).server_reflection_info(requests).await.unwrap().into_inner();
        let (mut names, mut files) = (Vec::new(), Vec::new());
        while let Some(answer) = answers.message().await.unwrap() {
            match answer.message_response.unwrap() {
                MessageResponse::ListServicesResponse(list) => names.extend(list.service.into_iter().map(|s| s.name)),
                MessageResponse::FileDescriptorResponse(file) => files.extend(file.file_descriptor_proto),
                other => panic!("{other:?}"),
            }
        }
        (names, files)
    }};
}

/// Guarantee: both versions of reflection list what is served, no more, and describe it.
#[tokio::test]
async fn reflection() {
    let server = serving(shop_and_bank()).await;
    for channel in server.clients().await {
        let listed = [
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection",
            "jaeger.api_v2.QueryService",
            "jaeger.api_v3.QueryService",
        ];
        for (names, files) in [reflect!(v1, channel.clone()), reflect!(v1alpha, channel.clone())] {
            assert_eq!(names, listed);
            let files: Vec<_> = files.iter().map(|f| FileDescriptorProto::decode(&f[..]).unwrap()).collect();
            assert_eq!(files.iter().map(|f| f.service[0].name()).collect::<Vec<_>>(), ["QueryService", "ServerReflection"]);
            assert_eq!(files[0].dependency[2], "opentelemetry/proto/trace/v1/trace.proto");
        }
    }
    server.end().await;
}

/// Guarantees: an unknown method and an unknown service are UNIMPLEMENTED, a request that is too large is refused for good.
#[tokio::test]
async fn what_is_not_served() {
    let server = serving(shop_and_bank()).await;
    for channel in server.clients().await {
        for (path, text) in [
            ("/jaeger.api_v2.QueryService/Nothing", "unknown method Nothing for service jaeger.api_v2.QueryService"),
            ("/nobody.Nobody/Nothing", "unknown service nobody.Nobody"),
            ("/base/api/services", "unknown service base/api"),
            ("/services", "malformed method name: \"/services\""),
        ] {
            let mut client = tonic::client::Grpc::new(channel.clone());
            client.ready().await.unwrap();
            let codec = tonic_prost::ProstCodec::<GetServicesRequest, GetServicesRequest>::new();
            let path = http::uri::PathAndQuery::from_static(path);
            let answer = client.unary(tonic::Request::new(GetServicesRequest {}), path, codec).await;
            let status = answer.unwrap_err();
            assert_eq!((status.code(), status.message()), (Code::Unimplemented, text));
        }
        use skua_proto::jaeger::api_v2::GetOperationsRequest;
        let request = GetOperationsRequest { service: "x".repeat(5 << 20), span_kind: String::new() };
        let status = QueryServiceClient::new(channel).get_operations(request).await.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    }
    server.end().await;
}

/// Sends text on a connection of its own and reads all that comes.
async fn answer_to(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// Scenario: HTTP/1.1 with several content types on the port of HTTP. Guarantees: only gRPC's is taken for gRPC, which is told what it
/// needs; the API works as before.
#[tokio::test]
async fn the_content_type_decides() {
    let server = serving(shop_and_bank()).await;
    for (content_type, status) in [
        ("application/grpc", "505"),
        ("application/grpc+proto", "505"),
        ("application/grpc;x=y", "505"),
        ("application/grpc-web", "200"),
        ("application/json", "200"),
        ("", "200"),
    ] {
        let request = "GET /base/api/services HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: ";
        let answer = answer_to(server.http, &format!("{request}{content_type}\r\n\r\n")).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{content_type}: {answer}");
        assert_eq!(answer.contains("gRPC needs HTTP/2"), status == "505", "{answer}");
        assert_eq!(answer.contains(r#""data":["bank","shop"]"#), status == "200", "{answer}");
    }
    server.end().await;
}

/// Scenario: the flag of the gRPC port is empty. Guarantee: gRPC is served on the other one.
#[tokio::test]
async fn without_a_port_of_its_own() {
    let config = Config {
        http_server: HttpServer { host_port: "127.0.0.1:0".to_owned() },
        grpc_server: GrpcServer { host_port: String::new() },
        base_path: "/".to_owned(),
        additional_headers: Vec::new(),
        ..crate::tests::config("/", &[])
    };
    let listeners = Listeners::bind(&config).unwrap();
    assert_eq!(listeners.grpc_address(), None);
    let (http, stop) = (listeners.http.local_addr().unwrap(), CancellationToken::new());
    let stores = stores(filled(shop_and_bank()).await, None);
    let ended = tokio::spawn(crate::run(crate::tests::parts(config, stores, listeners), stop.clone()));
    let services = QueryServiceClient::new(connect(http).await).get_services(GetServicesRequest {}).await;
    assert_eq!(services.unwrap().into_inner().services, ["bank", "shop"]);
    stop.cancel();
    ended.await.unwrap().unwrap();
}
