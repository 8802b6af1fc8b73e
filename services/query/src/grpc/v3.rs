//! `jaeger.api_v3.QueryService`: data in OTLP, as of Jaeger 2.20.

use super::status::status;
use super::times::micros;
use futures::stream::BoxStream;
use skua_proto::jaeger::api_v3::query_service_server::QueryService;
use skua_proto::jaeger::api_v3::{
    DependenciesResponse, Dependency, FindTraceSummariesRequest, FindTraceSummariesResponse, FindTracesRequest,
    GetDependenciesRequest, GetOperationsRequest, GetOperationsResponse, GetServicesRequest, GetServicesResponse,
    GetTraceRequest, Operation,
};
use skua_proto::otlp::trace::v1::TracesData;
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

    async fn get_trace(&self, _: Request<GetTraceRequest>) -> Result<Response<Traces>, Status> {
        Err(later("traces"))
    }

    async fn find_traces(&self, _: Request<FindTracesRequest>) -> Result<Response<Traces>, Status> {
        Err(later("traces"))
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

    async fn find_trace_summaries(&self, _: Request<FindTraceSummariesRequest>) -> Result<Response<Summaries>, Status> {
        Err(later("summaries of traces"))
    }
}

fn later(what: &str) -> Status {
    Status::unimplemented(format!("{what} in OTLP are not supported by this version of Skua; use jaeger.api_v2.QueryService"))
}
