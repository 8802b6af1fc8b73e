//! Flags of the remote storage.

use super::{Table, tls};
use crate::component::Component::RemoteStorage;
use crate::flag::Flag;
use crate::kind::Kind;

pub(super) fn grpc() -> Table {
    let mut flags = vec![
        Flag::new("grpc.host-port", Kind::HostPort, ":17271", "address of the storage API over gRPC"),
        Flag::new(
            "grpc.max-message-size",
            Kind::Int { min: 1, max: 1 << 30 },
            "16777216",
            "bytes of one message that is taken, before and after decompression; not a flag of Jaeger",
        ),
        Flag::new(
            "grpc.max-in-flight-bytes",
            Kind::Int { min: 1, max: 1 << 40 },
            "67108864",
            "bytes of spans that may be on their way to the store; beyond that streams wait and single requests are refused; \
             not a flag of Jaeger",
        ),
    ];
    flags.extend(tls::server("grpc"));
    Table { title: "grpc", tiers: &[RemoteStorage], storages: &[], flags }
}
