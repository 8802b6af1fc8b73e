//! Jaeger's metric names for what the collector does (prefix `jaeger_collector_`), and ours for what it mends.
//! The exporter adds `_total` to the names of counters.

mod labels;
mod tally;

pub use labels::Transport;

use labels::{Host, Received, Saved, TracesReceived, TracesSaved, What};
use parking_lot::Mutex;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use skua_model::SpanBatch;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tally::{Tally, by_service, normalized};

/// Service names with counters of their own; further ones share `other-services`, as in Jaeger.
const MAX_SERVICES: usize = 4000;

/// Prometheus' default buckets, in seconds.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Values of the label `result`.
const RESULTS: [&str; 2] = ["ok", "err"];

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
    spans_bytes: Gauge,
    batch_size: Gauge,
    queue_capacity: Gauge,
    queue_length: Gauge,
    in_queue_latency: Histogram,
    save_latency: Histogram,
    repaired: Family<What, Counter>,
    undecodable: Counter,
    services: Mutex<HashMap<Vec<u8>, Arc<Service>>>,
}

/// The label of one service, and the handles that nearly all spans need, so that nothing is looked up by text for every batch.
struct Service {
    label: String,
    /// By result; not debug.
    saved: [Counter; 2],
    /// By result; not debug, sampler unrecognized.
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
        let histogram = |registry: &mut Naming<'_>, name: &str, help: &str| {
            let family = Family::<Host, Histogram>::new_with_constructor(|| Histogram::new(BUCKETS));
            registry.0.register(format!("jaeger_collector_{name}"), help, family.clone());
            family.get_or_create(&labels).clone()
        };
        let dropped: Family<Host, Counter> = registry.family("spans_dropped", "Spans for which there was no room");
        gauge(&mut registry, "spans_serviceNames", "Always 0, as in Jaeger");
        Self {
            spans_received: registry.family("spans_received", "Spans received in a Jaeger format"),
            spans_rejected: registry.family("spans_rejected", "Spans rejected by a filter; there is none"),
            traces_rejected: registry.family("traces_rejected", "Root spans rejected by a filter; there is none"),
            traces_received: registry.family("traces_received", "Root spans received in a Jaeger format"),
            spans_saved: registry.family("spans_saved_by_svc", "Spans delivered, by service"),
            traces_saved: registry.family("traces_saved_by_svc", "Root spans delivered, by service"),
            spans_dropped: dropped.get_or_create(&labels).clone(),
            spans_bytes: gauge(&mut registry, "spans_bytes", "Bytes of all spans so far (collector.enable-span-size-metrics)"),
            batch_size: gauge(&mut registry, "batch_size", "Spans of the last batch"),
            queue_capacity: gauge(&mut registry, "queue_capacity", "Bytes of batches that may be under way"),
            queue_length: gauge(&mut registry, "queue_length", "Bytes of batches under way"),
            in_queue_latency: histogram(
                &mut registry,
                "in_queue_latency",
                "Time from accepting a batch until it is written in seconds",
            ),
            save_latency: histogram(&mut registry, "save_latency", "Time to deliver a batch in seconds"),
            repaired: {
                let (family, help) = (Family::<What, Counter>::default(), "What sanitizers mended, marked or trimmed");
                registry.0.register("skua_repaired", help, family.clone());
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
        let Some((format, transport)) = transport.labels() else { return };
        for (service, spans) in by_service(batch) {
            let tally = Tally::of(batch, spans);
            // Jaeger counts before its sanitizers name what has no process or no service name.
            let svc = match service {
                b"null-process-and-service-name" | b"missing-service-name" | b"empty-service-name" => "__unknown".to_owned(),
                named => self.service(named).label.clone(),
            };
            for (debug, n) in tally.spans() {
                let labels = Received { debug, format, svc: svc.clone(), transport };
                self.spans_received.get_or_create(&labels).inc_by(n);
                drop(self.spans_rejected.get_or_create(&labels));
            }
            for (debug, sampler_type, n) in tally.roots() {
                let labels = TracesReceived { debug, format, sampler_type, svc: svc.clone(), transport };
                self.traces_received.get_or_create(&labels).inc_by(n);
                drop(self.traces_rejected.get_or_create(&labels));
            }
        }
    }

    /// Of what was written. What down-sampling left out is not counted here, though Jaeger counts it as saved.
    pub(crate) fn saved(&self, batch: &SpanBatch, ok: bool, took: Duration) {
        self.save_latency.observe(took.as_secs_f64());
        let (at, result) = (usize::from(!ok), RESULTS[usize::from(!ok)]);
        for (service, spans) in by_service(batch) {
            let service = self.service(service);
            let tally = Tally::of(batch, spans);
            for (debug, n) in tally.spans() {
                if debug == "false" {
                    service.saved[at].inc_by(n);
                } else {
                    self.spans_saved.get_or_create(&Saved { debug, result, svc: service.label.clone() }).inc_by(n);
                }
            }
            for (debug, sampler_type, n) in tally.roots() {
                if (debug, sampler_type) == ("false", "unrecognized") {
                    service.traces_saved[at].inc_by(n);
                } else {
                    let labels = TracesSaved { debug, result, sampler_type, svc: service.label.clone() };
                    self.traces_saved.get_or_create(&labels).inc_by(n);
                }
            }
        }
    }

    /// Jaeger's gauge is a sum over all spans since the start too; it has those of Jaeger formats only, at their protobuf size.
    pub(crate) fn processed(&self, batch: &SpanBatch) {
        self.spans_bytes.inc_by(batch.spans().iter().map(|s| s.body_size() as i64).sum());
    }

    pub(crate) fn dropped(&self, spans: u64) {
        self.spans_dropped.inc_by(spans);
    }

    pub(crate) fn repaired(&self, what: &'static str, n: u32) {
        if n > 0 {
            self.repaired.get_or_create(&What { what }).inc_by(u64::from(n));
        }
    }

    pub(crate) fn in_queue(&self, took: Duration) {
        self.in_queue_latency.observe(took.as_secs_f64());
    }

    pub(crate) fn queue_capacity(&self, bytes: usize) {
        self.queue_capacity.set(bytes as i64);
    }

    pub(crate) fn queue_length(&self, bytes: usize) {
        self.queue_length.set(bytes as i64);
    }

    fn service(&self, name: &[u8]) -> Arc<Service> {
        let mut services = self.services.lock();
        if let Some(known) = services.get(name) {
            return known.clone();
        }
        let label = if services.len() < MAX_SERVICES { normalized(name) } else { "other-services".to_owned() };
        let saved = RESULTS.map(|result| {
            let labels = Saved { debug: "false", result, svc: label.clone() };
            self.spans_saved.get_or_create(&labels).clone()
        });
        let traces_saved = RESULTS.map(|result| {
            let labels = TracesSaved { debug: "false", result, sampler_type: "unrecognized", svc: label.clone() };
            self.traces_saved.get_or_create(&labels).clone()
        });
        let service = Arc::new(Service { label, saved, traces_saved });
        if services.len() < MAX_SERVICES {
            services.insert(name.to_vec(), service.clone());
        }
        service
    }
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
