//! Flags of the ingester; what it reads from is in `kafka`.

use super::Table;
use crate::component::Component::Ingester;
use crate::flag::Flag;
use crate::kind::Kind;

pub(super) fn ingester() -> Table {
    let flags = vec![
        Flag::new(
            "ingester.max-in-flight-bytes",
            Kind::Int { min: 1, max: 1 << 40 },
            "16777216",
            "bytes that are read from Kafka and not yet stored; reading pauses above; not a flag of Jaeger",
        ),
        Flag::new(
            "ingester.dead-letter-topic",
            Kind::String,
            "jaeger-spans-dead-letter",
            "topic for messages that cannot be decoded or stored, with the reason; not a flag of Jaeger",
        ),
        Flag::new("ingester.parallelism", Kind::COUNT, "1000", "workers a partition")
            .compat("spans are written in batches, bounded by --ingester.max-in-flight-bytes"),
        Flag::new("ingester.deadlockInterval", Kind::Duration, "0s", "how often stuck partitions are looked for; 0 = never")
            .compat("the consumer has no such deadlock"),
    ];
    Table { title: "ingester", tiers: &[Ingester], storages: &[], flags }
}
