//! Jaeger's metric names for what the collector does (prefix `jaeger_collector_`), and ours for what it mends.
//! The exporter adds `_total` to the names of counters.

use parking_lot::Mutex;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use skua_model::{Repairs, SpanBatch, SpanEntry};
use skua_store::Written;
use std::collections::HashMap;
use std::time::Duration;

/// Service names with counters of their own, per value of `debug`; further ones share `other-services`, as in Jaeger.
const MAX_SERVICES: usize = 4000;

/// Prometheus' default buckets, in seconds.
pub(crate) const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// How a batch came, for Jaeger's labels `format` and `transport`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// OTLP over gRPC or HTTP: Jaeger counts such spans as saved, but not as received.
    Otlp,
    /// Jaeger's protobuf over gRPC.
    JaegerGrpc,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Received {
    debug: &'static str,
    format: &'static str,
    svc: String,
    transport: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TracesReceived {
    debug: &'static str,
    format: &'static str,
    sampler_type: &'static str,
    svc: String,
    transport: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Saved {
    debug: &'static str,
    result: &'static str,
    svc: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TracesSaved {
    debug: &'static str,
    result: &'static str,
    sampler_type: &'static str,
    svc: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Host {
    host: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct What {
    what: &'static str,
}

/// The counters of a collector.
pub struct CollectorMetrics {
    spans_received: Family<Received, Counter>,
    /// Always 0: there is no filter, as in Jaeger. Dashboards divide by it.
    spans_rejected: Family<Received, Counter>,
    traces_rejected: Family<TracesReceived, Counter>,
    traces_received: Family<TracesReceived, Counter>,
    spans_saved: Family<Saved, Counter>,
    traces_saved: Family<TracesSaved, Counter>,
    spans_dropped: Counter,
    batch_size: Gauge,
    queue_capacity: Gauge,
    queue_length: Gauge,
    save_latency: Histogram,
    repaired: Family<What, Counter>,
    undecodable: Counter,
    services: Mutex<HashMap<Vec<u8>, PerService>>,
}

/// The handles of one service, so that nothing is looked up by text for every batch.
#[derive(Clone)]
struct PerService {
    name: String,
    saved: [Counter; 2],
    traces_saved: [Counter; 2],
}

impl CollectorMetrics {
    /// `host` is this machine's name, as in Jaeger's label.
    pub fn new(host: &str, registry: &mut Registry) -> Self {
        let mut registry = Naming(registry);
        let labels = Host { host: host.to_owned() };
        let gauge = |registry: &mut Naming<'_>, name, help| {
            let family = registry.family::<Host, Gauge>(name, help);
            family.get_or_create(&labels).clone()
        };
        let latency = Family::<Host, Histogram>::new_with_constructor(|| Histogram::new(BUCKETS));
        registry.0.register("jaeger_collector_save_latency", "Time to deliver a batch in seconds", latency.clone());
        let dropped: Family<Host, Counter> = registry.family("spans_dropped", "Spans for which there was no room");
        Self {
            spans_received: registry.family("spans_received", "Spans received in a Jaeger format"),
            spans_rejected: registry.family("spans_rejected", "Spans rejected by a filter; there is none"),
            traces_rejected: registry.family("traces_rejected", "Root spans rejected by a filter; there is none"),
            traces_received: registry.family("traces_received", "Root spans received in a Jaeger format"),
            spans_saved: registry.family("spans_saved_by_svc", "Spans delivered, by service"),
            traces_saved: registry.family("traces_saved_by_svc", "Root spans delivered, by service"),
            spans_dropped: dropped.get_or_create(&labels).clone(),
            batch_size: gauge(&mut registry, "batch_size", "Spans of the last batch"),
            queue_capacity: gauge(&mut registry, "queue_capacity", "Bytes of batches that may be under way"),
            queue_length: gauge(&mut registry, "queue_length", "Bytes of batches under way"),
            save_latency: latency.get_or_create(&labels).clone(),
            repaired: {
                let family = Family::<What, Counter>::default();
                registry.0.register("skua_repaired", "What sanitizers mended: strings, durations", family.clone());
                family
            },
            undecodable: {
                let counter = Counter::default();
                let help = "Requests refused whole because no spans could be read from them";
                registry.0.register("skua_undecodable_requests", help, counter.clone());
                counter
            },
            services: Mutex::default(),
        }
    }

    pub(crate) fn undecodable(&self) {
        self.undecodable.inc();
    }

    pub(crate) fn received(&self, batch: &SpanBatch, transport: Transport) {
        self.batch_size.set(batch.len() as i64);
        if transport != Transport::JaegerGrpc {
            return;
        }
        let (format, transport) = ("proto", "grpc");
        for (service, spans) in by_service(batch) {
            let svc = self.service(service).name;
            for (debug, spans) in [("false", count(spans, false)), ("true", count(spans, true))] {
                if spans.all > 0 {
                    let labels = Received { debug, format, svc: svc.clone(), transport };
                    self.spans_received.get_or_create(&labels).inc_by(spans.all);
                    drop(self.spans_rejected.get_or_create(&labels));
                }
                if spans.roots > 0 {
                    let labels = TracesReceived { debug, format, sampler_type: "unrecognized", svc: svc.clone(), transport };
                    self.traces_received.get_or_create(&labels).inc_by(spans.roots);
                    drop(self.traces_rejected.get_or_create(&labels));
                }
            }
        }
    }

    /// Jaeger's `debug` is always false for OTLP; for the few debug spans of Jaeger clients it is not told apart here.
    pub(crate) fn saved(&self, batch: &SpanBatch, written: Option<&Written>, took: Duration) {
        self.save_latency.observe(took.as_secs_f64());
        let result = usize::from(written.is_none());
        for (service, spans) in by_service(batch) {
            let counters = self.service(service);
            counters.saved[result].inc_by(spans.len() as u64);
            counters.traces_saved[result].inc_by(spans.iter().filter(|s| s.is_root()).count() as u64);
        }
    }

    pub(crate) fn dropped(&self, spans: u64) {
        self.spans_dropped.inc_by(spans);
    }

    pub(crate) fn repaired(&self, repairs: Repairs) {
        for (what, n) in [("strings", repairs.strings), ("durations", repairs.durations)] {
            if n > 0 {
                self.repaired.get_or_create(&What { what }).inc_by(u64::from(n));
            }
        }
    }

    pub(crate) fn queue_capacity(&self, bytes: usize) {
        self.queue_capacity.set(bytes as i64);
    }

    pub(crate) fn queue_length(&self, bytes: usize) {
        self.queue_length.set(bytes as i64);
    }

    fn service(&self, name: &[u8]) -> PerService {
        let mut services = self.services.lock();
        if let Some(known) = services.get(name) {
            return known.clone();
        }
        let svc = if services.len() < MAX_SERVICES { normalized(name) } else { "other-services".to_owned() };
        let saved = ["ok", "err"]
            .map(|result| self.spans_saved.get_or_create(&Saved { debug: "false", result, svc: svc.clone() }).clone());
        let traces_saved = ["ok", "err"].map(|result| {
            let labels = TracesSaved { debug: "false", result, sampler_type: "unrecognized", svc: svc.clone() };
            self.traces_saved.get_or_create(&labels).clone()
        });
        let counters = PerService { name: svc, saved, traces_saved };
        if services.len() < MAX_SERVICES {
            services.insert(name.to_vec(), counters.clone());
        }
        counters
    }
}

struct Count {
    all: u64,
    roots: u64,
}

fn count(spans: &[SpanEntry], debug: bool) -> Count {
    let of = || spans.iter().filter(|s| s.is_debug() == debug);
    Count { all: of().count() as u64, roots: of().filter(|s| s.is_root()).count() as u64 }
}

/// Runs of spans with one resource, with the resource's service name.
fn by_service(batch: &SpanBatch) -> impl Iterator<Item = (&[u8], &[SpanEntry])> {
    let runs = batch.spans().chunk_by(|a, b| batch.resource_of(a) == batch.resource_of(b));
    runs.map(|spans| (batch.service(batch.resource_of(&spans[0])), spans))
}

/// Jaeger's normalization of the label `svc`, character by character: ASCII letters in lower case, every other character below
/// U+0100 outside `[0-9.-]` becomes `_`, those from U+0100 stay (seen live with 1.76).
fn normalized(name: &[u8]) -> String {
    let letter = |c: char| match c.to_ascii_lowercase() {
        c @ ('a'..='z' | '0'..='9' | '.' | '-') => c,
        c if c >= '\u{100}' => c,
        _ => '_',
    };
    String::from_utf8_lossy(name).chars().map(letter).collect()
}

/// Registers under Jaeger's prefix.
struct Naming<'a>(&'a mut Registry);

impl Naming<'_> {
    fn family<L, M>(&mut self, name: &str, help: &str) -> Family<L, M>
    where
        L: EncodeLabelSet + Clone + std::hash::Hash + Eq + std::fmt::Debug + Send + Sync + 'static,
        M: Default
            + Clone
            + prometheus_client::encoding::EncodeMetric
            + prometheus_client::metrics::TypedMetric
            + std::fmt::Debug
            + Send
            + Sync
            + 'static,
    {
        let family = Family::<L, M>::default();
        self.0.register(format!("jaeger_collector_{name}"), help, family.clone());
        family
    }
}

#[cfg(test)]
mod tests {
    use super::normalized;

    #[test]
    fn service_labels_are_jaegers() {
        for (name, label) in [("Jäger Ünï", "j_ger__n_"), ("追-1.x", "追-1.x"), ("Check/Out", "check_out")] {
            assert_eq!(normalized(name.as_bytes()), label);
        }
    }
}
