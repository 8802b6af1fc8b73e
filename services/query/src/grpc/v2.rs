//! `jaeger.api_v2.QueryService`.

use super::status::status;
use super::streamed::messages;
use super::times::{self, micros};
use futures::stream::{self, BoxStream, StreamExt};
use skua_model::TraceId;
use skua_proto::jaeger::api_v2::query_service_server::QueryService;
use skua_proto::jaeger::api_v2::{
    ArchiveTraceRequest, ArchiveTraceResponse, DependencyLink, FindTracesRequest, GetDependenciesRequest,
    GetDependenciesResponse, GetOperationsRequest, GetOperationsResponse, GetServicesRequest, GetServicesResponse,
    GetTraceRequest, Operation, SpansResponseChunk, TraceQueryParameters,
};
use skua_query::Wanted;
use skua_query::api_v2::chunks;
use skua_store::{StoreError, TraceQuery};
use tonic::{Request, Response, Status};

/// The service.
pub(super) struct V2(pub skua_query::QueryService);

type Chunks = BoxStream<'static, Result<SpansResponseChunk, Status>>;

#[tonic::async_trait]
impl QueryService for V2 {
    type GetTraceStream = Chunks;
    type FindTracesStream = Chunks;

    async fn get_trace(&self, request: Request<GetTraceRequest>) -> Result<Response<Chunks>, Status> {
        let request = request.into_inner();
        let id = trace_id(&request.trace_id)?;
        const PREFIX: &str = "failed to fetch spans from the backend: ";
        let answers = self.0.answer_trace(id, request.raw_traces).await.map_err(|e| of_a_trace(PREFIX, e))?;
        Ok(Response::new(messages(answers, PREFIX, chunks)))
    }

    async fn archive_trace(&self, request: Request<ArchiveTraceRequest>) -> Result<Response<ArchiveTraceResponse>, Status> {
        const PREFIX: &str = "failed to archive trace: ";
        let id = trace_id(&request.into_inner().trace_id)?;
        if !self.0.can_archive() {
            return Err(Status::internal(format!("{PREFIX}archive span storage was not configured")));
        }
        self.0.archive(id).await.map_err(|e| of_a_trace(PREFIX, e))?;
        Ok(Response::new(ArchiveTraceResponse {}))
    }

    async fn find_traces(&self, request: Request<FindTracesRequest>) -> Result<Response<Chunks>, Status> {
        let query = request.into_inner().query.ok_or_else(|| Status::invalid_argument("missing query"))?;
        const PREFIX: &str = "failed when searching for traces: ";
        let raw = query.raw_traces;
        let Some(query) = store_query(query) else { return Ok(Response::new(stream::empty().boxed())) };
        let answers = self.0.answer(Wanted::Search(query), raw).await.map_err(|e| status(PREFIX, e))?;
        Ok(Response::new(messages(answers, PREFIX, chunks)))
    }

    async fn get_services(&self, _: Request<GetServicesRequest>) -> Result<Response<GetServicesResponse>, Status> {
        let services = self.0.services().await.map_err(|e| status("failed to fetch services: ", e))?;
        Ok(Response::new(GetServicesResponse { services }))
    }

    async fn get_operations(&self, request: Request<GetOperationsRequest>) -> Result<Response<GetOperationsResponse>, Status> {
        let GetOperationsRequest { service, span_kind } = request.into_inner();
        let operations = self.0.operations(&service, &span_kind).await.map_err(|e| status("failed to fetch operations: ", e))?;
        let mut operation_names: Vec<String> = operations.iter().map(|o| o.name.clone()).collect();
        operation_names.dedup(); // sorted by name
        let operations = operations.into_iter().map(|o| Operation { name: o.name, span_kind: o.kind }).collect();
        Ok(Response::new(GetOperationsResponse { operation_names, operations }))
    }

    async fn get_dependencies(
        &self,
        request: Request<GetDependenciesRequest>,
    ) -> Result<Response<GetDependenciesResponse>, Status> {
        let request = request.into_inner();
        let (Some(start), Some(end)) = (micros(request.start_time), micros(request.end_time)) else {
            return Err(Status::invalid_argument("StartTime and EndTime must be initialized."));
        };
        let links = self.0.links(start, end).await.map_err(|e| status("failed to fetch dependencies: ", e))?;
        let link = |l: skua_store::DependencyLink| DependencyLink {
            parent: l.parent,
            child: l.child,
            call_count: l.call_count,
            source: l.source,
        };
        Ok(Response::new(GetDependenciesResponse { dependencies: links.into_iter().map(link).collect() }))
    }
}

/// 16 bytes, or 8 of a short id.
fn trace_id(bytes: &[u8]) -> Result<TraceId, Status> {
    let id = match *bytes {
        [] => TraceId::default(),
        [..] if bytes.len() == 8 || bytes.len() == 16 => {
            let mut id = [0; 16];
            id[16 - bytes.len()..].copy_from_slice(bytes);
            TraceId(id)
        }
        // Jaeger's server fails while it decodes.
        _ => return Err(Status::internal("grpc: failed to unmarshal the received message: invalid length for TraceID")),
    };
    if id.is_zero() { Err(Status::invalid_argument("uninitialized TraceID is not allowed")) } else { Ok(id) }
}

fn of_a_trace(prefix: &str, e: StoreError) -> Status {
    status(if e.kind == skua_store::ErrorKind::NotFound { "trace not found: " } else { prefix }, e)
}

/// As it is given; without a time there is no bound. `None` when no span can match.
fn store_query(query: TraceQueryParameters) -> Option<TraceQuery> {
    let (duration_min, duration_max) = times::durations(query.duration_min, query.duration_max)?;
    let mut tags: Vec<(String, String)> = query.tags.into_iter().collect();
    tags.sort();
    Some(TraceQuery {
        service: query.service_name,
        operation: query.operation_name,
        tags,
        start_min: micros(query.start_time_min).unwrap_or(0),
        start_max: micros(query.start_time_max).unwrap_or(times::LAST),
        duration_min,
        duration_max,
        limit: query.search_depth,
    })
}
