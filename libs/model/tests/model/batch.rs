//! Parsing and reading: what prost reads, views read; nothing panics.

use crate::strategies::{a_sound_span, is_sound, message, sound, traces};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::TracesData;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use skua_model::wire::{put_bytes, put_message};
use skua_model::{DecodeError, Process, Refusal, Span, SpanBatch, regroup};
use std::sync::Arc;

/// Reads everything that a view can reach; must not panic on bytes of any kind.
pub fn read_all(batch: &SpanBatch) {
    for s in batch.spans() {
        let process = Process::from_view(&batch.process(batch.resource_of(s)));
        let span = Span::from_view(&batch.view(s), Arc::new(process));
        assert!(!span.trace_id.is_zero() && !span.span_id.is_zero());
        assert_eq!(span.trace_id.0, s.trace_id);
        assert!(s.size() > batch.span_body(s).len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn views_agree_with_prost(data in traces()) {
        let batch = SpanBatch::parse(data.encode_to_vec()).unwrap();
        prop_assert_eq!(sound(&data).count(), batch.len());
        prop_assert_eq!(batch.is_empty(), batch.spans().is_empty());
        let all = data.resource_spans.iter().flat_map(|r| &r.scope_spans).flat_map(|s| &s.spans);
        prop_assert_eq!(all.filter(|s| !is_sound(s)).count() as u64, batch.refused().total());
        prop_assert_eq!(batch.bad_strings(), 0);
        let backward = sound(&data).filter(|s| s.end_time_unix_nano <= s.start_time_unix_nano).count();
        prop_assert_eq!(batch.backward_spans() as usize, backward);
        for (want, entry) in sound(&data).zip(batch.spans()) {
            let got = batch.view(entry);
            prop_assert_eq!(want.name.as_bytes(), got.name);
            prop_assert_eq!((&want.trace_id[..], &want.span_id[..]), (&got.trace_id[..], &got.span_id[..]));
            prop_assert_eq!((want.start_time_unix_nano, want.end_time_unix_nano), (got.start, got.end));
            prop_assert_eq!(want.kind as u64, got.kind);
            prop_assert_eq!(want.parent_span_id.is_empty(), entry.is_root());
            prop_assert_eq!(&want.encode_to_vec()[..], batch.span_body(entry));
            let keys = |kvs: &[KeyValue]| kvs.iter().map(|kv| kv.key.clone().into_bytes()).collect::<Vec<_>>();
            prop_assert_eq!(keys(&want.attributes), got.attributes().map(|kv| kv.key.to_vec()).collect::<Vec<_>>());
            prop_assert_eq!(want.events.len(), got.events().count());
            for (want, got) in want.events.iter().zip(got.events()) {
                prop_assert_eq!((want.time_unix_nano, want.name.as_bytes()), (got.time, got.name));
                prop_assert_eq!(keys(&want.attributes), got.attributes().map(|kv| kv.key.to_vec()).collect::<Vec<_>>());
            }
            prop_assert_eq!(want.links.len(), got.links().count());
        }
        read_all(&batch);
    }

    /// Cut anywhere, flip anything: an error or a batch, never a panic, and what is accepted can be regrouped, read and mended.
    #[test]
    fn damage_never_panics(
        data in traces(),
        cut in any::<prop::sample::Index>(),
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut bytes = data.encode_to_vec();
        bytes.truncate(cut.index(bytes.len() + 1));
        for (at, b) in flips {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = b;
            }
        }
        if let Ok(batch) = SpanBatch::parse(bytes) {
            for (_, message, n) in regroup(&batch, 5, 1000).iter() {
                let again = SpanBatch::parse(message.to_vec()).expect("what was accepted stays acceptable");
                prop_assert_eq!((again.len(), again.refused().total()), (n as usize, 0));
            }
            read_all(&batch);
            let spans = batch.len();
            let (mended, _) = skua_model::repair(batch).expect("what was accepted can be mended");
            prop_assert_eq!((mended.len(), mended.bad_strings()), (spans, 0));
            read_all(&mended);
        }
    }

    #[test]
    fn noise_never_panics(bytes in vec(any::<u8>(), 0..300)) {
        if let Ok(batch) = SpanBatch::parse(bytes) {
            read_all(&batch);
        }
    }
}

/// prost refuses the whole request for one bad string; Jaeger and we keep it.
#[test]
fn bad_utf8_is_counted_and_kept() {
    let mut span = a_sound_span();
    span.name = "abc".into();
    let mut bytes = message(vec![span]).encode_to_vec();
    let at = bytes.windows(3).position(|w| w == b"abc").unwrap();
    bytes[at] = 0xff;
    assert!(TracesData::decode(&bytes[..]).is_err());
    let batch = SpanBatch::parse(bytes).unwrap();
    assert_eq!((batch.len(), batch.bad_strings()), (1, 1));
    assert_eq!(batch.view(&batch.spans()[0]).name, b"\xffbc");
}

/// Each kind of unsound span costs itself, is counted under its reason, and takes its bad strings with it.
#[test]
fn an_unsound_span_costs_only_itself() {
    let with = |change: &dyn Fn(&mut opentelemetry_proto::tonic::trace::v1::Span)| {
        let mut s = a_sound_span();
        change(&mut s);
        s
    };
    let spans = vec![
        with(&|s| s.trace_id = vec![]),
        with(&|s| s.trace_id = vec![0; 16]),
        with(&|s| s.trace_id = vec![1; 15]),
        a_sound_span(),
        with(&|s| s.span_id = vec![0; 8]),
        with(&|s| s.parent_span_id = vec![1; 9]),
        with(&|s| {
            s.name = "abc".into();
            s.span_id = vec![];
        }),
        a_sound_span(),
    ];
    let mut bytes = message(spans).encode_to_vec();
    let at = bytes.windows(3).position(|w| w == b"abc").unwrap();
    bytes[at] = 0xff;
    let batch = SpanBatch::parse(bytes).unwrap();
    let reasons: Vec<_> = batch.refused().iter().collect();
    assert_eq!(reasons, [(Refusal::IdLength, 2), (Refusal::ZeroTraceId, 2), (Refusal::ZeroSpanId, 2)]);
    assert_eq!((batch.len(), batch.bad_strings()), (2, 0));
    assert_eq!(batch.refused().of(Refusal::ZeroSpanId), 2);
    assert!(batch.refused().to_string().starts_with("2 spans refused: a trace id must have 16 bytes"));
}

/// A span that is not protobuf inside a frame that is.
#[test]
fn a_malformed_span_costs_only_itself() {
    let good = a_sound_span().encode_to_vec();
    let mut bytes = Vec::new();
    put_message(&mut bytes, 1, |out| {
        put_message(out, 2, |out| {
            put_bytes(out, 2, &good);
            put_bytes(out, 2, &[0x4a, 0x7f]); // attributes of 127 bytes, and none of them there
            put_bytes(out, 2, &[0x48, 1]); // attributes as a varint
            put_bytes(out, 2, &good);
        });
    });
    let batch = SpanBatch::parse(bytes.clone()).unwrap();
    assert_eq!(batch.len(), 2);
    assert_eq!(batch.refused().iter().collect::<Vec<_>>(), [(Refusal::Malformed, 2)]);
    let (whole, mut cut) = (bytes.len(), bytes);
    cut.truncate(whole - 1);
    assert!(matches!(SpanBatch::parse(cut), Err(DecodeError::Wire(_))), "a broken frame costs the message");
}

/// `levels` lists, one in the other, as the body of an `AnyValue`.
fn nested(levels: usize) -> Vec<u8> {
    let mut v = vec![];
    for _ in 0..levels {
        let mut inner = vec![];
        put_bytes(&mut inner, 1, &v); // ArrayValue.values
        v.clear();
        put_bytes(&mut v, 5, &inner); // AnyValue.array_value
    }
    v
}

/// Ten thousand nested lists are refused, not a stack overflow: in a span they cost the span, in a resource the message.
#[test]
fn deep_nesting_is_refused() {
    for (levels, sound) in [(64, true), (65, false), (10_000, false)] {
        let mut attribute = vec![];
        put_bytes(&mut attribute, 2, &nested(levels)); // KeyValue.value
        let mut span = a_sound_span().encode_to_vec();
        put_bytes(&mut span, 9, &attribute);
        let mut bytes = vec![];
        put_message(&mut bytes, 1, |out| put_message(out, 2, |out| put_bytes(out, 2, &span)));
        let batch = SpanBatch::parse(bytes).unwrap();
        assert_eq!((batch.len() == 1, batch.refused().of(Refusal::Nesting) == 0), (sound, sound), "{levels}");
        read_all(&batch);

        let mut bytes = vec![];
        put_message(&mut bytes, 1, |out| put_message(out, 1, |out| put_bytes(out, 1, &attribute)));
        assert_eq!(SpanBatch::parse(bytes).err(), if sound { None } else { Some(DecodeError::Nesting) });
    }
}

/// What is left out of the index is in no output; the bytes are not touched.
#[test]
fn retained_spans_are_all_that_comes_out() {
    let named = |name: &str| opentelemetry_proto::tonic::trace::v1::Span { name: name.into(), ..a_sound_span() };
    let mut batch = SpanBatch::parse(message(vec![named("a"), named("b"), named("c")]).encode_to_vec()).unwrap();
    let (at, size) = (batch.bytes().as_ptr(), batch.bytes().len());
    let b = batch.spans()[1].field.clone();
    batch.retain(|s| s.field != b);
    assert_eq!((batch.bytes().as_ptr(), batch.bytes().len(), batch.len()), (at, size, 2));
    let groups = regroup(&batch, 1, usize::MAX);
    let (_, written, _) = groups.iter().next().unwrap();
    let data = TracesData::decode(written).unwrap();
    assert_eq!(sound(&data).map(|s| &s.name[..]).collect::<Vec<_>>(), ["a", "c"]);
}
