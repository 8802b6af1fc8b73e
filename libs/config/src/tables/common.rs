//! Flags of every component.

use super::{Table, tls};
use crate::component::Component;
use crate::component::Component::{Agent, AllInOne, Collector, Ingester, Query, RemoteStorage};
use crate::flag::Flag;
use crate::kind::Kind;

/// Flags that decide which stores there are, and with them which other flags; better known as variables.
pub(super) fn storage_types() -> Table {
    let flags = vec![
        Flag::new(
            "span-storage.type",
            Kind::String,
            "cassandra",
            "comma list of storages; spans are written to all and read from the first: kafka (collector), elasticsearch, \
             opensearch, cassandra, scylla, grpc, parquet, memory, blackhole; an all-in-one with a flag --memory.* defaults to memory",
        )
        .but(&[(AllInOne, "parquet")]),
        Flag::new("dependency-storage.type", Kind::String, "", "storage of the dependency graph; empty = the first span storage"),
        Flag::new("sampling-config.type", Kind::Choice(&["file", "adaptive"]), "file", "where sampling strategies come from"),
        Flag::new(
            "sampling-storage.type",
            Kind::Choice(&["", "memory", "elasticsearch", "opensearch", "cassandra", "scylla", "parquet"]),
            "",
            "storage of adaptive sampling, one of the span storages; empty = the first that can",
        ),
        Flag::new(
            "metrics-storage.type",
            Kind::Choice(&["", "prometheus"]),
            "",
            "what RED metrics are read from, for query and all-in-one; empty = the roll-ups in the storage of dependencies",
        ),
    ];
    Table { title: "storage types", tiers: Component::WITH_STORAGE, storages: &[], flags }
}

pub(super) fn common() -> Table {
    let flags = vec![
        Flag::new("config-file", Kind::String, "", "path of a .yaml, .yml, .json or .toml file with any of these flags as keys"),
        Flag::new(
            "log-level",
            Kind::Choice(&["debug", "info", "warn", "error", "dpanic", "panic", "fatal"]),
            "info",
            "least severity that is logged; dpanic, panic and fatal count as error",
        ),
        Flag::new(
            "log-encoding",
            Kind::Choice(&["auto", "json", "console"]),
            "auto",
            "form of a log line; auto = console if stderr is a terminal, else json (Jaeger's default is json)",
        ),
    ];
    Table { title: "common", tiers: Component::ALL, storages: &[], flags }
}

/// Flags of a process that runs until it is told to stop.
pub(super) fn process() -> Table {
    let mut flags =
        vec![Flag::new("admin.http.host-port", Kind::HostPort, ":14269", "address of health, metrics and profiles").but(&[
            (Agent, ":14271"),
            (Ingester, ":14270"),
            (Query, ":16687"),
            (RemoteStorage, ":17270"),
        ])];
    flags.extend(tls::server("admin.http"));
    flags.extend([
        Flag::new("metrics-backend", Kind::Choice(&["prometheus", "none"]), "prometheus", "how metrics are exposed"),
        Flag::new("metrics-http-route", Kind::String, "/metrics", "path of the metrics on the admin port"),
        Flag::new("feature-gates", Kind::String, "", "feature gates to switch on, or off with a leading -")
            .compat("there are no feature gates here"),
        Flag::new(
            "drain-timeout",
            Kind::Duration,
            "30s",
            "time that a stopping process has to deliver what it acknowledged; not a flag of Jaeger",
        ),
        Flag::new(
            "runtime.worker-threads",
            Kind::Int { min: 0, max: 1024 },
            "0",
            "threads that do the work; 0 = one a core, within the limit of the container; not a flag of Jaeger",
        ),
    ]);
    Table { title: "process", tiers: Component::TIERS, storages: &[], flags }
}

pub(super) fn downsampling() -> Table {
    let flags = vec![
        Flag::new("downsampling.ratio", Kind::Float, "1", "share of traces that is kept, from 0 to 1; whole traces stay or go"),
        Flag::new("downsampling.hashsalt", Kind::String, "", "salt of the hash that chooses the traces; empty = Jaeger's"),
    ];
    Table { title: "downsampling", tiers: &[Collector, Ingester, AllInOne], storages: &[], flags }
}

pub(super) fn multi_tenancy() -> Table {
    const WITHOUT: &str = "multi-tenancy is not built yet";
    let flags = vec![
        Flag::new("multi-tenancy.enabled", Kind::Bool, "false", "keep the spans of tenants apart")
            .not_yet("multi-tenancy is not built yet; run one deployment a tenant or remove the flag"),
        Flag::new("multi-tenancy.header", Kind::String, "x-tenant", "header that names the tenant").compat(WITHOUT),
        Flag::new("multi-tenancy.tenants", Kind::List, "", "tenants that are let in; empty = any").compat(WITHOUT),
    ];
    Table { title: "multi-tenancy", tiers: &[Collector, Query, AllInOne, RemoteStorage], storages: &[], flags }
}
