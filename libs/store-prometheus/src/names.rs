//! What the metrics are called.

use crate::config::{Query, Set};
use std::collections::BTreeSet;

/// Of the connector of the OpenTelemetry collector since 0.109, and Jaeger's default.
const CONNECTOR: &str = "traces_span_metrics";
/// Of Grafana's Tempo and Alloy.
const GRAFANA: &str = "traces_spanmetrics";

/// Names of metrics and of labels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Names {
    /// The counter of spans.
    pub calls: String,
    /// The histogram of durations, without `_bucket`.
    pub latency: String,
    /// Milliseconds in its unit.
    pub unit: f64,
    /// The label with the service.
    pub service: &'static str,
    /// The label with the operation.
    pub operation: &'static str,
}

impl Names {
    /// Those that Jaeger asks for with the same flags.
    pub fn of_jaeger(query: &Query) -> Self {
        let prefix = prefix(&query.namespace);
        let unit = if query.duration_unit == "s" { "seconds" } else { "milliseconds" };
        Self {
            calls: format!("{prefix}calls{}", if query.normalize_calls { "_total" } else { "" }),
            latency: if query.normalize_duration { format!("{prefix}duration_{unit}") } else { format!("{prefix}duration") },
            unit: unit_of(query),
            service: "service_name",
            operation: "span_name",
        }
    }
}

/// Finds out which names a server has.
#[derive(Debug, Clone)]
pub(crate) struct Candidates {
    query: Query,
    namespaces: Vec<String>,
}

impl Candidates {
    /// `None` when flags say what the names are.
    pub fn new(query: &Query, set: Set) -> Option<Self> {
        let mut namespaces = vec![query.namespace.clone()];
        if !set.namespace {
            namespaces.extend([CONNECTOR, GRAFANA, ""].into_iter().filter(|n| *n != query.namespace).map(str::to_owned));
        }
        (!set.normalize).then(|| Self { query: query.clone(), namespaces })
    }

    /// A selector of all series with one of the names.
    pub fn selector(&self) -> String {
        let mut names = Vec::new();
        for namespace in &self.namespaces {
            let prefix = prefix(namespace);
            names.extend(CALLS.iter().map(|name| format!("{prefix}{name}")));
            names.extend(self.histograms(namespace).map(|(name, _)| format!("{name}_bucket")));
        }
        format!("{{__name__=~\"{}\"}}", names.join("|"))
    }

    /// The names of the first namespace of which the server has any; those of Jaeger for what it has not of it. `None` when it has
    /// none.
    pub fn choose(&self, found: &BTreeSet<String>) -> Option<Names> {
        self.namespaces.iter().find_map(|namespace| self.of(namespace, found))
    }

    fn of(&self, namespace: &str, found: &BTreeSet<String>) -> Option<Names> {
        let prefix = prefix(namespace);
        let calls = CALLS.iter().map(|name| format!("{prefix}{name}")).find(|name| found.contains(name));
        let histogram = self.histograms(namespace).find(|(name, _)| found.contains(&format!("{name}_bucket")));
        if calls.is_none() && histogram.is_none() {
            return None;
        }
        // Only Tempo, and before it the old processor, speak of latency.
        let latency = format!("{prefix}latency");
        let old = histogram.as_ref().map_or(namespace == GRAFANA, |(name, _)| *name == latency);
        let (service, operation) = match (old, namespace) {
            (true, "") => ("service_name", "operation"),
            (true, _) => ("service", "span_name"),
            (false, _) => ("service_name", "span_name"),
        };
        let (latency, unit) = histogram.unwrap_or_else(|| (format!("{prefix}duration"), unit_of(&self.query)));
        Some(Names { calls: calls.unwrap_or_else(|| format!("{prefix}calls")), latency, unit, service, operation })
    }

