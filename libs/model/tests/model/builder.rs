//! `BatchBuilder`: several messages are one batch, and a bad message leaves no trace.

use crate::strategies::{a_sound_span, is_sound, message, sound, traces};
use opentelemetry_proto::tonic::trace::v1::TracesData;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use skua_model::{BatchBuilder, DecodeError, SpanBatch};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn several_messages_are_as_one(messages in vec(traces(), 0..5), broken in any::<prop::sample::Index>()) {
        let mut builder = BatchBuilder::default();
        let (mut bytes, mut from) = (Vec::new(), 0);
        let broken = broken.index(messages.len() + 1);
        for (i, data) in messages.iter().enumerate() {
            if i == broken {
                prop_assert!(builder.push(&[0x0a, 0xff]).is_err());
            }
            let encoded = data.encode_to_vec();
            let added = builder.push(&encoded).unwrap();
            prop_assert_eq!(added.clone(), from..from + sound(data).count());
            from = added.end;
            bytes.extend_from_slice(&encoded);
        }
        prop_assert_eq!((builder.size(), builder.len(), builder.is_empty()), (bytes.len(), from, from == 0));
        let refused = *builder.refused();
        let (built, parsed) = (builder.finish(), SpanBatch::parse(bytes).unwrap());
        prop_assert_eq!(built.bytes(), parsed.bytes());
        prop_assert_eq!((&refused, built.refused()), (parsed.refused(), parsed.refused()));
        prop_assert_eq!((built.bad_strings(), built.backward_spans()), (parsed.bad_strings(), parsed.backward_spans()));
        prop_assert_eq!(built.len(), parsed.len());
        for (a, b) in built.spans().iter().zip(parsed.spans()) {
            prop_assert_eq!((&a.trace_id, &a.field), (&b.trace_id, &b.field));
            prop_assert_eq!((built.resource_of(a), built.scope_of(a)), (parsed.resource_of(b), parsed.scope_of(b)));
            prop_assert_eq!(built.process(built.resource_of(a)).service, parsed.process(parsed.resource_of(b)).service);
        }
    }
}

/// A message whose second half is broken leaves nothing of its first half: no span, no byte, no refusal, no counter.
#[test]
fn a_failed_push_changes_nothing() {
    let mut builder = BatchBuilder::default();
    assert_eq!(builder.push(&message(vec![a_sound_span()]).encode_to_vec()).unwrap(), 0..1);
    let before = builder.size();

    let mut unsound = a_sound_span();
    unsound.span_id = vec![];
    let mut backward = a_sound_span();
    backward.end_time_unix_nano = 0;
    let half = message(vec![a_sound_span(), unsound.clone(), backward]);
    let mut broken = half.encode_to_vec();
    broken.extend_from_slice(&[0x0a, 0x05, 0x0a]);
    assert!(matches!(builder.push(&broken), Err(DecodeError::Wire(_))));
    assert_eq!((builder.size(), builder.len(), builder.refused().total()), (before, 1, 0));

    let failed = builder.push_with(|out| {
        out.extend_from_slice(&half.encode_to_vec());
        Err(DecodeError::TooLong)
    });
    assert_eq!(failed, Err(DecodeError::TooLong));
    assert_eq!(builder.size(), before);

    assert_eq!(builder.push(&message(vec![unsound, a_sound_span()]).encode_to_vec()).unwrap(), 1..2);
    let batch = builder.finish();
    assert_eq!((batch.len(), batch.refused().total(), batch.backward_spans()), (2, 1, 0));
    let again = TracesData::decode(&batch.bytes()[..]).expect("valid OTLP");
    assert_eq!(again.resource_spans.len(), 2);
    assert_eq!(sound(&again).filter(|s| is_sound(s)).count(), 2);
}

#[test]
fn nothing_is_an_empty_batch() {
    let batch = BatchBuilder::default().finish();
    assert!(batch.is_empty() && batch.bytes().is_empty());
    assert!(SpanBatch::parse(&b""[..]).unwrap().is_empty());
}
