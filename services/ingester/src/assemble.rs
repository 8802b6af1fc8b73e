//! From a chunk of messages to one batch, remembering which spans came with which message.

use skua_codec::{InputEncoding, decode_message};
use skua_kafka::Chunk;
use skua_model::{BatchBuilder, SpanBatch};
use skua_pipeline::Downsampling;

/// A chunk's spans as one batch.
pub(crate) struct Assembled {
    pub batch: SpanBatch,
    /// For each record of the chunk, the number of the span after its last; spans are in the order of the records.
    pub ends: Vec<usize>,
    /// Records that could not be decoded, or of which some spans could not be taken; not those that come again.
    pub bad: Vec<BadRecord>,
    /// For each record of the chunk, whether it was stored before and is there to be counted alone.
    pub again: Vec<bool>,
}

/// A record that goes to the dead-letter topic.
pub(crate) struct BadRecord {
    /// Its place in the chunk.
    pub record: usize,
    pub reason: &'static str,
    pub detail: String,
    /// Spans of it that are lost to the store; one for a message that cannot be decoded, because it holds at least that.
    pub spans: u64,
}

impl Assembled {
    /// Decodes every record; a bad one costs only itself.
    pub fn new(chunk: &Chunk, encoding: InputEncoding) -> Self {
        let mut builder = BatchBuilder::default();
        let (mut ends, mut bad) = (Vec::with_capacity(chunk.records().len()), Vec::new());
        for (record, message) in chunk.records().iter().map(|r| chunk.payload(r)).enumerate() {
            let before = *builder.refused();
            match builder.push_with(|out| decode_message(encoding, message, out)) {
                Ok(_) => {
                    let refused = builder.refused().total() - before.total();
                    if refused > 0 {
                        let new = |why: skua_model::Refusal| builder.refused().of(why) > before.of(why);
                        let why = skua_model::Refusal::ALL.into_iter().find(|why| new(*why));
                        let why = why.unwrap_or(skua_model::Refusal::Malformed);
                        let detail = format!("{refused} of the message's spans refused: {}", why.explain());
                        bad.push(BadRecord { record, reason: why.as_str(), detail, spans: refused });
                    }
                }
                Err(e) => bad.push(BadRecord { record, reason: "undecodable", detail: e.to_string(), spans: 1 }),
            }
            ends.push(builder.len());
        }
        let again: Vec<bool> = chunk.records().iter().map(|record| record.again).collect();
        bad.retain(|bad| !again[bad.record]);
        Self { batch: builder.finish(), ends, bad, again }
    }

    /// Leaves out the spans of traces that down-sampling does not keep, and returns how many there were, without those that come again.
    pub fn sample(&mut self, downsampling: &Downsampling) -> u64 {
        let keeps: Vec<_> = self.batch.spans().iter().map(|s| downsampling.keeps(&s.trace_id)).collect();
        let before = self.spans_to_store();
        self.keep_ends(&keeps);
        downsampling.sample(&mut self.batch);
        (before - self.spans_to_store()) as u64
    }

    /// Leaves out the spans that were stored before.
    pub fn leave_out_again(&mut self) {
        if !self.again.contains(&true) {
            return;
        }
        let of = |record: usize| std::iter::repeat_n(!self.again[record], self.spans_of(record));
        let keeps: Vec<bool> = (0..self.again.len()).flat_map(of).collect();
        self.keep_ends(&keeps);
        let mut keeps = keeps.into_iter();
        self.batch.retain(|_| keeps.next().unwrap_or(true));
    }

    /// Spans without those that were stored before.
    pub fn spans_to_store(&self) -> usize {
        (0..self.again.len()).filter(|record| !self.again[*record]).map(|record| self.spans_of(record)).sum()
    }

    /// The records' ends once only these spans are kept.
    fn keep_ends(&mut self, keeps: &[bool]) {
        let (mut kept, mut from) = (0, 0);
        for end in &mut self.ends {
            kept += keeps[from..*end].iter().filter(|keep| **keep).count();
            from = std::mem::replace(end, kept);
        }
    }

    /// The record that a span came with.
    pub fn record_of(&self, span: usize) -> usize {
        self.ends.partition_point(|end| *end <= span)
    }

    /// Spans of a record.
    pub fn spans_of(&self, record: usize) -> usize {
        let before = record.checked_sub(1).map_or(0, |r| self.ends[r]);
        self.ends[record] - before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use skua_model::wire::{put_bytes, put_message};

    /// Scenario: three messages of two spans, down-sampled. Guarantee: each span that stays is still its own message's, a
    /// message that lost all of its spans has none, and one that was stored before is left out.
    #[test]
    fn what_is_sampled_keeps_its_record() {
        let sampling = Downsampling::new(0.5, "", &mut prometheus_client::registry::Registry::default()).expect("less than 1");
        let ids: Vec<[u8; 16]> =
            (1_u128..100).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes()).collect();
        let (stay, go): (Vec<&[u8; 16]>, Vec<_>) = ids.iter().partition(|id| sampling.keeps(id));
        let messages = [[stay[0], go[0]], [go[1], go[2]], [stay[1], stay[2]]];
        let mut builder = BatchBuilder::default();
        let mut ends = Vec::new();
        for message in &messages {
            let mut bytes = Vec::new();
            put_message(&mut bytes, 1, |out| {
                put_message(out, 2, |out| {
                    for id in message {
                        put_message(out, 2, |out| {
                            put_bytes(out, 1, &id[..]);
                            put_bytes(out, 2, &[7; 8]);
                        });
                    }
                });
            });
            builder.push(&bytes).expect("OTLP");
            ends.push(builder.len());
        }
        let again = vec![false; messages.len()];
        let mut assembled = Assembled { batch: builder.finish(), ends, bad: Vec::new(), again };
        assert_eq!(assembled.sample(&sampling), 3);
        let left: Vec<_> = assembled.batch.spans().iter().map(|s| &s.trace_id).collect();
        assert_eq!(left, [stay[0], stay[1], stay[2]]);
        assert_eq!([0, 1, 2].map(|span| assembled.record_of(span)), [0, 2, 2]);
        assert_eq!([0, 1, 2].map(|record| assembled.spans_of(record)), [1, 0, 2]);

        assembled.again[2] = true;
        assert_eq!(assembled.spans_to_store(), 1);
        assembled.leave_out_again();
        let left: Vec<_> = assembled.batch.spans().iter().map(|s| &s.trace_id).collect();
        assert_eq!((left, assembled.ends), (vec![stay[0]], vec![1, 1, 1]));
    }
}
