//! A batch as messages: which spans go together, into which partition, in which bytes.

use skua_codec::{Encoding, jaeger, otlp_json};
use skua_model::{SpanBatch, partition, partition_spans, write_subset};
use std::cell::RefCell;

/// How batches become messages. The same plan makes the same messages of the same batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub encoding: Encoding,
    /// Partitions of the topic; at least one.
    pub partitions: u32,
    /// Bytes of key and payload that no message of several spans exceeds.
    pub max: usize,
}

/// One message of a batch.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    pub partition: u32,
    /// Empty for none.
    pub key: &'a [u8],
    pub payload: &'a [u8],
    /// Numbers of its spans in the batch, ascending.
    pub spans: &'a [u32],
}

/// What a thread keeps between requests, so that large buffers do not come and go.
#[derive(Default)]
struct Buffers {
    value: Vec<u8>,
    process: Vec<u8>,
}

/// A buffer that grew beyond this is not kept.
const KEEP: usize = 2 << 20;

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::default();
}

impl Plan {
    /// Gives each message of the batch to `send`, until it fails. Every span is in exactly one message; a trace is in one
    /// partition.
    pub fn messages<E>(&self, batch: &SpanBatch, send: impl FnMut(Message<'_>) -> Result<(), E>) -> Result<(), E> {
        let mut buffers = BUFFERS.take();
        let result = match self.encoding {
            Encoding::Protobuf => self.protobuf(batch, &mut buffers, send),
            Encoding::Json => self.json(batch, &mut buffers, send),
            Encoding::OtlpProto | Encoding::OtlpJson => self.otlp(batch, &mut buffers, send),
        };
        if buffers.value.capacity() <= KEEP {
            BUFFERS.set(buffers);
        }
        result
    }

    /// One span a message; the process is written once per resource and copied into each span.
    fn protobuf<E>(
        &self,
        batch: &SpanBatch,
        Buffers { value, process }: &mut Buffers,
        mut send: impl FnMut(Message<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut resource = None;
        for (i, span) in (0..).zip(batch.spans()) {
            if resource != Some(batch.resource_of(span)) {
                resource = Some(batch.resource_of(span));
                process.clear();
                jaeger::encode::put_process(process, &batch.process(batch.resource_of(span)));
            }
            value.clear();
            jaeger::encode::put_span(value, &batch.view(span), process);
            self.keyed(&span.trace_id, i, value, &mut send)?;
        }
        Ok(())
    }

    /// One span a message.
    fn json<E>(
        &self,
        batch: &SpanBatch,
        Buffers { value, .. }: &mut Buffers,
        mut send: impl FnMut(Message<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut of = None;
        for (i, span) in (0..).zip(batch.spans()) {
            let resource = batch.resource_of(span);
            let process = match of.take() {
                Some((number, process)) if number == resource => process,
                _ => batch.process(resource),
            };
            value.clear();
            jaeger::json::put_span(value, &batch.view(span), &process);
            of = Some((resource, process));
            self.keyed(&span.trace_id, i, value, &mut send)?;
        }
        Ok(())
    }

    fn keyed<E>(
        &self,
        trace_id: &[u8; 16],
        span: u32,
        payload: &[u8],
        send: &mut impl FnMut(Message<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut key = [0; 32];
        let n = partition::trace_hex(trace_id, &mut key);
        let partition = partition::sarama(&key[..n], self.partitions);
        send(Message { partition, key: &key[..n], payload, spans: &[span] })
    }

    /// One message per partition, halved at a span boundary for as long as it is too long.
    fn otlp<E>(
        &self,
        batch: &SpanBatch,
        Buffers { value, .. }: &mut Buffers,
        mut send: impl FnMut(Message<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let sorted = partition_spans(batch, self.partitions);
        let mut waiting = Vec::new();
        for (partition, spans) in sorted.iter() {
            waiting.push(spans);
            while let Some(spans) = waiting.pop() {
                let fits = spans.len() == 1 || {
                    let least: usize = spans.iter().map(|i| batch.spans()[*i as usize].size()).sum();
                    least <= self.max
                };
                if fits {
                    value.clear();
                    self.encode(batch, spans, value);
                }
                if fits && (spans.len() == 1 || value.len() <= self.max) {
                    send(Message { partition, key: b"", payload: value, spans })?;
                } else {
                    let (first, second) = spans.split_at(spans.len() / 2);
                    waiting.extend([second, first]);
                }
            }
        }
        Ok(())
    }

    /// Appends the message of these spans (ascending; one alone for the encodings with one span a message).
    pub fn encode(&self, batch: &SpanBatch, spans: &[u32], out: &mut Vec<u8>) {
        match (self.encoding, spans) {
            (Encoding::OtlpProto, _) => write_subset(batch, spans, out),
            (Encoding::OtlpJson, _) => otlp_json::put_spans(out, batch, spans),
            (Encoding::Protobuf, [i, ..]) => {
                let span = &batch.spans()[*i as usize];
                let mut process = Vec::new();
                jaeger::encode::put_process(&mut process, &batch.process(batch.resource_of(span)));
                jaeger::encode::put_span(out, &batch.view(span), &process);
            }
            (Encoding::Json, [i, ..]) => {
                let span = &batch.spans()[*i as usize];
                jaeger::json::put_span(out, &batch.view(span), &batch.process(batch.resource_of(span)));
            }
            (Encoding::Protobuf | Encoding::Json, []) => {}
        }
    }

    /// The key of a message with this span, at the start of `key`.
    pub fn key<'k>(&self, trace_id: &[u8; 16], key: &'k mut [u8; 32]) -> &'k [u8] {
        let n = match self.encoding {
            Encoding::Protobuf | Encoding::Json => partition::trace_hex(trace_id, key),
            Encoding::OtlpProto | Encoding::OtlpJson => 0,
        };
        &key[..n]
    }

    /// About how many bytes all messages of a batch will have, rather too many.
    pub fn expected_bytes(&self, batch: &SpanBatch) -> usize {
        let n = batch.bytes().len();
        match self.encoding {
            Encoding::OtlpProto => n,
            Encoding::Protobuf => n + n / 2 + 64 * batch.len(),
            Encoding::Json | Encoding::OtlpJson => 3 * n,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Sketch, batch};
    use proptest::prelude::*;
    use std::convert::Infallible;

    struct Sent {
        partition: u32,
        key: Vec<u8>,
        payload: Vec<u8>,
        spans: Vec<u32>,
    }

    fn sent(plan: Plan, batch: &SpanBatch) -> Vec<Sent> {
        let mut all = Vec::new();
        let Ok(()) = plan.messages(batch, |m| {
            all.push(Sent { partition: m.partition, key: m.key.into(), payload: m.payload.into(), spans: m.spans.into() });
            Ok::<_, Infallible>(())
        });
        all
    }

    fn sketches() -> impl Strategy<Value = Vec<Sketch>> {
        let one = (0..3_u8, 1..6_u128, 1..u64::MAX, 0..400_usize);
        prop::collection::vec(one.prop_map(|(resource, trace, span, weight)| Sketch { resource, trace, span, weight }), 1..40)
    }

    proptest! {
        /// Scenario: any batch, any encoding, any limit.
        /// Guarantees: every span is in exactly one message, in its trace's partition; no message of several spans is over the
        /// limit; each message reads back as its spans; the same plan makes the same messages again.
        #[test]
        fn every_span_once_and_nothing_too_long(
            sketches in sketches(), partitions in 1..7_u32, max in 100..3000_usize, encoding in 0..4_usize,
        ) {
            let encoding = Encoding::ALL[encoding];
            let plan = Plan { encoding, partitions, max };
            let batch = batch(&sketches);
            let messages = sent(plan, &batch);
            let mut seen: Vec<u32> = messages.iter().flat_map(|m| m.spans.clone()).collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..batch.len() as u32).collect::<Vec<_>>());
            for m in &messages {
                prop_assert!(m.spans.len() == 1 || m.payload.len() <= max);
                prop_assert_eq!(m.key.is_empty(), !encoding.is_one_span());
                let mut otlp = Vec::new();
                skua_codec::decode_message(encoding, &m.payload, &mut otlp).unwrap();
                let read = SpanBatch::parse(otlp).unwrap();
                prop_assert_eq!(read.len(), m.spans.len());
                for (i, entry) in m.spans.iter().zip(read.spans()) {
                    let wanted = batch.view(&batch.spans()[*i as usize]);
                    prop_assert_eq!(m.partition, partition::of_trace(&wanted.trace_id, partitions));
                    prop_assert_eq!(read.view(entry).span_id, wanted.span_id);
                    let resource = batch.resource_of(&batch.spans()[*i as usize]);
                    prop_assert_eq!(read.process(read.resource_of(entry)).service, batch.process(resource).service);
                }
                let mut again = Vec::new();
                plan.encode(&batch, &m.spans, &mut again);
                prop_assert_eq!(&again, &m.payload);
            }
        }
    }

    #[test]
    fn a_batch_that_fits_is_one_message_a_partition() {
        let span = |n: u64| Sketch { resource: 0, trace: u128::from(n), span: n, weight: 100 };
        let batch = batch(&(1..200).map(span).collect::<Vec<_>>());
        let messages = sent(Plan { encoding: Encoding::OtlpProto, partitions: 3, max: 1_000_000 }, &batch);
        assert_eq!(messages.len(), 3);
    }

    #[test]
    fn keys_are_jaegers() {
        let batch = batch(&[Sketch { resource: 0, trace: 0x1234, span: 1, weight: 0 }]);
        let message = &sent(Plan { encoding: Encoding::Protobuf, partitions: 3, max: 1_000_000 }, &batch)[0];
        assert_eq!((message.key.as_slice(), message.partition), (b"0000000000001234".as_slice(), 2));
    }
}
