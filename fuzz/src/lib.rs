//! What every fuzz target does with its input: decode it, use all of what comes out, and check what a decoder promises.
//!
//! - no input makes it panic, nor anything that reads what it wrote,
//! - with an error the output is as it was before,
//! - what it writes and what it allocates stays within a constant factor of its input ([`targets`] has the factors),
//! - what it writes is a [`skua_model::SpanBatch`] without malformed spans, and that batch can be written in every encoding
//!   and read again.

mod memory;
mod reread;
pub mod sampling;
pub mod targets;
mod walk;

use memory::Meter;
use skua_model::{DecodeError, Refusal, SpanBatch, repair};
use targets::Target;

/// Bytes that a small input may take whatever its length: a first buffer, an error's text.
const FLOOR: usize = 8192;

/// What lies in the output before the decoder is called: it has to stay there.
const BEFORE: &[u8] = b"what was there before";

/// Decodes an input and checks everything that the module promises.
pub fn check(target: &Target, input: &[u8]) {
    let name = target.name;
    let meter = Meter::start();
    let mut out = BEFORE.to_vec();
    let result = (target.decode)(input, &mut out);
    let heap = meter.peak();
    assert!(heap <= target.heap * input.len() + FLOOR, "{name}: {heap} bytes of memory for {} bytes", input.len());
    assert!(out.starts_with(BEFORE), "{name}: what was in the output before has changed");
    if let Err(e) = result {
        assert_eq!(out.len(), BEFORE.len(), "{name}: something was written in spite of the error {e}");
        assert!(e.to_string().len() <= input.len() + FLOOR, "{name}: the text of the error is longer than the input");
        return;
    }
    let written = out.split_off(BEFORE.len());
    let size = written.len();
    assert!(size <= target.out * input.len() + FLOOR, "{name}: {size} bytes written for {} bytes", input.len());
    targets::report(target, input.len(), size, heap);
    match parse(name, written) {
        Ok(batch) => use_batch(name, target.foreign, batch),
        // JSON may nest deeper than a batch.
        Err(e) => assert_eq!((e, name), (DecodeError::Nesting, "OTLP_JSON"), "what was written cannot be parsed"),
    }
}

/// The most bytes of index for a byte of OTLP: an empty `ResourceSpans` of 2 bytes has an entry of 12, in a vector that is
/// copied while it doubles.
const INDEX: usize = 20;

fn parse(name: &str, message: Vec<u8>) -> Result<SpanBatch, DecodeError> {
    let (size, meter) = (message.len(), Meter::start());
    let batch = SpanBatch::parse(message);
    let heap = meter.peak();
    assert!(heap <= INDEX * size + FLOOR, "{name}: an index of {heap} bytes for {size} bytes");
    batch
}

/// Reads every view, writes every encoding.
fn use_batch(name: &str, foreign: bool, batch: SpanBatch) {
    if foreign {
        let malformed = batch.refused().iter().find(|(why, _)| *why == Refusal::Malformed);
        assert_eq!(malformed, None, "{name}: a span was written that cannot be read");
    }
    walk::walk(&batch);
    reread::reread(name, &batch);
    let (spans, latest) = (batch.len(), batch.spans().iter().any(|s| batch.view(s).start == u64::MAX));
    let (mended, _) = repair(batch).expect("a mended batch can be indexed");
    assert_eq!((mended.len(), mended.bad_strings()), (spans, 0), "{name}: what repair mends is whole");
    // There is no later nanosecond for a span that starts in the last one.
    assert!(mended.backward_spans() == 0 || latest, "{name}: every mended span ends after it starts");
    walk::walk(&mended);
}

#[cfg(test)]
mod tests;
