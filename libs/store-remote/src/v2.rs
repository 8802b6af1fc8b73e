//! Version 2 of the API: `jaeger.storage.v2` for reading, `TraceService/Export` of OTLP for writing.

use crate::call::{Caller, Method, ReadError, partial};
use crate::times;
use crate::traces::Traces;
use bytes::Bytes;
use skua_model::{SpanBatch, TraceId, regroup, write_subset};
use skua_proto::jaeger::storage::v2::{
    AnyValue, FindTracesRequest, GetDependenciesRequest, GetDependenciesResponse, GetOperationsRequest, GetOperationsResponse,
    GetServicesRequest, GetServicesResponse, GetTraceParams, GetTracesRequest, KeyValue, TraceQueryParameters, any_value,
};
use skua_proto::otlp::collector::trace::v1::ExportTraceServiceResponse;
use skua_store::dependencies::{DEFAULT_SOURCE, DependencyLink};
use skua_store::{ErrorKind, Operation, StoreError, TraceQuery};
use std::ops::ControlFlow;

const EXPORT: Method = Method("/opentelemetry.proto.collector.trace.v1.TraceService/Export");
pub(crate) const SERVICES: Method = Method("/jaeger.storage.v2.TraceReader/GetServices");
const OPERATIONS: Method = Method("/jaeger.storage.v2.TraceReader/GetOperations");
const TRACES: Method = Method("/jaeger.storage.v2.TraceReader/GetTraces");
const FIND: Method = Method("/jaeger.storage.v2.TraceReader/FindTraces");
const DEPENDENCIES: Method = Method("/jaeger.storage.v2.DependencyReader/GetDependencies");

/// Bytes of one request: gRPC servers take 4 MiB when nobody has said otherwise.
const MAX_REQUEST: usize = 4_000_000;

/// All spans, in as few requests as servers take.
///
/// # Errors
/// `Invalid` when the server refused some of them: it does not say which.
pub(crate) async fn write(caller: &Caller, batch: &SpanBatch) -> Result<(), StoreError> {
    for (_, request, _) in regroup(batch, 1, MAX_REQUEST).iter() {
        export(caller, request.to_vec()).await?;
    }
    Ok(())
}

/// One span. `span` is its place in the batch.
///
/// # Errors
/// `Invalid` when the server refused it.
pub(crate) async fn write_one(caller: &Caller, batch: &SpanBatch, span: usize) -> Result<(), StoreError> {
    let mut request = Vec::new();
    write_subset(batch, &[span as u32], &mut request);
    export(caller, request).await
}

async fn export(caller: &Caller, request: Vec<u8>) -> Result<(), StoreError> {
    let answer: ExportTraceServiceResponse = caller.send(EXPORT, request.into()).await?;
    match answer.partial_success {
        Some(partial) if partial.rejected_spans > 0 => {
            let message = format!("Export of the remote storage {}: {}", caller.server, partial.error_message);
            Err(StoreError::new(ErrorKind::Invalid, message))
        }
        _ => Ok(()),
    }
}

pub(crate) async fn services(caller: &Caller) -> Result<Vec<String>, StoreError> {
    let answer: GetServicesResponse = caller.unary(SERVICES, &GetServicesRequest {}).await?;
    Ok(answer.services)
}

pub(crate) async fn operations(caller: &Caller, service: &str, kind: &str) -> Result<Vec<Operation>, StoreError> {
    let request = GetOperationsRequest { service: service.to_owned(), span_kind: kind.to_owned() };
    let answer: GetOperationsResponse = caller.unary(OPERATIONS, &request).await?;
    Ok(answer.operations.into_iter().map(|o| Operation { name: o.name, kind: o.span_kind }).collect())
}

pub(crate) async fn trace(caller: &Caller, id: TraceId) -> Result<Traces, StoreError> {
    let one = GetTraceParams { trace_id: id.0.to_vec(), start_time: None, end_time: None };
    let mut traces = Traces::new(caller.max_answer);
    caller.read(TRACES, &GetTracesRequest { query: vec![one] }, |chunk| add(&mut traces, chunk)).await?;
    Ok(traces)
}

/// The traces, and why they are not all.
pub(crate) async fn find(caller: &Caller, query: &TraceQuery) -> Result<(Traces, Vec<String>), StoreError> {
    let attribute = |(key, value): &(String, String)| KeyValue {
        key: key.clone(),
        value: Some(AnyValue { value: Some(any_value::Value::StringValue(value.clone())) }),
    };
    let request = FindTracesRequest {
        query: Some(TraceQueryParameters {
            service_name: query.service.clone(),
            operation_name: query.operation.clone(),
            attributes: query.tags.iter().map(attribute).collect(),
            start_time_min: Some(times::from(query.start_min)),
            start_time_max: Some(times::to(query.start_max)),
            duration_min: times::at_least(query.duration_min),
            duration_max: times::at_most(query.duration_max),
            search_depth: query.limit,
        }),
    };
    let mut traces = Traces::new(caller.max_answer);
    let metadata = caller.read(FIND, &request, |chunk| add(&mut traces, chunk)).await?;
    Ok((traces, partial(&metadata)))
}

/// Adds the spans of a `TracesData`.
fn add(traces: &mut Traces, chunk: Bytes) -> Result<ControlFlow<()>, ReadError> {
    let flow = traces.room(&chunk);
    if flow.is_continue() {
        traces.add(&SpanBatch::parse(chunk)?);
    }
    Ok(flow)
}

pub(crate) async fn dependencies(caller: &Caller, start: u64, end: u64) -> Result<Vec<DependencyLink>, StoreError> {
    let request = GetDependenciesRequest { start_time: Some(times::from(start)), end_time: Some(times::from(end)) };
    let answer: GetDependenciesResponse = caller.unary(DEPENDENCIES, &request).await?;
    let link = |l: skua_proto::jaeger::storage::v2::Dependency| DependencyLink {
        parent: l.parent,
        child: l.child,
        call_count: l.call_count,
        source: if l.source.is_empty() { DEFAULT_SOURCE.to_owned() } else { l.source },
    };
    Ok(answer.dependencies.into_iter().map(link).collect())
}
