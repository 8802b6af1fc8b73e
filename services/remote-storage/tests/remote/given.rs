//! A server of a store, and clients of it.

use async_trait::async_trait;
use parking_lot::Mutex;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use skua_model::{SpanBatch, Trace, TraceId};
use skua_pipeline::Ledger;
use skua_receive::grpc::Limits;
use skua_remote_storage::{Config, Grpc, Intake, Parts, Versions, run};
use skua_store::memory::{MemoryConfig, MemoryStore};
use skua_store::{
    DependencyLink, DependencyReader, ErrorKind, Found, Operation, SpanReader, SpanWriter, StoreError, TraceQuery, Written,
};
use skua_store_remote::RemoteStore;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Everything that a server needs of a store.
pub trait Store: SpanWriter + SpanReader + DependencyReader + 'static {}
impl<T: SpanWriter + SpanReader + DependencyReader + 'static> Store for T {}

pub struct Server {
    pub address: String,
    pub stop: CancellationToken,
    pub ended: JoinHandle<()>,
    registry: Registry,
}

const GRPC: Grpc = Grpc { host_port: String::new(), max_message_size: 16 << 20, max_in_flight_bytes: 64 << 20 };

impl Server {
    pub async fn start(store: Arc<impl Store>, versions: Versions) -> Self {
        Self::with(store, versions, GRPC).await
    }

    pub async fn with(store: Arc<impl Store>, versions: Versions, grpc: Grpc) -> Self {
        Self::on("127.0.0.1:0", store, versions, grpc).await
    }

    /// Where another one was.
    pub async fn at(address: &str, store: Arc<impl Store>, versions: Versions) -> Self {
        Self::on(address, store, versions, GRPC).await
    }

    async fn on(address: &str, store: Arc<impl Store>, versions: Versions, grpc: Grpc) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut registry = Registry::default();
        let intake = Intake::new(store.clone(), Ledger::new("remote-storage", &mut registry), grpc.max_in_flight_bytes);
        let (config, limits, stop) = (Config { grpc }, Limits::default(), CancellationToken::new());
        let parts = Parts { config, versions, listener, limits, intake, reader: store.clone(), dependencies: store };
        let running = run(parts, Duration::from_secs(30), stop.clone());
        let ended = tokio::spawn(async move { running.await.unwrap() });
        Self { address, stop, ended, registry }
    }

    pub fn config(&self) -> skua_store_remote::Config {
        skua_store_remote::Config { server: self.address.clone(), ..skua_store_remote::Config::default() }
    }

    pub fn client(&self) -> Arc<RemoteStore> {
        client(&self.config())
    }

    /// The value of a sample of the server's ledger, 0 when there is none.
    pub fn spans(&self, outcome: &str, reason: &str) -> u64 {
        let mut text = String::new();
        encode(&mut text, &self.registry).unwrap();
        let start = format!("skua_spans_total{{tier=\"remote-storage\",outcome=\"{outcome}\",reason=\"{reason}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&start)).map_or(0, |n| n.parse().unwrap())
    }
}

pub fn client(config: &skua_store_remote::Config) -> Arc<RemoteStore> {
    RemoteStore::new(config, "primary", &mut Registry::default()).unwrap()
}

pub fn memory() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(MemoryConfig::default()))
}

/// A memory store that fails as it is told.
pub struct Failing {
    pub inner: Arc<MemoryStore>,
    /// What reads and writes end with, while there is one.
    pub error: Mutex<Option<(ErrorKind, Option<Duration>)>>,
    /// Spans of this name are refused, with all that come in one batch with them: as by a store that cannot tell.
    pub poison: Option<&'static str>,
    /// What a search says that it lacks.
    pub partial: Vec<String>,
}

impl Failing {
    pub fn new() -> Self {
        Self { inner: memory(), error: Mutex::default(), poison: None, partial: Vec::new() }
    }

    fn fails(&self) -> Result<(), StoreError> {
        match *self.error.lock() {
            None => Ok(()),
            Some((kind, retry_after)) => Err(StoreError { retry_after, ..StoreError::new(kind, "as it was told") }),
        }
    }
}

#[async_trait]
impl SpanWriter for Failing {
    async fn write(&self, batch: &SpanBatch) -> Result<Written, StoreError> {
        self.fails()?;
        let poisoned = batch.spans().iter().any(|s| self.poison.is_some_and(|name| batch.view(s).name == name.as_bytes()));
        if poisoned {
            return Err(StoreError::new(ErrorKind::Invalid, "poison"));
        }
        self.inner.write(batch).await
    }
}

#[async_trait]
impl SpanReader for Failing {
    async fn services(&self) -> Result<Vec<String>, StoreError> {
        self.fails()?;
        self.inner.services().await
    }

    async fn operations(&self, service: &str, kind: &str) -> Result<Vec<Operation>, StoreError> {
        self.fails()?;
        self.inner.operations(service, kind).await
    }

    async fn trace(&self, id: TraceId) -> Result<Trace, StoreError> {
        self.fails()?;
        self.inner.trace(id).await
    }

    async fn find(&self, query: &TraceQuery) -> Result<Found, StoreError> {
        self.fails()?;
        let found = self.inner.find(query).await?;
        Ok(Found { partial: self.partial.clone(), ..found })
    }
}

#[async_trait]
impl DependencyReader for Failing {
    async fn dependencies(&self, start: u64, end: u64) -> Result<Vec<DependencyLink>, StoreError> {
        self.fails()?;
        self.inner.dependencies(start, end).await
    }
}

/// A span of the service `s`: number `span` of trace `trace`, starting `span` microseconds after a fixed time.
pub fn span(trace: u128, span: u64, name: &str) -> skua_model::Span {
    skua_model::Span {
        trace_id: TraceId(trace.to_be_bytes()),
        span_id: skua_model::SpanId(span.to_be_bytes()),
        operation_name: name.to_owned(),
        start_time: START + span * 1000,
        duration: 1000,
        process: Arc::new(skua_model::Process { service_name: "s".to_owned(), tags: Vec::new() }),
        ..skua_model::Span::default()
    }
}

/// Nanoseconds since 1970.
pub const START: u64 = 1_700_000_000_000_000_000;

pub fn batch(spans: &[skua_model::Span]) -> SpanBatch {
    let mut otlp = Vec::new();
    skua_codec::jaeger::owned::spans(spans, &mut otlp);
    SpanBatch::parse(otlp).unwrap()
}

/// All traces of the service `s`.
pub fn query() -> TraceQuery {
    TraceQuery {
        service: "s".to_owned(),
        operation: String::new(),
        tags: Vec::new(),
        start_min: START / 1000,
        start_max: START / 1000 + 3_600_000_000,
        duration_min: 0,
        duration_max: 0,
        limit: 100,
    }
}
