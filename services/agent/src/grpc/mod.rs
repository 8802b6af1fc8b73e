//! To collectors over gRPC, as Jaeger's agent: spans by `CollectorService/PostSpans`, strategies by `SamplingManager`.

mod call;
mod dial;
mod metrics;
mod peers;
mod target;
mod tls;

use crate::config;
use crate::error::ConfigError;
use crate::reporter::{Came, Reporter};
use crate::worker::Complaints;
use async_trait::async_trait;
use bytes::Bytes;
use call::{Failure, Patience, call};
use dial::Dial;
use futures::future::join_all;
use metrics::GrpcMetrics;
use peers::Peers;
use prometheus_client::registry::Registry;
use skua_codec::jaeger::{PostSpans, post_spans};
use skua_codec::sampling;
use skua_model::SpanBatch;
use skua_pipeline::Ledger;
use skua_receive::Strategies;
use std::sync::Arc;
use target::Target;
use tonic::Code;

const POST_SPANS: &str = "/jaeger.api_v2.CollectorService/PostSpans";
const GET_SAMPLING_STRATEGY: &str = "/jaeger.api_v2.SamplingManager/GetSamplingStrategy";

/// A collector takes messages of 4 MiB (`--collector.grpc-server.max-message-size`).
const MAX_REQUEST: usize = (4 << 20) - (1 << 10);

/// The collectors: [`Reporter`] of spans and [`Strategies`] for samplers.
pub struct Collectors {
    peers: Peers,
    repeat: u32,
    tags: Vec<(String, String)>,
    ledger: Arc<Ledger>,
    metrics: GrpcMetrics,
    complaints: Complaints,
}

impl Collectors {
    /// Reads the flags and the files that they name; connects when there is something to send. `tags` (`--agent.tags`) are
    /// appended to the process of every span.
    ///
    /// # Errors
    /// Names the flag, and the file that cannot be used.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn new(
        config: &config::Reporter,
        tags: Vec<(String, String)>,
        ledger: Arc<Ledger>,
        registry: &mut Registry,
    ) -> Result<Arc<Self>, ConfigError> {
        if config.r#type != "grpc" {
            return Err(ConfigError::ReporterType(config.r#type.clone()));
        }
        let targets = Target::list(&config.grpc.host_port)?;
        let tls = tls::Tls::load(&config.grpc.tls)?;
        let metrics = GrpcMetrics::new(registry);
        let peers = Peers::new(targets, Dial { tls, status: metrics.status.clone() }, peers::system());
        let complaints = Complaints::default();
        Ok(Arc::new(Self { peers, repeat: config.grpc.retry.max, tags, ledger, metrics, complaints }))
    }

    async fn post(&self, request: PostSpans) -> (u64, Result<(), Failure>) {
        let answer = call(&self.peers, POST_SPANS, Bytes::from(request.message), Patience::Repeat(self.repeat)).await;
        (request.spans as u64, answer.map(drop))
    }

    fn complain(&self, spans: u64, failure: &Failure) {
        if let Some(count) = self.complaints.due() {
            let (code, why) = (go_name(failure.code), &failure.message);
            tracing::error!(spans, %code, %why, count, "failed to send spans to a collector; they are lost. This is the last such failure");
        }
    }
}

#[async_trait]
impl Reporter for Collectors {
    async fn report(&self, batch: SpanBatch, came: Came) {
        let refused = *batch.refused();
        let mut open = self.ledger.received(batch.len() as u64 + refused.total());
        refused.iter().for_each(|(why, n)| open.dropped(why.as_str(), n));
        let requests = post_spans(&batch, &self.tags, MAX_REQUEST);
        drop(batch);
        let mut lost = refused.total();
        for (spans, result) in join_all(requests.into_iter().map(|r| self.post(r))).await {
            match result {
                Ok(()) => open.stored(spans),
                Err(failure) => {
                    lost += spans;
                    open.dropped(reason(failure.code), spans);
                    self.complain(spans, &failure);
                }
            }
        }
        self.metrics.reported(&came, lost);
    }
}

/// The ledger's word for a failed call.
fn reason(code: Code) -> &'static str {
    match code {
        Code::Unavailable => "unavailable",
        Code::ResourceExhausted => "overloaded",
        Code::InvalidArgument | Code::OutOfRange => "invalid",
        Code::Unauthenticated | Code::PermissionDenied => "not-permitted",
        Code::Unimplemented => "unsupported",
        _ => "internal",
    }
}

/// As Go writes it.
fn go_name(code: Code) -> String {
    match code {
        Code::Cancelled => "Canceled".to_owned(),
        other => format!("{other:?}"),
    }
}

#[async_trait]
impl Strategies for Collectors {
    async fn strategy(&self, service: &str) -> Result<sampling::Response, String> {
        let request = sampling::put_request(service);
        let answer = call(&self.peers, GET_SAMPLING_STRATEGY, request.into(), Patience::EachOnce).await;
        let response = answer
            .map_err(|e| format!("rpc error: code = {} desc = {}", go_name(e.code), e.message))
            .and_then(|message| sampling::Response::from_proto(&message).map_err(|e| e.to_string()));
        if response.is_ok() { &self.metrics.proxied } else { &self.metrics.proxy_failures }.inc();
        response.map_err(|e| format!("failed to get sampling strategy: {e}"))
    }
}
