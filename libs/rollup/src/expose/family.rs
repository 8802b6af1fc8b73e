//! The families of metrics.

use super::write;
use crate::count::Total;

/// Metrics of one name.
#[derive(Clone, Copy)]
pub(super) struct Family {
    /// Without a suffix.
    pub name: &'static str,
    help: &'static str,
    kind: Kind,
    pub rows: Rows,
}

/// What of its rows is written.
#[derive(Clone, Copy)]
enum Kind {
    Calls,
    Failed,
    Latency(Unit),
}

/// Of a histogram.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    Milliseconds,
    Seconds,
}

/// What has labels and figures.
#[derive(Clone, Copy)]
pub(super) enum Rows {
    /// RED, with the service in this label.
    Series { service: &'static str },
    /// Links, or those alone that lead to who sends no spans.
    Links { of_peers_alone: bool },
    /// One number of spans: of those that did not find a parent in time, and those that had to go before.
    Spans(fn((u64, u64)) -> u64),
}

const JAEGER_SERIES: Rows = Rows::Series { service: "service_name" };
const GRAFANA_SERIES: Rows = Rows::Series { service: "service" };

/// What Jaeger's Monitor tab asks a Prometheus for.
pub(super) const JAEGER: [Family; 2] = [
    Family {
        name: "traces_span_metrics_calls",
        help: "Spans, by service, operation, kind and status",
        kind: Kind::Calls,
        rows: JAEGER_SERIES,
    },
    Family {
        name: "traces_span_metrics_duration_milliseconds",
        help: "How long spans took",
        kind: Kind::Latency(Unit::Milliseconds),
        rows: JAEGER_SERIES,
    },
];

/// What Grafana's service graph asks a Prometheus for.
pub(super) const GRAFANA: [Family; 8] = [
    Family {
        name: "traces_spanmetrics_calls",
        help: "Spans, by service, operation, kind and status",
        kind: Kind::Calls,
        rows: GRAFANA_SERIES,
    },
    Family {
        name: "traces_spanmetrics_latency",
        help: "How long spans took, in seconds",
        kind: Kind::Latency(Unit::Seconds),
        rows: GRAFANA_SERIES,
    },
    Family {
        name: "traces_service_graph_request",
        help: "Calls from one service to another",
        kind: Kind::Calls,
        rows: Rows::Links { of_peers_alone: false },
    },
    Family {
        name: "traces_service_graph_request_failed",
        help: "Calls from one service to another that failed",
        kind: Kind::Failed,
        rows: Rows::Links { of_peers_alone: false },
    },
    Family {
        name: "traces_service_graph_request_server_seconds",
        // As Tempo has it, and Grafana's graph reads no other.
        help: "How long calls took, as the called service says, or the caller where the called one sends no spans",
        kind: Kind::Latency(Unit::Seconds),
        rows: Rows::Links { of_peers_alone: false },
    },
    Family {
        name: "traces_service_graph_request_client_seconds",
        help: "How long calls of what sends no spans took, as the caller says",
        kind: Kind::Latency(Unit::Seconds),
        rows: Rows::Links { of_peers_alone: true },
    },
    Family {
        name: "traces_service_graph_unpaired_spans",
        help: "Spans whose parent did not come in time",
        kind: Kind::Calls,
        rows: Rows::Spans(|(unjoined, _)| unjoined),
    },
    Family {
        name: "traces_service_graph_dropped_spans",
        help: "Spans that could not wait for their parent, for lack of memory",
        kind: Kind::Calls,
        rows: Rows::Spans(|(_, evicted)| evicted),
    },
];

impl Family {
    /// OpenMetrics names the family without the suffix of its counter.
    pub fn put_head(&self, open_metrics: bool, out: &mut String) {
        let (kind, suffix) = match self.kind {
            Kind::Latency(_) => ("histogram", ""),
            Kind::Calls | Kind::Failed => ("counter", if open_metrics { "" } else { "_total" }),
        };
        for (what, text) in [("HELP", self.help), ("TYPE", kind)] {
            write::all(out, &["# ", what, " ", self.name, suffix, " ", text, "\n"]);
        }
    }

    /// One row, of which these are the labels; exemplars are for OpenMetrics alone.
    pub fn put(&self, labels: &str, total: &Total, exemplars: bool, out: &mut String) {
        match self.kind {
            Kind::Calls => write::number(self.name, "_total", labels, total.count(), out),
            Kind::Failed => write::number(self.name, "_total", labels, total.failed, out),
            Kind::Latency(unit) => write::histogram(self.name, labels, total, unit, exemplars, out),
        }
    }
}
