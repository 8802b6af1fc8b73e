use super::*;
use serde::Deserialize;
use std::time::Duration;

#[derive(Deserialize)]
struct Run {
    target: f64,
    delta_tolerance: f64,
    buckets_for_calculation: usize,
    aggregation_buckets: usize,
    initial: f64,
    min: f64,
    cycles: Vec<Cycle>,
}

#[derive(Deserialize)]
struct Cycle {
    interval_ns: u64,
    throughput: Vec<Item>,
    want_probabilities: ByOperation,
    want_qps: ByOperation,
}

#[derive(Deserialize)]
struct Item {
    service: String,
    operation: String,
    count: u64,
    probabilities: BTreeSet<String>,
}

/// Three runs of 30 cycles through Jaeger 1.76: operations that come and go, clients that follow and clients that do not,
/// one bucket and several. Every probability and every rate is the same, to the bit.
#[test]
fn the_digits_are_jaegers() {
    let runs: Vec<Run> = serde_json::from_str(include_str!("../../../tests/golden/calculation.json")).unwrap();
    let mut compared = 0;
    for run in runs {
        let mut calculation = Calculation::new(&Options {
            target_samples_per_second: run.target,
            delta_tolerance: run.delta_tolerance,
            buckets_for_calculation: run.buckets_for_calculation,
            aggregation_buckets: run.aggregation_buckets,
            initial_sampling_probability: run.initial,
            min_sampling_probability: run.min,
            ..Options::default()
        });
        for cycle in run.cycles {
            let throughput = cycle.throughput.into_iter().map(|i| Throughput {
                service: i.service,
                operation: i.operation,
                count: i.count,
                probabilities: i.probabilities,
            });
            calculation.push_newer(cycle.interval_ns, throughput.collect());
            let calculated = calculation.calculate();
            assert_eq!(calculated.probabilities, cycle.want_probabilities);
            assert_eq!(calculated.qps, cycle.want_qps);
            assert_eq!(calculated.operations, cycle.want_qps.values().map(BTreeMap::len).sum::<usize>());
            compared += calculated.operations;
        }
    }
    assert!(compared > 300, "{compared}");
}

fn calculation() -> Calculation {
    Calculation::new(&Options::default())
}

fn seen(count: u64, probability: f64) -> Vec<Throughput> {
    let (service, operation) = ("s".to_owned(), "o".to_owned());
    vec![Throughput { service, operation, count, probabilities: [text(probability)].into() }]
}

const MINUTE: u64 = Duration::from_secs(60).as_nanos() as u64;

/// Half a minute of 600 samples is 20 a second: a twentieth of the probability at once. A fifth of the target is at most
/// twice the probability.
#[test]
fn down_at_once_and_up_by_doubling() {
    let mut c = calculation();
    c.push_newer(MINUTE / 2, seen(600, 0.001));
    assert_eq!(c.calculate().probabilities["s"]["o"], 0.001 * (1.0 / 20.0));
    let mut c = calculation();
    c.push_newer(MINUTE, seen(12, 0.001));
    assert_eq!(c.calculate().probabilities["s"]["o"], 0.002);
}

/// A client that keeps to its own probability is left alone, whatever it sends.
#[test]
fn who_does_not_follow_is_left_alone() {
    let mut c = calculation();
    c.resume([("s".to_owned(), [("o".to_owned(), 0.5)].into())].into());
    c.push_newer(MINUTE, seen(60_000, 1.0));
    assert_eq!(c.calculate().probabilities["s"]["o"], 0.5);
    c.push_newer(MINUTE, seen(600, 0.5));
    assert_eq!(c.calculate().probabilities["s"]["o"], 0.05, "and followed when it follows");
}

/// What another leader calculated is where a new one begins.
#[test]
fn a_new_leader_goes_on_from_what_is_stored() {
    let mut c = calculation();
    c.resume([("s".to_owned(), [("o".to_owned(), 0.25)].into())].into());
    c.push_newer(MINUTE, seen(60, 0.25));
    assert_eq!(c.calculate().probabilities["s"]["o"], 0.25);
}

/// Buckets read at the start are older than those that follow, and no more than are wanted.
#[test]
fn earlier_buckets_are_older() {
    let mut c = Calculation::new(&Options { aggregation_buckets: 2, ..Options::default() });
    assert!(c.push_older(MINUTE, seen(60, 0.001)));
    assert!(!c.push_older(MINUTE, seen(6000, 0.001)));
    assert!(!c.push_older(MINUTE, seen(6000, 0.001)));
    assert_eq!(c.calculate().qps["s"]["o"], 1.0);
    c.push_newer(MINUTE, Vec::new());
    c.push_newer(MINUTE, Vec::new());
    assert!(c.calculate().qps.is_empty(), "an operation not seen in any bucket is forgotten");
}

#[test]
fn texts_are_gos() {
    for (v, want) in [
        (0.001, "0.001000"),
        (1.0, "1.000000"),
        (0.0000005, "0.000000"),
        (0.0000015, "0.000002"),
        (2.5e-7, "0.000000"),
        (0.123456789, "0.123457"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "+Inf"),
        (f64::NEG_INFINITY, "-Inf"),
    ] {
        assert_eq!(text(v), want);
    }
}
