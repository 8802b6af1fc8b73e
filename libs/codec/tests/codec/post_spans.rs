//! `jaeger::post_spans`: what an agent sends is what a collector reads.

use crate::api_v2::{Batch, PostSpansRequest, Process, Span, a_span, process, span, string};
use crate::golden::batch;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use skua_codec::jaeger::{PostSpans, decode, encode, post_spans};
use skua_model::{BatchBuilder, SpanBatch};

const NO_TAGS: &[(String, String)] = &[];

/// As if each `PostSpansRequest` had come in a datagram of its own.
fn from_requests(requests: impl IntoIterator<Item = Vec<u8>>) -> SpanBatch {
    let mut builder = BatchBuilder::default();
    for request in requests {
        builder.push_with(|out| decode::batch(&request, None, out)).expect("a request");
    }
    builder.finish()
}

fn datagram(process: &Process, spans: &[Span]) -> Vec<u8> {
    let spans = spans.iter().map(|s| Span { process: None, ..s.clone() }).collect();
    PostSpansRequest { batch: Some(Batch { spans, process: Some(process.clone()) }) }.encode_to_vec()
}

/// Every span with its process.
fn spans(batch: &SpanBatch) -> Vec<Span> {
    let one = |s| {
        let (mut process, mut out) = (Vec::new(), Vec::new());
        encode::put_process(&mut process, &batch.process(batch.resource_of(s)));
        encode::put_span(&mut out, &batch.view(s), &process);
        Span::decode(&out[..]).expect("a span")
    };
    batch.spans().iter().map(one).collect()
}

/// What a collector sees of all requests.
fn received(requests: &[PostSpans]) -> Vec<Span> {
    let mut all = Vec::new();
    for request in requests {
        let b = batch(|out| decode::batch(&request.message, None, out));
        assert_eq!(b.len(), request.spans, "the number of spans is told");
        all.extend(spans(&b));
    }
    all
}

fn sorted(mut spans: Vec<Span>) -> Vec<Vec<u8>> {
    let mut bytes: Vec<_> = spans.drain(..).map(|s| s.encode_to_vec()).collect();
    bytes.sort();
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Scenario: datagrams of some clients are merged, few or many spans each, and sent in requests of any size.
    /// Guarantee: the collector sees each span once, with its process and the agent's tags after the process's own.
    #[test]
    fn every_span_arrives_once_with_its_process(
        clients in vec(process(), 1..4),
        sent in vec((0..4_usize, vec(span(), 0..12)), 0..6),
        extra in vec(("[a-z]{0,5}", ".{0,5}"), 0..3),
        max_bytes in prop_oneof![Just(4 << 20), 1..5_000_usize],
    ) {
        let client = |i: usize| &clients[i % clients.len()];
        let b = from_requests(sent.iter().map(|(i, spans)| datagram(client(*i), spans)));
        let requests = post_spans(&b, &extra, max_bytes);
        let tagged = |p: &Process| {
            let mut p = p.clone();
            p.tags.extend(extra.iter().map(|(k, v)| string(k, v)));
            p
        };
        let want: Vec<_> = sent.iter()
            .flat_map(|(i, spans)| spans.iter().map(|s| Span { process: Some(tagged(client(*i))), ..s.clone() }))
            .collect();
        prop_assert_eq!(sorted(received(&requests)), sorted(want));
        for request in &requests {
            prop_assert!(request.message.len() <= max_bytes || request.spans == 1, "{} bytes", request.message.len());
        }
    }
}

fn of(service: &str) -> Process {
    Process { service_name: service.into(), tags: vec![string("host", "h")] }
}

fn strict(request: &PostSpans) -> Batch {
    PostSpansRequest::decode(&request.message[..]).expect("a PostSpansRequest").batch.expect("a batch")
}

/// Scenario: one client's datagrams. Guarantee: one request whose spans have no process of their own.
#[test]
fn equal_processes_are_sent_once() {
    let b = from_requests([datagram(&of("a"), &[a_span(), a_span()]), datagram(&of("a"), &[a_span()])]);
    let requests = post_spans(&b, NO_TAGS, 4 << 20);
    assert_eq!(requests.iter().map(|r| r.spans).collect::<Vec<_>>(), [3]);
    let sent = strict(&requests[0]);
    assert_eq!(sent.process, Some(of("a")));
    assert!(sent.spans.iter().all(|s| s.process.is_none()));
}

/// Scenario: many clients with a span each. Guarantee: one request, the spans carry their processes.
#[test]
fn few_spans_of_many_processes_share_a_request() {
    let names: Vec<_> = (0..50).map(|i| format!("s{i}")).collect();
    let b = from_requests(names.iter().map(|name| datagram(&of(name), &[a_span()])));
    let requests = post_spans(&b, NO_TAGS, 4 << 20);
    assert_eq!(requests.len(), 1);
    let mut got: Vec<_> = received(&requests).into_iter().map(|s| s.process.expect("a process").service_name).collect();
    got.sort();
    let mut want = names;
    want.sort();
    assert_eq!(got, want);
}

/// Scenario: two clients, one with a long process, many spans each. Guarantee: a process is not copied for each span.
#[test]
fn a_long_process_is_not_repeated() {
    let long = Process { service_name: "n".repeat(10_000), tags: vec![] };
    let b = from_requests([datagram(&long, &vec![a_span(); 100]), datagram(&of("b"), &vec![a_span(); 100])]);
    let requests = post_spans(&b, NO_TAGS, 4 << 20);
    let total: usize = requests.iter().map(|r| r.message.len()).sum();
    assert!(total < 10_000 + 200 * 100, "{total} bytes");
}

#[test]
fn nothing_needs_no_request() {
    assert_eq!(post_spans(&SpanBatch::default(), NO_TAGS, 4 << 20), []);
}
