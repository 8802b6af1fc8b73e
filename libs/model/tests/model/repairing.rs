//! `repair`: what is sound is not touched, what is not becomes so.

use crate::strategies::{a_sound_span, message, traces};
use opentelemetry_proto::tonic::trace::v1::{Span, TracesData};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use skua_model::otlp::JAEGER_FLAGS;
use skua_model::wire::{put_message, put_varint};
use skua_model::{AnyValue, Repairs, SpanBatch, repair};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// High bytes thrown into strings: afterwards prost, which insists on UTF-8, reads the message.
    #[test]
    fn mended_batches_are_strict_otlp(data in traces(), at in vec(any::<prop::sample::Index>(), 1..8)) {
        let mut bytes = data.encode_to_vec();
        let ascii: Vec<usize> = (0..bytes.len()).filter(|i| bytes[*i].is_ascii_lowercase()).collect();
        for i in at {
            if !ascii.is_empty() {
                bytes[ascii[i.index(ascii.len())]] = 0xf5; // in no UTF-8 text
            }
        }
        if let Ok(batch) = SpanBatch::parse(bytes) {
            let (spans, bad, refused) = (batch.len(), batch.bad_strings(), *batch.refused());
            let times: Vec<_> = batch.spans().iter().map(|s| (batch.view(s).start, batch.view(s).end)).collect();
            let backward = batch.backward_spans();
            let (mended, repairs) = repair(batch).unwrap();
            prop_assert_eq!((mended.len(), mended.bad_strings(), *mended.refused()), (spans, 0, refused));
            prop_assert_eq!(repairs.durations, backward);
            prop_assert!(repairs.strings <= bad, "those of resources and scopes without spans are left out");
            for (s, (start, end)) in mended.spans().iter().zip(times) {
                let got = mended.view(s);
                prop_assert_eq!(got.start, start);
                prop_assert_eq!(got.end, if end > start { end } else { start.saturating_add(1) });
            }
            if bad > 0 || backward > 0 {
                prop_assert!(TracesData::decode(&mended.bytes()[..]).is_ok());
            }
        }
    }
}

#[test]
fn a_sound_batch_is_not_copied() {
    let batch = SpanBatch::parse(message(vec![a_sound_span()]).encode_to_vec()).unwrap();
    let at = batch.bytes().as_ptr();
    let (same, repairs) = repair(batch).unwrap();
    assert_eq!((same.bytes().as_ptr(), repairs), (at, Repairs::default()));
}

/// The warning is Jaeger's, to the letter.
#[test]
fn a_backward_span_lasts_a_nanosecond_and_says_so() {
    let span =
        Span { start_time_unix_nano: 1_700_000_000_000_000_000, end_time_unix_nano: 1_500_000_000_123_456_780, ..a_sound_span() };
    let batch = SpanBatch::parse(message(vec![span, a_sound_span()]).encode_to_vec()).unwrap();
    let (mended, repairs) = repair(batch).unwrap();
    assert_eq!((repairs.durations, mended.backward_spans()), (1, 0));
    let view = mended.view(&mended.spans()[0]);
    assert_eq!(view.duration(), 1);
    let warnings: Vec<_> = view.warnings().map(String::from_utf8_lossy).collect();
    assert_eq!(
        warnings,
        [
            "Negative duration detected, sanitizing end timestamp. Original end timestamp: 2017-07-14 02:40:00.12345678 +0000 UTC, \
          adjusted to: 2023-11-14 22:13:20.000000001 +0000 UTC"
        ]
    );
    assert_eq!(mended.view(&mended.spans()[1]).warnings().count(), 0);
}

/// A span of Jaeger's own model gets a binary tag instead, as Jaeger's sanitizer gives it.
#[test]
fn a_backward_jaeger_span_gets_a_tag() {
    let span = Span { start_time_unix_nano: 5, end_time_unix_nano: 5, ..a_sound_span() };
    let mut body = span.encode_to_vec();
    put_varint(&mut body, u64::from(JAEGER_FLAGS));
    put_varint(&mut body, 3);
    let mut bytes = Vec::new();
    put_message(&mut bytes, 1, |out| put_message(out, 2, |out| skua_model::wire::put_bytes(out, 2, &body)));
    let (mended, _) = repair(SpanBatch::parse(bytes).unwrap()).unwrap();
    let entry = &mended.spans()[0];
    let view = mended.view(entry);
    assert_eq!((view.start, view.end, view.jaeger_flags), (5, 6, Some(3)));
    assert!(entry.is_debug());
    let tag = view.attributes().next().unwrap();
    assert_eq!(tag.key, b"InvalidNegativeDuration");
    assert!(matches!(tag.value, AnyValue::Bytes(b"Duration can't be negative, so it is changed to default value")));
}
