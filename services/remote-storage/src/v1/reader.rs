//! `SpanReaderPlugin`.

use crate::answer::{status, unreadable};
use crate::chunks::Chunks;
use crate::query;
use crate::service::{Call, Methods};
use bytes::Bytes;
use futures::stream::{self, Stream};
use prost::Message;
use skua_proto::jaeger::storage::PARTIAL;
use skua_proto::jaeger::storage::v1::{
    FindTraceIDsRequest, FindTraceIDsResponse, FindTracesRequest, GetOperationsRequest, GetOperationsResponse,
    GetServicesRequest, GetServicesResponse, GetTraceRequest, Operation,
};
use skua_store::SpanReader;
use std::sync::Arc;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Response, Status, body::Body};

/// The service.
#[derive(Clone)]
pub(crate) struct Reader(pub Arc<dyn SpanReader>);

impl Methods for Reader {
    const SERVICE: &'static str = "jaeger.storage.v1.SpanReaderPlugin";

    async fn call(self, method: &str, call: Call) -> http::Response<Body> {
        match method {
            "GetTrace" => call.answers(|request| self.clone().trace(request)).await,
            "FindTraces" => call.answers(|request| self.clone().find(request)).await,
            "FindTraceIDs" => call.unary(|request| self.clone().find_ids(request)).await,
            "GetServices" => call.unary(|request| self.clone().services(request)).await,
            "GetOperations" => call.unary(|request| self.clone().operations(request)).await,
            _ => call.unknown(),
        }
    }
}

fn read<M: Message + Default>(request: Bytes, name: &str) -> Result<M, Status> {
    M::decode(request).map_err(|e| unreadable(name, &e))
}

fn written(answer: &impl Message) -> Bytes {
    answer.encode_to_vec().into()
}

impl Reader {
    /// The whole trace, whatever times the request has: they are there to help stores that are cut by time.
    async fn trace(self, request: Bytes) -> Result<Response<impl Stream<Item = Result<Bytes, Status>> + use<>>, Status> {
        let GetTraceRequest { trace_id, .. } = read(request, "GetTraceRequest")?;
        let trace = self.0.trace(query::trace_id(&trace_id)?).await.map_err(|e| status(&e))?;
        Ok(Response::new(stream::iter(Chunks::new(vec![trace]).map(Ok))))
    }

    async fn find(self, request: Bytes) -> Result<Response<impl Stream<Item = Result<Bytes, Status>> + use<>>, Status> {
        let FindTracesRequest { query } = read(request, "FindTracesRequest")?;
        let found = self.0.find(&query::of_v1(query)?).await.map_err(|e| status(&e))?;
        let mut answer = Response::new(stream::iter(Chunks::new(found.traces).map(Ok)));
        put_partial(answer.metadata_mut(), &found.partial);
        Ok(answer)
    }

    async fn find_ids(self, request: Bytes) -> Result<Bytes, Status> {
        let FindTraceIDsRequest { query } = read(request, "FindTraceIDsRequest")?;
        let found = self.0.find(&query::of_v1(query)?).await.map_err(|e| status(&e))?;
        let ids = found.traces.iter().filter_map(|t| t.spans.first()).map(|s| s.trace_id.0.to_vec());
        Ok(written(&FindTraceIDsResponse { trace_ids: ids.collect() }))
    }

    async fn services(self, request: Bytes) -> Result<Bytes, Status> {
        let GetServicesRequest {} = read(request, "GetServicesRequest")?;
        let services = self.0.services().await.map_err(|e| status(&e))?;
        Ok(written(&GetServicesResponse { services }))
    }

    async fn operations(self, request: Bytes) -> Result<Bytes, Status> {
        let GetOperationsRequest { service, span_kind } = read(request, "GetOperationsRequest")?;
        let operations = self.0.operations(&service, &span_kind).await.map_err(|e| status(&e))?;
        let mut operation_names: Vec<String> = operations.iter().map(|o| o.name.clone()).collect();
        operation_names.dedup();
        let operations = operations.into_iter().map(|o| Operation { name: o.name, span_kind: o.kind }).collect();
        Ok(written(&GetOperationsResponse { operation_names, operations }))
    }
}

/// Reasons that are sent along, and characters of each: what an HTTP/2 header has room for.
const REASONS: usize = 8;
const REASON: usize = 500;

/// Says why an answer is not complete.
pub(crate) fn put_partial(metadata: &mut MetadataMap, reasons: &[String]) {
    for reason in reasons.iter().take(REASONS) {
        let reason: String = reason.chars().take(REASON).collect();
        metadata.append_bin(PARTIAL, MetadataValue::from_bytes(reason.as_bytes()));
    }
}
