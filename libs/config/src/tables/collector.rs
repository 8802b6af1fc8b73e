//! Flags of the collector; all-in-one has them too.

use super::{Table, tls};
use crate::component::Component::{AllInOne, Collector};
use crate::flag::Flag;
use crate::kind::Kind;

const QUEUE: &str = "there is no queue of spans between workers; --collector.queue-size-memory bounds what waits";
const THRIFT_HTTP: &str = "Thrift over HTTP is not served yet; send OTLP to :4318 or :4317";
const ZIPKIN: &str = "Zipkin is not served yet; send OTLP or remove the flag";

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
        Flag::new("collector.num-workers", Kind::COUNT, "50", "workers that take spans from the queue").compat(QUEUE),
        Flag::new("collector.queue-size", Kind::COUNT, "2000", "spans that the queue holds").compat(QUEUE),
        Flag::new("collector.tags", Kind::String, "", "k=v,k2=${ENV:default} added to the tags of every process")
            .not_yet("tags are not added yet; set them in the clients (OTEL_RESOURCE_ATTRIBUTES) or remove the flag"),
        Flag::new("collector.enable-span-size-metrics", Kind::Bool, "false", "count the bytes of spans by service")
            .compat("bytes under way are in jaeger_collector_queue_length"),
        Flag::new("collector.http-server.host-port", Kind::HostPort, ":14268", "address of Thrift over HTTP")
            .compat("Thrift over HTTP is not served yet, nothing listens here"),
    ];
    flags.extend(http_timeouts("collector.http-server").map(|flag| flag.not_yet(THRIFT_HTTP)));
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
    flags.push(Flag::new(
        "collector.otlp.http.max-request-body-size",
        Kind::Int { min: 1, max: 1 << 32 },
        "20971520",
        "largest request in bytes, after decompression; not a flag of Jaeger",
    ));
    flags.extend(
        http_timeouts("collector.otlp.http")
            .map(|flag| flag.compat("connections are kept until the client or the drain ends them")),
    );
    flags.extend(cors("collector.otlp.http"));
    flags.extend(tls::server("collector.otlp.http"));
    flags.extend([
        Flag::new("collector.zipkin.host-port", Kind::HostPort, "", "address of Zipkin, usually :9411; empty = off")
            .not_yet(ZIPKIN),
        Flag::new("collector.zipkin.keep-alive", Kind::Bool, "true", "keep connections of Zipkin clients")
            .compat("Zipkin is not served yet"),
    ]);
    flags.extend(cors("collector.zipkin").map(|flag| flag.not_yet(ZIPKIN)));
    flags.extend(tls::server("collector.zipkin"));
    Table { title: "collector", tiers: &[Collector, AllInOne], storages: &[], flags }
}

pub(super) fn sampling() -> Table {
    const WHY: &str = "sampling strategies are not served yet; configure the clients' samplers or remove the flag";
    let flags = vec![
        Flag::new("sampling.strategies-file", Kind::String, "", "path or http URL of the strategies (JSON)").not_yet(WHY),
        Flag::new(
            "sampling.strategies-reload-interval",
            Kind::Duration,
            "0s",
            "how often the strategies are read again; 0 = never",
        )
        .compat("sampling strategies are not served yet"),
        Flag::new("sampling.default-sampling-probability", Kind::Float, "0.001", "probability for services without a strategy")
            .not_yet(WHY),
    ];
    Table { title: "sampling", tiers: &[Collector, AllInOne], storages: &[], flags }
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
