//! `PostSpansRequest`.

use crate::api_v2::{Batch, PostSpansRequest, Process, Span, a_span, process, span, string};
use crate::golden::batch;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use skua_codec::jaeger::{decode, encode};
use skua_model::SpanBatch;

fn request(spans: Vec<Span>, process: Option<Process>) -> Vec<u8> {
    PostSpansRequest { batch: Some(Batch { spans, process }) }.encode_to_vec()
}

fn named(name: &str) -> Option<Process> {
    Some(Process { service_name: name.into(), tags: vec![] })
}

/// All spans of a batch as `api_v2`.
pub fn back(batch: &SpanBatch) -> Vec<Span> {
    let one = |s| {
        let (mut process, mut out) = (Vec::new(), Vec::new());
        encode::put_process(&mut process, &batch.process(batch.resource_of(s)));
        encode::put_span(&mut out, &batch.view(s), &process);
        Span::decode(&out[..]).expect("a span")
    };
    batch.spans().iter().map(one).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn spans_keep_their_order_and_get_process_and_format(
        spans in vec((span(), any::<bool>()), 0..8),
        process in process(),
        format in proptest::option::of("[a-z]{0,5}"),
    ) {
        let sent: Vec<_> = spans.iter().map(|(s, own)| Span { process: s.process.clone().filter(|_| *own), ..s.clone() }).collect();
        let b = batch(|out| decode::batch(&request(sent.clone(), Some(process.clone())), format.as_deref(), out));
        let (with, without): (Vec<_>, Vec<_>) = sent.into_iter().partition(|s| s.process.is_some());
        let want: Vec<_> = without.into_iter().chain(with).map(|mut s| {
            s.process.get_or_insert(process.clone());
            s.tags.extend(format.as_deref().map(|f| string("@jaeger@format", f)));
            s
        }).collect();
        prop_assert_eq!(back(&b), want);
    }
}

#[test]
fn equal_processes_side_by_side_share_a_resource() {
    let of = |name: Option<&str>| Span { process: name.and_then(named), ..a_span() };
    let spans = vec![of(Some("a")), of(None), of(Some("a")), of(Some("b")), of(None), of(Some("a"))];
    let b = batch(|out| decode::batch(&request(spans, named("batch")), Some("proto"), out));
    let services: Vec<_> = b.spans().iter().map(|s| (b.resource_of(s), b.process(b.resource_of(s)).service)).collect();
    assert_eq!(services, [(0, &b"batch"[..]), (0, b"batch"), (1, b"a"), (1, b"a"), (2, b"b"), (3, b"a")]);
}

/// Spans with and without a process by turns do not multiply the batch's.
#[test]
fn a_long_process_is_copied_once() {
    let own = Span { process: named("a"), ..a_span() };
    let none = Span { process: None, ..a_span() };
    let spans = (0..1_000).flat_map(|_| [own.clone(), none.clone()]).collect();
    let long = Some(Process { service_name: "n".repeat(100_000), tags: vec![] });
    let message = request(spans, long);
    let mut out = Vec::new();
    decode::batch(&message, None, &mut out).unwrap();
    assert!(out.len() < 2 * message.len(), "{} bytes from {}", out.len(), message.len());
}

#[test]
fn no_process_at_all_has_a_name() {
    let b = batch(|out| decode::batch(&request(vec![Span { process: None, ..a_span() }], None), None, out));
    assert_eq!(b.process(0).service, b"null-process-and-service-name");
}

#[test]
fn nothing_is_an_empty_batch() {
    for empty in [vec![], request(vec![], None), request(vec![], named("a"))] {
        let mut out = Vec::new();
        decode::batch(&empty, None, &mut out).unwrap();
        assert!(out.is_empty());
    }
}

#[test]
fn errors_name_the_span() {
    let spans = vec![a_span(), Span { span_id: vec![1; 7], ..a_span() }];
    let mut out = b"kept".to_vec();
    let error = decode::batch(&request(spans, None), None, &mut out).unwrap_err();
    assert_eq!(error.to_string(), "span 1 of the batch: jaeger.api_v2.Span.span_id: an id of 7 bytes instead of 8");
    assert_eq!(out, b"kept");
    let mut bad_process = request(vec![Span { process: None, ..a_span() }], None);
    let length = bad_process[1];
    bad_process[1] = length + 3;
    bad_process.extend_from_slice(&[0x12, 1, 0xff]);
    let error = decode::batch(&bad_process, None, &mut out).unwrap_err();
    assert_eq!(error.to_string(), "span 0 of the batch: jaeger.api_v2.Process: the message ends inside a field");
    let error = decode::batch(&[0x08, 1], None, &mut out).unwrap_err();
    assert!(error.to_string().starts_with("jaeger.api_v2.PostSpansRequest: "), "{error}");
}
