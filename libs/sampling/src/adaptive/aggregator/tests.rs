use super::*;
use crate::given::{Span, Value, batch, sampled};
use Value::{Bool, Float, Int, Text};

fn aggregator() -> Aggregator {
    Aggregator::new(&mut Registry::default())
}

fn one(aggregator: &Aggregator, tags: &[(&str, Value<'_>)]) -> Option<(u64, Vec<String>)> {
    aggregator.observe(&batch("shop", &[Span { operation: "buy", parent: 0, tags }]));
    let mut taken = aggregator.take();
    let first = taken.pop()?;
    assert!(taken.is_empty() && first.service == "shop" && first.operation == "buy");
    Some((first.count, first.probabilities.into_iter().collect()))
}

/// The three forms in which clients write the number, and the two names of the tags.
#[test]
fn what_clients_write_is_understood() {
    let a = aggregator();
    let want = Some((1, vec!["0.001000".to_owned()]));
    for param in [Float(0.001), Text("0.001"), Text("1e-3")] {
        assert_eq!(one(&a, &[("sampler.type", Text("probabilistic")), ("sampler.param", param)]), want);
    }
    assert_eq!(
        one(&a, &[("sampler.param", Int(1)), ("sampler.type", Text("probabilistic"))]),
        Some((1, vec!["1.000000".to_owned()]))
    );
    let otel = [("jaeger.sampler.type", Text("probabilistic")), ("jaeger.sampler.param", Float(0.001))];
    assert_eq!(one(&a, &otel), want, "OpenTelemetry's remote sampler");
    let repeated = [("sampler.type", Text("probabilistic")), ("sampler.param", Float(0.001)), ("sampler.param", Float(0.5))];
    assert_eq!(one(&a, &repeated), want, "the first of equal keys counts");
}

/// Samplers that are not probabilistic make an operation known, but their traces are not counted.
#[test]
fn only_probabilistic_samplers_count() {
    for kind in ["lowerbound", "ratelimiting", "const"] {
        let seen = one(&aggregator(), &[("sampler.type", Text(kind)), ("sampler.param", Float(0.25))]);
        assert_eq!(seen, Some((0, vec!["0.250000".to_owned()])), "{kind}");
    }
}

#[test]
fn other_spans_are_passed_over() {
    let a = aggregator();
    let known = ("sampler.type", Text("probabilistic"));
    for tags in [
        &[][..],
        &[known],
        &[("sampler.param", Float(0.1))],
        &[("sampler.type", Text("remote")), ("sampler.param", Float(0.1))],
        &[("sampler.type", Text("unrecognized")), ("sampler.param", Float(0.1))],
        &[("sampler.type", Int(1)), ("sampler.param", Float(0.1))],
        &[known, ("sampler.param", Text("much"))],
        &[known, ("sampler.param", Bool(true))],
    ] {
        assert_eq!(one(&a, tags), None);
    }
    let tags = [known, ("sampler.param", Float(0.1))];
    a.observe(&batch(
        "shop",
        &[Span { operation: "buy", parent: 7, tags: &tags }, Span { operation: "", parent: 0, tags: &tags }],
    ));
    assert!(a.take().is_empty(), "no root, no name");
    assert_eq!(a.overflow(), 0);
}

#[test]
fn counts_are_summed_until_they_are_taken() {
    let a = aggregator();
    for _ in 0..3 {
        a.observe(&sampled("shop", "buy", "probabilistic", 0.1, 4));
        a.observe(&sampled("shop", "buy", "lowerbound", 0.2, 1));
        a.observe(&sampled("till", "buy", "probabilistic", 0.1, 1));
    }
    let mut taken = a.take();
    taken.sort();
    let counts: Vec<_> =
        taken.iter().map(|t| (t.service.as_str(), t.operation.as_str(), t.count, t.probabilities.len())).collect();
    assert_eq!(counts, [("shop", "buy", 12, 2), ("till", "buy", 3, 1)]);
    assert!(a.take().is_empty());
}

/// A client that makes up a probability for each trace, names without end, or names that are whole texts: memory stays
/// bounded, what was known goes on to be counted, and what was left out can be seen.
#[test]
fn everything_is_bounded() {
    let a = aggregator();
    for i in 0..50 {
        a.observe(&sampled("shop", "buy", "probabilistic", f64::from(i) / 100.0, 1));
    }
    for i in 0..MOST_OPERATIONS + 10 {
        a.observe(&sampled("shop", &format!("GET /{i}"), "probabilistic", 0.1, 1));
    }
    a.observe(&sampled("shop", &"x".repeat(LONGEST_NAME + 1), "probabilistic", 0.1, 1));
    a.observe(&sampled("shop", "buy", "probabilistic", 0.1, 1));
    assert_eq!(a.overflow(), 12, "11 operations above the bound, one name");
    let taken = a.take();
    assert_eq!(taken.len(), MOST_OPERATIONS);
    let buy = taken.iter().find(|t| t.operation == "buy").unwrap();
    assert_eq!((buy.count, buy.probabilities.len()), (51, MOST_PROBABILITIES));
}
