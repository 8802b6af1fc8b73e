//! The flags under `sampling.` for adaptive sampling, with Jaeger's names and defaults.

use crate::Error;
use std::time::Duration;

/// How probabilities follow the traffic.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// `--sampling.target-samples-per-second`: sampled traces a second that each operation should have.
    pub target_samples_per_second: f64,
    /// `--sampling.delta-tolerance`: the share of the target by which an operation may be off before its probability changes.
    pub delta_tolerance: f64,
    /// `--sampling.buckets-for-calculation`: intervals whose rates are averaged, the newest with the most weight.
    pub buckets_for_calculation: usize,
    /// `--sampling.calculation-interval`: how often counts are stored and probabilities calculated.
    pub calculation_interval: Duration,
    /// `--sampling.aggregation-buckets`: intervals that are remembered; an operation not seen in any of them is forgotten.
    pub aggregation_buckets: usize,
    /// `--sampling.delay`: how long to wait for the counts of all collectors.
    pub delay: Duration,
    /// `--sampling.initial-sampling-probability`: of a new operation.
    pub initial_sampling_probability: f64,
    /// `--sampling.min-sampling-probability`: of a busy operation.
    pub min_sampling_probability: f64,
    /// `--sampling.min-samples-per-second`: traces a second that a client samples of each operation at least.
    pub min_samples_per_second: f64,
    /// `--sampling.leader-lease-refresh-interval`: how often the leader renews its lease.
    pub leader_lease_refresh_interval: Duration,
    /// `--sampling.follower-lease-refresh-interval`: how often the others try to become leader; as long lasts a lease.
    pub follower_lease_refresh_interval: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            target_samples_per_second: 1.0,
            delta_tolerance: 0.3,
            buckets_for_calculation: 1,
            calculation_interval: Duration::from_secs(60),
            aggregation_buckets: 10,
            delay: Duration::from_secs(120),
            initial_sampling_probability: 0.001,
            min_sampling_probability: 1e-5,
            min_samples_per_second: 1.0 / 60.0,
            leader_lease_refresh_interval: Duration::from_secs(5),
            follower_lease_refresh_interval: Duration::from_secs(60),
        }
    }
}

impl Options {
    /// Refuses what nothing can be done with.
    ///
    /// # Errors
    /// For a zero where Jaeger has an error or ends, for a number that is none, for a probability outside 0 to 1, and when a
    /// lease would run out before its leader renews it.
    pub fn check(&self) -> Result<(), Error> {
        let refuse = |flag: &'static str, value: String, cause| Err(Error::Option { flag, value, cause });
        let seconds = |d: Duration| format!("{d:?}");
        for (flag, value) in [
            ("--sampling.calculation-interval", self.calculation_interval),
            ("--sampling.leader-lease-refresh-interval", self.leader_lease_refresh_interval),
            ("--sampling.follower-lease-refresh-interval", self.follower_lease_refresh_interval),
        ] {
            if value < Duration::from_millis(1) {
                return refuse(flag, seconds(value), "has to be 1ms or more");
            }
        }
        for (flag, value) in [
            ("--sampling.aggregation-buckets", self.aggregation_buckets),
            ("--sampling.buckets-for-calculation", self.buckets_for_calculation),
        ] {
            if value == 0 {
                return refuse(flag, value.to_string(), "has to be 1 or more");
            }
        }
        for (flag, value) in [
            ("--sampling.initial-sampling-probability", self.initial_sampling_probability),
            ("--sampling.min-sampling-probability", self.min_sampling_probability),
        ] {
            if !(0.0..=1.0).contains(&value) {
                return refuse(flag, value.to_string(), "has to be from 0 to 1");
            }
        }
        for (flag, value) in [
            ("--sampling.target-samples-per-second", self.target_samples_per_second),
            ("--sampling.delta-tolerance", self.delta_tolerance),
            ("--sampling.min-samples-per-second", self.min_samples_per_second),
        ] {
            if !value.is_finite() || value < 0.0 {
                return refuse(flag, value.to_string(), "has to be 0 or more");
            }
        }
        if self.leader_lease_refresh_interval >= self.follower_lease_refresh_interval {
            let flag = "--sampling.leader-lease-refresh-interval";
            let cause = "has to be less than --sampling.follower-lease-refresh-interval, after which the lease runs out";
            return refuse(flag, seconds(self.leader_lease_refresh_interval), cause);
        }
        Ok(())
    }

    /// Insertions of throughput that a store of one collector has to keep: those of the buckets and those of the delay, which
    /// nobody has read yet. (Jaeger's memory store keeps those of the buckets only.)
    pub fn insertions(&self) -> usize {
        let waiting = self.delay.as_nanos().div_ceil(self.calculation_interval.as_nanos().max(1));
        self.aggregation_buckets.saturating_add(waiting.min(1 << 16) as usize).saturating_add(2)
    }
}
