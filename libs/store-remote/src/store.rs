//! The store: both versions of the API behind the traits of a store.

use crate::call::Caller;
use crate::config::Config;
use crate::error::is_unknown_method;
use crate::protocol::{Protocol, Spoken};
use crate::{v1, v2};
use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream};
use prometheus_client::registry::Registry;
use skua_model::{SpanBatch, Trace, TraceId};
use skua_store::dependencies::{DependencyLink, DependencyReader};
use skua_store::{ErrorKind, Found, Operation, RefusedSpan, SpanReader, SpanWriter, StoreError, TraceQuery, Written};
use std::sync::Arc;

/// Calls under way at a time while the spans of a batch are written one by one.
const TOGETHER: usize = 64;

/// Writes and reads spans of a server that speaks Jaeger's storage API.
pub struct RemoteStore {
    caller: Caller,
    spoken: Spoken,
}

impl RemoteStore {
    /// Prepares a store. The server need not be up: the store connects before the first call, and again when the connection is lost.
    /// `role` is `primary` (the flags are `grpc-storage.*`) or `archive` (`grpc-storage-archive.*`).
    ///
    /// # Errors
    /// `Invalid` when the configuration names no server or a file that cannot be used.
    pub fn new(config: &Config, role: &str, registry: &mut Registry) -> Result<Arc<Self>, StoreError> {
        let group = if role == "archive" { "grpc-storage-archive" } else { "grpc-storage" };
        Ok(Arc::new(Self { caller: Caller::new(config, group, role, registry)?, spoken: Spoken::default() }))
    }

    /// Connects and finds out what the server speaks, once; at once `Ok` after that.
    ///
    /// # Errors
    /// `Unavailable` when the server cannot be reached.
    pub async fn ready(&self) -> Result<(), StoreError> {
        self.spoken.by(&self.caller).await.map(drop)
    }

    /// Another server may have taken the place of the one that was asked.
    fn known<T>(&self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        if answer.as_ref().is_err_and(is_unknown_method) {
            self.spoken.forget();
        }
        answer
    }

    /// The server refused some of these spans: each is written alone, so that none but those is refused.
    async fn write_each(&self, batch: &SpanBatch, protocol: Protocol) -> Result<Written, StoreError> {
        let each = stream::iter(0..batch.len()).map(|span| async move {
            let written = match protocol {
                Protocol::V1 { .. } => v1::write_one(&self.caller, batch, span).await,
                Protocol::V2 => v2::write_one(&self.caller, batch, span).await,
            };
            match written {
                Ok(()) => Ok(None),
                Err(e) if e.kind == ErrorKind::Invalid => {
                    Ok(Some(RefusedSpan { span: span as u32, reason: "remote", detail: e.message }))
                }
                Err(e) => Err(e),
            }
        });
        let mut refused: Vec<RefusedSpan> =
            each.buffer_unordered(TOGETHER).try_filter_map(async |refused| Ok(refused)).try_collect().await?;
        refused.sort_by_key(|r| r.span);
        Ok(Written { stored: (batch.len() - refused.len()) as u64, refused })
    }
}

#[async_trait]
impl SpanWriter for RemoteStore {
    /// Spans that the server refuses have the reason `remote`.
    async fn write(&self, batch: &SpanBatch) -> Result<Written, StoreError> {
        if batch.is_empty() {
            return Ok(Written::default());
        }
        let protocol = self.spoken.by(&self.caller).await?;
        let written = match protocol {
            Protocol::V1 { streaming: true } => v1::write_stream(&self.caller, batch).await,
            Protocol::V1 { streaming: false } => return self.known(self.write_each(batch, protocol).await),
            Protocol::V2 => v2::write(&self.caller, batch).await,
        };
        match self.known(written) {
            Ok(()) => Ok(Written::all(batch)),
            Err(e) if e.kind == ErrorKind::Invalid => self.write_each(batch, protocol).await,
            Err(e) => Err(e),
        }
    }
}

#[async_trait]
impl SpanReader for RemoteStore {
    async fn services(&self) -> Result<Vec<String>, StoreError> {
        let services = match self.spoken.by(&self.caller).await? {
            Protocol::V1 { .. } => v1::services(&self.caller).await,
            Protocol::V2 => v2::services(&self.caller).await,
        };
        let mut services = self.known(services)?;
        services.sort_unstable();
        services.dedup();
        Ok(services)
    }

    async fn operations(&self, service: &str, kind: &str) -> Result<Vec<Operation>, StoreError> {
        let operations = match self.spoken.by(&self.caller).await? {
            Protocol::V1 { .. } => v1::operations(&self.caller, service, kind).await,
            Protocol::V2 => v2::operations(&self.caller, service, kind).await,
        };
        let mut operations = self.known(operations)?;
        operations.sort_unstable();
        operations.dedup();
        Ok(operations)
    }

    async fn trace(&self, id: TraceId) -> Result<Trace, StoreError> {
        let traces = match self.spoken.by(&self.caller).await? {
            Protocol::V1 { .. } => v1::trace(&self.caller, id).await,
            Protocol::V2 => v2::trace(&self.caller, id).await,
        };
        let traces = self.known(traces)?;
        if traces.is_cut() {
            let Caller { max_answer, group, .. } = &self.caller;
            let message = format!("trace {id} is longer than {max_answer} bytes; raise --{group}.max-answer-bytes to read it");
            return Err(StoreError::new(ErrorKind::Unsupported, message));
        }
        if traces.refused().total() > 0 {
            tracing::warn!(trace = %id, server = self.caller.server, refused = %traces.refused(), "spans of an answer are left out");
        }
        let trace = traces.finish().into_iter().find(|trace| trace.spans.first().is_some_and(|s| s.trace_id == id));
        trace.ok_or_else(|| StoreError::new(ErrorKind::NotFound, "trace not found"))
    }

    /// Whether it may is the server's business, which is asked.
    fn searches_any_service(&self) -> bool {
        true
    }

    /// What the values of tags are is the server's business.
    async fn find(&self, query: &TraceQuery) -> Result<Found, StoreError> {
        let found = match self.spoken.by(&self.caller).await? {
            Protocol::V1 { .. } => v1::find(&self.caller, query).await,
            Protocol::V2 => v2::find(&self.caller, query).await,
        };
        let (traces, mut partial) = self.known(found)?;
        if traces.is_cut() {
            let Caller { max_answer, group, .. } = &self.caller;
            partial.push(format!("the answer of the remote storage is longer than --{group}.max-answer-bytes={max_answer}"));
        }
        if traces.refused().total() > 0 {
            partial.push(format!("spans of the remote storage's answer are left out: {}", traces.refused()));
        }
        Ok(Found { traces: traces.finish(), partial })
    }
}

#[async_trait]
impl DependencyReader for RemoteStore {
    async fn dependencies(&self, start: u64, end: u64) -> Result<Vec<DependencyLink>, StoreError> {
        let links = match self.spoken.by(&self.caller).await? {
            Protocol::V1 { .. } => v1::dependencies(&self.caller, start, end).await,
            Protocol::V2 => v2::dependencies(&self.caller, start, end).await,
        };
        self.known(links)
    }
}
