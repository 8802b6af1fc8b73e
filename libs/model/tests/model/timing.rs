//! `mark_times`: impossible times are kept and pointed out.

use crate::strategies::{a_sound_span, agrees_with_its_bytes, in_jaegers_model, message, string, traces};
use opentelemetry_proto::tonic::trace::v1::Span;
use proptest::prelude::*;
use prost::Message;
use skua_model::{EARLIEST_START, LATEST_END, LONGEST, SpanBatch, mark_times};

const NOW: u64 = 1_700_000_000_000_000_000;

fn batch(times: &[(u64, u64)]) -> SpanBatch {
    let span = |(start, end): &(u64, u64)| Span { start_time_unix_nano: *start, end_time_unix_nano: *end, ..a_sound_span() };
    SpanBatch::parse(message(times.iter().map(span).collect()).encode_to_vec()).expect("sound")
}

/// The warnings of each span.
fn warnings(batch: &SpanBatch) -> Vec<String> {
    let of = |s| batch.view(s).warnings().map(|w| String::from_utf8_lossy(w).into_owned()).collect::<Vec<_>>().join(" | ");
    batch.spans().iter().map(of).collect()
}

#[test]
fn each_bound_is_kept_to_the_nanosecond() {
    let cases = [
        ((EARLIEST_START, EARLIEST_START + 1), ""),
        ((EARLIEST_START - 1, EARLIEST_START + 1), "starts before the year 2000"),
        ((0, 1), "starts before the year 2000"),
        ((NOW, NOW + LATEST_END), ""),
        ((NOW, NOW + LATEST_END + 1), "ends more than 24 hours after it was received"),
        ((NOW + LATEST_END + 1, NOW), "ends more than 24 hours after it was received"),
        ((NOW - LONGEST, NOW), ""),
        ((NOW - LONGEST - 1, NOW), "lasts longer than 30 days"),
        ((u64::MAX, u64::MAX), "ends more than 24 hours after it was received"),
    ];
    for (times, want) in cases {
        let (marked, n) = mark_times(batch(&[times]), NOW).unwrap();
        let want =
            if want.is_empty() { String::new() } else { format!("Clock skew? The span {want}; its times are kept as they came") };
        assert_eq!((&warnings(&marked)[0], n), (&want, u32::from(!want.is_empty())), "{times:?}");
        let view = marked.view(&marked.spans()[0]);
        assert_eq!((view.start, view.end), times, "the times stay");
    }
}

/// Jaeger's UI shows the warnings of a span whatever model it came in.
#[test]
fn a_jaeger_span_is_warned_about_and_keeps_its_flags_and_tags() {
    let span = Span { start_time_unix_nano: 0, attributes: vec![string("a", "1")], ..a_sound_span() };
    let (marked, n) = mark_times(in_jaegers_model(&message(vec![span, a_sound_span()]), 2), 1_000).unwrap();
    assert_eq!((n, marked.len()), (2, 2));
    let entry = &marked.spans()[0];
    let span = skua_model::Span::from_view(&marked.view(entry), Default::default());
    assert_eq!((span.flags, span.tags.len(), span.warnings.len()), (2, 1, 1));
    assert!(entry.is_debug() && entry.is_jaeger());
}

/// A span may pass two collectors.
#[test]
fn nobody_is_warned_twice() {
    let (once, n) = mark_times(batch(&[(0, 1), (NOW, NOW + 1)]), NOW).unwrap();
    let at = once.bytes().as_ptr();
    let (twice, again) = mark_times(once, NOW).unwrap();
    assert_eq!((n, again, twice.bytes().as_ptr()), (1, 0, at));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn other_spans_keep_their_bytes(data in traces()) {
        let batch = SpanBatch::parse(data.encode_to_vec()).unwrap();
        let before: Vec<_> = batch.spans().iter().map(|s| (s.trace_id, batch.span_body(s).to_vec())).collect();
        let at = batch.bytes().as_ptr();
        let (marked, n) = mark_times(batch, NOW).unwrap();
        agrees_with_its_bytes(&marked);
        prop_assert_eq!(marked.len(), before.len());
        let mut changed = 0;
        for (s, (trace_id, body)) in marked.spans().iter().zip(&before) {
            prop_assert_eq!(&s.trace_id, trace_id);
            if marked.view(s).warnings().next().is_none() {
                prop_assert_eq!(marked.span_body(s), &body[..]);
            } else {
                prop_assert!(marked.span_body(s).starts_with(body), "only something is added");
                changed += 1;
            }
        }
        prop_assert_eq!(changed, n);
        prop_assert_eq!(n == 0, marked.bytes().as_ptr() == at);
    }
}
