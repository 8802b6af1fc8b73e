//! `limit_spans`: a span over the limit is trimmed or refused, the others are not touched.

use crate::strategies::{a_sound_span, agrees_with_its_bytes, in_jaegers_model, message, of_value, string, traces};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue};
use opentelemetry_proto::tonic::trace::v1::{Span, TracesData, span};
use proptest::prelude::*;
use prost::Message;
use skua_model::{Over, Refusal, SpanBatch, SpanLimit, limit_spans};

fn trim(max_bytes: usize) -> SpanLimit {
    SpanLimit { max_bytes, over: Over::Trim }
}

fn parse(spans: Vec<Span>) -> SpanBatch {
    SpanBatch::parse(message(spans).encode_to_vec()).expect("sound")
}

/// The only span, as prost reads it.
fn read(batch: &SpanBatch) -> Span {
    Span::decode(batch.span_body(&batch.spans()[0])).expect("sound")
}

fn text<'a>(span: &'a Span, key: &str) -> &'a str {
    match &span.attributes.iter().find(|kv| kv.key == key).expect("sound").value.as_ref().expect("sound").value {
        Some(Value::StringValue(s)) => s,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_longest_value_is_cut_and_the_warning_says_so() {
    let attributes = vec![string("http.body", &"x".repeat(5_000)), string("other", &"y".repeat(200)), string("small", "kept")];
    let long = Span { attributes, ..a_sound_span() };
    let was = long.encoded_len();
    let (batch, trimmed) = limit_spans(parse(vec![long, a_sound_span()]), trim(1_000)).unwrap();
    assert_eq!((batch.len(), trimmed, batch.refused().total()), (2, 1, 0));
    agrees_with_its_bytes(&batch);
    let size = batch.spans()[0].body_size();
    assert!((900..=1_000).contains(&size), "no more is cut than need be: {size}");
    let span = read(&batch);
    assert_eq!((text(&span, "other").len(), text(&span, "small")), (200, "kept"));
    let kept = text(&span, "http.body").len();
    let warnings: Vec<_> = batch.view(&batch.spans()[0]).warnings().map(String::from_utf8_lossy).collect();
    assert_eq!(
        warnings,
        [format!("The span had {was} bytes, more than the limit of 1000; cut: http.body from 5000 to {kept} bytes")]
    );
    assert_eq!(batch.span_body(&batch.spans()[1]), a_sound_span().encode_to_vec());
}

/// Values of every kind that can be long.
#[test]
fn values_are_cut_wherever_they_are() {
    let long = "l".repeat(3_000);
    let list = Value::ArrayValue(ArrayValue { values: vec![AnyValue { value: Some(Value::StringValue(long.clone())) }] });
    let event = span::Event { name: long.clone(), attributes: vec![string("stack", &long)], ..Default::default() };
    let link =
        span::Link { trace_id: vec![1; 16], span_id: vec![2; 8], attributes: vec![string("why", &long)], ..Default::default() };
    let span = Span {
        name: long.clone(),
        attributes: vec![of_value("list", list), of_value("blob", Value::BytesValue(vec![0xff; 3_000]))],
        events: vec![event],
        links: vec![link],
        status: Some(opentelemetry_proto::tonic::trace::v1::Status { message: long.clone(), code: 2 }),
        ..a_sound_span()
    };
    let (batch, _) = limit_spans(parse(vec![span]), trim(2_000)).unwrap();
    let warning = String::from_utf8_lossy(batch.view(&batch.spans()[0]).warnings().next().unwrap()).into_owned();
    for name in ["the span's name", "an event's name", "the status message", "list", "blob", "stack", "why"] {
        assert!(warning.contains(&format!("{name} from 3000 to ")), "{name}: {warning}");
    }
    assert!(batch.spans()[0].body_size() <= 2_000);
    read(&batch);
}

/// The warning is bounded too: it names the longest and counts the rest.
#[test]
fn a_warning_names_the_longest_and_counts_the_rest() {
    let attributes = (0..30).map(|i| string(&format!("key-{i}"), &"v".repeat(1_000 + i))).collect();
    let (batch, _) = limit_spans(parse(vec![Span { attributes, ..a_sound_span() }]), trim(20_000)).unwrap();
    let view = batch.view(&batch.spans()[0]);
    let warning = String::from_utf8_lossy(view.warnings().next().unwrap()).into_owned();
    let named: Vec<_> = (22..30).rev().map(|i| warning.find(&format!("key-{i} from {} to ", 1_000 + i)).unwrap()).collect();
    assert!(named.is_sorted(), "{warning}");
    assert!(warning.ends_with(" bytes, and 22 more") && !warning.contains("key-21"), "{warning}");
}

/// A character of three bytes is never cut through: prost insists on UTF-8.
#[test]
fn text_is_cut_between_characters() {
    for limit in 600..620 {
        let span = Span { attributes: vec![string("k", &"追".repeat(1_000))], ..a_sound_span() };
        let (batch, _) = limit_spans(parse(vec![span]), trim(limit)).unwrap();
        assert!(text(&read(&batch), "k").chars().all(|c| c == '追'));
    }
}

#[test]
fn what_cannot_be_trimmed_enough_is_refused() {
    let many = Span { attributes: (0..500).map(|i| string(&format!("key-{i}"), "small")).collect(), ..a_sound_span() };
    let (batch, trimmed) = limit_spans(parse(vec![many, a_sound_span()]), trim(1_000)).unwrap();
    assert_eq!((batch.len(), trimmed, batch.refused().of(Refusal::TooLarge)), (1, 0, 1));
    assert_eq!(batch.refused().to_string(), "1 span refused: a span is larger than the limit for one span");
}

#[test]
fn refusing_trims_nothing() {
    let long = Span { name: "n".repeat(2_000), ..a_sound_span() };
    let (batch, trimmed) =
        limit_spans(parse(vec![a_sound_span(), long]), SpanLimit { max_bytes: 1_000, over: Over::Refuse }).unwrap();
    assert_eq!((batch.len(), trimmed, batch.refused().of(Refusal::TooLarge)), (1, 0, 1));
}

#[test]
fn a_jaeger_span_keeps_its_flags_and_is_warned_about() {
    let long = Span { attributes: vec![string("log", &"x".repeat(9_000))], ..a_sound_span() };
    let (batch, _) = limit_spans(in_jaegers_model(&message(vec![long]), 3), trim(700)).unwrap();
    let span = skua_model::Span::from_view(&batch.view(&batch.spans()[0]), Default::default());
    assert_eq!((span.flags, span.tags.len(), span.warnings.len()), (3, 1, 1));
}

/// The size is the limit exactly: not over it.
#[test]
fn at_the_limit_nothing_is_copied() {
    let batch = parse(vec![a_sound_span()]);
    let (at, limit) = (batch.bytes().as_ptr(), trim(batch.spans()[0].body_size()));
    let (same, trimmed) = limit_spans(batch, limit).unwrap();
    assert_eq!((same.bytes().as_ptr(), trimmed), (at, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever comes: what is left fits, is valid, and what fitted before has the same bytes.
    #[test]
    fn what_is_left_fits(data in traces(), max_bytes in 50_usize..1_500, over in prop_oneof![Just(Over::Trim), Just(Over::Refuse)]) {
        let batch = SpanBatch::parse(data.encode_to_vec()).unwrap();
        let before: Vec<_> = batch.spans().iter().map(|s| batch.span_body(s).to_vec()).collect();
        let refused = *batch.refused();
        let (limited, trimmed) = limit_spans(batch, SpanLimit { max_bytes, over }).unwrap();
        let too_large = limited.refused().since(&refused);
        prop_assert_eq!(limited.len() as u64 + too_large.total(), before.len() as u64);
        prop_assert_eq!(too_large.of(Refusal::TooLarge), too_large.total());
        prop_assert!(limited.spans().iter().all(|s| s.body_size() <= max_bytes));
        let same = limited.spans().iter().filter(|s| before.iter().any(|b| b == limited.span_body(s))).count();
        prop_assert_eq!(same + trimmed as usize, limited.len());
        prop_assert!(TracesData::decode(&limited.bytes()[..]).is_ok());
    }
}
