//! Strategies that follow the traffic (`SAMPLING_CONFIG_TYPE=adaptive`): every operation gives about the target of sampled
//! traces a second, however busy it is.
//!
//! Each collector counts the root spans that samplers let through ([`Aggregator`]) and, once an interval, puts the counts where
//! all collectors meet. Each reads all of them; the one with the lease ([`Election`]) calculates the probabilities
//! ([`Processor`]) and stores them; all serve what is stored ([`Provider`]). The calculation is Jaeger's, to the digit.
//!
//! What differs from Jaeger 1.76, and why:
//! - Spans of every format count, OTLP and Zipkin too, and the attributes of OpenTelemetry's remote samplers
//!   (`jaeger.sampler.type`) as well as those of Jaeger's clients: there, only spans of Jaeger's own formats are seen.
//! - The leader serves what it calculates. There, it serves until its end what it read at its start.
//! - A new leader goes on from the stored probabilities. There, all operations start from the initial one again.
//! - A leader whose lease has run out while the store was away knows that it is none.

mod aggregator;
mod calculation;
mod clock;
mod election;
mod metrics;
mod options;
mod participant;
mod processor;
mod provider;

pub use aggregator::Aggregator;
pub use clock::{Clock, SystemClock};
pub use election::{Election, RESOURCE};
pub use options::Options;
pub use participant::Participant;
pub use processor::Processor;
pub use provider::Provider;

use crate::Error;
use prometheus_client::registry::Registry;
use skua_store::sampling::{Lease, SamplingStore};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Adaptive sampling of one collector, running.
pub struct Adaptive {
    /// Wants every batch that comes in.
    pub aggregator: Arc<Aggregator>,
    /// Answers the clients.
    pub provider: Arc<Provider>,
    tasks: TaskTracker,
}

impl Adaptive {
    /// Starts to count, to calculate and to serve. Stores that are away are waited for: the initial probability is served
    /// meanwhile.
    ///
    /// # Errors
    /// When an option has a value that nothing can be done with.
    pub async fn start(
        options: Options,
        store: Arc<dyn SamplingStore>,
        lease: Arc<dyn Lease>,
        participant: Participant,
        registry: &mut Registry,
        stop: CancellationToken,
    ) -> Result<Self, Error> {
        options.check()?;
        let Participant { name, seed, clock } = participant;
        let aggregator = Arc::new(Aggregator::new(registry));
        let provider = Arc::new(Provider::new(&options, store.clone()));
        let election = Arc::new(Election::new(lease, name.clone(), &options));
        let processor = Processor::new(options, name, store, election.clone(), aggregator.clone(), provider.clone(), registry);
        let tasks = TaskTracker::new();
        tasks.spawn(election.run(clock.clone(), stop.clone()));
        tasks.spawn(provider.clone().run(seed, stop.clone()));
        tasks.spawn(processor.run(clock, stop));
        tasks.close();
        Ok(Self { aggregator, provider, tasks })
    }

    /// Returns when all has ended after the stop, and the lease, if it was here, is given back.
    pub async fn stopped(&self) {
        self.tasks.wait().await;
    }
}
