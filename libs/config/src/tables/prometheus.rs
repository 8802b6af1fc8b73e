//! Flags of a Prometheus that RED metrics are read from.

use super::{Table, tls};
use crate::component::Component::{AllInOne, Query};
use crate::flag::Flag;
use crate::kind::Kind;

/// By it the table is known: `METRICS_STORAGE_TYPE` brings it along.
pub(super) const TITLE: &str = "prometheus";

pub(super) fn prometheus() -> Table {
    let mut flags = vec![
        Flag::new("prometheus.server-url", Kind::String, "http://localhost:9090", "URL of the server, with http:// or https://"),
        Flag::new("prometheus.connect-timeout", Kind::Duration, "30s", "how long connecting may take; 0 = no limit"),
        Flag::new(
            "prometheus.token-file",
            Kind::String,
            "",
            "path of a file with a bearer token for the server; read again every 10 s; empty = none",
        ),
        Flag::new(
            "prometheus.token-override-from-context",
            Kind::Bool,
            "true",
            "send the caller's bearer token, if there is one, in place of the file's; needs query.bearer-token-propagation=true",
        ),
        Flag::new(
            "prometheus.query.namespace",
            Kind::String,
            "traces_span_metrics",
            "what the names of the metrics start with, before _calls and _duration; unset = that, or what the server has of \
             traces_spanmetrics and none",
        ),
        Flag::new(
            "prometheus.query.duration-unit",
            Kind::Choice(&["ms", "s"]),
            "ms",
            "unit of the histogram of durations, and with normalize-duration the end of its name; a name that ends in a unit is \
             believed when names are looked up",
        ),
        Flag::new(
            "prometheus.query.normalize-calls",
            Kind::Bool,
            "false",
            "the counter is called calls_total, not calls; names are looked up on the server unless this or normalize-duration is set",
        ),
        Flag::new(
            "prometheus.query.normalize-duration",
            Kind::Bool,
            "false",
            "the histogram is called duration_milliseconds or duration_seconds, not duration; names are looked up on the server \
             unless this or normalize-calls is set",
        ),
        Flag::new(
            "prometheus.query.extra-query-params",
            Kind::String,
            "",
            "pairs that are added to the URL of every request, such as param1=value1,param2=value2",
        ),
    ];
    flags.extend(tls::client("prometheus"));
    Table { title: TITLE, tiers: &[Query, AllInOne], storages: &[], flags }
}
