//! Version 1 of the API, `jaeger.storage.v1`: spans in Jaeger's model.

use crate::call::{Caller, Method, ReadError, partial};
use crate::times;
use crate::traces::Traces;
use bytes::Bytes;
use skua_codec::jaeger::{JaegerError, decode, encode};
use skua_model::wire::put_bytes;
use skua_model::{SpanBatch, TraceId};
use skua_proto::jaeger::storage::v1::{
    FindTracesRequest, GetDependenciesRequest, GetDependenciesResponse, GetOperationsRequest, GetOperationsResponse,
    GetServicesRequest, GetServicesResponse, GetTraceRequest, TraceQueryParameters, WriteSpanResponse,
};
use skua_store::dependencies::{DEFAULT_SOURCE, DependencyLink};
use skua_store::{Operation, StoreError, TraceQuery};
use std::ops::ControlFlow;

const WRITE: Method = Method("/jaeger.storage.v1.SpanWriterPlugin/WriteSpan");
const WRITE_STREAM: Method = Method("/jaeger.storage.v1.StreamingSpanWriterPlugin/WriteSpanStream");
const SERVICES: Method = Method("/jaeger.storage.v1.SpanReaderPlugin/GetServices");
const OPERATIONS: Method = Method("/jaeger.storage.v1.SpanReaderPlugin/GetOperations");
const TRACE: Method = Method("/jaeger.storage.v1.SpanReaderPlugin/GetTrace");
const FIND: Method = Method("/jaeger.storage.v1.SpanReaderPlugin/FindTraces");
const DEPENDENCIES: Method = Method("/jaeger.storage.v1.DependenciesReaderPlugin/GetDependencies");

/// All spans as one stream, a message a span. They are stored when the server has answered.
pub(crate) async fn write_stream(caller: &Caller, batch: &SpanBatch) -> Result<(), StoreError> {
    let requests = Requests::new(batch).all();
    caller.send_all::<WriteSpanResponse>(WRITE_STREAM, requests).await.map(drop)
}

/// One span. `span` is its place in the batch.
pub(crate) async fn write_one(caller: &Caller, batch: &SpanBatch, span: usize) -> Result<(), StoreError> {
    let mut requests = Requests::new(batch);
    requests.write(span);
    caller.send::<WriteSpanResponse>(WRITE, requests.buffer.into()).await.map(drop)
}

/// `WriteSpanRequest`s of a batch's spans, written one after the other.
struct Requests<'a> {
    batch: &'a SpanBatch,
    buffer: Vec<u8>,
    span: Vec<u8>,
    process: (u32, Vec<u8>),
}

impl<'a> Requests<'a> {
    fn new(batch: &'a SpanBatch) -> Self {
        Self { batch, buffer: Vec::new(), span: Vec::new(), process: (u32::MAX, Vec::new()) }
    }

    fn write(&mut self, span: usize) {
        let entry = &self.batch.spans()[span];
        let resource = self.batch.resource_of(entry);
        if self.process.0 != resource {
            self.process.1.clear();
            encode::put_process(&mut self.process.1, &self.batch.process(resource));
            self.process.0 = resource;
        }
        self.span.clear();
        encode::put_span(&mut self.span, &self.batch.view(entry), &self.process.1);
        put_bytes(&mut self.buffer, 1, &self.span);
    }

    /// Slices of one buffer.
    fn all(mut self) -> Vec<Bytes> {
        self.buffer.reserve(self.batch.bytes().len() + self.batch.bytes().len() / 2);
        let ends: Vec<usize> = (0..self.batch.len())
            .map(|span| {
                self.write(span);
                self.buffer.len()
            })
            .collect();
        let all = Bytes::from(self.buffer);
        let mut from = 0;
        ends.into_iter().map(|end| all.slice(std::mem::replace(&mut from, end)..end)).collect()
    }
}

pub(crate) async fn services(caller: &Caller) -> Result<Vec<String>, StoreError> {
    let answer: GetServicesResponse = caller.unary(SERVICES, &GetServicesRequest {}).await?;
    Ok(answer.services)
}

pub(crate) async fn operations(caller: &Caller, service: &str, kind: &str) -> Result<Vec<Operation>, StoreError> {
    let request = GetOperationsRequest { service: service.to_owned(), span_kind: kind.to_owned() };
    let answer: GetOperationsResponse = caller.unary(OPERATIONS, &request).await?;
    let operations = answer.operations.into_iter().map(|o| Operation { name: o.name, kind: o.span_kind });
    let mut operations: Vec<Operation> = operations.collect();
    if operations.is_empty() {
        // Servers of Jaeger before 1.20.
        let names = answer.operation_names.into_iter();
        operations.extend(names.map(|name| Operation { name, kind: String::new() }));
    }
    Ok(operations)
}

pub(crate) async fn trace(caller: &Caller, id: TraceId) -> Result<Traces, StoreError> {
    let request = GetTraceRequest { trace_id: id.0.to_vec(), start_time: None, end_time: None };
    let mut traces = Traces::new(caller.max_answer);
    caller.read(TRACE, &request, |chunk| add(&mut traces, &chunk)).await?;
    Ok(traces)
}

/// The traces, and why they are not all.
pub(crate) async fn find(caller: &Caller, query: &TraceQuery) -> Result<(Traces, Vec<String>), StoreError> {
    let request = FindTracesRequest {
        query: Some(TraceQueryParameters {
            service_name: query.service.clone(),
            operation_name: query.operation.clone(),
            tags: query.tags.iter().cloned().collect(),
            start_time_min: Some(times::from(query.start_min)),
            start_time_max: Some(times::to(query.start_max)),
            duration_min: times::at_least(query.duration_min),
            duration_max: times::at_most(query.duration_max),
            num_traces: query.limit,
        }),
    };
    let mut traces = Traces::new(caller.max_answer);
    let metadata = caller.read(FIND, &request, |chunk| add(&mut traces, &chunk)).await?;
    Ok((traces, partial(&metadata)))
}

/// Adds the spans of a `SpansResponseChunk`.
fn add(traces: &mut Traces, chunk: &Bytes) -> Result<ControlFlow<()>, ReadError> {
    let flow = traces.room(chunk);
    if flow.is_continue() {
        let mut otlp = Vec::with_capacity(chunk.len() + chunk.len() / 4);
        decode::spans(chunk, &mut otlp)?;
        traces.add(&SpanBatch::parse(otlp).map_err(JaegerError::from)?);
    }
    Ok(flow)
}

pub(crate) async fn dependencies(caller: &Caller, start: u64, end: u64) -> Result<Vec<DependencyLink>, StoreError> {
    let request = GetDependenciesRequest { start_time: Some(times::from(start)), end_time: Some(times::from(end)) };
    let answer: GetDependenciesResponse = caller.unary(DEPENDENCIES, &request).await?;
    let link = |l: skua_proto::jaeger::api_v2::DependencyLink| DependencyLink {
        parent: l.parent,
        child: l.child,
        call_count: l.call_count,
        source: if l.source.is_empty() { DEFAULT_SOURCE.to_owned() } else { l.source },
    };
    Ok(answer.dependencies.into_iter().map(link).collect())
}
