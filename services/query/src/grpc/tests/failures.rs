//! Stores that fail, that answer in part, and that take for ever.

use super::*;
use async_trait::async_trait;
use prost_types::Timestamp;
use skua_model::{Trace, TraceId};
use skua_proto::jaeger::api_v2::query_service_client::QueryServiceClient;
use skua_proto::jaeger::api_v2::{self, FindTracesRequest, GetTraceRequest, TraceQueryParameters};
use skua_proto::jaeger::api_v3;
use skua_proto::jaeger::api_v3::query_service_client::QueryServiceClient as ClientV3;
use skua_store::{DependencyLink, ErrorKind, Found, Operation, StoreError, TraceQuery};
use tokio::sync::mpsc;
use tonic::{Code, Status};

/// Fails each call with one kind of error, or answers in part.
struct Failing(Option<(ErrorKind, Option<Duration>)>);

impl Failing {
    fn error<T>(&self, otherwise: T) -> Result<T, StoreError> {
        let Some((kind, retry_after)) = self.0 else { return Ok(otherwise) };
        Err(StoreError { retry_after, ..StoreError::new(kind, "es-1:9200 says no").caused_by("the cause") })
    }
}

#[async_trait]
impl SpanReader for Failing {
    async fn services(&self) -> Result<Vec<String>, StoreError> {
        self.error(vec![])
    }

    async fn operations(&self, _: &str, _: &str) -> Result<Vec<Operation>, StoreError> {
        self.error(vec![])
    }

    async fn trace(&self, _: TraceId) -> Result<Trace, StoreError> {
        self.error(Trace::default())
    }

    async fn find(&self, _: &TraceQuery) -> Result<Found, StoreError> {
        let partial = (0..20).map(|i| format!("trace {i} has more than 10 spans: é{}", "x".repeat(1000)));
        self.error(Found { traces: vec![], partial: partial.collect() })
    }
}

#[async_trait]
impl DependencyReader for Failing {
    async fn dependencies(&self, _: u64, _: u64) -> Result<Vec<DependencyLink>, StoreError> {
        self.error(vec![])
    }
}

/// One call of each method of version 2, with Jaeger's words before the store's.
async fn all_of_v2(channel: Channel) -> Vec<(Option<Status>, &'static str)> {
    let mut client = QueryServiceClient::new(channel);
    let time = Some(Timestamp { seconds: 1, nanos: 0 });
    let query = Some(TraceQueryParameters::default());
    let trace = GetTraceRequest { trace_id: trace_id(1), ..GetTraceRequest::default() };
    let archive = api_v2::ArchiveTraceRequest { trace_id: trace_id(1), ..Default::default() };
    let dependencies = api_v2::GetDependenciesRequest { start_time: time, end_time: time };
    vec![
        (client.get_trace(trace).await.err(), "failed to fetch spans from the backend: "),
        (client.archive_trace(archive).await.err(), "failed to archive trace: "),
        (client.find_traces(FindTracesRequest { query }).await.err(), "failed when searching for traces: "),
        (client.get_services(api_v2::GetServicesRequest {}).await.err(), "failed to fetch services: "),
        (client.get_operations(api_v2::GetOperationsRequest::default()).await.err(), "failed to fetch operations: "),
        (client.get_dependencies(dependencies).await.err(), "failed to fetch dependencies: "),
    ]
}

/// One call of each method of version 3 that fails with its store.
async fn all_of_v3(channel: Channel) -> Vec<Option<Status>> {
    let mut client = ClientV3::new(channel);
    let time = |seconds| Some(Timestamp { seconds, nanos: 0 });
    let dependencies = api_v3::GetDependenciesRequest { start_time: time(1), end_time: time(2) };
    let id = api_v3::GetTraceRequest { trace_id: "1".to_owned(), ..Default::default() };
    let query = api_v3::TraceQueryParameters { start_time_min: time(1), start_time_max: time(2), ..Default::default() };
    let find = api_v3::FindTracesRequest { query: Some(query.clone()) };
    let summaries = api_v3::FindTraceSummariesRequest { query: Some(query) };
    vec![
        client.get_trace(id).await.err(),
        client.find_traces(find).await.err(),
        client.find_trace_summaries(summaries).await.err(),
        client.get_services(api_v3::GetServicesRequest {}).await.err(),
        client.get_operations(api_v3::GetOperationsRequest::default()).await.err(),
        client.get_dependencies(dependencies).await.err(),
    ]
}

