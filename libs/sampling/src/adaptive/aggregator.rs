//! Counts what samplers let through.

mod sampled;
#[cfg(test)]
mod tests;

use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use sampled::Sampled;
use skua_model::SpanBatch;
use skua_store::sampling::Throughput;
use std::collections::{BTreeSet, HashMap};

/// Operations of one interval; spans of further ones are counted in [`Aggregator::overflow`] only.
const MOST_OPERATIONS: usize = 20_000;
/// Bytes of a service or operation; a longer one is no name and is not kept.
const LONGEST_NAME: usize = 1024;
/// Jaeger's: distinct probabilities of one operation in one interval.
const MOST_PROBABILITIES: usize = 10;

/// The counts of the current interval. Cheap: only root spans that carry a sampler's tags are looked at, and the lock is taken
/// once for a batch that has any.
#[derive(Debug)]
pub struct Aggregator {
    current: Mutex<Current>,
    overflow: Counter,
}

#[derive(Debug, Default)]
struct Current {
    services: HashMap<String, HashMap<String, Seen>>,
    operations: usize,
}

#[derive(Debug, Default)]
struct Seen {
    count: u64,
    /// The bits of the last one, so that its text is made once.
    last: Option<u64>,
    probabilities: BTreeSet<String>,
}

impl Aggregator {
    /// Counts nothing yet.
    pub fn new(registry: &mut Registry) -> Self {
        let overflow = Counter::default();
        let help = "Sampled root spans that were not counted, as there are too many operations or the name is too long";
        registry.register("skua_sampling_throughput_overflow", help, overflow.clone());
        Self { current: Mutex::default(), overflow }
    }

    /// Counts the root spans of a batch, of whatever format, that carry a sampler's tags.
    pub fn observe(&self, batch: &SpanBatch) {
        let mut current = None;
        for entry in batch.spans().iter().filter(|entry| entry.is_root()) {
            let span = batch.view(entry);
            let Some(sampled) = Sampled::read(&span) else { continue };
            let service = batch.service(batch.resource_of(entry));
            if service.is_empty() || span.name.is_empty() {
                continue;
            }
            let current = current.get_or_insert_with(|| self.current.lock());
            if service.len() > LONGEST_NAME || span.name.len() > LONGEST_NAME || !current.record(service, span.name, &sampled) {
                self.overflow.inc();
            }
        }
    }

    /// What was counted since the last time. In any order.
    pub fn take(&self) -> Vec<Throughput> {
        let current = std::mem::take(&mut *self.current.lock());
        let mut all = Vec::with_capacity(current.operations);
        for (service, operations) in current.services {
            all.extend(operations.into_iter().map(|(operation, seen)| Throughput {
                service: service.clone(),
                operation,
                count: seen.count,
                probabilities: seen.probabilities,
            }));
        }
        all
    }

    /// Sampled root spans that were not counted so far.
    pub fn overflow(&self) -> u64 {
        self.overflow.get()
    }
}

impl Current {
    /// False when there is no room.
    fn record(&mut self, service: &[u8], operation: &[u8], sampled: &Sampled) -> bool {
        let (service, operation) = (String::from_utf8_lossy(service), String::from_utf8_lossy(operation));
        if let Some(seen) = self.services.get_mut(&*service).and_then(|operations| operations.get_mut(&*operation)) {
            seen.add(sampled);
            return true;
        }
        if self.operations >= MOST_OPERATIONS {
            return false;
        }
        self.operations += 1;
        self.services.entry(service.into_owned()).or_default().entry(operation.into_owned()).or_default().add(sampled);
        true
    }
}

impl Seen {
    /// Only probabilistic samplers count; the others, among them the lower bound of a rare operation, show that it exists.
    fn add(&mut self, sampled: &Sampled) {
        self.count += u64::from(sampled.probabilistic);
        let bits = sampled.param.to_bits();
        if self.last.replace(bits) != Some(bits) && self.probabilities.len() < MOST_PROBABILITIES {
            self.probabilities.insert(super::calculation::text(sampled.param));
        }
    }
}
