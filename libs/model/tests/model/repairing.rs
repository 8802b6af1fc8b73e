//! `repair`: what is sound is not touched, what is not becomes so.

use crate::strategies::{a_sound_span, agrees_with_its_bytes, in_jaegers_model, message, of_resource, of_value, string, traces};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue as Any, ArrayValue};
use opentelemetry_proto::tonic::trace::v1::{Span, TracesData};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
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
            let bodies: Vec<_> = batch.spans().iter().map(|s| batch.span_body(s).to_vec()).collect();
            let sound: Vec<_> = bodies.iter().map(|b| !b.contains(&0xf5)).collect();
            let at = batch.bytes().as_ptr();
            let (mended, repairs) = repair(batch).unwrap();
            prop_assert_eq!((mended.len(), mended.bad_strings(), *mended.refused()), (spans, 0, refused));
            prop_assert_eq!(repairs.durations, backward);
            prop_assert!(repairs.strings <= bad, "those of resources and scopes without spans are left out");
            prop_assert_eq!(mended.nameless_resources(), 0);
            agrees_with_its_bytes(&mended);
            for (i, (s, (start, end))) in mended.spans().iter().zip(times).enumerate() {
                if sound[i] && end > start {
                    prop_assert_eq!(mended.span_body(s), &bodies[i][..], "a sound span keeps its bytes");
                }
                let got = mended.view(s);
                prop_assert_eq!(got.start, start);
                prop_assert_eq!(got.end, if end > start { end } else { start.saturating_add(1) });
            }
            if repairs != Repairs::default() {
                prop_assert!(TracesData::decode(&mended.bytes()[..]).is_ok());
            } else if bad == 0 {
                prop_assert_eq!(mended.bytes().as_ptr(), at, "what is sound is not copied");
            }
            let once = mended.bytes().as_ptr();
            let (twice, repairs) = repair(mended).unwrap();
            prop_assert_eq!((twice.bytes().as_ptr(), repairs), (once, Repairs::default()), "nor what was mended");
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
    let (mended, _) = repair(in_jaegers_model(&message(vec![span]), 3)).unwrap();
    let entry = &mended.spans()[0];
    let view = mended.view(entry);
    assert_eq!((view.start, view.end, view.jaeger_flags), (5, 6, Some(3)));
    assert!(entry.is_debug());
    let tag = view.attributes().next().unwrap();
    assert_eq!(tag.key, b"InvalidNegativeDuration");
    assert!(matches!(tag.value, AnyValue::Bytes(b"Duration can't be negative, so it is changed to default value")));
}

/// A span that came with a warning keeps it, in the same list: other readers look at the first list only.
#[test]
fn a_second_warning_joins_the_first() {
    let text = |s: &str| Any { value: Some(Value::StringValue(s.into())) };
    let list = of_value("@jaeger@warnings", Value::ArrayValue(ArrayValue { values: vec![text("first")] }));
    let span = Span {
        start_time_unix_nano: 5,
        end_time_unix_nano: 5,
        attributes: vec![string("a", "1"), list, string("b", "2")],
        ..a_sound_span()
    };
    let (mended, _) = repair(SpanBatch::parse(message(vec![span]).encode_to_vec()).unwrap()).unwrap();
    let view = mended.view(&mended.spans()[0]);
    let keys: Vec<_> = view.attributes().map(|kv| String::from_utf8_lossy(kv.key)).collect();
    assert_eq!(keys, ["a", "@jaeger@warnings", "b"]);
    let warnings: Vec<_> = view.warnings().map(String::from_utf8_lossy).collect();
    assert_eq!((warnings.len(), &*warnings[0], &warnings[1][..17]), (2, "first", "Negative duration"));
}

/// Every reader of the message sees the name that ours see, Jaeger's ingester too, which does not sanitize OTLP.
#[test]
fn a_service_without_a_name_gets_one() {
    let other = || string("other", "kept");
    let cases = [
        (vec![other()], "missing-service-name"),
        (vec![string("service.name", ""), other()], "empty-service-name"),
        (vec![other(), of_value("service.name", Value::IntValue(5))], "service-name-wrong-type"),
    ];
    for (attributes, want) in cases {
        let data = of_resource(attributes, vec![a_sound_span(), a_sound_span()]);
        for batch in [SpanBatch::parse(data.encode_to_vec()).unwrap(), in_jaegers_model(&data, 1)] {
            let bodies: Vec<_> = batch.spans().iter().map(|s| batch.span_body(s).to_vec()).collect();
            let (mended, repairs) = repair(batch).unwrap();
            assert_eq!(repairs, Repairs { services: 1, ..Repairs::default() });
            agrees_with_its_bytes(&mended);
            assert!(mended.spans().iter().map(|s| mended.span_body(s)).eq(bodies.iter().map(|b| &b[..])));
            let read = TracesData::decode(&mended.bytes()[..]).unwrap();
            let attributes = &read.resource_spans[0].resource.as_ref().unwrap().attributes;
            let mut attributes: Vec<_> = attributes.iter().map(|kv| (&kv.key[..], kv.value.clone().unwrap())).collect();
            attributes.sort_by_key(|(key, _)| *key);
            let text = |s: &str| Any { value: Some(Value::StringValue(s.into())) };
            assert_eq!(attributes, [("other", text("kept")), ("service.name", text(want))]);
        }
    }
    let nothing = TracesData::decode(&b""[..]).unwrap();
    assert_eq!(SpanBatch::parse(nothing.encode_to_vec()).unwrap().nameless_resources(), 0);
}

/// Key after value: no encoder writes that, but it is protobuf, and the name is found.
#[test]
fn a_name_in_a_strange_encoding_is_a_name() {
    let attribute = |out: &mut Vec<u8>| {
        skua_model::wire::put_message(out, 1, |out| {
            skua_model::wire::put_message(out, 2, |out| skua_model::wire::put_bytes(out, 1, b"shop"));
            skua_model::wire::put_bytes(out, 1, b"service.name");
        });
    };
    let mut bytes = Vec::new();
    skua_model::wire::put_message(&mut bytes, 1, |out| {
        skua_model::wire::put_message(out, 1, attribute);
        skua_model::wire::put_message(out, 2, |out| skua_model::wire::put_bytes(out, 2, &a_sound_span().encode_to_vec()));
    });
    let batch = SpanBatch::parse(bytes).unwrap();
    let at = batch.bytes().as_ptr();
    let (same, repairs) = repair(batch).unwrap();
    assert_eq!((same.bytes().as_ptr(), repairs, same.service(0)), (at, Repairs::default(), &b"shop"[..]));
}
