//! Traces of several services, and what there is to count of them.

use crate::ports::unique_number;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

const MINUTE_MS: u64 = 60_000;

/// Calls and failed calls.
pub type Counts<K> = BTreeMap<K, (u64, u64)>;

/// Spans whose calls were counted while they were made up.
pub struct Traffic {
    /// Service and span, trace by trace.
    traces: Vec<Vec<(&'static str, Span)>>,
    /// By parent, child and type of connection, as the graph of services has them.
    pub links: Counts<(String, String, String)>,
    /// By service, operation and kind.
    pub red: Counts<(String, String, &'static str)>,
    /// All spans start from here on: milliseconds since 1970, a whole minute.
    pub begin: u64,
    /// And before this.
    pub end: u64,
    run: u64,
    dice: u64,
}

/// What a span is, but for its ids and times.
struct Told<'a> {
    service: &'static str,
    name: &'a str,
    /// OTLP's number.
    kind: i32,
    attributes: &'a [(&'a str, &'a str)],
}

fn told<'a>(service: &'static str, name: &'a str, kind: i32) -> Told<'a> {
    Told { service, name, kind, attributes: &[] }
}

fn add<K: Ord>(counts: &mut Counts<K>, key: K, failed: bool) {
    let count = counts.entry(key).or_default();
    count.0 += 1;
    count.1 += u64::from(failed);
}

impl Traffic {
    /// So many traces, whose spans start within these minutes; the last of them ended so many minutes ago.
    pub fn new(traces: u64, minutes: u64, ago: u64) -> Self {
        let now = UNIX_EPOCH.elapsed().unwrap_or_default().as_millis() as u64;
        let end = (now / MINUTE_MS - ago) * MINUTE_MS;
        let mut traffic = Self {
            traces: Vec::new(),
            links: Counts::new(),
            red: Counts::new(),
            begin: end - minutes * MINUTE_MS,
            end,
            run: unique_number(),
            dice: 7,
        };
        (0..traces).for_each(|number| traffic.trace(number));
        traffic
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.dice >> 33) % sides
    }

    /// Adds a span to the last trace; one in ten has failed. True if it has.
    fn span(&mut self, id: u64, parent: u64, told: &Told<'_>) -> bool {
        const KINDS: [&str; 6] = ["unspecified", "internal", "server", "client", "producer", "consumer"];
        let start = (self.begin + self.roll(self.end - self.begin)) * 1_000_000;
        let (duration, failed) = ((1 + self.roll(200_000)) * 1000, self.roll(10) == 0);
        add(&mut self.red, (told.service.to_owned(), told.name.to_owned(), KINDS[told.kind as usize]), failed);
        let trace = self.traces.len() as u64;
        let bytes = |id: u64| if id == 0 { Vec::new() } else { (trace << 8 | id).to_be_bytes().to_vec() };
        let span = Span {
            trace_id: (u128::from(self.run) << 64 | u128::from(trace)).to_be_bytes().to_vec(),
            span_id: bytes(id),
            parent_span_id: bytes(parent),
            name: told.name.to_owned(),
            kind: told.kind,
            start_time_unix_nano: start,
            end_time_unix_nano: start + duration,
            attributes: told.attributes.iter().map(|(key, value)| text(key, value)).collect(),
            status: Some(Status { code: if failed { 2 } else { 0 }, ..Status::default() }),
            ..Span::default()
        };
        if let Some(spans) = self.traces.last_mut() {
            spans.push((told.service, span));
        }
        failed
    }

    fn link(&mut self, parent: &str, child: &str, connection: &str, failed: bool) {
        add(&mut self.links, (parent.to_owned(), child.to_owned(), connection.to_owned()), failed);
    }

