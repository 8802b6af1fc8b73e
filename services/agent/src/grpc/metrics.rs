//! What is counted of the way to the collectors.

use crate::reporter::{Came, Tally};
use parking_lot::Mutex;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::Arc;

const PROTOCOL: &str = "grpc";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FormatLabels {
    format: &'static str,
    protocol: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProtocolLabel {
    protocol: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProxyLabels {
    endpoint: &'static str,
    protocol: &'static str,
    result: &'static str,
}

/// The counters `reporter_*` and `collector_proxy`, and `connection_status_*`.
pub(crate) struct GrpcMetrics {
    jaeger: FormatCounters,
    zipkin: FormatCounters,
    /// Answers that collectors gave to samplers, and failures.
    pub proxied: Counter,
    pub proxy_failures: Counter,
    pub status: ConnectionStatus,
}

/// A datagram is a batch, as in Jaeger, however many of them travel in one request.
struct FormatCounters {
    batches_submitted: Counter,
    batches_failures: Counter,
    spans_submitted: Counter,
    spans_failures: Counter,
    batch_size: Gauge,
}

impl GrpcMetrics {
    pub fn new(registry: &mut Registry) -> Self {
        let mut counters = |name: &str, help: &str| {
            let family = Family::<FormatLabels, Counter>::default();
            registry.register(format!("jaeger_agent_reporter_{name}"), help, family.clone());
            ["jaeger", "zipkin"].map(|format| family.get_or_create(&FormatLabels { format, protocol: PROTOCOL }).clone())
        };
        let submitted = counters("batches_submitted", "Batches of clients that a collector took");
        let failures = counters("batches_failures", "Batches of clients of which no collector took every span");
        let spans = counters("spans_submitted", "Spans that a collector took");
        let lost = counters("spans_failures", "Spans that no collector took");
        let sizes = Family::<FormatLabels, Gauge>::default();
        registry.register("jaeger_agent_reporter_batch_size", "Spans of the last batches that a collector took", sizes.clone());
        let size = |format| sizes.get_or_create(&FormatLabels { format, protocol: PROTOCOL }).clone();
        let [jaeger, zipkin] = [0, 1].map(|i| FormatCounters {
            batches_submitted: submitted[i].clone(),
            batches_failures: failures[i].clone(),
            spans_submitted: spans[i].clone(),
            spans_failures: lost[i].clone(),
            batch_size: size(["jaeger", "zipkin"][i]),
        });
        let proxy = Family::<ProxyLabels, Counter>::default();
        registry.register("jaeger_agent_collector_proxy", "Strategies asked of a collector", proxy.clone());
        let result = |result| proxy.get_or_create(&ProxyLabels { endpoint: "sampling", protocol: PROTOCOL, result }).clone();
        let (proxied, proxy_failures) = (result("ok"), result("err"));
        Self { jaeger, zipkin, proxied, proxy_failures, status: ConnectionStatus::new(registry) }
    }

    /// `lost` of the spans were not taken by any collector. Of a batch in both formats, which is rare, each gets its share.
    pub fn reported(&self, came: &Came, lost: u64) {
        let all = came.jaeger.spans + came.zipkin.spans;
        let of_zipkin = (lost * came.zipkin.spans).checked_div(all).unwrap_or(0);
        self.jaeger.reported(&came.jaeger, lost - of_zipkin, lost > 0);
        self.zipkin.reported(&came.zipkin, of_zipkin, lost > 0);
    }
}

impl FormatCounters {
    fn reported(&self, tally: &Tally, lost: u64, failed: bool) {
        if tally.datagrams == 0 {
            return;
        }
        self.spans_failures.inc_by(lost);
        self.spans_submitted.inc_by(tally.spans.saturating_sub(lost));
        if failed {
            self.batches_failures.inc_by(tally.datagrams);
        } else {
            self.batches_submitted.inc_by(tally.datagrams);
            self.batch_size.set(i64::try_from(tally.spans).unwrap_or(i64::MAX));
        }
    }
}

/// Connections to collectors that are open.
#[derive(Clone)]
pub(crate) struct ConnectionStatus(Arc<Status>);

struct Status {
    open: Mutex<i64>,
    connected: Gauge,
    reconnects: Counter,
}

impl ConnectionStatus {
    fn new(registry: &mut Registry) -> Self {
        let label = ProtocolLabel { protocol: PROTOCOL };
        let (gauges, counters) = (Family::<_, Gauge>::default(), Family::<_, Counter>::default());
        let connected = gauges.get_or_create(&label).clone();
        let reconnects = counters.get_or_create(&label).clone();
        let name = |name: &str| format!("jaeger_agent_connection_status_{name}");
        registry.register(name("collector_connected"), "1 with a connection to a collector, else 0", gauges);
        registry.register(name("collector_reconnects"), "Connections to collectors that came about", counters);
        Self(Arc::new(Status { open: Mutex::new(0), connected, reconnects }))
    }

    /// A connection came about; it is open until the guard goes.
    pub fn opened(&self) -> Open {
        self.0.reconnects.inc();
        self.0.change(1);
        Open(self.0.clone())
    }
}

impl Status {
    fn change(&self, by: i64) {
        let mut open = self.open.lock();
        *open += by;
        self.connected.set(i64::from(*open > 0));
    }
}

/// An open connection.
pub(crate) struct Open(Arc<Status>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.change(-1);
    }
}
