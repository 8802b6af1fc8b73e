//! `SamplingStrategyResponse`: what a remote sampler is told, in protobuf (gRPC) and in both JSON forms.

mod json;
mod proto;
#[cfg(test)]
mod tests;

pub use json::LegacyError;
pub use proto::{put_request, read_request};

/// A strategy for one service (`sampling.proto`).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Response {
    /// The field `strategyType`.
    pub kind: Kind,
    /// `probabilisticSampling.samplingRate`, 0 to 1.
    pub probabilistic: Option<f64>,
    /// `rateLimitingSampling.maxTracesPerSecond`.
    pub rate_limiting: Option<i32>,
    /// `operationSampling`; a client prefers it over the other two.
    pub operations: Option<PerOperation>,
}

/// `SamplingStrategyType`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// 0
    #[default]
    Probabilistic,
    /// 1
    RateLimiting,
}

/// `PerOperationSamplingStrategies`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PerOperation {
    /// For operations that are not listed.
    pub default_probability: f64,
    /// Traces a second that each operation has at least.
    pub default_lower_bound: f64,
    /// Traces a second that each operation has at most; 0 is none.
    pub default_upper_bound: f64,
    /// Operation and its probability, in the order of the answer.
    pub operations: Vec<(String, f64)>,
}
