//! Label sets of Jaeger's collector metrics.

use prometheus_client::encoding::EncodeLabelSet;

/// How a batch came, for Jaeger's labels `format` and `transport`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// OTLP over gRPC or HTTP: Jaeger counts such spans as saved, but not as received.
    Otlp,
    /// Jaeger's protobuf over gRPC: `proto`, `grpc`.
    JaegerGrpc,
    /// Jaeger's Thrift over HTTP (14268): `jaeger`, `http`.
    JaegerHttp,
    /// Jaeger's or Zipkin's Thrift over UDP (all-in-one): `jaeger`, `udp`. A label value of ours: in Jaeger's all-in-one of 1.67
    /// an agent inside the process sent them on, so that they were counted as `proto` over `grpc`.
    JaegerUdp,
    /// Zipkin over HTTP (9411): Jaeger counts such spans as saved, but not as received.
    Zipkin,
}

impl Transport {
    /// Whether the sender is told what becomes of its spans, and can send them again.
    pub(crate) fn is_answered(self) -> bool {
        self != Self::JaegerUdp
    }
}

impl Transport {
    /// The values of `format` and `transport`; `None` when Jaeger does not count such spans as received.
    pub(crate) fn labels(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::JaegerGrpc => Some(("proto", "grpc")),
            Self::JaegerHttp => Some(("jaeger", "http")),
            Self::JaegerUdp => Some(("jaeger", "udp")),
            Self::Otlp | Self::Zipkin => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Received {
    pub debug: &'static str,
    pub format: &'static str,
    pub svc: String,
    pub transport: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct TracesReceived {
    pub debug: &'static str,
    pub format: &'static str,
    pub sampler_type: &'static str,
    pub svc: String,
    pub transport: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Saved {
    pub debug: &'static str,
    pub result: &'static str,
    pub svc: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct TracesSaved {
    pub debug: &'static str,
    pub result: &'static str,
    pub sampler_type: &'static str,
    pub svc: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Host {
    pub host: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct What {
    pub what: &'static str,
}
