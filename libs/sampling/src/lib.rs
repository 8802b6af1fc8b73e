//! Sampling strategies: what share of its traces a service samples.
//!
//! - [`file`](mod@file): strategies that a person has written, in a file or at a URL.
//! - [`adaptive`]: strategies that follow the traffic, so that each operation gives about as many traces a second.
//! - [`Strategies`]: one or the other, for what answers the clients.

pub mod adaptive;
mod error;
pub mod file;

#[cfg(test)]
#[path = "../tests/given/mod.rs"]
mod given;

pub use error::Error;

use skua_codec::sampling::Response;
use std::sync::Arc;

/// Where a collector's strategies come from (`SAMPLING_CONFIG_TYPE`).
#[derive(Clone)]
pub enum Strategies {
    /// `file`
    File(Arc<file::FileStrategies>),
    /// `adaptive`
    Adaptive(Arc<adaptive::Provider>),
}

impl Strategies {
    /// What to tell a service. Names are compared exactly; an unknown one has the default. Waits for nothing.
    pub fn strategy(&self, service: &str) -> Response {
        match self {
            Self::File(strategies) => strategies.strategy(service),
            Self::Adaptive(provider) => provider.strategy(service),
        }
    }
}
