//! Answers clients with the latest probabilities.

use super::Options;
use parking_lot::RwLock;
use skua_codec::sampling::{PerOperation, Response};
use skua_store::sampling::{ByOperation, SamplingStore};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Jaeger's: how often the stored probabilities are read.
const REFRESH: Duration = Duration::from_secs(20);

/// Serves what the leader stored, whoever that is.
pub struct Provider {
    store: Arc<dyn SamplingStore>,
    /// For a service that nobody has seen yet; what all others begin with.
    unknown: Response,
    served: RwLock<Arc<HashMap<String, Response>>>,
}

impl Provider {
    /// Serves the initial probability.
    pub fn new(options: &Options, store: Arc<dyn SamplingStore>) -> Self {
        let operations = PerOperation {
            default_probability: options.initial_sampling_probability,
            default_lower_bound: options.min_samples_per_second,
            ..PerOperation::default()
        };
        let unknown = Response { operations: Some(operations), ..Response::default() };
        Self { store, unknown, served: RwLock::default() }
    }

    /// All operations of the service that are known, sorted. Waits for nothing.
    pub fn strategy(&self, service: &str) -> Response {
        let served = self.served.read().clone();
        served.get(service).unwrap_or(&self.unknown).clone()
    }

    /// Serves these from now on, and none of those before.
    pub fn serve(&self, probabilities: &ByOperation) {
        let response = |operations: &std::collections::BTreeMap<String, f64>| {
            let mut response = self.unknown.clone();
            if let Some(of) = &mut response.operations {
                of.operations = operations.iter().map(|(operation, probability)| (operation.clone(), *probability)).collect();
            }
            response
        };
        let served = probabilities.iter().map(|(service, operations)| (service.clone(), response(operations))).collect();
        *self.served.write() = Arc::new(served);
    }

    /// Serves what is stored. When that cannot be read, what was served stays.
    pub async fn refresh(&self) {
        match self.store.latest_probabilities().await {
            Ok(probabilities) => self.serve(&probabilities),
            Err(error) => tracing::warn!(%error, "failed to read the sampling probabilities, those before stay"),
        }
    }

    /// Refreshes at once, after 10 to 20 s by `seed`, so that many collectors do not read together, and then every 20 s.
    pub async fn run(self: Arc<Self>, seed: u64, stop: CancellationToken) {
        let refreshing = async {
            self.refresh().await;
            let half = REFRESH.as_millis() as u64 / 2;
            tokio::time::sleep(Duration::from_millis(half + seed % half)).await;
            loop {
                self.refresh().await;
                tokio::time::sleep(REFRESH).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = refreshing => {}
        }
    }
}
