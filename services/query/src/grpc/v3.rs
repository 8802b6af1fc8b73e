//! `jaeger.api_v3.QueryService`: data in OTLP. Three methods are as of Jaeger 1.76's; dependencies and summaries are 2.20's.

use super::status::status;
use super::streamed::messages;
use super::summary;
use super::times::{self, micros};
use futures::stream::{self, BoxStream, StreamExt};
use skua_model::{IdError, TraceId};
use skua_proto::jaeger::api_v3::query_service_server::QueryService;
use skua_proto::jaeger::api_v3::{
    DependenciesResponse, Dependency, FindTraceSummariesRequest, FindTraceSummariesResponse, FindTracesRequest,
    GetDependenciesRequest, GetOperationsRequest, GetOperationsResponse, GetServicesRequest, GetServicesResponse,
    GetTraceRequest, Operation, TraceQueryParameters,
};
use skua_proto::otlp::trace::v1::TracesData;
use skua_query::api_v3::chunks;
use skua_query::{Answers, TraceSummary, Wanted};
use skua_store::{ErrorKind, TraceQuery};
use tonic::{Request, Response, Status};

/// The service.
pub(super) struct V3(pub skua_query::QueryService);

type Traces = BoxStream<'static, Result<TracesData, Status>>;
type Summaries = BoxStream<'static, Result<FindTraceSummariesResponse, Status>>;

#[tonic::async_trait]
impl QueryService for V3 {
    type GetTraceStream = Traces;
    type FindTracesStream = Traces;
    type FindTraceSummariesStream = Summaries;

    /// Nothing, and no error, for a trace that is not there: as in Jaeger.
    async fn get_trace(&self, request: Request<GetTraceRequest>) -> Result<Response<Traces>, Status> {
        let request = request.into_inner();
        let malformed = |e: IdError| Status::unknown(format!("malform trace ID: {e}"));
        let id: TraceId = request.trace_id.parse().map_err(malformed)?;
        match self.0.answer_trace(id, true).await {
            Ok(answers) => Ok(Response::new(self.otlp(answers, request.raw_traces))),
            Err(e) if e.kind == ErrorKind::NotFound => Ok(Response::new(stream::empty().boxed())),
            Err(e) => Err(status("", e)),
        }
    }

    async fn find_traces(&self, request: Request<FindTracesRequest>) -> Result<Response<Traces>, Status> {
        let query = request.into_inner().query.ok_or_else(missing_query)?;
        let raw = query.raw_traces;
        let found = self.found(query).await?;
        Ok(Response::new(found.map_or_else(|| stream::empty().boxed(), |answers| self.otlp(answers, raw))))
    }

    async fn get_services(&self, _: Request<GetServicesRequest>) -> Result<Response<GetServicesResponse>, Status> {
        let services = self.0.services().await.map_err(|e| status("", e))?;
        Ok(Response::new(GetServicesResponse { services }))
    }

    async fn get_operations(&self, request: Request<GetOperationsRequest>) -> Result<Response<GetOperationsResponse>, Status> {
        let GetOperationsRequest { service, span_kind } = request.into_inner();
        let operations = self.0.operations(&service, &span_kind).await.map_err(|e| status("", e))?;
        let operations = operations.into_iter().map(|o| Operation { name: o.name, span_kind: o.kind }).collect();
        Ok(Response::new(GetOperationsResponse { operations }))
    }

    async fn get_dependencies(&self, request: Request<GetDependenciesRequest>) -> Result<Response<DependenciesResponse>, Status> {
        let request = request.into_inner();
        let missing = |name: &str| Status::invalid_argument(format!("{name} is required"));
        let start = micros(request.start_time).ok_or_else(|| missing("start_time"))?;
        let end = micros(request.end_time).ok_or_else(|| missing("end_time"))?;
        if end <= start {
            return Err(Status::invalid_argument("end_time must be after start_time"));
        }
        let calls = self.0.dependencies(start, end, "").await.map_err(|e| status("", e))?;
        let dependency = |((parent, child), call_count)| Dependency { parent, child, call_count };
        Ok(Response::new(DependenciesResponse { dependencies: calls.into_iter().map(dependency).collect() }))
    }

    async fn find_trace_summaries(&self, request: Request<FindTraceSummariesRequest>) -> Result<Response<Summaries>, Status> {
        let query = request.into_inner().query.ok_or_else(missing_query)?;
        let Some(answers) = self.found(query).await? else { return Ok(Response::new(stream::empty().boxed())) };
        let query = self.0.clone();
        let message = move |trace| FindTraceSummariesResponse {
            summaries: vec![summary::message(TraceSummary::of(&query.in_otlp(trace, false)))],
        };
        Ok(Response::new(messages(answers, "", move |trace| std::iter::once(message(trace)))))
    }
}

impl V3 {
    /// Traces as they are stored; `None` when no span can match.
    async fn found(&self, query: TraceQueryParameters) -> Result<Option<Answers>, Status> {
        let Some(query) = store_query(query)? else { return Ok(None) };
        self.0.answer(Wanted::Search(query), true).await.map(Some).map_err(|e| status("", e))
    }

    /// Stored traces in OTLP.
    fn otlp(&self, answers: Answers, raw: bool) -> Traces {
        let query = self.0.clone();
        messages(answers, "", move |trace| chunks(query.in_otlp(trace, raw)).into_iter())
    }
}

fn missing_query() -> Status {
    Status::invalid_argument("missing query")
}

/// As it is given, but that both times are required. `None` when no span can match.
fn store_query(query: TraceQueryParameters) -> Result<Option<TraceQuery>, Status> {
    let (Some(start_min), Some(start_max)) = (micros(query.start_time_min), micros(query.start_time_max)) else {
        // In Jaeger 1.76 a plain error, which has this code.
        return Err(Status::unknown("start time min and max are required parameters"));
    };
    let durations = times::durations(query.duration_min, query.duration_max);
    let mut tags: Vec<(String, String)> = query.attributes.into_iter().collect();
    tags.sort();
    Ok(durations.map(|(duration_min, duration_max)| TraceQuery {
        service: query.service_name,
        operation: query.operation_name,
        tags,
        start_min,
        start_max,
        duration_min,
        duration_max,
        limit: query.search_depth,
    }))
}
