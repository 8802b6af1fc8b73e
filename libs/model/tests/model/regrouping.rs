//! `regroup` and `write_subset`: every sound span goes on once, with its resource and scope.

use crate::strategies::{a_sound_span, is_sound, message, traces};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, TracesData};
use proptest::prelude::*;
use prost::Message;
use skua_model::{SpanBatch, partition_spans, regroup, write_subset};
use std::collections::{BTreeMap, HashMap};

/// Every sound span with its resource and scope, as bytes, counted.
fn multiset(data: &TracesData) -> BTreeMap<Vec<u8>, usize> {
    let mut all = BTreeMap::new();
    for rs in &data.resource_spans {
        for ss in &rs.scope_spans {
            for s in ss.spans.iter().filter(|s| is_sound(s)) {
                let alone = ScopeSpans { spans: vec![s.clone()], ..ss.clone() };
                *all.entry(ResourceSpans { scope_spans: vec![alone], ..rs.clone() }.encode_to_vec()).or_default() += 1;
            }
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn regrouping_keeps_every_span(data in traces(), partitions in 1_u32..7, max_bytes in prop_oneof![0_usize..2_000, Just(usize::MAX)]) {
        let batch = SpanBatch::parse(data.encode_to_vec()).unwrap();
        let (mut all, mut home, mut counted) = (BTreeMap::new(), HashMap::new(), 0);
        let groups = regroup(&batch, partitions, max_bytes);
        prop_assert_eq!(groups.is_empty(), batch.is_empty());
        prop_assert_eq!(groups.len(), groups.iter().count());
        for (p, message, n) in groups.iter() {
            prop_assert!(p < partitions && n > 0);
            prop_assert!(message.len() <= max_bytes || n == 1, "{} bytes of {} spans, {} allowed", message.len(), n, max_bytes);
            let group = TracesData::decode(message).expect("valid OTLP");
            for s in group.resource_spans.iter().flat_map(|r| &r.scope_spans).flat_map(|s| &s.spans) {
                prop_assert_eq!(*home.entry(s.trace_id.clone()).or_insert(p), p, "a trace has one partition");
            }
            for (k, n) in multiset(&group) {
                *all.entry(k).or_default() += n;
            }
            counted += n as usize;
        }
        prop_assert_eq!(counted, batch.len());
        prop_assert_eq!(all, multiset(&data));
        if max_bytes == usize::MAX {
            prop_assert_eq!(groups.len(), partition_spans(&batch, partitions).iter().count(), "one message a partition");
        }
    }

    #[test]
    fn a_subset_holds_what_was_chosen(data in traces(), chosen in any::<u64>()) {
        let batch = SpanBatch::parse(data.encode_to_vec()).unwrap();
        let numbers: Vec<u32> = (0..batch.len() as u32).filter(|i| chosen >> (i % 64) & 1 == 1).collect();
        let mut out = b"kept".to_vec();
        write_subset(&batch, &numbers, &mut out);
        let subset = SpanBatch::parse(out.split_off(4)).unwrap();
        prop_assert_eq!(&out, b"kept");
        prop_assert_eq!(subset.len(), numbers.len());
        for (i, s) in numbers.iter().zip(subset.spans()) {
            let from = &batch.spans()[*i as usize];
            prop_assert_eq!(batch.span_body(from), subset.span_body(s));
            let process = |b: &SpanBatch, r| b.resource_pieces(r).flatten().copied().collect::<Vec<u8>>();
            prop_assert_eq!(process(&batch, batch.resource_of(from)), process(&subset, subset.resource_of(s)));
        }
    }
}

/// A limit that a few spans fill: no message passes it, order stays, and a span that is too long travels alone.
#[test]
fn messages_are_cut_at_max_bytes() {
    let span =
        |i: usize, name: usize| Span { span_id: (i as u64 + 1).to_be_bytes().to_vec(), name: "n".repeat(name), ..a_sound_span() };
    let spans: Vec<_> = (0..40).map(|i| span(i, if i == 20 { 5_000 } else { 100 })).collect();
    let batch = SpanBatch::parse(message(spans).encode_to_vec()).unwrap();
    let groups = regroup(&batch, 1, 1_000);
    let mut ids = Vec::new();
    for (_, message, n) in groups.iter() {
        assert!(message.len() <= 1_000 || n == 1);
        let part = SpanBatch::parse(message.to_vec()).unwrap();
        ids.extend(part.spans().iter().map(|s| u64::from_be_bytes(part.view(s).span_id)));
    }
    assert_eq!(ids, (1..=40).collect::<Vec<_>>());
    assert!((6..=14).contains(&groups.len()), "{} messages: neither overfull nor wasteful", groups.len());
}
