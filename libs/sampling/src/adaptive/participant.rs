//! What tells one collector from the others.

use super::{Clock, SystemClock};
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

/// One collector of an installation. Everything random about adaptive sampling is in here, and the clock.
#[derive(Clone)]
pub struct Participant {
    /// The owner of its lease; no other process has it.
    pub name: String,
    /// Spreads the readings of many collectors over time.
    pub seed: u64,
    /// Those of all collectors have to agree to within seconds.
    pub clock: Arc<dyn Clock>,
}

impl Participant {
    /// This process: its name is the host's and 16 random hex digits, as in Jaeger.
    pub fn new(host: &str) -> Self {
        let seed = std::hash::RandomState::new().build_hasher().finish();
        Self { name: format!("{host}-{seed:016x}"), seed, clock: Arc::new(SystemClock) }
    }
}
