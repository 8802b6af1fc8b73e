//! `jaeger.api_v3.QueryService`.

use super::*;
use prost_types::Timestamp;
use skua_proto::jaeger::api_v3::query_service_client::QueryServiceClient;
use skua_proto::jaeger::api_v3::{Dependency, GetDependenciesRequest, GetOperationsRequest, GetServicesRequest};
use skua_store::DependencyWriter;
use tonic::{Code, Status};

type Client = QueryServiceClient<Channel>;

fn seconds(seconds: u64) -> Option<Timestamp> {
    Some(Timestamp { seconds: i64::try_from(seconds).unwrap(), nanos: 0 })
}

fn error<T>(answer: Result<T, Status>) -> (Code, String) {
    let status = answer.err().unwrap();
    (status.code(), status.message().to_owned())
}

/// Guarantee: services and operations, of one kind or of all.
#[tokio::test]
async fn services_and_operations() {
    let server = serving(shop_and_bank()).await;
    for channel in server.clients().await {
        let mut client = Client::new(channel);
        assert_eq!(client.get_services(GetServicesRequest {}).await.unwrap().into_inner().services, ["bank", "shop"]);
        for (service, span_kind, names) in [
            ("bank", "", &["audit", "charge"][..]),
            ("bank", "server", &["audit", "charge"]),
            ("bank", "client", &[]),
            ("nobody", "", &[]),
        ] {
            let request = GetOperationsRequest { service: service.to_owned(), span_kind: span_kind.to_owned() };
            let operations = client.get_operations(request).await.unwrap().into_inner().operations;
            assert!(operations.iter().all(|o| o.span_kind == "server"));
            assert_eq!(operations.iter().map(|o| &o.name[..]).collect::<Vec<_>>(), names, "{service} {span_kind}");
        }
    }
    server.end().await;
}

/// Guarantee: links added up over times, and the words of Jaeger 2.20 when a time is missing.
#[tokio::test]
async fn dependencies() {
    let store = filled(shop_and_bank()).await;
    let link = |call_count| skua_store::DependencyLink {
        parent: "x".to_owned(),
        child: "y".to_owned(),
        call_count,
        source: String::new(),
    };
    store.write_dependencies(5_000_000, &[link(1)]).await.unwrap();
    store.write_dependencies(6_000_000, &[link(2)]).await.unwrap();
    let server = Server::over(stores(store, None));
    let mut client = Client::new(server.client().await);
    let request = GetDependenciesRequest { start_time: seconds(5), end_time: seconds(7) };
    let answer = client.get_dependencies(request).await.unwrap().into_inner();
    assert_eq!(answer.dependencies, [Dependency { parent: "x".to_owned(), child: "y".to_owned(), call_count: 3 }]);
    for (start_time, end_time, text) in [
        (None, None, "start_time is required"),
        (None, seconds(1), "start_time is required"),
        (seconds(1), None, "end_time is required"),
        (seconds(1), seconds(1), "end_time must be after start_time"),
        (seconds(2), seconds(1), "end_time must be after start_time"),
    ] {
        let answer = client.get_dependencies(GetDependenciesRequest { start_time, end_time }).await;
        assert_eq!(error(answer), (Code::InvalidArgument, text.to_owned()));
    }
    server.end().await;
}
