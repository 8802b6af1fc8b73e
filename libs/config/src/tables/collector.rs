//! Flags of the collector; all-in-one has them too.

use super::{Table, tls};
use crate::component::Component::{AllInOne, Collector};
use crate::flag::Flag;
use crate::kind::Kind;

pub(super) fn collector() -> Table {
    let mut flags = vec![
        Flag::new(
            "collector.ack",
            Kind::Choice(&["stored", "queued"]),
            "stored",
            "when a client is answered: stored = Kafka or the store has accepted the spans, queued = they wait in memory, \
             as in Jaeger; not a flag of Jaeger",
        ),
        Flag::new(
            "collector.queue-size-memory",
            Kind::Int { min: 0, max: 1 << 20 },
            "0",
            "MiB of requests that may wait for Kafka or the store; 0 means 32; more is refused",
        ),
        Flag::new(
            "collector.num-workers",
            Kind::COUNT,
            "50",
            "with collector.ack=queued, batches that are written at a time; else each sender waits for its own",
        ),
        Flag::new(
            "collector.queue-size",
            Kind::COUNT,
            "2000",
            "spans that may wait for Kafka or the store, if set; unset, --collector.queue-size-memory is the only bound",
        ),
        Flag::new("collector.tags", Kind::String, "", "k=v,k2=${ENV:default} added to the tags of every process"),
        Flag::new(
            "collector.max-span-size",
            Kind::Int { min: 0, max: 1 << 30 },
            "0",
            "largest span in bytes (OTLP protobuf); 0 = no limit; not a flag of Jaeger",
        ),
        Flag::new(
            "collector.oversize-spans",
            Kind::Choice(&["trim", "refuse"]),
            "trim",
            "what becomes of a larger span: trim = its largest values are cut and a warning says so; not a flag of Jaeger",
        ),
        Flag::new(
            "collector.enable-span-size-metrics",
            Kind::Bool,
            "false",
            "measure the bytes of spans under way: jaeger_collector_spans_bytes",
        ),
        Flag::new(
            "collector.http-server.host-port",
            Kind::HostPort,
            ":14268",
            "address of Thrift over HTTP and of sampling strategies; empty = off",
        ),
        body_size("collector.http-server"),
    ];
    flags.extend(http_timeouts("collector.http-server"));
    flags.extend(tls::server("collector.http"));
    flags.push(Flag::new(
        "collector.grpc-server.host-port",
        Kind::HostPort,
        ":14250",
        "address of Jaeger's gRPC (api_v2); empty = off",
    ));
    flags.extend(grpc_limits("collector.grpc-server"));
    flags.extend(tls::server("collector.grpc"));
    flags.extend([
        Flag::new("collector.otlp.enabled", Kind::Bool, "true", "listen for OTLP"),
        Flag::new("collector.otlp.grpc.host-port", Kind::HostPort, ":4317", "address of OTLP over gRPC; empty = off"),
    ]);
    flags.extend(grpc_limits("collector.otlp.grpc"));
    flags.extend(tls::server("collector.otlp.grpc"));
    flags.push(Flag::new("collector.otlp.http.host-port", Kind::HostPort, ":4318", "address of OTLP over HTTP; empty = off"));
    flags.push(body_size("collector.otlp.http"));
    flags.extend(http_timeouts("collector.otlp.http"));
    flags.extend(cors("collector.otlp.http"));
    flags.extend(tls::server("collector.otlp.http"));
    flags.extend([
        Flag::new("collector.zipkin.host-port", Kind::HostPort, "", "address of Zipkin, usually :9411; empty = off")
            .but(&[(AllInOne, ":9411")]),
        Flag::new("collector.zipkin.http-port", Kind::HostPort, "", "older name of collector.zipkin.host-port: a port"),
        Flag::new("collector.zipkin.keep-alive", Kind::Bool, "true", "keep connections of Zipkin clients"),
        body_size("collector.zipkin"),
    ]);
    flags.extend(cors("collector.zipkin"));
    flags.extend(tls::server("collector.zipkin"));
    Table { title: "collector", tiers: &[Collector, AllInOne], storages: &[], flags }
}

fn body_size(prefix: &str) -> Flag {
    Flag::new(
        format!("{prefix}.max-request-body-size"),
        Kind::Int { min: 1, max: 1 << 32 },
        "20971520",
        "largest request in bytes, after decompression; not a flag of Jaeger",
    )
}

fn http_timeouts(prefix: &str) -> impl Iterator<Item = Flag> {
    [
        ("idle-timeout", "0s", "how long an idle connection is kept; 0 = as long as read-timeout"),
        ("read-timeout", "0s", "how long reading a whole request may take; 0 = no limit"),
        ("read-header-timeout", "2s", "how long reading the headers may take; 0 = as long as read-timeout"),
    ]
    .map(|(name, default, help)| Flag::new(format!("{prefix}.{name}"), Kind::Duration, default, help))
    .into_iter()
}

fn grpc_limits(prefix: &str) -> [Flag; 3] {
    [
        Flag::new(
            format!("{prefix}.max-message-size"),
            Kind::Int { min: 1, max: 1 << 31 },
            "4194304",
            "largest request in bytes, after decompression",
        ),
        Flag::new(
            format!("{prefix}.max-connection-age"),
            Kind::Duration,
            "0s",
            "age at which a client is told to reconnect, so that load spreads; 0 = never",
        ),
        Flag::new(
            format!("{prefix}.max-connection-age-grace"),
            Kind::Duration,
            "0s",
            "how long requests may go on after that before the connection is cut; 0 = until they end",
        ),
    ]
}

fn cors(prefix: &str) -> impl Iterator<Item = Flag> {
    [
        ("allowed-origins", "origins that browsers may send from; * = any; empty = none"),
        ("allowed-headers", "request headers that browsers may send besides the usual ones"),
    ]
    .map(|(name, help)| Flag::new(format!("{prefix}.cors.{name}"), Kind::List, "", help))
    .into_iter()
}
