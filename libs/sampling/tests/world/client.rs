//! A client with a remote sampler, as Jaeger's are: a probability for each operation, and a lower bound for rare ones.

use skua_codec::sampling::Response;

/// One process of a service, with one operation.
pub struct Client {
    pub service: &'static str,
    pub operation: &'static str,
    /// Traces a second.
    pub rate: f64,
    /// Its sampler's; 0.001 before its first poll.
    pub probability: f64,
    pub poll_at: u64,
    lower_bound: f64,
    /// Traces that the lower bound would let through now, at most one.
    credit: f64,
}

impl Client {
    pub fn new(service: &'static str, operation: &'static str, rate: f64) -> Self {
        Self { service, operation, rate, probability: 0.001, poll_at: 0, lower_bound: 0.0, credit: 1.0 }
    }

    /// Takes up a strategy.
    pub fn follow(&mut self, strategy: Response) {
        self.probability = probability(&strategy, self.operation);
        self.lower_bound = strategy.operations.unwrap().default_lower_bound;
    }

    /// Traces sampled in a second by the probability, and by the lower bound alone.
    pub fn second(&mut self, random: &mut Random) -> (u64, u64) {
        self.credit = (self.credit + self.lower_bound).min(1.0);
        let sampled = random.poisson(self.rate * self.probability);
        let others = random.poisson((self.rate * (1.0 - self.probability)).min(20.0));
        let has_credit = self.credit >= 1.0;
        if has_credit && sampled + others > 0 {
            self.credit -= 1.0;
        }
        (sampled, u64::from(has_credit && sampled == 0 && others > 0))
    }
}

/// What a strategy says of an operation.
pub fn probability(strategy: &Response, operation: &str) -> f64 {
    let of = strategy.operations.as_ref().unwrap();
    of.operations.iter().find(|(name, _)| name == operation).map_or(of.default_probability, |(_, p)| *p)
}

/// splitmix64.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// From 0 to 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Events of a second, of which there are `mean` on average: exponential gaps, as many as fit.
    pub fn poisson(&mut self, mean: f64) -> u64 {
        let (mut at, mut events) = (0.0, 0);
        loop {
            at -= (1.0 - self.share()).ln();
            if at > mean {
                return events;
            }
            events += 1;
        }
    }
}
