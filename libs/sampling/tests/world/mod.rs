//! Collectors and clients that live by the second of a simulated clock.

mod client;

pub use client::Client;

use crate::given::sampled;
use client::Random;
use prometheus_client::registry::Registry;
use skua_sampling::adaptive::{Aggregator, Election, Options, Processor, Provider};
use skua_store::sampling::MemorySampling;
use std::collections::HashMap;
use std::sync::Arc;

/// 2026-01-25 12:00.
const START: u64 = 1_769_342_400;
/// Jaeger's: how often a collector reads the stored probabilities, and a client its strategy.
const REFRESH: u64 = 20;
pub const POLL: u64 = 60;

struct Collector {
    aggregator: Arc<Aggregator>,
    provider: Arc<Provider>,
    election: Arc<Election>,
    processor: Processor,
    /// Seconds by which its clock's beats come later than those of the others.
    phase: u64,
    campaign_at: u64,
    alive: bool,
}

/// Everything, at one second.
pub struct World {
    now: u64,
    interval: u64,
    random: Random,
    collectors: Vec<Collector>,
    clients: Vec<Client>,
    /// Traces that probabilistic samplers let through, by service.
    counted: HashMap<&'static str, u64>,
}

impl World {
    pub async fn new(seed: u64, collectors: usize, options: Options, clients: Vec<Client>) -> Self {
        let mut random = Random(seed);
        let store = Arc::new(MemorySampling::new(options.insertions() * collectors));
        let interval = options.calculation_interval.as_secs();
        let mut world =
            Self { now: START, interval, random: Random(seed), collectors: Vec::new(), clients, counted: HashMap::new() };
        for i in 0..collectors {
            let aggregator = Arc::new(Aggregator::new(&mut Registry::default()));
            let provider = Arc::new(Provider::new(&options, store.clone()));
            let election = Arc::new(Election::new(store.clone(), format!("collector-{i}"), &options));
            let (o, s, e, a, p) = (options.clone(), store.clone(), election.clone(), aggregator.clone(), provider.clone());
            let mut processor = Processor::new(o, format!("host-{i}"), s, e, a, p, &mut Registry::default());
            processor.load(START * 1_000_000).await;
            let phase = random.below(interval);
            let campaign_at = START + random.below(10);
            world.collectors.push(Collector { aggregator, provider, election, processor, phase, campaign_at, alive: true });
        }
        for client in &mut world.clients {
            client.poll_at = START + random.below(POLL);
        }
        world
    }

    /// Lets seconds pass.
    pub async fn run(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now += 1;
            self.second().await;
        }
    }

    /// Sampled traces a second of each service while these seconds pass.
    pub async fn measure(&mut self, seconds: u64) -> HashMap<&'static str, f64> {
        self.counted.clear();
        self.run(seconds).await;
        let services: Vec<_> = self.clients.iter().map(|c| c.service).collect();
        let rate = |service| *self.counted.get(service).unwrap_or(&0) as f64 / seconds as f64;
        services.into_iter().map(|service| (service, rate(service))).collect()
    }

    async fn second(&mut self) {
        let now_us = self.now * 1_000_000;
        let alive: Vec<usize> = (0..self.collectors.len()).filter(|i| self.collectors[*i].alive).collect();
        for client in &mut self.clients {
            if self.now >= client.poll_at {
                client.poll_at += POLL;
                let asked = alive[self.random.below(alive.len() as u64) as usize];
                client.follow(self.collectors[asked].provider.strategy(client.service));
            }
            let (probabilistic, lower_bound) = client.second(&mut self.random);
            *self.counted.entry(client.service).or_default() += probabilistic;
            let to = &self.collectors[alive[self.random.below(alive.len() as u64) as usize]].aggregator;
            for (kind, count) in [("probabilistic", probabilistic), ("lowerbound", lower_bound)] {
                if count > 0 {
                    to.observe(&sampled(client.service, client.operation, kind, client.probability, count as usize));
                }
            }
        }
        for collector in self.collectors.iter_mut().filter(|c| c.alive) {
            if self.now >= collector.campaign_at {
                collector.campaign_at = self.now + collector.election.campaign(now_us).await.as_secs();
            }
            if (self.now + collector.phase).is_multiple_of(self.interval) {
                collector.processor.tick(now_us).await;
            }
            if (self.now + collector.phase).is_multiple_of(REFRESH) {
                collector.provider.refresh().await;
            }
        }
    }

    /// All clients of a service together from now on.
    pub fn set_rate(&mut self, service: &str, rate: f64) {
        let of = self.clients.iter_mut().filter(|c| c.service == service);
        let mut of: Vec<_> = of.collect();
        let each = rate / of.len() as f64;
        of.iter_mut().for_each(|c| c.rate = each);
    }

    /// What each living collector would tell a client.
    pub fn served(&self, service: &str, operation: &str) -> Vec<f64> {
        let alive = self.collectors.iter().filter(|c| c.alive);
        alive.map(|c| client::probability(&c.provider.strategy(service), operation)).collect()
    }

    /// The highest of those.
    pub fn probability(&self, service: &str, operation: &str) -> f64 {
        self.served(service, operation).into_iter().fold(0.0, f64::max)
    }

    /// The collector with the lease; never more than one.
    pub fn leader(&self) -> Option<usize> {
        let now = self.now * 1_000_000;
        let leaders: Vec<_> = (0..self.collectors.len())
            .filter(|i| self.collectors[*i].alive && self.collectors[*i].election.is_leader(now))
            .collect();
        assert!(leaders.len() <= 1, "{leaders:?}");
        leaders.first().copied()
    }

    /// A collector is gone, without a word.
    pub fn kill(&mut self, collector: usize) {
        self.collectors[collector].alive = false;
    }
}
