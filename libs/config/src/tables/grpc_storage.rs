//! Flags of a storage behind Jaeger's storage API over gRPC.

use super::{Table, tls};
use crate::component::Component;
use crate::flag::Flag;
use crate::kind::Kind;
use crate::storage::StorageType::Grpc;

pub(super) fn primary() -> Table {
    Table { title: "grpc-storage", tiers: Component::WITH_STORAGE, storages: &[Grpc], flags: flags("grpc-storage") }
}

/// The second set, for archived traces. Nothing of it falls back on the first, as in Jaeger.
pub(super) fn archive() -> Table {
    let mut rows = vec![Flag::new(
        "grpc-storage-archive.enabled",
        Kind::Bool,
        "false",
        "keep archived traces in a server of their own, --grpc-storage-archive.server, which query and all-in-one write and read",
    )];
    rows.extend(flags("grpc-storage-archive"));
    Table { title: "grpc-storage-archive", tiers: Component::WITH_STORAGE, storages: &[Grpc], flags: rows }
}

fn flags(prefix: &str) -> Vec<Flag> {
    let name = |rest: &str| format!("{prefix}.{rest}");
    let mut flags = vec![
        Flag::new(name("server"), Kind::String, "", "address of the server, host:port; must be set"),
        Flag::new(name("connection-timeout"), Kind::Duration, "5s", "how long connecting may take, TLS included"),
        Flag::new(
            name("request-timeout"),
            Kind::Duration,
            "30s",
            "how long a call may take, to the last byte of its answer; 0 = no limit; not a flag of Jaeger",
        ),
        Flag::new(
            name("max-answer-bytes"),
            Kind::COUNT,
            "536870912",
            "bytes of the answer to one search, or of one trace; past that a search is marked partial and a trace is an error; \
             0 = no limit; not a flag of Jaeger",
        ),
    ];
    flags.extend(tls::client(prefix));
    flags
}
