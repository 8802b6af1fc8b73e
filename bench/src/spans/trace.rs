//! The shape of one trace: which service does what, when, and on whose behalf.

use super::catalog::{Api, ENTRANCES, SERVICES};
use super::rng::Rng;

/// No trace lasts longer, ns.
pub const LONGEST: u64 = 10_000_000_000;

/// What a span stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    HttpServer,
    HttpClient,
    RpcServer,
    RpcClient,
    Producer,
    Consumer,
    Database,
    Internal,
}

impl Role {
    /// OTLP's number of the span kind.
    pub fn kind(self) -> u64 {
        match self {
            Self::Internal => 1,
            Self::HttpServer | Self::RpcServer => 2,
            Self::HttpClient | Self::RpcClient | Self::Database => 3,
            Self::Producer => 4,
            Self::Consumer => 5,
        }
    }

    /// True for a span that waits for another service.
    fn calls(self) -> bool {
        matches!(self, Self::HttpClient | Self::RpcClient | Self::Producer)
    }
}

/// One span before it has ids and attributes.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Index of its parent in the same trace.
    pub parent: Option<usize>,
    /// Index of its own service.
    pub service: usize,
    /// The service at the other end: the callee of a client, the caller of a server. Its own for the rest.
    pub peer: usize,
    pub role: Role,
    /// Route, method, topic, table or function.
    pub operation: &'static str,
    /// Nanoseconds since 1970.
    pub start: u64,
    /// Nanoseconds since 1970.
    pub end: u64,
    pub error: bool,
    /// An error always has an event.
    pub event: bool,
}

/// Functions of internal spans.
const FUNCTIONS: [&str; 6] = ["validate", "render", "price", "authorize", "serialize", "merge"];

/// Plans a trace of `size` spans that begins at `start`.
pub fn plan(rng: &mut Rng, size: usize, start: u64) -> Vec<Planned> {
    let mut spans: Vec<Planned> = Vec::with_capacity(size);
    let entrance = rng.pick(&ENTRANCES);
    // 2 ms to 2 s, as many between 2 and 20 ms as between 200 ms and 2 s.
    let lasts = (2e6 * 1000f64.powf(rng.unit())) as u64;
    let operation = rng.pick(SERVICES[entrance].operations);
    spans.push(span(rng, None, entrance, entrance, Role::HttpServer, operation, (start, start + lasts)));
    while spans.len() < size {
        let last = spans.len() - 1;
        let near = last - rng.below(spans.len().min(6) as u64) as usize;
        let parent = match (spans[last].role, spans[near].role) {
            (role, _) if role.calls() => last, // what was called answers
            (_, role) if role.calls() || role == Role::Database => 0,
            _ => near,
        };
        let child = child(rng, &spans[parent], parent);
        spans.push(child);
    }
    spans
}

/// The next step of a span: the service it called, or what it does itself.
fn child(rng: &mut Rng, of: &Planned, parent: usize) -> Planned {
    let lasts = (of.end - of.start) as f64;
    let start = of.start + (lasts * 0.3 * rng.unit()) as u64;
    let time = (start, start + ((lasts * (0.2 + 0.5 * rng.unit())) as u64).max(1000));
    let own = &SERVICES[of.service];
    if of.role.calls() {
        let role = match of.role {
            Role::HttpClient => Role::HttpServer,
            Role::RpcClient => Role::RpcServer,
            _ => Role::Consumer,
        };
        return span(rng, Some(parent), of.peer, of.service, role, of.operation, time);
    }
    let what = rng.below(100);
    if what < 40 && !own.calls.is_empty() {
        let peer = rng.pick(own.calls);
        let role = match SERVICES[peer].api {
            Api::Http => Role::HttpClient,
            Api::Rpc => Role::RpcClient,
            Api::Topic => Role::Producer,
        };
        let operation = rng.pick(SERVICES[peer].operations);
        span(rng, Some(parent), of.service, peer, role, operation, time)
    } else if what < 80 && !own.tables.is_empty() {
        let table = rng.pick(own.tables);
        span(rng, Some(parent), of.service, of.service, Role::Database, table, time)
    } else {
        let function = rng.pick(&FUNCTIONS);
        span(rng, Some(parent), of.service, of.service, Role::Internal, function, time)
    }
}

fn span(
    rng: &mut Rng,
    parent: Option<usize>,
    service: usize,
    peer: usize,
    role: Role,
    operation: &'static str,
    (start, end): (u64, u64),
) -> Planned {
    let luck = rng.below(100);
    Planned { parent, service, peer, role, operation, start, end, error: luck < 5, event: luck < 20 }
}
