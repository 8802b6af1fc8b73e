//! What all stores have in common for a test: how a tier is told of them, and what spans are in them.

use crate::servers::Server;
use crate::spans::SpanKey;
use crate::{Result, ensure};
use std::collections::{HashMap, HashSet};

/// A database that tiers write spans to. What belongs to one test has a name there that nobody else uses: the prefix of its
/// indices, or its keyspace.
pub trait Store {
    /// The value of `SPAN_STORAGE_TYPE`.
    fn storage_type(&self) -> &'static str;

    /// The flags of a tier that keeps its spans under this name, and makes there what is missing.
    fn flags(&self, name: &str) -> Vec<String>;

    /// The private server, to stop and to start again; an error when it is one that tests share.
    fn server(&mut self) -> Result<&mut Server>;

    /// The number of spans under a name, once all that are stored can be seen.
    fn count(&self, name: &str) -> impl Future<Output = Result<u64>>;

    /// Every span under a name, once all that are stored can be seen.
    fn spans(&self, name: &str) -> impl Future<Output = Result<StoredSpans>>;
}

/// The documents or rows of spans, by trace id and span id.
#[derive(Default)]
pub struct StoredSpans {
    counts: HashMap<SpanKey, u64>,
}

impl StoredSpans {
    pub(crate) fn add(&mut self, key: SpanKey) {
        *self.counts.entry(key).or_default() += 1;
    }

    /// Fails unless each of `expected` is there exactly once, and nothing else.
    pub fn exactly(&self, expected: &HashSet<SpanKey>) -> Result<()> {
        let missing: Vec<_> = expected.iter().filter(|key| !self.counts.contains_key(key)).collect();
        let foreign: Vec<_> = self.counts.keys().filter(|key| !expected.contains(key)).collect();
        let repeated: Vec<_> = self.counts.iter().filter(|(_, count)| **count > 1).collect();
        ensure(missing.is_empty() && foreign.is_empty() && repeated.is_empty(), || {
            format!(
                "of {} spans, {} are missing {:?}, {} are stored more than once {:?}, {} are unknown {:?}",
                expected.len(),
                missing.len(),
                &missing[..missing.len().min(3)],
                repeated.len(),
                &repeated[..repeated.len().min(3)],
                foreign.len(),
                &foreign[..foreign.len().min(3)],
            )
        })
    }
}
