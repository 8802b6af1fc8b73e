//! Flags of roll-ups: what is counted while the spans stream by. None of them is a flag of Jaeger.

use super::Table;
use crate::component::Component::{AllInOne, Collector, Ingester, Query, RollupRebuild};
use crate::flag::Flag;
use crate::kind::Kind;

/// Of all who count or read.
pub(super) fn rollup() -> Table {
    let flags = vec![Flag::new(
        "rollup.enabled",
        Kind::Bool,
        "true",
        "count who calls whom, and requests, errors and durations of each operation, and answer from what was counted; not a flag of \
         Jaeger",
    )];
    Table { title: "roll-ups", tiers: &[Collector, Ingester, Query, AllInOne], storages: &[], flags }
}

/// Of those who count.
pub(super) fn counting() -> Table {
    let flags = vec![
        Flag::new(
            "rollup.window",
            Kind::Duration,
            "2m",
            "how long a span waits for its parent, its child and its duplicate; not a flag of Jaeger",
        ),
        Flag::new(
            "rollup.window-bytes",
            Kind::Int { min: 1 << 20, max: 1 << 40 },
            "67108864",
            "bytes of the spans that wait; the oldest go first; not a flag of Jaeger",
        ),
        Flag::new(
            "rollup.flush-interval",
            Kind::Duration,
            "1m",
            "how often what was counted is saved in the store; not a flag of Jaeger",
        ),
        Flag::new(
            "rollup.max-series",
            Kind::Int { min: 10, max: 1_000_000 },
            "10000",
            "series (service, operation, kind, status) and links that are told apart; the rest is counted together; not a flag of Jaeger",
        ),
        Flag::new(
            "rollup.retention",
            Kind::Duration,
            "720h",
            "how long what was counted is kept, whatever is kept of spans; 0 = for ever; not a flag of Jaeger",
        ),
    ];
    Table { title: "counting roll-ups", tiers: &[Collector, Ingester, AllInOne, RollupRebuild], storages: &[], flags }
}
