//! Where remote samplers' strategies come from: a file or URL, or adaptive sampling over a store.

use crate::process::{Failure, Process, host};
use crate::storage::SamplingStores;
use async_trait::async_trait;
use skua_codec::sampling::Response;
use skua_model::SpanBatch;
use skua_pipeline::Observer;
use skua_sampling::adaptive::{Adaptive, Aggregator, Options, Participant};
use skua_sampling::{Strategies, file};
use std::sync::Arc;

/// What answers samplers, and what wants to see the spans.
pub(crate) struct Sampling {
    pub strategies: Arc<dyn skua_receive::Strategies>,
    pub observer: Option<Arc<dyn Observer>>,
    /// Running; a lease is given back when it has stopped.
    pub adaptive: Option<Adaptive>,
}

/// Starts what `SAMPLING_CONFIG_TYPE` names.
pub(crate) async fn open(process: &mut Process, stores: Option<SamplingStores>) -> Result<Sampling, Failure> {
    let (loaded, stop) = (process.loaded.clone(), process.stop.clone());
    if let Some(SamplingStores { store, lease }) = stores {
        let participant = Participant::new(&host());
        let adaptive = Adaptive::start(options(process), store, lease, participant, &mut process.registry, stop).await?;
        let strategies = Arc::new(Answers(Strategies::Adaptive(adaptive.provider.clone())));
        let observer: Arc<dyn Observer> = Arc::new(Counts(adaptive.aggregator.clone()));
        return Ok(Sampling { strategies, observer: Some(observer), adaptive: Some(adaptive) });
    }
    let options = file::Options {
        strategies_file: loaded.get_string("sampling.strategies-file"),
        reload_interval: loaded.get_duration("sampling.strategies-reload-interval"),
        default_sampling_probability: loaded.get_f64("sampling.default-sampling-probability"),
    };
    let file = file::FileStrategies::start(options, &mut process.registry, stop).await?;
    Ok(Sampling { strategies: Arc::new(Answers(Strategies::File(file))), observer: None, adaptive: None })
}

/// The flags under `sampling.`.
pub(crate) fn options(process: &Process) -> Options {
    let loaded = &process.loaded;
    let number = |flag: &str| loaded.get_f64(&format!("sampling.{flag}"));
    let count = |flag: &str| usize::try_from(loaded.get_u64(&format!("sampling.{flag}"))).unwrap_or(usize::MAX);
    let time = |flag: &str| loaded.get_duration(&format!("sampling.{flag}"));
    Options {
        target_samples_per_second: number("target-samples-per-second"),
        delta_tolerance: number("delta-tolerance"),
        buckets_for_calculation: count("buckets-for-calculation"),
        calculation_interval: time("calculation-interval"),
        aggregation_buckets: count("aggregation-buckets"),
        delay: time("delay"),
        initial_sampling_probability: number("initial-sampling-probability"),
        min_sampling_probability: number("min-sampling-probability"),
        min_samples_per_second: number("min-samples-per-second"),
        leader_lease_refresh_interval: time("leader-lease-refresh-interval"),
        follower_lease_refresh_interval: time("follower-lease-refresh-interval"),
    }
}

/// What the receivers ask.
struct Answers(Strategies);

#[async_trait]
impl skua_receive::Strategies for Answers {
    async fn strategy(&self, service: &str) -> Result<Response, String> {
        Ok(self.0.strategy(service))
    }
}

/// What the pipeline shows.
struct Counts(Arc<Aggregator>);

impl Observer for Counts {
    fn observe(&self, batch: &SpanBatch) {
        self.0.observe(batch);
    }
}
