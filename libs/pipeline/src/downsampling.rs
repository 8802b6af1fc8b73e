//! Down-sampling by trace id (`--downsampling.ratio`, `--downsampling.hashsalt`): a trace stays whole or goes whole, in every
//! collector and ingester that has the same salt, in Jaeger's too.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use skua_model::SpanBatch;
use std::sync::Arc;

/// The salt when none is given (Jaeger 1.76).
const DEFAULT_SALT: &str = "downsampling-default-salt";

/// Keeps a share of the traces: those whose FNV-1a hash, of the salt and the 16 bytes of the trace id, is at most ratio × (2^64 - 1).
#[derive(Debug)]
pub struct Downsampling {
    threshold: u64,
    /// The hash after the salt.
    salted: u64,
    accepted: Counter,
    dropped: Counter,
}

impl Downsampling {
    /// Registers `jaeger_downsampling_writer_spans_accepted_total` and `…_dropped_total`. `None`, and no counters, when all is
    /// kept: at a ratio of 1, or outside 0 to 1, which Jaeger takes as 1. An empty salt is Jaeger's default.
    pub fn new(ratio: f64, salt: &str, registry: &mut Registry) -> Option<Arc<Self>> {
        if !(0.0..1.0).contains(&ratio) {
            return None;
        }
        let salt = if salt.is_empty() { DEFAULT_SALT } else { salt };
        let new = Self {
            threshold: threshold(ratio),
            salted: fnv1a(0xcbf2_9ce4_8422_2325, salt.as_bytes()),
            accepted: Counter::default(),
            dropped: Counter::default(),
        };
        let names = registry.sub_registry_with_prefix("jaeger_downsampling_writer");
        names.register("spans_accepted", "Spans of traces that down-sampling keeps", new.accepted.clone());
        names.register("spans_dropped", "Spans of traces that down-sampling leaves out", new.dropped.clone());
        Some(Arc::new(new))
    }

    /// Whether the trace stays.
    pub fn keeps(&self, trace_id: &[u8; 16]) -> bool {
        fnv1a(self.salted, trace_id) <= self.threshold
    }

    /// Leaves out the spans of traces that go, counts both, and returns how many went.
    pub fn sample(&self, batch: &mut SpanBatch) -> u64 {
        let before = batch.len() as u64;
        batch.retain(|span| self.keeps(&span.trace_id));
        let kept = batch.len() as u64;
        self.accepted.inc_by(kept);
        self.dropped.inc_by(before - kept);
        before - kept
    }
}

fn fnv1a(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, b| (hash ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}

/// `ratio` × (2^64 - 1), rounded to 64 significant bits (half to even) and then down, as Go's `big.Float` does it in Jaeger: a
/// trace must not stay here and go there. `ratio` is from 0 to less than 1.
fn threshold(ratio: f64) -> u64 {
    let (exponent, fraction) = ((ratio.to_bits() >> 52) as i32, ratio.to_bits() & ((1 << 52) - 1));
    let (mantissa, exponent) = if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) };
    let exact = u128::from(u64::MAX) * u128::from(mantissa);
    let extra = 64_u32.saturating_sub(exact.leading_zeros());
    let (mut rounded, rest, half) = (exact >> extra, exact & ((1 << extra) - 1), (1_u128 << extra) >> 1);
    if extra > 0 && (rest > half || rest == half && rounded & 1 == 1) {
        rounded += 1;
    }
    let down = -(exponent + extra as i32); // not negative: the ratio is less than 1
    u64::try_from(rounded.checked_shr(down as u32).unwrap_or(0)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Go prints for Jaeger's `calculateThreshold`.
    #[test]
    fn thresholds_are_jaegers() {
        let golden: [(f64, u64); 13] = [
            (0.0, 0),
            (5e-324, 0),
            (1e-300, 0),
            (1e-10, 1844674407),
            (0.001, 18446744073709551),
            (0.1, 1844674407370955263),
            (0.3, 5534023222112865279),
            (0.3333333333333333, 6148914691236516863),
            (0.5, 9223372036854775807),
            (0.7, 12912720851596685311),
            (0.75, 13835058055282163711),
            (0.999999, 18446725626965477375),
            (0.9999999999999999, 18446744073709549567),
        ];
        for (ratio, want) in golden {
            assert_eq!(threshold(ratio), want, "{ratio}");
        }
    }

    /// What Go's `hash/fnv` gives for a salt and a trace id.
    #[test]
    fn hashes_are_jaegers() {
        let golden: [(&str, [u64; 3]); 2] = [
            ("", [7514556072218727737, 15340813466105864287, 10312607260572910789]),
            ("pepper", [408737634974238019, 8234999426907887413, 16057430520329606583]),
        ];
        for (salt, hashes) in golden {
            let sampler = Downsampling::new(0.5, salt, &mut Registry::default()).expect("less than 1");
            for (i, want) in (1_u64..).zip(hashes) {
                let id = u128::from(i - 1) << 64 | 1 << 8 | u128::from(i);
                assert_eq!(fnv1a(sampler.salted, &id.to_be_bytes()), want, "{salt} {i}");
                assert_eq!(sampler.keeps(&id.to_be_bytes()), want <= 9223372036854775807);
            }
        }
    }

    #[test]
    fn a_ratio_of_one_and_what_is_no_ratio_keeps_all() {
        for ratio in [1.0, 1.5, -0.1, f64::NAN, f64::INFINITY] {
            assert!(Downsampling::new(ratio, "", &mut Registry::default()).is_none(), "{ratio}");
        }
    }

    /// The share is near the ratio, for ids that are random.
    #[test]
    fn the_share_is_the_ratio() {
        let sampler = Downsampling::new(0.3, "", &mut Registry::default()).expect("less than 1");
        let id = |i: u128| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834)).to_be_bytes();
        let kept = (1..=10_000).filter(|i| sampler.keeps(&id(*i))).count();
        assert!((2_800..3_200).contains(&kept), "{kept}");
    }
}
