//! From a chunk of messages to one batch, remembering which spans came with which message.

use skua_codec::{Encoding, decode_message};
use skua_kafka::Chunk;
use skua_model::{BatchBuilder, SpanBatch};

/// A chunk's spans as one batch.
pub(crate) struct Assembled {
    pub batch: SpanBatch,
    /// For each record of the chunk, the number of the span after its last; spans are in the order of the records.
    pub ends: Vec<usize>,
    /// Records that could not be decoded, or of which some spans could not be taken.
    pub bad: Vec<BadRecord>,
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
    pub fn new(chunk: &Chunk, encoding: Encoding) -> Self {
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
        Self { batch: builder.finish(), ends, bad }
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
