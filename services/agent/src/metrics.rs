//! Jaeger's metric names for what an agent does (prefix `jaeger_agent_`), and ours for what Jaeger does not count.
//! The exporter adds `_total` to the names of counters.

use crate::listeners::{Listeners, Port};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::{MetricType, TypedMetric};
use prometheus_client::registry::Registry;
use skua_receive::udp::Stats;
use std::fmt;
use std::sync::Arc;

/// Prometheus' default buckets, in seconds.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The counters of an agent's ports and of its clients.
#[derive(Debug)]
pub struct Metrics {
    handler_errors: Family<PortLabels, Counter>,
    close_time: Family<PortLabels, Histogram, fn() -> Histogram>,
    pub(crate) clients: ClientCounters,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PortLabels {
    model: &'static str,
    protocol: &'static str,
}

impl PortLabels {
    fn of(port: &Port) -> Self {
        Self { model: port.model, protocol: port.protocol_label() }
    }
}

impl Metrics {
    /// Registers what these ports count.
    pub fn new(listeners: &Listeners, registry: &mut Registry) -> Self {
        let name = |name: &str| format!("jaeger_agent_{name}");
        let handler_errors = Family::<PortLabels, Counter>::default();
        registry.register(
            name("thrift_udp_t_processor_handler_errors"),
            "Datagrams that could not be read",
            handler_errors.clone(),
        );
        let close_time: Family<PortLabels, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(BUCKETS));
        registry.register(
            name("thrift_udp_t_processor_close_time"),
            "Time to work off what had come before the stop in seconds",
            close_time.clone(),
        );
        let ports: Vec<_> = listeners.udp.iter().map(PortStats::of).collect();
        for port in &ports {
            drop(handler_errors.get_or_create(&port.labels));
            drop(close_time.get_or_create(&port.labels));
        }
        registry.register_collector(Box::new(Ports(ports)));
        Self { handler_errors, close_time, clients: ClientCounters::new(registry) }
    }

    pub(crate) fn handler_errors(&self, port: &Port) -> Counter {
        self.handler_errors.get_or_create(&PortLabels::of(port)).clone()
    }

    pub(crate) fn close_time(&self, port: &Port) -> Histogram {
        self.close_time.get_or_create(&PortLabels::of(port)).clone()
    }
}

/// What clients said they lost.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClientCounters {
    pub batches_received: Counter,
    pub batches_sent: Counter,
    pub connected: Gauge,
    pub full_queue: Counter,
    pub too_large: Counter,
    pub failed: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Cause {
    cause: &'static str,
}

impl ClientCounters {
    fn new(registry: &mut Registry) -> Self {
        let dropped = Family::<Cause, Counter>::default();
        let cause = |cause| dropped.get_or_create(&Cause { cause }).clone();
        let counters = Self {
            full_queue: cause("full-queue"),
            too_large: cause("too-large"),
            failed: cause("send-failure"),
            ..Self::default()
        };
        let name = |name: &str| format!("jaeger_agent_client_stats_{name}");
        registry.register(
            name("batches_received"),
            "Batches received from clients that count",
            counters.batches_received.clone(),
        );
        registry.register(name("batches_sent"), "Batches that clients say they sent", counters.batches_sent.clone());
        registry.register(name("connected_clients"), "Clients heard of in the last hour", counters.connected.clone());
        registry.register(name("spans_dropped"), "Spans that clients say they dropped", dropped);
        counters
    }
}

/// What receivers count, read at a scrape.
#[derive(Debug)]
struct Ports(Vec<PortStats>);

#[derive(Debug)]
struct PortStats {
    labels: PortLabels,
    port: String,
    stats: Arc<Stats>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Dropped {
    model: &'static str,
    protocol: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KernelDropped {
    model: &'static str,
    port: String,
    protocol: &'static str,
}

impl PortStats {
    fn of(port: &Port) -> Self {
        let number = port.receiver.local_addr().port().to_string();
        Self { labels: PortLabels::of(port), port: number, stats: port.receiver.stats() }
    }
}

impl Collector for Ports {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let labels = |p: &PortStats| p.labels.clone();
        let e = &mut encoder;
        let jaeger = |name: &str| format!("jaeger_agent_thrift_udp_server_{name}");
        self.counter(e, &jaeger("packets_processed"), "Datagrams put into the queue", |p| vec![(labels(p), p.stats.queued())])?;
        let help = "Datagrams dropped because the queue was full";
        self.counter(e, &jaeger("packets_dropped"), help, |p| vec![(labels(p), p.stats.queue_full())])?;
        let help = "Datagrams dropped because they were too long, and failed reads";
        self.counter(e, &jaeger("read_errors"), help, |p| vec![(labels(p), p.stats.too_long() + p.stats.read_errors())])?;
        self.gauge(e, &jaeger("packet_size"), "Bytes of the last datagram", |p| p.stats.last_size())?;
        self.gauge(e, &jaeger("queue_size"), "Datagrams in the queue", |p| p.stats.waiting())?;
        let ours = |p: &PortStats| {
            let of = |reason| Dropped { model: p.labels.model, protocol: p.labels.protocol, reason };
            vec![(of("queue-full"), p.stats.queue_full()), (of("too-long"), p.stats.too_long())]
        };
        self.counter(e, "skua_agent_udp_dropped", "Datagrams that the agent dropped unread", ours)?;
        let kernels = |p: &PortStats| {
            let labels = KernelDropped { model: p.labels.model, port: p.port.clone(), protocol: p.labels.protocol };
            vec![(labels, p.stats.kernel_dropped())]
        };
        self.counter(e, "skua_agent_udp_kernel_dropped", "Datagrams that the kernel dropped before they were read", kernels)
    }
}

impl Ports {
    fn counter<L: EncodeLabelSet>(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        name: &str,
        help: &str,
        read: impl Fn(&PortStats) -> Vec<(L, u64)>,
    ) -> fmt::Result {
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in self.0.iter().flat_map(read) {
            ConstCounter::new(value).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn gauge(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        name: &str,
        help: &str,
        read: impl Fn(&PortStats) -> u64,
    ) -> fmt::Result {
        let mut family = encoder.encode_descriptor(name, help, None, <Gauge as TypedMetric>::TYPE)?;
        for port in &self.0 {
            let value = i64::try_from(read(port)).unwrap_or(i64::MAX);
            ConstGauge::new(value).encode(family.encode_family(&port.labels)?)?;
        }
        Ok(())
    }
}
