//! Once an interval: store the counts, read everybody's, and calculate when this is the leader.

use super::calculation::Calculation;
use super::metrics::Metrics;
use super::{Aggregator, Clock, Election, Options, Provider};
use prometheus_client::registry::Registry;
use skua_store::sampling::{SamplingStore, Throughput};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// Makes probabilities of counts.
pub struct Processor {
    interval: Duration,
    delay: u64,
    buckets: usize,
    host: String,
    store: Arc<dyn SamplingStore>,
    election: Arc<Election>,
    aggregator: Arc<Aggregator>,
    provider: Arc<Provider>,
    metrics: Metrics,
    calculation: Calculation,
    /// Up to when (microseconds since 1970) everybody's counts are read.
    read_until: u64,
    /// This process made the last calculation that it knows of.
    leading: bool,
}

impl Processor {
    /// Has read nothing yet. `host` is stored with the probabilities.
    pub fn new(
        options: Options,
        host: String,
        store: Arc<dyn SamplingStore>,
        election: Arc<Election>,
        aggregator: Arc<Aggregator>,
        provider: Arc<Provider>,
        registry: &mut Registry,
    ) -> Self {
        Self {
            interval: options.calculation_interval,
            delay: options.delay.as_micros() as u64,
            buckets: options.aggregation_buckets,
            calculation: Calculation::new(&options),
            host,
            store,
            election,
            aggregator,
            provider,
            metrics: Metrics::register(registry),
            read_until: 0,
            leading: false,
        }
    }

    /// At the start: reads the counts of the intervals before, newest first, up to the first without any.
    pub async fn load(&mut self, now: u64) {
        let step = self.interval.as_micros() as u64;
        let mut until = now.saturating_sub(self.delay);
        self.read_until = until;
        for _ in 0..self.buckets {
            let after = until.saturating_sub(step);
            match self.store.throughput(after, until).await {
                Ok(throughput) if throughput.is_empty() => return,
                Ok(throughput) => {
                    if !self.calculation.push_older(step.saturating_mul(1000), throughput) {
                        return;
                    }
                }
                Err(error) => return self.failed("throughput", "read the throughput of earlier intervals", &error),
            }
            until = after;
        }
    }

    /// One interval has passed.
    pub async fn tick(&mut self, now: u64) {
        let throughput = self.aggregator.take();
        self.count(&throughput);
        if let Err(error) = self.store.insert_throughput(now, &throughput).await {
            self.failed("insert-throughput", "store the throughput of this collector; it is lost", &error);
        }
        let until = now.saturating_sub(self.delay);
        if until <= self.read_until {
            tracing::warn!("the clock went back; adaptive sampling waits for it");
            return;
        }
        match self.store.throughput(self.read_until, until).await {
            // The next bucket is longer by this interval.
            Err(error) => return self.failed("throughput", "read the throughput of all collectors", &error),
            Ok(throughput) => {
                let interval = (until - self.read_until).saturating_mul(1000);
                self.calculation.push_newer(interval, throughput);
                self.read_until = until;
            }
        }
        if !self.election.is_leader(now) {
            self.leading = false;
            self.metrics.calculated.set(0);
            return;
        }
        if !self.leading {
            match self.store.latest_probabilities().await {
                Ok(probabilities) => self.calculation.resume(probabilities),
                Err(error) => return self.failed("latest-probabilities", "read what the leader before calculated", &error),
            }
            self.leading = true;
        }
        self.calculate(now).await;
    }

    async fn calculate(&mut self, now: u64) {
        let started = Instant::now();
        let calculated = self.calculation.calculate();
        self.metrics.latency.observe(started.elapsed().as_secs_f64());
        self.metrics.calculated.set(calculated.operations as i64);
        let (probabilities, qps) = (&calculated.probabilities, &calculated.qps);
        match self.store.insert_probabilities_and_qps(now, &self.host, probabilities, qps).await {
            Ok(()) => self.provider.serve(probabilities),
            // All collectors go on serving the same, those that are stored.
            Err(error) => self.failed("insert-probabilities", "store the sampling probabilities", &error),
        }
    }

    fn count(&self, throughput: &[Throughput]) {
        self.metrics.operations.inc_by(throughput.len() as u64);
        let services: HashSet<&str> = throughput.iter().map(|t| t.service.as_str()).collect();
        self.metrics.services.inc_by(services.len() as u64);
    }

    fn failed(&self, call: &'static str, doing: &str, error: &skua_store::StoreError) {
        self.metrics.failed(call);
        tracing::error!(%error, "failed to {doing}");
    }

    /// Loads, and ticks every interval until `stop`.
    pub async fn run(mut self, clock: Arc<dyn Clock>, stop: CancellationToken) {
        let processing = async {
            let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + self.interval, self.interval);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            self.load(clock.now()).await;
            loop {
                ticks.tick().await;
                self.tick(clock.now()).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = processing => {}
        }
    }
}
