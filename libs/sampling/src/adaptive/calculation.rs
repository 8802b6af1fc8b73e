//! From counts to probabilities: the calculation of Jaeger 1.76, to the digit.

#[cfg(test)]
mod tests;

use super::Options;
use skua_store::sampling::{ByOperation, Throughput};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// A probability may at most double from one calculation to the next; it may fall to any extent.
const MOST_INCREASE: f64 = 1.0;

/// The probability as it stands in [`Throughput::probabilities`]: six decimals, and Go's words for what is no number.
pub(crate) fn text(probability: f64) -> String {
    match probability {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        _ => format!("{probability:.6}"),
    }
}

/// The buckets and what was made of them so far.
#[derive(Debug)]
pub(crate) struct Calculation {
    target: f64,
    tolerance: f64,
    initial: f64,
    least: f64,
    for_calculation: usize,
    most_buckets: usize,
    /// Newest first.
    buckets: VecDeque<Bucket>,
    /// What the last calculation gave.
    probabilities: ByOperation,
    /// What the last calculation found about each operation, and the probability that it had before.
    last: HashMap<(String, String), Found>,
}

/// All collectors' counts of one interval.
#[derive(Debug)]
struct Bucket {
    seconds: f64,
    services: BTreeMap<String, BTreeMap<String, Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    count: u64,
    probabilities: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy)]
struct Found {
    probability: f64,
    adaptive: bool,
}

/// The result for each operation.
#[derive(Debug, Default)]
pub(crate) struct Calculated {
    pub probabilities: ByOperation,
    /// Sampled traces a second.
    pub qps: ByOperation,
    pub operations: usize,
}

impl Calculation {
    pub fn new(options: &Options) -> Self {
        Self {
            target: options.target_samples_per_second,
            tolerance: options.delta_tolerance,
            initial: options.initial_sampling_probability,
            least: options.min_sampling_probability,
            for_calculation: options.buckets_for_calculation,
            most_buckets: options.aggregation_buckets,
            buckets: VecDeque::new(),
            probabilities: ByOperation::new(),
            last: HashMap::new(),
        }
    }

    /// A newer bucket: what all collectors counted in an interval of this many nanoseconds.
    pub fn push_newer(&mut self, interval_ns: u64, throughput: Vec<Throughput>) {
        self.buckets.push_front(Bucket::new(interval_ns, throughput));
        self.buckets.truncate(self.most_buckets);
    }

    /// A bucket older than all others, as they are read at the start. False when there is no room for more.
    pub fn push_older(&mut self, interval_ns: u64, throughput: Vec<Throughput>) -> bool {
        if self.buckets.len() < self.most_buckets {
            self.buckets.push_back(Bucket::new(interval_ns, throughput));
        }
        self.buckets.len() < self.most_buckets
    }

    /// Goes on from what another leader calculated.
    pub fn resume(&mut self, probabilities: ByOperation) {
        self.probabilities = probabilities;
        self.last.clear();
    }

    /// The probability of every operation of the buckets. There has to be a bucket.
    pub fn calculate(&mut self) -> Calculated {
        let mut calculated = Calculated::default();
        let mut found = HashMap::new();
        for (service, operations) in self.rates() {
            let probabilities = calculated.probabilities.entry(service.to_owned()).or_default();
            let qps = calculated.qps.entry(service.to_owned()).or_default();
            for (operation, rates) in operations {
                let average = weighted(&rates);
                let key = (service.to_owned(), operation.to_owned());
                let probability = self.probability_of(service, operation);
                let adaptive = self.is_adaptive(probability, &key);
                found.insert(key, Found { probability, adaptive });
                let next = if adaptive { self.next(probability, average) } else { probability };
                probabilities.insert(operation.to_owned(), next);
                qps.insert(operation.to_owned(), average);
                calculated.operations += 1;
            }
        }
        self.last = found;
        self.probabilities = calculated.probabilities.clone();
        calculated
    }

    /// Sampled traces a second of each operation, in the newest buckets that have it.
    fn rates(&self) -> BTreeMap<&str, BTreeMap<&str, Vec<f64>>> {
        let mut rates = BTreeMap::<&str, BTreeMap<&str, Vec<f64>>>::new();
        for bucket in &self.buckets {
            for (service, operations) in &bucket.services {
                let of_service = rates.entry(service).or_default();
                for (operation, seen) in operations {
                    let of_operation = of_service.entry(operation).or_default();
                    if of_operation.len() < self.for_calculation {
                        of_operation.push(seen.count as f64 / bucket.seconds);
                    }
                }
            }
        }
        rates
    }

    fn probability_of(&self, service: &str, operation: &str) -> f64 {
        self.probabilities.get(service).and_then(|of| of.get(operation)).copied().unwrap_or(self.initial)
    }

    /// Whether clients sample the operation with the probability that they were told. One at the initial probability is taken
    /// to; one without a span in the newest bucket, if it was found to last time.
    fn is_adaptive(&self, probability: f64, key: &(String, String)) -> bool {
        if nearly_equal(probability, self.initial) {
            return true;
        }
        let newest = self.buckets.front().and_then(|bucket| bucket.services.get(&key.0)?.get(&key.1));
        match newest {
            Some(seen) => seen.probabilities.contains(&text(probability)),
            None => self.last.get(key).is_some_and(|last| last.adaptive && !nearly_equal(last.probability, self.initial)),
        }
    }

    fn next(&self, old: f64, rate: f64) -> f64 {
        if (rate - self.target).abs() / self.target < self.tolerance {
            return old;
        }
        let next = if nearly_equal(rate, 0.0) { old * 2.0 } else { towards(self.target, rate, old) };
        at_most_one(at_least(self.least, next))
    }
}

/// Proportional, but slow on the way up, so that a quiet operation that wakes does not flood the store.
fn towards(target: f64, rate: f64, old: f64) -> f64 {
    let factor = target / rate;
    let next = old * factor;
    if factor > 1.0 && (next - old) / old > MOST_INCREASE { old + old * MOST_INCREASE } else { next }
}

/// The average of rates, newest first, with the weights i⁴ of i = n, n−1, … 1.
fn weighted(rates: &[f64]) -> f64 {
    let weight = |i: usize| ((rates.len() - i) as f64).powi(4);
    let sum: f64 = (0..rates.len()).map(weight).sum();
    rates.iter().enumerate().fold(0.0, |average, (i, rate)| average + rate * (weight(i) / sum))
}

fn nearly_equal(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-10
}

fn at_least(least: f64, v: f64) -> f64 {
    if v < least { least } else { v }
}

fn at_most_one(v: f64) -> f64 {
    if v > 1.0 { 1.0 } else { v }
}

impl Bucket {
    fn new(interval_ns: u64, throughput: Vec<Throughput>) -> Self {
        let mut services = BTreeMap::<String, BTreeMap<String, Seen>>::new();
        for one in throughput {
            let seen = services.entry(one.service).or_default().entry(one.operation).or_default();
            seen.count = seen.count.saturating_add(one.count);
            seen.probabilities.extend(one.probabilities);
        }
        Self { seconds: interval_ns as f64 / 1e9, services }
    }
}
