//! Flags of the store in memory.

use super::Table;
use crate::component::Component;
use crate::flag::Flag;
use crate::kind::Kind;
use crate::storage::StorageType::Memory;

pub(super) fn memory() -> Table {
    let flags = vec![
        Flag::new(
            "memory.max-traces",
            Kind::COUNT,
            "0",
            "traces that are kept, archived ones included; the oldest goes first; 0 = no limit",
        ),
        Flag::new(
            "memory.max-bytes",
            Kind::COUNT,
            "268435456",
            "bytes of spans that are kept; the oldest trace goes first; archived traces count, and may take half; 0 = no limit; not \
             a flag of Jaeger",
        ),
    ];
    Table { title: "memory", tiers: Component::WITH_STORAGE, storages: &[Memory], flags }
}
