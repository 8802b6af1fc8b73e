//! The text against what was counted.

use super::*;
use crate::count::tests::oracle::Told;
use crate::count::tests::world::{WINDOW_MS, World};
use crate::count::tests::{any_told, told};
use crate::count::{BOUNDS, LinkNames, SeriesNames, bound};
use crate::document::{Connection, Figures};
use proptest::prelude::*;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

const OPEN_METRICS: &str = "application/openmetrics-text";

/// Samples by name and labels, without exemplars.
type Samples = BTreeMap<String, f64>;

fn text(of: &Exposition, accept: &str, query: &str) -> String {
    of.scrape(accept, query).expect("names").collect()
}

fn samples(text: &str) -> Samples {
    let mut samples = Samples::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let plain = line.split_once(" # ").map_or(line, |(plain, _)| plain);
        let (name, value) = plain.rsplit_once(' ').expect("a sample");
        assert!(samples.insert(name.to_owned(), value.parse().expect("a number")).is_none(), "twice: {line}");
    }
    samples
}

/// A call from s0 to s1 that fails in s1, and two of s0's database, one slow.
fn world() -> World {
    let database = |id, duration_us| Told { duration_us, peer: Some("database"), ..told(1, id, 1, 0, 3) };
    let spans = [
        told(1, 1, 0, 0, 2),
        Told { duration_us: 1500, ..told(1, 2, 1, 0, 3) },
        Told { status: 2, duration_us: 1000, ..told(1, 3, 2, 1, 2) },
        database(4, 512),
        database(5, 40_000_000),
        told(2, 1, 7, 1, 0),
    ];
    let mut world = World::new(1);
    world.send(0, 0, spans.to_vec());
    world.run_to_the_end();
    world
}

