//! Collectors that remember, agents with free ports, and clients.

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use skua_agent::{
    Collectors, Config, Discovery, Grpc, HttpServer, Listeners, Metrics, Parts, Processor, Processors, ReporterConfig, Retry,
    RunError, Tls, run,
};
use skua_codec::jaeger::decode;
use skua_codec::sampling::Response;
use skua_codec::thrift::Protocol;
use skua_model::SpanBatch;
use skua_pipeline::Ledger;
use skua_receive::{Accepted, Format, Intake, Rejection, Strategies, grpc, http};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Time for what happens soon, on a slow machine.
const SOON: Duration = Duration::from_secs(30);

/// Waits until `done`.
pub async fn until(done: impl Fn() -> bool) {
    let poll = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(SOON, poll).await.expect("it happens");
}

/// A span as a collector saw it: service, its process' tags, operation.
pub type Seen = (String, Vec<(String, String)>, String);

/// What a collector got, and what it answers.
#[derive(Default)]
pub struct Memory {
    pub spans: Mutex<Vec<Seen>>,
    pub requests: Mutex<Vec<Bytes>>,
    /// Answers these first.
    pub rejections: Mutex<Vec<Rejection>>,
    pub strategy: Mutex<Option<Response>>,
    /// Nothing is answered as long as somebody writes.
    pub busy: tokio::sync::RwLock<()>,
}

fn text(b: &[u8]) -> String {
    String::from_utf8_lossy(b).into_owned()
}

#[async_trait]
impl Intake for Memory {
    async fn accept(&self, request: Bytes, format: Format) -> Result<Accepted, Rejection> {
        assert_eq!(format, Format::JaegerProto);
        let _free = self.busy.read().await;
        if let Some(rejection) = self.rejections.lock().pop() {
            return Err(rejection);
        }
        let mut otlp = Vec::new();
        decode::batch(&request, None, &mut otlp).expect("a PostSpansRequest");
        let batch = SpanBatch::parse(otlp).expect("a batch");
        let mut spans = self.spans.lock();
        for s in batch.spans() {
            let process = batch.process(batch.resource_of(s));
            let value = |v| if let skua_model::AnyValue::String(s) = v { text(s) } else { String::new() };
            let tags = process.attributes().iter().map(|kv| (text(kv.key), value(kv.value))).collect();
            spans.push((text(process.service), tags, text(batch.view(s).name)));
        }
        self.requests.lock().push(request);
        Ok(Accepted::default())
    }
}

#[async_trait]
impl Strategies for Memory {
    async fn strategy(&self, service: &str) -> Result<Response, String> {
        self.strategy.lock().clone().ok_or_else(|| format!("no strategy for {service}"))
    }
}

/// A collector's gRPC server.
pub struct Collector {
    pub address: SocketAddr,
    pub memory: Arc<Memory>,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Collector {
    pub async fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.expect("a port")).await
    }

    /// A port of a collector that is not there yet: connections are refused.
    pub fn reserve() -> (TcpSocket, SocketAddr) {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
        let address = socket.local_addr().expect("an address");
        (socket, address)
    }

    pub async fn on(listener: TcpListener) -> Self {
        let (memory, stop) = (Arc::<Memory>::default(), CancellationToken::new());
        let address = listener.local_addr().expect("an address");
        let serve = grpc::serve_jaeger(listener, grpc::Limits::default(), memory.clone(), memory.clone(), stop.clone());
        let serving = tokio::spawn(async move { serve.await.expect("served") });
        Self { address, memory, stop, serving }
    }

    /// Operations in the order in which they came.
    pub fn operations(&self) -> Vec<String> {
        self.memory.spans.lock().iter().map(|s| s.2.clone()).collect()
    }

    pub fn count(&self) -> usize {
        self.memory.spans.lock().len()
    }

    /// Stops and closes its port.
    pub async fn end(self) {
        self.stop.cancel();
        self.serving.await.expect("ended");
    }
}

/// What a test changes of an agent's settings.
pub struct Settings {
    pub config: Config,
    pub reporter: ReporterConfig,
    pub tags: Vec<(String, String)>,
    pub drain: Duration,
}