    /// A gateway calls orders, orders a database and, through a queue, billing; the gateway calls a peer that sends no spans, and a service
    /// whose servers share the ids of their clients, as Zipkin's do.
    fn trace(&mut self, number: u64) {
        self.traces.push(Vec::new());
        self.span(1, 0, &told("gateway", "GET /", 2));
        let client = self.span(2, 1, &told("gateway", "call orders", 3));
        let server = self.span(3, 2, &told("orders", "place", 2));
        self.link("gateway", "orders", "", client || server);
        self.span(4, 3, &told("orders", "check", 1));
        let database = [("db.system", "postgresql"), ("db.namespace", "shop"), ("server.address", "10.0.0.5")];
        let failed = self.span(5, 4, &Told { attributes: &database, ..told("orders", "SELECT", 3) });
        self.link("orders", "postgresql/shop", "database", failed);
        if number.is_multiple_of(3) {
            let queue = [("messaging.system", "kafka"), ("messaging.destination.name", "invoices")];
            let sent = self.span(6, 3, &Told { attributes: &queue, ..told("orders", "send", 4) });
            if number.is_multiple_of(2) {
                let received = self.span(7, 6, &Told { attributes: &queue, ..told("billing", "receive", 5) });
                self.link("orders", "billing", "messaging_system", sent || received);
            } else {
                self.link("orders", "kafka/invoices", "messaging_system", sent);
            }
        }
        if number.is_multiple_of(5) {
            let peer = [("server.address", "api.pay.example")];
            let failed = self.span(8, 1, &Told { attributes: &peer, ..told("gateway", "POST", 3) });
            self.link("gateway", "api.pay.example", "virtual_node", failed);
        }
        if number.is_multiple_of(7) {
            let client = self.span(9, 1, &told("gateway", "call legacy", 3));
            let server = self.span(9, 1, &told("legacy", "handle", 2));
            self.link("gateway", "legacy", "", client || server);
            self.span(10, 9, &told("legacy", "work", 1));
        }
    }

    /// Takes the first spans of a service out, to be sent later.
    pub fn hold_back(&mut self, service: &str, mut most: usize) -> Vec<ExportTraceServiceRequest> {
        let mut held = Vec::new();
        for spans in &mut self.traces {
            let (out, stay): (Vec<_>, Vec<_>) = std::mem::take(spans).into_iter().partition(|(of, _)| {
                let out = *of == service && most > 0;
                most -= usize::from(out);
                out
            });
            *spans = stay;
            held.extend(out);
        }
        held.chunks(60).map(request).collect()
    }

    /// Every span, and one in ten twice, in requests of some; spans of a hundred traces are mixed with each other.
    pub fn requests(&mut self) -> Vec<ExportTraceServiceRequest> {
        let mut requests = Vec::new();
        let traces = std::mem::take(&mut self.traces);
        for some in traces.chunks(100) {
            let mut spans: Vec<(&str, Span)> = some.concat();
            for n in 0..spans.len() / 10 {
                spans.push(spans[n * 7 % spans.len()].clone());
            }
            for n in (1..spans.len()).rev() {
                let other = self.roll(n as u64 + 1) as usize;
                spans.swap(n, other);
            }
            requests.extend(spans.chunks(60).map(request));
        }
        self.traces = traces;
        requests
    }

    /// Spans, each once.
    pub fn len(&self) -> u64 {
        self.traces.iter().map(|spans| spans.len() as u64).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn request(spans: &[(&str, Span)]) -> ExportTraceServiceRequest {
    let mut by_service: BTreeMap<&str, Vec<Span>> = BTreeMap::new();
    spans.iter().for_each(|(service, span)| by_service.entry(service).or_default().push(span.clone()));
    let resource_spans = by_service.into_iter().map(|(service, spans)| ResourceSpans {
        resource: Some(Resource { attributes: vec![text("service.name", service)], ..Resource::default() }),
        scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
        schema_url: String::new(),
    });
    ExportTraceServiceRequest { resource_spans: resource_spans.collect() }
}

fn text(key: &str, value: &str) -> KeyValue {
    let value = AnyValue { value: Some(Value::StringValue(value.to_owned())) };
    KeyValue { key: key.to_owned(), value: Some(value), ..Default::default() }
}
