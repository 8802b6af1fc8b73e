//! OTLP requests of realistic spans. The same [`Config`] gives the same bytes, on every machine.
//!
//! Twenty services of a shop call each other; a trace has 1 to 20 spans with parents across services, a span 11
//! attributes of all four kinds, one in twenty failed with an exception event, one in five has an event. As from an SDK,
//! a request holds spans of one service; only the last ones, where no service can fill a request, mix several.

mod attributes;
mod catalog;
mod encode;
mod hard;
mod rng;
mod trace;
mod uniform;

use bytes::Bytes;
use encode::{Attributes, bytes, fixed32, fixed64, message, uint};
use rng::{GOLDEN, Rng, mix};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use trace::{Planned, Role};

pub use catalog::{Api, SERVICES, Service};
pub use hard::generate_hard;
pub use uniform::generate_uniform;

/// What to make.
#[derive(Debug, Clone)]
pub struct Config {
    /// Other seeds give other ids and other spans.
    pub seed: u64,
    /// Spans in all.
    pub spans: usize,
    /// Spans of a request.
    pub batch: usize,
    /// Nanoseconds since 1970; every span has ended by then.
    pub now: u64,
    /// Traces begin between `now - window` and shortly before `now`, in order.
    pub window: Duration,
    /// All spans are of one trace, the one with the number 0.
    pub one_trace: bool,
}

impl Config {
    /// Spans of the last five minutes.
    pub fn new(spans: usize, batch: usize) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64);
        Self { seed: 1, spans, batch, now, window: Duration::from_secs(300), one_trace: false }
    }
}

/// Requests ready to send, and what is in them.
#[derive(Debug, Clone, Default)]
pub struct Load {
    /// `ExportTraceServiceRequest` messages, the same on the wire as `TracesData`.
    pub requests: Vec<Bytes>,
    /// Spans of each request.
    pub sizes: Vec<u32>,
    /// Spans in all.
    pub spans: usize,
    /// Traces in all; their ids are `trace_id(seed, 0..traces)`.
    pub traces: usize,
    /// Spans with an error status.
    pub errors: usize,
    /// Events in all.
    pub events: usize,
}

impl Load {
    /// Bytes of all requests.
    pub fn bytes(&self) -> usize {
        self.requests.iter().map(Bytes::len).sum()
    }
}

/// The id of a trace, different for every number.
pub fn trace_id(seed: u64, number: u64) -> [u8; 16] {
    let (high, low) = (mix(seed ^ GOLDEN), mix(seed));
    let mut id = [0; 16];
    id[..8].copy_from_slice(&mix(high.wrapping_add(number.wrapping_mul(GOLDEN))).to_be_bytes());
    id[8..].copy_from_slice(&mix(low.wrapping_add(number)).to_be_bytes());
    id
}

/// The id of a span, different for every number.
pub fn span_id(seed: u64, number: u64) -> [u8; 8] {
    mix(mix(seed.wrapping_add(GOLDEN)).wrapping_add(number)).to_be_bytes()
}

/// Spans of one service that wait for a full request, by instrumentation scope.
#[derive(Default)]
struct Waiting {
    scopes: [Vec<Vec<u8>>; SCOPES.len()],
    spans: usize,
}

impl Waiting {
    /// Adds a span of a scope; with `batch` of them makes a request.
    fn push(&mut self, scope: usize, body: Vec<u8>, batch: usize, resource: &[u8], load: &mut Load) {
        self.scopes[scope].push(body);
        self.spans += 1;
        if self.spans == batch {
            let mut request = Vec::new();
            put_resource_spans(&mut request, resource, &std::mem::take(self).scopes);
            load.requests.push(request.into());
            load.sizes.push(batch as u32);
        }
    }
}

/// The instrumentation scopes a service has.
const SCOPES: [(&str, &str); 3] = [("shop.server", "2.21.0"), ("shop.client", "2.21.0"), ("shop.app", "1.4.2")];

/// Makes all requests of a load.
pub fn generate(config: &Config) -> Load {
    let mut rng = Rng::new(config.seed);
    let resources: Vec<Vec<u8>> = SERVICES.iter().map(|s| resource(s, &mut rng)).collect();
    let mut waiting: Vec<Waiting> = SERVICES.iter().map(|_| Waiting::default()).collect();
    let mut load = Load::default();
    let (window, batch) = (config.window.as_nanos() as u64, config.batch.max(1));
    let first = config.now.saturating_sub(window);
    let spread = window.saturating_sub(trace::LONGEST);
    while load.spans < config.spans {
        let size = (1 + rng.below(20) as usize).min(config.spans - load.spans);
        let start = first + (u128::from(spread) * load.spans as u128 / config.spans as u128) as u64;
        let id = trace_id(config.seed, if config.one_trace { 0 } else { load.traces as u64 });
        let plan = trace::plan(&mut rng, size, start);
        for (i, span) in plan.iter().enumerate() {
            let number = |at: usize| span_id(config.seed, (load.spans + at) as u64);
            let body = encode_span(&mut rng, span, &id, &number(i), span.parent.map(number));
            load.errors += usize::from(span.error);
            load.events += usize::from(span.event);
            waiting[span.service].push(scope_of(span.role), body, batch, &resources[span.service], &mut load);
        }
        load.spans += size;
        load.traces += 1;
    }
    mix_the_rest(&mut load, &resources, waiting, batch);
    load
}

