//! HTTP receivers: [`otlp`] (4318), [`thrift`] (14268), [`zipkin`] (9411), and [`sampling`] (5778) for remote samplers.
//!
//! Each has `router(…)` and `serve(listener, …)`; those that take spans are told [`Options`]. What they share: bodies are read and decompressed within bounds
//! ([`Budget`], `max_body`), a request that the intake has no room for is answered 503 with `Retry-After`, and the server is
//! [`server`](crate::server).

mod answer;
mod body;
mod budget;
mod cors;
mod media;
pub mod metrics;
pub mod otlp;
pub mod sampling;
pub mod thrift;
pub mod zipkin;

pub use body::{Bounds, DEFAULT_MAX_BODY, Unreadable};
pub use budget::Budget;
pub use cors::Cors;

use crate::{Intake, server};
use std::sync::Arc;

/// What a receiver of spans is asked to bound.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bytes of one request's body, before and after decompression (`….max-request-body-size`).
    pub max_body: usize,
    /// Bytes of all bodies.
    pub budget: Budget,
    /// Which web pages may send (`….cors.*`); 14268 has no such flags.
    pub cors: Cors,
    /// Times and connections (`….*-timeout`, `….keep-alive`).
    pub limits: server::Limits,
}

impl Default for Options {
    fn default() -> Self {
        let (budget, cors, limits) = (Budget::default(), Cors::default(), server::Limits::default());
        Self { max_body: DEFAULT_MAX_BODY, budget, cors, limits }
    }
}

/// What the handlers of a receiver of spans work with.
#[derive(Clone)]
struct Receiver {
    intake: Arc<dyn Intake>,
    bounds: body::Bounds,
}

impl Receiver {
    /// `flag` is that of [`Options::max_body`], for the message to a sender of too much.
    fn new(options: &Options, flag: &'static str, intake: Arc<dyn Intake>) -> Self {
        Self { intake, bounds: body::Bounds { max: options.max_body, flag, budget: options.budget.clone() } }
    }
}
