//! Both ports, asked by real clients over sockets, over a store in memory or one that fails on command.

mod failures;
mod ports;
mod v2;
mod v3;

use crate::{Archive, Config, GrpcServer, HttpServer, Listeners, Stores};
use prost::Message;
use skua_model::SpanBatch;
use skua_proto::otlp::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};
use skua_proto::otlp::resource::v1::Resource;
use skua_proto::otlp::trace::v1::{ResourceSpans, ScopeSpans, Span, TracesData};
use skua_store::memory::{MemoryConfig, MemoryStore};
use skua_store::{DependencyReader, SpanReader, SpanWriter};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

/// Seconds since 1970, of the first span.
const START: u64 = 1_700_000_000;

/// The whole tier, on two ports of its own.
struct Server {
    http: SocketAddr,
    grpc: SocketAddr,
    stop: CancellationToken,
    ended: JoinHandle<io::Result<()>>,
}

impl Server {
    fn over(stores: Stores) -> Self {
        let config = Config {
            http_server: HttpServer { host_port: "127.0.0.1:0".to_owned() },
            grpc_server: GrpcServer { host_port: "127.0.0.1:0".to_owned() },
            base_path: "/base".to_owned(),
            additional_headers: Vec::new(),
            ..crate::tests::config("/", &[])
        };
        let listeners = Listeners::bind(&config).unwrap();
        let (http, grpc) = (listeners.http.local_addr().unwrap(), listeners.grpc.as_ref().unwrap().local_addr().unwrap());
        let stop = CancellationToken::new();
        let ended = tokio::spawn(crate::run(crate::tests::parts(config, stores, listeners), stop.clone()));
        Self { http, grpc, stop, ended }
    }

    /// A client of each port.
    async fn clients(&self) -> [Channel; 2] {
        [connect(self.grpc).await, connect(self.http).await]
    }

    async fn client(&self) -> Channel {
        connect(self.grpc).await
    }

    /// Asks it to stop and waits until it has.
    async fn end(self) {
        self.stop.cancel();
        tokio::time::timeout(Duration::from_secs(30), self.ended).await.unwrap().unwrap().unwrap();
    }
}

async fn connect(address: SocketAddr) -> Channel {
    Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

fn stores(store: Arc<impl SpanReader + DependencyReader + 'static>, archive: Option<Arc<MemoryStore>>) -> Stores {
    let archive = archive.map(|archive| Archive { reader: archive.clone(), writer: archive });
    Stores { spans: store.clone(), dependencies: store, archive, metrics: None, rollups: None }
}

fn memory() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(MemoryConfig::default()))
}

/// A server over these spans, without an archive.
async fn serving(data: TracesData) -> Server {
    Server::over(stores(filled(data).await, None))
}

async fn filled(data: TracesData) -> Arc<MemoryStore> {
    let store = memory();
    store.write(&SpanBatch::parse(data.encode_to_vec()).unwrap()).await.unwrap();
    store
}

fn attribute(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

fn trace_id(number: u64) -> Vec<u8> {
    u128::from(number).to_be_bytes().to_vec()
}

/// A span of the kind `server` that takes two milliseconds.
fn span(trace: u64, span: u64, parent: u64, name: &str) -> Span {
    let start = START * 1_000_000_000 + span * 1000;
    Span {
        trace_id: trace_id(trace),
        span_id: span.to_be_bytes().to_vec(),
        parent_span_id: if parent == 0 { Vec::new() } else { parent.to_be_bytes().to_vec() },
        name: name.to_owned(),
        kind: 2,
        start_time_unix_nano: start,
        end_time_unix_nano: start + 2_000_000,
        ..Span::default()
    }
}

fn of_service(service: &str, spans: Vec<Span>) -> ResourceSpans {
    let resource = Resource { attributes: vec![attribute("service.name", service)], ..Resource::default() };
    let scope = Some(InstrumentationScope { name: "lib".to_owned(), ..InstrumentationScope::default() });
    let scope_spans = vec![ScopeSpans { scope, spans, ..ScopeSpans::default() }];
    ResourceSpans { resource: Some(resource), scope_spans, ..ResourceSpans::default() }
}

/// Trace `abc`: 23 spans of `shop`, two of which call the two spans of `bank`. Trace `def`: one span of `bank`.
fn shop_and_bank() -> TracesData {
    let shop = (1..=23).map(|i| span(0xabc, i, u64::from(i > 1), if i % 2 == 0 { "buy" } else { "look" }));
    let mut bank = vec![span(0xabc, 30, 2, "charge"), span(0xabc, 31, 4, "charge"), span(0xdef, 1, 0, "audit")];
    bank[2].attributes = vec![attribute("who", "me")];
    TracesData { resource_spans: vec![of_service("shop", shop.collect()), of_service("bank", bank)] }
}