/// Guarantee: names, labels and figures are those that Jaeger's and Grafana's queries ask for.
#[test]
fn names_and_labels() {
    let all = text(&world().exposition(), "", "");
    let lines: BTreeSet<&str> = all.lines().collect();
    for line in [
        "# TYPE traces_span_metrics_calls_total counter",
        "# TYPE traces_span_metrics_duration_milliseconds histogram",
        r#"traces_span_metrics_calls_total{service_name="s1",span_name="o0",span_kind="SPAN_KIND_SERVER",status_code="STATUS_CODE_ERROR"} 1"#,
        r#"traces_span_metrics_duration_milliseconds_bucket{service_name="s1",span_name="o0",span_kind="SPAN_KIND_SERVER",status_code="STATUS_CODE_ERROR",le="0.512"} 0"#,
        r#"traces_span_metrics_duration_milliseconds_bucket{service_name="s1",span_name="o0",span_kind="SPAN_KIND_SERVER",status_code="STATUS_CODE_ERROR",le="1.024"} 1"#,
        r#"traces_span_metrics_duration_milliseconds_sum{service_name="s1",span_name="o0",span_kind="SPAN_KIND_SERVER",status_code="STATUS_CODE_ERROR"} 1.0"#,
        r#"traces_spanmetrics_calls_total{service="s0",span_name="o0",span_kind="SPAN_KIND_CLIENT",status_code="STATUS_CODE_UNSET"} 3"#,
        r#"traces_spanmetrics_calls_total{service="s1",span_name="o0",span_kind="SPAN_KIND_UNSPECIFIED",status_code="STATUS_CODE_UNSET"} 1"#,
        r#"traces_spanmetrics_latency_bucket{service="s0",span_name="o0",span_kind="SPAN_KIND_CLIENT",status_code="STATUS_CODE_UNSET",le="0.002048"} 2"#,
        r#"traces_spanmetrics_latency_bucket{service="s0",span_name="o0",span_kind="SPAN_KIND_CLIENT",status_code="STATUS_CODE_UNSET",le="33.554432"} 2"#,
        r#"traces_spanmetrics_latency_bucket{service="s0",span_name="o0",span_kind="SPAN_KIND_CLIENT",status_code="STATUS_CODE_UNSET",le="+Inf"} 3"#,
        r#"traces_spanmetrics_latency_sum{service="s0",span_name="o0",span_kind="SPAN_KIND_CLIENT",status_code="STATUS_CODE_UNSET"} 40.002012"#,
        r#"traces_spanmetrics_latency_count{service="s0",span_name="o0",span_kind="SPAN_KIND_CLIENT",status_code="STATUS_CODE_UNSET"} 3"#,
        r#"traces_service_graph_request_total{client="s0",server="s1",connection_type=""} 1"#,
        r#"traces_service_graph_request_failed_total{client="s0",server="s1",connection_type=""} 1"#,
        r#"traces_service_graph_request_server_seconds_sum{client="s0",server="s1",connection_type=""} 0.001"#,
        r#"traces_service_graph_request_total{client="s0",server="postgresql/orders",connection_type="database"} 2"#,
        r#"traces_service_graph_request_failed_total{client="s0",server="postgresql/orders",connection_type="database"} 0"#,
        r#"traces_service_graph_request_client_seconds_sum{client="s0",server="postgresql/orders",connection_type="database"} 40.000512"#,
        "traces_service_graph_unpaired_spans_total 1",
        "traces_service_graph_dropped_spans_total 0",
    ] {
        assert!(lines.contains(line), "{line} is not in\n{all}");
    }
    let bounds = all.lines().filter(|line| line.starts_with("traces_service_graph_request_client_seconds_bucket"));
    assert_eq!(bounds.count(), BOUNDS + 1, "of the database alone");
    assert!(all.contains(r#"server_seconds_count{client="s0",server="postgresql"#));
}

/// Guarantees: in OpenMetrics the samples are the same, families are named without a suffix, the text has its end, and the slowest span is
/// shown once, on the bucket that it is in; the old text has no exemplars.
#[test]
fn open_metrics_has_exemplars() {
    let of = world().exposition();
    let (old, open) = (text(&of, "", ""), text(&of, OPEN_METRICS, ""));
    assert_eq!(samples(&old), samples(&open));
    assert!(open.ends_with("\n# EOF\n") && !old.contains("EOF") && !old.contains(" # "));
    assert!(open.contains("\n# TYPE traces_service_graph_request_failed counter\n"));
    let shown: Vec<&str> = open.lines().filter(|l| l.starts_with("traces_spanmetrics_latency") && l.contains(" # ")).collect();
    assert_eq!(shown.len(), 4, "one of each series");
    let slowest = r#"le="+Inf"} 3 # {trace_id="02020202020202020202020202020202",span_id="0505050505050505"} 40.0"#;
    assert!(shown.iter().any(|line| line.contains("CLIENT") && line.ends_with(slowest)), "{shown:?}");
    let failed = r#"le="0.001024"} 1 # {trace_id="02020202020202020202020202020202",span_id="0303030303030303"} 0.001"#;
    assert!(shown.iter().any(|line| line.ends_with(failed)), "{shown:?}");
    assert!(open.lines().any(|l| l.starts_with("traces_service_graph_request_server_seconds_bucket") && l.ends_with(failed)));
}

/// Guarantee: each kind of names can be had alone, and what there is no name for is told.
#[test]
fn one_kind_of_names() {
    let of = world().exposition();
    let (all, jaeger, grafana) = (text(&of, "", ""), text(&of, "", "names=jaeger"), text(&of, "", "names=grafana"));
    assert!(samples(&jaeger).keys().all(|name| name.starts_with("traces_span_metrics_")));
    assert!(samples(&grafana).keys().all(|name| !name.starts_with("traces_span_metrics_")));
    assert_eq!([jaeger, grafana].concat(), all);
    assert!(of.scrape("", "names=").err().is_some_and(|error| error.contains("jaeger or grafana")));
    let types = ["", OPEN_METRICS].map(|accept| of.scrape(accept, "").expect("all").content_type());
    assert!(
        types[0].starts_with("text/plain; version=0.0.4") && types[1].starts_with("application/openmetrics-text; version=1.0.0")
    );
}

/// Guarantee: text of any sort stays within its quotes and its line.
#[test]
fn labels_are_escaped() {
    let names =
        SeriesNames { service: Cow::Borrowed("a\"b\\c\nd"), operation: Cow::Borrowed("GET /ü,le=\"1\"} 5"), kind: 5, status: 1 };
    let expected =
        r#"service="a\"b\\c\nd",span_name="GET /ü,le=\"1\"} 5",span_kind="SPAN_KIND_CONSUMER",status_code="STATUS_CODE_OK""#;
    assert_eq!(write::series(&names, "service"), expected);
    let names = LinkNames { parent: "\n".into(), child: "\\".into(), connection: Connection::Messaging, is_peer: true };
    assert_eq!(write::link(&names), r#"client="\n",server="\\",connection_type="messaging_system""#);
}

/// Scenario: more than fits into a piece. Guarantee: there are several pieces, none much larger than it may be, and each family is in one place.
#[test]
fn text_comes_in_pieces() {
    let mut world = World::new(1);
    for service in 0..200 {
        world.send(0, 1, vec![told(service, 1, 0, service, 2)]);
    }
    world.read_all();
    let pieces: Vec<String> = world.exposition().scrape(OPEN_METRICS, "").expect("all").collect();
    assert!(pieces.len() > 10, "{}", pieces.len());
    assert!(pieces.iter().all(|piece| piece.len() < PIECE + (8 << 10)));
    let text = pieces.concat();
    assert_eq!(samples(&text).len(), 200 * 2 * (1 + BOUNDS + 3) + 2);
    let mut seen = BTreeSet::new();
    let mut current = "";
    for line in text.lines() {
        if let Some(head) = line.strip_prefix("# HELP ") {
            current = head.split(' ').next().unwrap_or_default();
            assert!(seen.insert(current.to_owned()), "{current} comes twice");
        }
        assert!(line.starts_with('#') || line.starts_with(current), "{line} in {current}");
    }
}

/// The samples that rows of documents come to: a counter, one of failures, and a histogram in seconds.
fn expect(out: &mut Samples, names: [&str; 3], labels: &str, minutes: &BTreeMap<u64, Figures>) {
    let mut all = Figures::default();
    minutes.values().for_each(|figures| all.add(figures));
    let [calls, failed, latency] = names;
    out.insert(format!("{calls}_total{{{labels}}}"), all.latency.count() as f64);
    if !failed.is_empty() {
        out.insert(format!("{failed}_total{{{labels}}}"), all.errors as f64);
    }
    for n in 0..BOUNDS {
        let below =
            all.latency.buckets().iter().filter(|(bucket, _)| usize::from(*bucket) <= 4 * (9 + n)).map(|(_, spans)| spans);
        out.insert(format!("{latency}_bucket{{{labels},le=\"{}\"}}", bound(n) as f64 / 1e6), below.sum::<u64>() as f64);
    }
    out.insert(format!("{latency}_bucket{{{labels},le=\"+Inf\"}}"), all.latency.count() as f64);
    out.insert(format!("{latency}_count{{{labels}}}"), all.latency.count() as f64);
    out.insert(format!("{latency}_sum{{{labels}}}"), all.latency.sum as f64 / 1e6);
}

fn expected(world: &World) -> Samples {
    let mut out = Samples::new();
    for (key, minutes) in world.red() {
        let kind = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"][usize::from(key.kind)];
        let status = ["UNSET", "OK", "ERROR"][usize::from(key.status)];
        let (service, operation) = (key.service, key.operation);
        let labels = format!(
            r#"service="{service}",span_name="{operation}",span_kind="SPAN_KIND_{kind}",status_code="STATUS_CODE_{status}""#
        );
        expect(&mut out, ["traces_spanmetrics_calls", "", "traces_spanmetrics_latency"], &labels, &minutes);
    }
    for (key, minutes) in world.links() {
        let (client, server, connection) = (key.parent, key.child, key.connection.as_str());
        let labels = format!(r#"client="{client}",server="{server}",connection_type="{connection}""#);
        let of_peers = !server.starts_with('s');
        let latencies = ["traces_service_graph_request_server_seconds", "traces_service_graph_request_client_seconds"];
        for latency in &latencies[..=usize::from(of_peers)] {
            let names = ["traces_service_graph_request", "traces_service_graph_request_failed", *latency];
            expect(&mut out, names, &labels, &minutes);
        }
    }
    out
}

#[derive(Debug, Clone)]
enum Step {
    Send(u64, Vec<Told>),
    Read,
    Save,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..WINDOW_MS / 4, prop::collection::vec(any_told(), 1..6)).prop_map(|(later_ms, spans)| Step::Send(later_ms, spans)),
        1 => Just(Step::Read),
        1 => Just(Step::Save),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Scenario: spans come, some twice, and are saved now and then, by one process. Guarantee: what Prometheus is given is what the
    /// documents have.
    #[test]
    fn counters_are_those_of_the_documents(steps in prop::collection::vec(any_step(), 1..60)) {
        let mut world = World::new(1);
        for step in steps {
            match step {
                Step::Send(later_ms, spans) => world.send(0, later_ms, spans),
                Step::Read => world.read_some(),
                Step::Save => world.save(usize::MAX),
            }
        }
        world.run_to_the_end();
        let mut shown = samples(&text(&world.exposition(), "", "names=grafana"));
        shown.retain(|name, _| !name.ends_with("_spans_total"));
        prop_assert_eq!(shown, expected(&world));
    }
}
