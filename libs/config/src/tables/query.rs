//! Flags of the query tier; all-in-one has them too.

use super::{Table, tls};
use crate::component::Component::{AllInOne, Query};
use crate::flag::Flag;
use crate::kind::Kind;

pub(super) fn query() -> Table {
    let mut flags = vec![Flag::new("query.http-server.host-port", Kind::HostPort, ":16686", "address of the HTTP API")];
    flags.extend(tls::server("query.http"));
    flags.push(Flag::new(
        "query.grpc-server.host-port",
        Kind::HostPort,
        ":16685",
        "address of the gRPC API, which the HTTP one serves too; must differ from it; empty = off",
    ));
    flags.extend(tls::server("query.grpc"));
    flags.extend([
        Flag::new("query.base-path", Kind::String, "/", "path under which everything is served; starts and does not end with /"),
        Flag::new(
            "query.static-files",
            Kind::String,
            "",
            "directory of a build of Jaeger's UI (index.html, static/) that is served; empty = a page that says where the API is",
        ),
        Flag::new(
            "query.ui-config",
            Kind::String,
            "",
            "path of the UI's configuration: .json, or .js that defines function UIConfig(); read again when it changes",
        ),
        Flag::new("query.log-static-assets-access", Kind::Bool, "false", "log requests for the UI's page and files"),
        Flag::new(
            "query.additional-headers",
            Kind::Lines,
            "",
            "header `Name: value` added to every response; may be given several times, in the variable one a line",
        ),
        Flag::new(
            "query.bearer-token-propagation",
            Kind::Bool,
            "false",
            "hand the caller's bearer token to the storage: to Prometheus; not yet to Elasticsearch, OpenSearch or a remote storage",
        ),
        Flag::new(
            "query.max-clock-skew-adjustment",
            Kind::Duration,
            "0s",
            "how far spans of another host may be shifted to fit their parents; 0 = not at all",
        ),
        Flag::new(
            "query.max-trace-size",
            Kind::Int { min: 0, max: 100_000_000 },
            "200000",
            "spans of one trace that an answer holds; the rest is left out with a warning; 0 = no limit; not a flag of Jaeger",
        ),
        Flag::new(
            "query.max-result-size",
            Kind::Int { min: 0, max: 1 << 40 },
            "536870912",
            "bytes that the spans of one answer take in memory, added up; a search stops there and says so in `errors`; \
             0 = no limit; not a flag of Jaeger",
        ),
        Flag::new(
            "query.max-memory",
            Kind::Int { min: 0, max: 1 << 40 },
            "1073741824",
            "bytes that the spans of all answers under way may take in memory; a query waits for room; 0 = no limit; \
             not a flag of Jaeger",
        ),
        Flag::new(
            "query.max-concurrent-requests",
            Kind::COUNT,
            "32",
            "queries that read the storage at a time; others wait; 0 = no limit; not a flag of Jaeger",
        ),
        Flag::new(
            "query.timeout",
            Kind::Duration,
            "60s",
            "longest time for one query, waiting and a slow client included; 0 = no limit; not a flag of Jaeger",
        ),
        Flag::new("query.enable-tracing", Kind::Bool, "false", "trace this process itself")
            .not_yet("self-tracing is not built yet; remove the flag"),
    ]);
    Table { title: "query", tiers: &[Query, AllInOne], storages: &[], flags }
}
