//! Adaptive sampling as a process runs it: its loops, on tokio's paused clock, and a store that fails on command.
#![allow(clippy::unwrap_used, reason = "a test")]

mod given;

use async_trait::async_trait;
use given::sampled;
use prometheus_client::registry::Registry;
use skua_sampling::adaptive::{Adaptive, Clock, Election, Options, Participant, RESOURCE};
use skua_sampling::{Error, Strategies};
use skua_store::sampling::{ByOperation, Lease, MemorySampling, SamplingStore, Throughput};
use skua_store::{ErrorKind, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Follows tokio's clock.
struct Paused(Instant);

impl Clock for Paused {
    fn now(&self) -> u64 {
        1_769_342_400_000_000 + self.0.elapsed().as_micros() as u64
    }
}

fn clock() -> Arc<Paused> {
    Arc::new(Paused(Instant::now()))
}

/// A memory store that can be away.
struct Store {
    inner: MemorySampling,
    away: AtomicBool,
}

impl Store {
    fn new() -> Arc<Self> {
        Arc::new(Self { inner: MemorySampling::new(100), away: AtomicBool::new(false) })
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.away.load(SeqCst) { Err(StoreError::new(ErrorKind::Unavailable, "the store is away")) } else { Ok(()) }
    }
}

#[async_trait]
impl SamplingStore for Store {
    async fn insert_throughput(&self, at: u64, throughput: &[Throughput]) -> Result<(), StoreError> {
        self.check()?;
        self.inner.insert_throughput(at, throughput).await
    }

    async fn throughput(&self, after: u64, until: u64) -> Result<Vec<Throughput>, StoreError> {
        self.check()?;
        self.inner.throughput(after, until).await
    }

    async fn insert_probabilities_and_qps(
        &self,
        at: u64,
        host: &str,
        probabilities: &ByOperation,
        qps: &ByOperation,
    ) -> Result<(), StoreError> {
        self.check()?;
        self.inner.insert_probabilities_and_qps(at, host, probabilities, qps).await
    }

    async fn latest_probabilities(&self) -> Result<ByOperation, StoreError> {
        self.check()?;
        self.inner.latest_probabilities().await
    }
}

#[async_trait]
impl Lease for Store {
    async fn acquire(&self, resource: &str, owner: &str, ttl: Duration, now: u64) -> Result<bool, StoreError> {
        self.check()?;
        self.inner.acquire(resource, owner, ttl, now).await
    }

    async fn forfeit(&self, resource: &str, owner: &str) -> Result<bool, StoreError> {
        self.check()?;
        self.inner.forfeit(resource, owner).await
    }
}

struct Running {
    adaptive: Adaptive,
    registry: Registry,
    stop: CancellationToken,
    clock: Arc<Paused>,
}

async fn start(store: &Arc<Store>, options: Options) -> Result<Running, Error> {
    let (mut registry, stop, clock) = (Registry::default(), CancellationToken::new(), clock());
    let participant = Participant { name: "host-1".to_owned(), seed: 3, clock: clock.clone() };
    let adaptive = Adaptive::start(options, store.clone(), store.clone(), participant, &mut registry, stop.clone()).await?;
    Ok(Running { adaptive, registry, stop, clock })
}

impl Running {
    fn strategy(&self, service: &str) -> String {
        Strategies::Adaptive(self.adaptive.provider.clone()).strategy(service).to_json()
    }

    /// Waits, in paused time, until the strategy is another.
    async fn changed(&self, service: &str) -> String {
        let before = self.strategy(service);
        let changed = async {
            while self.strategy(service) == before {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(3600), changed).await.expect("the strategy changes");
        self.strategy(service)
    }

    fn metrics(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        text
    }
}

const UNKNOWN: &str = r#"{"strategyType":"PROBABILISTIC","operationSampling":{"defaultSamplingProbability":0.001,"defaultLowerBoundTracesPerSecond":0.016666666666666666,"perOperationStrategies":[],"defaultUpperBoundTracesPerSecond":0}}"#;

/// A single collector counts, calculates after the delay, and serves what it calculated itself, with Jaeger's metrics.
#[tokio::test(start_paused = true)]
async fn a_single_collector_serves_what_it_calculates() {
    let running = start(&Store::new(), Options::default()).await.unwrap();
    assert_eq!(running.strategy("shop"), UNKNOWN, "the answer of Jaeger 1.76 for a service that nobody knows");
    running.adaptive.aggregator.observe(&sampled("shop", "buy", "probabilistic", 0.001, 600));
    running.adaptive.aggregator.observe(&sampled("shop", "ask", "lowerbound", 0.001, 1));
    let want = UNKNOWN.replace(
        "[]",
        r#"[{"operation":"ask","probabilisticSampling":{"samplingRate":0.002}},{"operation":"buy","probabilisticSampling":{"samplingRate":0.0001}}]"#,
    );
    assert_eq!(running.changed("shop").await, want, "10 a second become 1, none becomes twice as many");
    assert_eq!(running.strategy("other"), UNKNOWN);
    let metrics = running.metrics();
    for line in [
        "jaeger_collector_sampling_operations_total 2",
        "jaeger_collector_sampling_services_total 1",
        "jaeger_collector_adaptive_sampling_processor_operations_calculated 2",
        "skua_sampling_throughput_overflow_total 0",
    ] {
        assert!(metrics.lines().any(|l| l == line), "{line}\n{metrics}");
    }
    assert!(metrics.contains("jaeger_collector_adaptive_sampling_processor_calculate_probabilities_bucket{le="), "{metrics}");
}

/// After a stop everything ends and another can lead at once.
#[tokio::test(start_paused = true)]
async fn a_stop_gives_the_lease_back() {
    let store = Store::new();
    let running = start(&store, Options::default()).await.unwrap();
    let taken = async || store.acquire(RESOURCE, "other", Duration::from_secs(60), running.clock.now()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert!(!taken().await);
    running.stop.cancel();
    running.adaptive.stopped().await;
    assert!(taken().await);
}

/// While the store is away the strategies stay, every failure is counted, and afterwards all goes on.
#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_waited_for() {
    let store = Store::new();
    store.away.store(true, SeqCst);
    let running = start(&store, Options::default()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!(running.strategy("shop"), UNKNOWN);
    assert!(running.metrics().contains(r#"skua_sampling_store_failures_total{call="throughput"}"#), "{}", running.metrics());
    store.away.store(false, SeqCst);
    running.adaptive.aggregator.observe(&sampled("shop", "buy", "probabilistic", 0.001, 60_000));
    let strategy = running.changed("shop").await;
    store.away.store(true, SeqCst);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(running.strategy("shop"), strategy);
}

/// A follower serves what another leader stored.
#[tokio::test(start_paused = true)]
async fn a_follower_serves_what_is_stored() {
    let store = Store::new();
    let now = clock().now();
    assert!(store.acquire(RESOURCE, "leader", Duration::from_secs(86_400), now).await.unwrap());
    let running = start(&store, Options::default()).await.unwrap();
    let stored: ByOperation = [("shop".to_owned(), [("buy".to_owned(), 0.25)].into())].into();
    store.insert_probabilities_and_qps(now, "leader", &stored, &stored).await.unwrap();
    assert!(running.changed("shop").await.contains(r#"[{"operation":"buy","probabilisticSampling":{"samplingRate":0.25}}]"#));
    running.adaptive.aggregator.observe(&sampled("shop", "buy", "probabilistic", 0.25, 60_000));
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(store.latest_probabilities().await.unwrap(), stored, "a follower calculates nothing");
}

/// A leader that cannot reach the store is leader until its lease has run out, and no longer.
#[tokio::test]
async fn a_lease_that_ran_out_is_gone() {
    const SECOND: u64 = 1_000_000;
    let store = Store::new();
    let election = Election::new(store.clone(), "a".to_owned(), &Options::default());
    assert!(!election.is_leader(0));
    assert_eq!(election.campaign(0).await, Duration::from_secs(5));
    store.away.store(true, SeqCst);
    assert_eq!(election.campaign(5 * SECOND).await, Duration::from_secs(5));
    assert!(election.is_leader(59 * SECOND));
    assert!(!election.is_leader(60 * SECOND));
    assert_eq!(election.campaign(61 * SECOND).await, Duration::from_secs(60));
    store.away.store(false, SeqCst);
    store.acquire(RESOURCE, "b", Duration::from_secs(60), 61 * SECOND).await.unwrap();
    assert_eq!(election.campaign(62 * SECOND).await, Duration::from_secs(60));
    assert!(!election.is_leader(62 * SECOND));
}

/// Names of two processes differ, and have Jaeger's form.
#[test]
fn a_participant_is_a_host_and_sixteen_digits() {
    let (a, b) = (Participant::new("web-1").name, Participant::new("web-1").name);
    assert_ne!(a, b);
    let digits = a.strip_prefix("web-1-").unwrap();
    assert!(digits.len() == 16 && digits.bytes().all(|d| d.is_ascii_hexdigit()), "{a}");
}

#[tokio::test]
async fn options_without_sense_are_refused() {
    let o = Options::default;
    let zero = Duration::ZERO;
    for (options, want) in [
        (Options { calculation_interval: zero, ..o() }, "use --sampling.calculation-interval=0ns: has to be 1ms or more"),
        (Options { aggregation_buckets: 0, ..o() }, "use --sampling.aggregation-buckets=0: has to be 1 or more"),
        (Options { buckets_for_calculation: 0, ..o() }, "use --sampling.buckets-for-calculation=0: has to be 1 or more"),
        (
            Options { initial_sampling_probability: 1.5, ..o() },
            "use --sampling.initial-sampling-probability=1.5: has to be from 0 to 1",
        ),
        (
            Options { min_sampling_probability: f64::NAN, ..o() },
            "use --sampling.min-sampling-probability=NaN: has to be from 0 to 1",
        ),
        (Options { target_samples_per_second: -1.0, ..o() }, "use --sampling.target-samples-per-second=-1: has to be 0 or more"),
        (
            Options { leader_lease_refresh_interval: Duration::from_secs(60), ..o() },
            "use --sampling.leader-lease-refresh-interval=60s: has to be less",
        ),
    ] {
        let e = start(&Store::new(), options).await.err().unwrap().to_string();
        assert!(e.starts_with(want), "{e}");
    }
    Options::default().check().unwrap();
    assert_eq!(Options::default().insertions(), 14);
}
