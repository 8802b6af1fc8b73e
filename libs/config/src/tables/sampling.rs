//! Flags of the strategies that remote samplers are told.

use super::Table;
use crate::component::Component::{AllInOne, Collector};
use crate::flag::Flag;
use crate::kind::Kind;

/// `SAMPLING_CONFIG_TYPE=file`.
pub(super) fn file() -> Table {
    let flags = vec![
        Flag::new(
            "sampling.strategies-file",
            Kind::String,
            "",
            "path or http URL of the strategies (JSON); empty = all services have the default probability",
        ),
        Flag::new(
            "sampling.strategies-reload-interval",
            Kind::Duration,
            "0s",
            "how often the strategies are read again; 0 = never",
        ),
        Flag::new("sampling.default-sampling-probability", Kind::Float, "0.001", "probability where no strategy says another"),
    ];
    Table { title: "sampling", tiers: &[Collector, AllInOne], storages: &[], flags }
}

/// `SAMPLING_CONFIG_TYPE=adaptive`. Jaeger has these flags only then; here they are always known and idle otherwise.
pub(super) fn adaptive() -> Table {
    let flag = |name: &str, kind, default, help| Flag::new(format!("sampling.{name}"), kind, default, help);
    let flags = vec![
        flag("target-samples-per-second", Kind::Float, "1", "traces a second that each operation is sampled down to"),
        flag("delta-tolerance", Kind::Float, "0.3", "share of the target by which the rate may differ without a change"),
        flag("buckets-for-calculation", Kind::COUNT, "1", "newest intervals whose rates are averaged, recent ones weighing more"),
        flag("calculation-interval", Kind::Duration, "1m", "how often probabilities are calculated"),
        flag("aggregation-buckets", Kind::COUNT, "10", "intervals that are kept in memory"),
        flag("delay", Kind::Duration, "2m", "age at which an interval is calculated, so that all collectors have written it"),
        flag("initial-sampling-probability", Kind::Float, "0.001", "probability of an operation that is new"),
        flag("min-sampling-probability", Kind::Float, "1e-05", "least probability"),
        flag("min-samples-per-second", Kind::Float, "0.016666666666666666", "traces a second that clients take at least"),
        flag("leader-lease-refresh-interval", Kind::Duration, "5s", "how often the leading collector renews its lease"),
        flag(
            "follower-lease-refresh-interval",
            Kind::Duration,
            "60s",
            "how often the others try to become leader; also the lease",
        ),
    ];
    Table { title: "sampling (adaptive)", tiers: &[Collector, AllInOne], storages: &[], flags }
}