    /// Histograms of durations and the milliseconds of their unit, Jaeger's own first.
    fn histograms(&self, namespace: &str) -> impl Iterator<Item = (String, f64)> {
        let prefix = prefix(namespace);
        let latency = if namespace.is_empty() { 1.0 } else { 1000.0 };
        let all = [
            ("duration", unit_of(&self.query)),
            ("duration_milliseconds", 1.0),
            ("duration_seconds", 1000.0),
            ("latency", latency),
        ];
        all.into_iter().map(move |(name, unit)| (format!("{prefix}{name}"), unit))
    }
}

const CALLS: [&str; 2] = ["calls", "calls_total"];

fn prefix(namespace: &str) -> String {
    if namespace.is_empty() { String::new() } else { format!("{namespace}_") }
}

fn unit_of(query: &Query) -> f64 {
    if query.duration_unit == "s" { 1000.0 } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(set: Set, query: &Query, found: &[&str]) -> Option<(String, String, f64, &'static str, &'static str)> {
        let found = found.iter().map(|name| (*name).to_owned()).collect();
        let names = Candidates::new(query, set)?.choose(&found)?;
        Some((names.calls, names.latency, names.unit, names.service, names.operation))
    }

    /// Scenario: names of each kind of counter of spans. Guarantee: they are found with their unit and labels.
    #[test]
    fn names_of_each_kind() {
        let find = |found: &[&str]| chosen(Set::default(), &Query::default(), found);
        let some = |calls: &str, latency: &str, unit, service, operation| {
            Some((calls.to_owned(), latency.to_owned(), unit, service, operation))
        };
        let (service, span) = ("service_name", "span_name");
        assert_eq!(find(&["up"]), None);
        let ours = "traces_span_metrics";
        for (calls, latency, unit) in [
            ("calls", "duration", 1.0),
            ("calls_total", "duration_milliseconds", 1.0),
            ("calls_total", "duration_seconds", 1000.0),
        ] {
            let (calls, latency) = (format!("{ours}_{calls}"), format!("{ours}_{latency}"));
            let bucket = format!("{latency}_bucket");
            assert_eq!(find(&["calls_total", "latency_bucket", &calls, &bucket]), some(&calls, &latency, unit, service, span));
        }
        let tempo = ["traces_spanmetrics_calls_total", "traces_spanmetrics_latency_bucket"];
        assert_eq!(find(&tempo), some(tempo[0], "traces_spanmetrics_latency", 1000.0, "service", span));
        assert_eq!(find(&tempo[..1]), some(tempo[0], "traces_spanmetrics_duration", 1.0, "service", span));
        let alloy = ["traces_spanmetrics_calls_total", "traces_spanmetrics_duration_seconds_bucket"];
        assert_eq!(find(&alloy), some(alloy[0], "traces_spanmetrics_duration_seconds", 1000.0, service, span));
        assert_eq!(find(&["calls_total", "latency_bucket"]), some("calls_total", "latency", 1.0, service, "operation"));
        assert_eq!(
            find(&["calls_total", "duration_milliseconds_bucket"]),
            some("calls_total", "duration_milliseconds", 1.0, service, span)
        );
    }

    /// Scenario: flags that were set. Guarantee: they are not overruled.
    #[test]
    fn flags_win() {
        let query = Query { namespace: "mine".to_owned(), duration_unit: "s".to_owned(), ..Query::default() };
        let set = Set { namespace: true, normalize: false };
        let found = ["traces_span_metrics_calls", "mine_calls_total", "mine_duration_bucket"];
        let wanted = Some(("mine_calls_total".to_owned(), "mine_duration".to_owned(), 1000.0, "service_name", "span_name"));
        assert_eq!(chosen(set, &query, &found), wanted);
        assert_eq!(chosen(set, &query, &found[..1]), None);
        assert!(Candidates::new(&query, Set { namespace: false, normalize: true }).is_none());
        let normal = Query { normalize_calls: true, normalize_duration: true, ..query };
        let names = Names::of_jaeger(&normal);
        assert_eq!((names.calls.as_str(), names.latency.as_str()), ("mine_calls_total", "mine_duration_seconds"));
    }
}
