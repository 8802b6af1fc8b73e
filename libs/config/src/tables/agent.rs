//! Flags of the agent; its ports are also in all-in-one.

use super::{Table, tls};
use crate::component::Component::{Agent, AllInOne};
use crate::flag::Flag;
use crate::kind::Kind;

pub(super) fn ports() -> Table {
    let mut flags = Vec::new();
    let processors = [
        ("zipkin-compact", ":5775", "address of Thrift compact over UDP, of old Zipkin clients; empty = off"),
        ("jaeger-compact", ":6831", "address of Thrift compact over UDP, of Jaeger's clients; empty = off"),
        ("jaeger-binary", ":6832", "address of Thrift binary over UDP, of Jaeger's clients; empty = off"),
    ];
    for (processor, address, help) in processors {
        let name = |rest: &str| format!("processor.{processor}.{rest}");
        flags.extend([
            Flag::new(name("server-host-port"), Kind::HostPort, address, help),
            Flag::new(
                name("server-queue-size"),
                Kind::COUNT,
                "1000",
                "packets that wait to be read; more are dropped and counted",
            ),
            Flag::new(
                name("server-max-packet-size"),
                Kind::Int { min: 1, max: 65_535 },
                "65000",
                "largest packet in bytes; a larger one is dropped and counted",
            ),
            Flag::new(
                name("server-socket-buffer-size"),
                Kind::Int { min: 0, max: 1 << 30 },
                "0",
                "bytes that the kernel keeps for us (SO_RCVBUF); 0 = 4 MiB, as far as net.core.rmem_max allows",
            ),
            Flag::new(
                name("server-sockets"),
                Kind::Int { min: 1, max: 64 },
                "1",
                "sockets that share the port (SO_REUSEPORT), for more than one core can read; not a flag of Jaeger",
            ),
            Flag::new(name("workers"), Kind::Int { min: 1, max: 1024 }, "10", "batches of packets that are worked on at a time"),
        ]);
    }
    flags.push(Flag::new(
        "http-server.host-port",
        Kind::HostPort,
        ":5778",
        "address where clients ask for sampling strategies; empty = off",
    ));
    Table { title: "agent", tiers: &[Agent, AllInOne], storages: &[], flags }
}

pub(super) fn reporter() -> Table {
    let mut flags = vec![
        Flag::new("agent.tags", Kind::String, "", "k=v,k2=${ENV:default} added to the tags of every process"),
        Flag::new("reporter.type", Kind::Choice(&["grpc"]), "grpc", "how spans get to the collector"),
        Flag::new(
            "reporter.grpc.host-port",
            Kind::String,
            "",
            "collectors: host:port, a comma list of them, or dns:///host:port, whose addresses are all used",
        ),
        Flag::new(
            "reporter.grpc.retry.max",
            Kind::Int { min: 0, max: 100 },
            "3",
            "tries after the first before spans are dropped",
        ),
        Flag::new("reporter.grpc.discovery.min-peers", Kind::COUNT, "3", "connections that are wanted")
            .compat("all addresses that the name has are used"),
    ];
    flags.extend(tls::client("reporter.grpc"));
    Table { title: "agent's reporter", tiers: &[Agent], storages: &[], flags }
}
