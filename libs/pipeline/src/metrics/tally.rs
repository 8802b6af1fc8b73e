//! How many spans of a batch share the labels of a counter.

use skua_model::{AnyValue, SpanBatch, SpanEntry};

/// Values of the label `debug`, by `usize::from(debug)`.
const DEBUG: [&str; 2] = ["false", "true"];

/// Values of the label `sampler_type`. The first is that of OTLP spans, and of those without a known `sampler.type`.
const SAMPLERS: [&str; 5] = ["unrecognized", "probabilistic", "lowerbound", "ratelimiting", "const"];

/// Spans by `debug`, root spans by `debug` and `sampler_type`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    spans: [u64; 2],
    roots: [[u64; 5]; 2],
}

impl Tally {
    /// Of spans with one resource. Only root spans that came in Jaeger's own model are read.
    pub fn of(batch: &SpanBatch, spans: &[SpanEntry]) -> Self {
        let mut tally = Self::default();
        for span in spans {
            let debug = usize::from(span.is_debug());
            tally.spans[debug] += 1;
            if span.is_root() {
                let sampler = if span.is_jaeger() { sampler(batch, span) } else { 0 };
                tally.roots[debug][sampler] += 1;
            }
        }
        tally
    }

    /// `debug` and how many, where there are any.
    pub fn spans(&self) -> impl Iterator<Item = (&'static str, u64)> {
        DEBUG.into_iter().zip(self.spans).filter(|(_, n)| *n > 0)
    }

    /// `debug`, `sampler_type` and how many, where there are any.
    pub fn roots(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        let by_debug = DEBUG.into_iter().zip(self.roots);
        by_debug.flat_map(|(debug, n)| SAMPLERS.into_iter().zip(n).map(move |(s, n)| (debug, s, n))).filter(|(_, _, n)| *n > 0)
    }
}

/// The first tag `sampler.type`, as Jaeger reads it.
fn sampler(batch: &SpanBatch, span: &SpanEntry) -> usize {
    let tag = batch.view(span).attributes().find(|kv| kv.key == b"sampler.type");
    match tag.map(|kv| kv.value) {
        Some(AnyValue::String(s)) => SAMPLERS.iter().position(|known| known.as_bytes() == s).unwrap_or(0),
        _ => 0,
    }
}

/// Runs of spans with one resource, with the resource's service name.
pub(super) fn by_service(batch: &SpanBatch) -> impl Iterator<Item = (&[u8], &[SpanEntry])> {
    let runs = batch.spans().chunk_by(|a, b| batch.resource_of(a) == batch.resource_of(b));
    runs.map(|spans| (batch.service(batch.resource_of(&spans[0])), spans))
}

/// Jaeger's normalization of the label `svc`, character by character: ASCII letters in lower case, every other character below
/// U+0100 outside `[0-9.-]` becomes `_`, those from U+0100 stay (seen live with 1.76).
pub(super) fn normalized(name: &[u8]) -> String {
    let letter = |c: char| match c.to_ascii_lowercase() {
        c @ ('a'..='z' | '0'..='9' | '.' | '-') => c,
        c if c >= '\u{100}' => c,
        _ => '_',
    };
    String::from_utf8_lossy(name).chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::normalized;

    #[test]
    fn service_labels_are_jaegers() {
        for (name, label) in [("Jäger Ünï", "j_ger__n_"), ("追-1.x", "追-1.x"), ("Check/Out", "check_out")] {
            assert_eq!(normalized(name.as_bytes()), label);
        }
    }
}