/// Requests of what is left, each filled with spans of as many services as it takes.
fn mix_the_rest(load: &mut Load, resources: &[Vec<u8>], waiting: Vec<Waiting>, batch: usize) {
    let (mut request, mut room) = (Vec::new(), batch);
    for (resource, w) in resources.iter().zip(waiting) {
        let (mut scopes, mut left) = (w.scopes, w.spans);
        while left > 0 {
            let mut part: [Vec<Vec<u8>>; SCOPES.len()] = Default::default();
            let taken = room.min(left);
            let mut want = taken;
            for (to, from) in part.iter_mut().zip(&mut scopes) {
                let n = want.min(from.len());
                to.extend(from.drain(..n));
                want -= n;
            }
            put_resource_spans(&mut request, resource, &part);
            left -= taken;
            room -= taken;
            if room == 0 {
                load.requests.push(std::mem::take(&mut request).into());
                load.sizes.push(batch as u32);
                room = batch;
            }
        }
    }
    if room < batch {
        load.requests.push(request.into());
        load.sizes.push((batch - room) as u32);
    }
}

/// One `resource_spans` field of a request.
fn put_resource_spans(out: &mut Vec<u8>, resource: &[u8], scopes: &[Vec<Vec<u8>>; SCOPES.len()]) {
    message(out, 1, |out| {
        bytes(out, 1, resource);
        for ((name, version), spans) in SCOPES.iter().zip(scopes).filter(|(_, spans)| !spans.is_empty()) {
            message(out, 2, |out| {
                message(out, 1, |out| {
                    bytes(out, 1, name.as_bytes());
                    bytes(out, 2, version.as_bytes());
                });
                spans.iter().for_each(|span| bytes(out, 2, span));
            });
        }
    });
}

fn resource(service: &Service, rng: &mut Rng) -> Vec<u8> {
    let mut out = Vec::new();
    let (name, pod) = (service.name, format!("{:05x}", rng.below(0x10_0000)));
    let mut a = Attributes::new(&mut out, 1);
    a.text("service.name", name);
    a.text("service.namespace", "shop");
    a.text("service.version", "3.14.2");
    a.text("service.instance.id", &format!("{:016x}", rng.next()));
    a.text("deployment.environment.name", "production");
    a.text("host.name", &format!("node-{}", rng.below(40)));
    a.text("k8s.pod.name", &format!("{name}-7d4b9c-{pod}"));
    a.text("telemetry.sdk.language", service.language);
    a.text("telemetry.sdk.name", "opentelemetry");
    a.int("process.pid", 1 + rng.below(32_000) as i64);
    out
}

fn scope_of(role: Role) -> usize {
    match role {
        Role::HttpServer | Role::RpcServer | Role::Consumer => 0,
        Role::HttpClient | Role::RpcClient | Role::Producer | Role::Database => 1,
        Role::Internal => 2,
    }
}

/// The body of an OTLP `Span`.
fn encode_span(rng: &mut Rng, span: &Planned, trace: &[u8; 16], id: &[u8; 8], parent: Option<[u8; 8]>) -> Vec<u8> {
    let mut out = Vec::with_capacity(600);
    bytes(&mut out, 1, trace);
    bytes(&mut out, 2, id);
    if let Some(parent) = parent {
        bytes(&mut out, 4, &parent);
    }
    bytes(&mut out, 5, attributes::name(span).as_bytes());
    uint(&mut out, 6, span.role.kind());
    fixed64(&mut out, 7, span.start);
    fixed64(&mut out, 8, span.end);
    attributes::put(&mut Attributes::new(&mut out, 9), rng, span);
    if span.event {
        message(&mut out, 11, |out| attributes::put_event(out, rng, span));
    }
    if span.error {
        message(&mut out, 15, |out| {
            bytes(out, 2, attributes::failure(span).1.as_bytes());
            uint(out, 3, 2);
        });
    }
    fixed32(&mut out, 16, 0x101);
    out
}

#[cfg(test)]
mod tests;
