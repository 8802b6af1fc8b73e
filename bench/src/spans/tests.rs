//! Read back with prost, which shares nothing with the writer here.

use super::*;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use prost::Message as _;
use std::collections::{HashMap, HashSet};

const NOW: u64 = 1_790_000_000_000_000_000;

fn config(seed: u64, spans: usize) -> Config {
    Config { seed, now: NOW, ..Config::new(spans, 200) }
}

fn decode(load: &Load) -> Vec<ResourceSpans> {
    load.requests.iter().flat_map(|r| ExportTraceServiceRequest::decode(r.clone()).unwrap().resource_spans).collect()
}

/// Every span with the name of its service.
fn spans(load: &Load) -> Vec<(String, Span)> {
    let mut all = Vec::new();
    for rs in decode(load) {
        let attributes = rs.resource.unwrap().attributes;
        assert_eq!(attributes[0].key, "service.name");
        let Some(Value::StringValue(service)) = attributes[0].value.clone().unwrap().value else { panic!("a string") };
        all.extend(rs.scope_spans.into_iter().flat_map(|s| s.spans).map(|s| (service.clone(), s)));
    }
    all
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let a = generate(&config(7, 5000));
    assert_eq!(a.requests, generate(&config(7, 5000)).requests);
    assert_ne!(a.requests, generate(&config(8, 5000)).requests);
}

#[test]
fn every_request_is_full_but_the_last() {
    let load = generate(&config(1, 10_050));
    assert_eq!(load.spans, 10_050);
    assert_eq!(load.sizes.iter().sum::<u32>(), 10_050);
    assert!(load.sizes[..load.sizes.len() - 1].iter().all(|n| *n == 200));
    for (request, size) in load.requests.iter().zip(&load.sizes) {
        let decoded = ExportTraceServiceRequest::decode(request.clone()).unwrap();
        let spans: usize = decoded.resource_spans.iter().flat_map(|r| &r.scope_spans).map(|s| s.spans.len()).sum();
        assert_eq!(spans, *size as usize);
    }
}

#[test]
fn a_span_is_about_470_bytes_and_has_11_attributes() {
    let load = generate(&config(1, 20_000));
    let average = load.bytes() / load.spans;
    assert!((440..=500).contains(&average), "{average} bytes a span");
    assert!(spans(&load).iter().all(|(_, s)| s.attributes.len() == attributes::COUNT));
}

#[test]
fn ids_are_unique_and_known_by_their_number() {
    let load = generate(&config(3, 20_000));
    let all = spans(&load);
    let ids: HashSet<_> = all.iter().map(|(_, s)| s.span_id.clone()).collect();
    let traces: HashSet<_> = all.iter().map(|(_, s)| s.trace_id.clone()).collect();
    assert_eq!(ids.len(), load.spans);
    assert_eq!(traces.len(), load.traces);
    assert_eq!(ids, (0..load.spans as u64).map(|n| span_id(3, n).to_vec()).collect());
    assert_eq!(traces, (0..load.traces as u64).map(|n| trace_id(3, n).to_vec()).collect());
}

#[test]
fn parents_are_in_the_same_trace_and_often_in_another_service() {
    let all = spans(&generate(&config(4, 20_000)));
    let by_id: HashMap<_, _> = all.iter().map(|(service, s)| (s.span_id.clone(), (service, s))).collect();
    let (mut roots, mut across) = (0, 0);
    for (service, span) in &all {
        if span.parent_span_id.is_empty() {
            roots += 1;
            continue;
        }
        let (of, parent) = by_id[&span.parent_span_id];
        assert_eq!(span.trace_id, parent.trace_id);
        assert!(span.start_time_unix_nano >= parent.start_time_unix_nano);
        across += usize::from(of != service);
    }
    assert!(roots > 1000 && across > 2000, "{roots} roots, {across} calls to another service");
}

#[test]
fn errors_events_services_and_times_are_as_promised() {
    let load = generate(&config(5, 40_000));
    let all = spans(&load);
    let services: HashSet<_> = all.iter().map(|(service, _)| service).collect();
    assert_eq!(services.len(), SERVICES.len());
    let failed = all.iter().filter(|(_, s)| s.status.as_ref().is_some_and(|s| s.code == 2 && !s.message.is_empty()));
    assert_eq!(failed.clone().count(), load.errors);
    assert!(failed.clone().all(|(_, s)| s.events[0].name == "exception"));
    assert_eq!(all.iter().map(|(_, s)| s.events.len()).sum::<usize>(), load.events);
    let percent = |n: usize| n as f64 * 100.0 / load.spans as f64;
    assert!((4.0..6.0).contains(&percent(load.errors)) && (18.0..22.0).contains(&percent(load.events)));
    for (_, s) in &all {
        assert!(s.start_time_unix_nano >= NOW - 300_000_000_000 && s.end_time_unix_nano <= NOW);
        assert!(s.start_time_unix_nano < s.end_time_unix_nano);
    }
}

#[test]
fn all_four_kinds_of_attribute_occur() {
    let load = generate(&config(6, 1000));
    let (mut text, mut int, mut flag, mut double) = (0, 0, 0, 0);
    for kv in spans(&load).into_iter().flat_map(|(_, s)| s.attributes) {
        match kv.value.and_then(|v| v.value) {
            Some(Value::StringValue(_)) => text += 1,
            Some(Value::IntValue(_)) => int += 1,
            Some(Value::BoolValue(_)) => flag += 1,
            Some(Value::DoubleValue(_)) => double += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(text > 1000 && int > 1000 && flag == 1000 && double == 1000, "{text} {int} {flag} {double}");
}

#[test]
fn a_handful_of_spans_is_fine_too() {
    assert!(generate(&config(1, 0)).requests.is_empty());
    assert_eq!(generate(&config(1, 1)).sizes, [1]);
    let tiny = generate(&Config { window: Duration::ZERO, batch: 0, ..config(1, 3) });
    assert_eq!(tiny.sizes, [1, 1, 1]);
}

#[test]
fn calls_between_services_have_no_cycle() {
    fn depth(from: usize, above: usize) {
        assert!(above <= SERVICES.len(), "{} is in a cycle", SERVICES[from].name);
        SERVICES[from].calls.iter().for_each(|to| depth(*to, above + 1));
    }
    (0..SERVICES.len()).for_each(|s| depth(s, 0));
}

#[test]
fn hard_spans_have_many_keys_and_earlier_parents() {
    let load = generate_hard(&config(7, 5000));
    assert_eq!(load.requests, generate_hard(&config(7, 5000)).requests);
    let all = spans(&load);
    assert_eq!((all.len(), load.spans), (5000, 5000));
    let starts: HashMap<_, _> = all.iter().map(|(_, s)| (s.span_id.clone(), s.start_time_unix_nano)).collect();
    let mut keys = HashSet::new();
    for (_, span) in &all {
        assert_eq!(span.attributes.len(), hard::ATTRIBUTES);
        keys.extend(span.attributes.iter().map(|kv| kv.key.clone()));
        assert!(span.start_time_unix_nano < span.end_time_unix_nano && span.end_time_unix_nano <= NOW);
        assert!(span.parent_span_id.is_empty() || starts[&span.parent_span_id] <= span.start_time_unix_nano);
    }
    assert_eq!(keys.len() as u64, hard::KEYS);
}
