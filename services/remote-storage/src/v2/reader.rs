//! `TraceReader`.

use super::pieces::Pieces;
use super::summaries;
use crate::answer::status;
use crate::query;
use crate::v1::put_partial;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use prost_types::Timestamp;
use skua_proto::jaeger::storage::v2::trace_reader_server::TraceReader;
use skua_proto::jaeger::storage::v2::{
    FindTraceIDsRequest, FindTraceIDsResponse, FindTraceSummariesRequest, FindTraceSummariesResponse, FindTracesRequest,
    FoundTraceId, GetOperationsRequest, GetOperationsResponse, GetServicesRequest, GetServicesResponse, GetTracesRequest,
    Operation,
};
use skua_proto::otlp::trace::v1::TracesData;
use skua_store::{ErrorKind, SpanReader};
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// The service.
pub(crate) struct Reader(pub Arc<dyn SpanReader>);

type Answers<T> = BoxStream<'static, Result<T, Status>>;

#[tonic::async_trait]
impl TraceReader for Reader {
    type GetTracesStream = Answers<TracesData>;
    type FindTracesStream = Answers<TracesData>;
    type FindTraceSummariesStream = Answers<FindTraceSummariesResponse>;

    /// In the order of the ids; those that nobody knows are left out. Times are not looked at: whole traces are returned.
    async fn get_traces(&self, request: Request<GetTracesRequest>) -> Result<Response<Self::GetTracesStream>, Status> {
        let ids = request.into_inner().query.into_iter().map(|one| query::trace_id(&one.trace_id));
        let ids: Vec<_> = ids.collect::<Result<_, _>>()?;
        let reader = self.0.clone();
        let traces = stream::iter(ids).then(move |id| {
            let reader = reader.clone();
            async move {
                match reader.trace(id).await {
                    Ok(trace) => Ok(Some(trace)),
                    Err(e) if e.kind == ErrorKind::NotFound => Ok(None),
                    Err(e) => Err(status(&e)),
                }
            }
        });
        let pieces = traces.map_ok(|trace| stream::iter(trace.into_iter().flat_map(Pieces::new).map(Ok))).try_flatten();
        Ok(Response::new(pieces.boxed()))
    }

    async fn find_traces(&self, request: Request<FindTracesRequest>) -> Result<Response<Self::FindTracesStream>, Status> {
        let found = self.0.find(&query::of_v2(request.into_inner().query)?).await.map_err(|e| status(&e))?;
        let pieces = stream::iter(found.traces.into_iter().flat_map(Pieces::new).map(Ok));
        let mut answer = Response::new(pieces.boxed());
        put_partial(answer.metadata_mut(), &found.partial);
        Ok(answer)
    }

    /// With the times of a trace's first start and last end.
    async fn find_trace_i_ds(&self, request: Request<FindTraceIDsRequest>) -> Result<Response<FindTraceIDsResponse>, Status> {
        let found = self.0.find(&query::of_v2(request.into_inner().query)?).await.map_err(|e| status(&e))?;
        let time = |ns: u64| Timestamp { seconds: (ns / 1_000_000_000) as i64, nanos: (ns % 1_000_000_000) as i32 };
        let ids = found.traces.iter().filter_map(|trace| {
            Some(FoundTraceId {
                trace_id: trace.spans.first()?.trace_id.0.to_vec(),
                start: trace.spans.iter().map(|s| s.start_time).min().map(time),
                end: trace.spans.iter().map(|s| s.start_time.saturating_add(s.duration)).max().map(time),
            })
        });
        Ok(Response::new(FindTraceIDsResponse { trace_ids: ids.collect() }))
    }

    async fn get_services(&self, _: Request<GetServicesRequest>) -> Result<Response<GetServicesResponse>, Status> {
        let services = self.0.services().await.map_err(|e| status(&e))?;
        Ok(Response::new(GetServicesResponse { services }))
    }

    async fn get_operations(&self, request: Request<GetOperationsRequest>) -> Result<Response<GetOperationsResponse>, Status> {
        let GetOperationsRequest { service, span_kind } = request.into_inner();
        let operations = self.0.operations(&service, &span_kind).await.map_err(|e| status(&e))?;
        let operations = operations.into_iter().map(|o| Operation { name: o.name, span_kind: o.kind });
        Ok(Response::new(GetOperationsResponse { operations: operations.collect() }))
    }

    async fn find_trace_summaries(
        &self,
        request: Request<FindTraceSummariesRequest>,
    ) -> Result<Response<Self::FindTraceSummariesStream>, Status> {
        let found = self.0.find(&query::of_v2(request.into_inner().query)?).await.map_err(|e| status(&e))?;
        let mut answer = Response::new(summaries::messages(found.traces).boxed());
        put_partial(answer.metadata_mut(), &found.partial);
        Ok(answer)
    }
}
