//! Writes a batch in every encoding and reads it again.

use skua_codec::{jaeger, otlp_json};
use skua_model::{SpanBatch, regroup};

/// Bytes of Jaeger's encodings that are made of one batch. Each of its messages holds the whole process, so that a large
/// process of many spans comes to much more than the batch.
const BUDGET: usize = 256 << 10;

/// What was written can be read, and says the same.
pub fn reread(name: &str, batch: &SpanBatch) {
    let (mut process, mut of, mut written) = (Vec::new(), None, 0);
    for span in batch.spans() {
        if of.replace(batch.resource_of(span)) != Some(batch.resource_of(span)) {
            process.clear();
            jaeger::encode::put_process(&mut process, &batch.process(batch.resource_of(span)));
        }
        let mut message = Vec::new();
        jaeger::encode::put_span(&mut message, &batch.view(span), &process);
        let again = one(name, |out| jaeger::decode::span(&message, out));
        assert_eq!(encoded(&again), message, "{name}: api_v2 of api_v2 is the same");

        let mut text = Vec::new();
        jaeger::json::put_span(&mut text, &batch.view(span), &batch.process(batch.resource_of(span)));
        let again = one(name, |out| jaeger::json::decode(&text, out));
        assert_eq!(again.spans()[0].trace_id, span.trace_id);
        written += message.len() + text.len();
        if written > BUDGET {
            break;
        }
    }
    let mut text = Vec::new();
    otlp_json::put_spans(&mut text, batch, &(0..batch.len() as u32).collect::<Vec<_>>());
    let mut out = Vec::new();
    otlp_json::decode(&text, &mut out).expect("our own OTLP JSON");
    let again = SpanBatch::parse(out).expect("what our own OTLP JSON says");
    let ids = |b: &SpanBatch| b.spans().iter().map(|s| (s.trace_id, b.view(s).span_id)).collect::<Vec<_>>();
    assert_eq!(ids(&again), ids(batch), "{name}: OTLP JSON holds the same spans");
    for (_, message, spans) in regroup(batch, 3, 1000).iter() {
        let part = SpanBatch::parse(message.to_vec()).expect("a part of a batch is a batch");
        assert_eq!(part.len(), spans as usize);
    }
}

/// Reads a message of one span that we have written.
fn one(name: &str, decode: impl FnOnce(&mut Vec<u8>) -> Result<(), jaeger::JaegerError>) -> SpanBatch {
    let mut out = Vec::new();
    decode(&mut out).unwrap_or_else(|e| panic!("{name}: our own encoding: {e}"));
    let batch = SpanBatch::parse(out).expect("what was decoded can be parsed");
    assert_eq!(batch.len(), 1, "{name}: one span");
    batch
}

fn encoded(batch: &SpanBatch) -> Vec<u8> {
    let (mut process, mut out) = (Vec::new(), Vec::new());
    let span = &batch.spans()[0];
    jaeger::encode::put_process(&mut process, &batch.process(batch.resource_of(span)));
    jaeger::encode::put_span(&mut out, &batch.view(span), &process);
    out
}