/// Guarantee: each method tells each kind of failure by its own code, with the store's message, and when to come again.
#[tokio::test]
async fn failures_of_the_store() {
    let half = Some(Duration::from_millis(7_500));
    for (kind, retry_after, code) in [
        (ErrorKind::Internal, None, Code::Internal),
        (ErrorKind::Invalid, None, Code::InvalidArgument),
        (ErrorKind::Unsupported, None, Code::Unimplemented),
        (ErrorKind::Timeout, None, Code::DeadlineExceeded),
        (ErrorKind::Unavailable, None, Code::Unavailable),
        (ErrorKind::Overloaded, half, Code::ResourceExhausted),
        (ErrorKind::NotFound, None, Code::NotFound),
    ] {
        let server = Server::over(stores(Arc::new(Failing(Some((kind, retry_after)))), Some(memory())));
        for (method, (status, prefix)) in all_of_v2(server.client().await).await.into_iter().enumerate() {
            let status = status.unwrap();
            // A trace that the store does not have is looked for in the archive.
            let (prefix, message) = match (kind, method) {
                (ErrorKind::NotFound, 0 | 1) => ("trace not found: ", "trace not found"),
                _ => (prefix, "es-1:9200 says no"),
            };
            assert_eq!((status.code(), status.message()), (code, &format!("{prefix}{message}")[..]), "{kind:?}");
            assert_eq!(status.details().is_empty(), retry_after.is_none());
        }
        for (method, status) in all_of_v3(server.client().await).await.into_iter().enumerate() {
            if (kind, method) == (ErrorKind::NotFound, 0) {
                assert!(status.is_none(), "an answer without a trace");
                continue;
            }
            let status = status.unwrap();
            assert_eq!((status.code(), status.message()), (code, "es-1:9200 says no"), "{kind:?}");
        }
        server.end().await;
    }
}

/// Scenario: a search that lacks something, for more reasons than fit into metadata. Guarantee: a few are told, in ASCII.
#[tokio::test]
async fn a_partial_answer_says_so() {
    let server = Server::over(stores(Arc::new(Failing(None)), None));
    for channel in server.clients().await {
        let query = Some(TraceQueryParameters::default());
        let answer = QueryServiceClient::new(channel).find_traces(FindTracesRequest { query }).await.unwrap();
        let mut answer = answer.into_inner();
        assert!(answer.message().await.unwrap().is_none());
        let trailers = answer.trailers().await.unwrap().unwrap();
        let reasons: Vec<_> = trailers.get_all("skua-partial").iter().map(|v| v.to_str().unwrap()).collect();
        assert_eq!(reasons.len(), 8);
        assert!(reasons[0].starts_with("trace 0 has more than 10 spans: ?xxx") && reasons[0].len() == 256, "{}", reasons[0]);
    }
    server.end().await;
}

/// Never answers; says when a question begins and when it is given up.
struct Endless(mpsc::UnboundedSender<&'static str>);

struct GivenUp(mpsc::UnboundedSender<&'static str>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        let _ = self.0.send("given up");
    }
}

impl Endless {
    async fn never<T>(&self) -> T {
        let _ = self.0.send("asked");
        let _given_up = GivenUp(self.0.clone());
        std::future::pending().await
    }
}

#[async_trait]
impl SpanReader for Endless {
    async fn services(&self) -> Result<Vec<String>, StoreError> {
        self.never().await
    }

    async fn operations(&self, _: &str, _: &str) -> Result<Vec<Operation>, StoreError> {
        self.never().await
    }

    async fn trace(&self, _: TraceId) -> Result<Trace, StoreError> {
        self.never().await
    }

    async fn find(&self, _: &TraceQuery) -> Result<Found, StoreError> {
        self.never().await
    }
}

#[async_trait]
impl DependencyReader for Endless {
    async fn dependencies(&self, _: u64, _: u64) -> Result<Vec<DependencyLink>, StoreError> {
        self.never().await
    }
}

/// Scenario: a client goes away while its question is with the store. Guarantee: the question is given up.
#[tokio::test]
async fn who_goes_away_is_not_worked_for() {
    let (say, mut said) = mpsc::unbounded_channel();
    let server = Server::over(stores(Arc::new(Endless(say)), None));
    for channel in server.clients().await {
        let mut client = QueryServiceClient::new(channel);
        let query = Some(TraceQueryParameters::default());
        let question = tokio::spawn(async move { client.find_traces(FindTracesRequest { query }).await.map(drop) });
        assert_eq!(said.recv().await, Some("asked"));
        question.abort();
        assert_eq!(said.recv().await, Some("given up"));
    }
    server.end().await;
}