fn processor() -> Processor {
    Processor {
        workers: 0,
        server_queue_size: 0,
        server_max_packet_size: 0,
        server_socket_buffer_size: 0,
        server_host_port: "127.0.0.1:0".into(),
        server_sockets: 0,
    }
}

pub fn settings(collectors: impl ToString) -> Settings {
    let processor = Processors { zipkin_compact: processor(), jaeger_compact: processor(), jaeger_binary: processor() };
    let http_server = HttpServer { host_port: "127.0.0.1:0".into() };
    let grpc = Grpc {
        host_port: collectors.to_string(),
        retry: Retry { max: 3 },
        discovery: Discovery { min_peers: 3 },
        tls: Tls::default(),
    };
    Settings {
        config: Config { processor, http_server, max_waiting_bytes: Config::MAX_WAITING },
        reporter: ReporterConfig { r#type: "grpc".into(), grpc },
        tags: Vec::new(),
        drain: SOON,
    }
}

/// A running agent.
pub struct Agent {
    pub compact: SocketAddr,
    pub binary: SocketAddr,
    pub zipkin: SocketAddr,
    pub http: SocketAddr,
    registry: Registry,
    stop: CancellationToken,
    running: JoinHandle<Result<(), RunError>>,
}

impl Settings {
    pub fn start(self) -> Agent {
        let mut registry = Registry::default();
        let listeners = Listeners::bind(&self.config).expect("free ports");
        let udp: Vec<_> = listeners.udp.iter().map(|p| p.receiver.local_addr()).collect();
        let http = listeners.http.as_ref().expect("a listener").local_addr().expect("an address");
        let metrics = Metrics::new(&listeners, &mut registry);
        let ledger = Ledger::new("agent", &mut registry);
        let collectors = Collectors::new(&self.reporter, self.tags, ledger, &mut registry).expect("flags");
        let options = http::sampling::Options {
            metrics: Arc::new(http::metrics::Sampling::new("jaeger_agent", &mut registry)),
            ..Default::default()
        };
        let parts = Parts {
            listeners,
            max_waiting_bytes: self.config.max_waiting_bytes,
            reporter: collectors.clone(),
            strategies: collectors,
            http: options,
            metrics,
        };
        let stop = CancellationToken::new();
        let running = tokio::spawn(run(parts, self.drain, stop.clone()));
        Agent { zipkin: udp[0], compact: udp[1], binary: udp[2], http, registry, stop, running }
    }
}

impl Agent {
    /// The value of a series, written as in the text format; 0 when it is not there.
    pub fn metric(&self, series: &str) -> u64 {
        let text = skua_runtime::metrics::encode(&self.registry);
        let line = text.lines().find_map(|l| l.strip_prefix(series)?.strip_prefix(' '));
        line.map_or(0, |v| v.parse::<f64>().expect("a number") as u64)
    }

    /// The whole text of a scrape.
    pub fn metrics(&self) -> String {
        skua_runtime::metrics::encode(&self.registry)
    }

    /// Spans by fate: received, stored, dropped for any reason.
    pub fn ledger(&self) -> (u64, u64, u64) {
        let of = |outcome: &str| {
            let text = self.metrics();
            let head = format!("skua_spans_total{{tier=\"agent\",outcome=\"{outcome}\"");
            let values = text.lines().filter(|l| l.starts_with(&head)).filter_map(|l| l.rsplit_once(' ')?.1.parse::<u64>().ok());
            values.sum()
        };
        (of("received"), of("stored"), of("dropped"))
    }

    pub async fn end(&mut self) -> Result<(), RunError> {
        self.stop.cancel();
        (&mut self.running).await.expect("no panic")
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.running.abort();
    }
}

/// A client's socket.
pub fn client() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").expect("a port")
}

/// Sends a batch of spans of these names as one datagram of the compact protocol.
pub fn send(agent: &Agent, service: &str, spans: &[&str]) {
    let packet = crate::thrift::batch(service, spans).packet(Protocol::Compact);
    client().send_to(&packet, agent.compact).expect("sent");
}
