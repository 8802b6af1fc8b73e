//! The promise that nothing is dropped silently: received = stored + refused + dropped + sampled-out + in flight, to the span.

use crate::metrics::Metrics;
use crate::{Result, ensure};
use std::collections::BTreeMap;

/// Counter of spans by `tier`, `outcome` (received, stored, refused, dropped, sampled-out) and `reason`.
pub const SPANS: &str = "skua_spans_total";
/// Gauge of the spans that a tier has received and not yet passed on, by `tier`.
pub const IN_FLIGHT: &str = "skua_spans_in_flight";

/// What one tier has done with the spans it got.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Spans that came in.
    pub received: u64,
    /// Spans passed on: acknowledged by Kafka or by the store.
    pub stored: u64,
    /// Spans not taken, and somebody knows: the sender was told, or they are in the dead-letter topic. By reason.
    pub refused: BTreeMap<String, u64>,
    /// Spans lost although nobody was told, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// Spans of traces that down-sampling leaves out.
    pub sampled_out: u64,
    /// Spans that are neither yet.
    pub in_flight: u64,
}

impl Ledger {
    /// The ledger of a tier in a scrape of its metrics.
    pub fn of(tier: &str, metrics: &Metrics) -> Self {
        let count = |outcome: &str| metrics.sum(SPANS, &[("tier", tier), ("outcome", outcome)]) as u64;
        let by_reason = |outcome: &str| {
            let mut reasons = BTreeMap::new();
            for sample in metrics.find(SPANS, &[("tier", tier), ("outcome", outcome)]) {
                let reason = sample.labels.get("reason").cloned().unwrap_or_default();
                *reasons.entry(reason).or_default() += sample.value as u64;
            }
            reasons.retain(|_, count: &mut u64| *count > 0);
            reasons
        };
        Self {
            received: count("received"),
            stored: count("stored"),
            refused: by_reason("refused"),
            dropped: by_reason("dropped"),
            sampled_out: count("sampled-out"),
            in_flight: metrics.sum(IN_FLIGHT, &[("tier", tier)]) as u64,
        }
    }

    /// All refused spans.
    pub fn refused_total(&self) -> u64 {
        self.refused.values().sum()
    }

    /// All dropped spans.
    pub fn dropped_total(&self) -> u64 {
        self.dropped.values().sum()
    }

    /// Fails unless the two sides are equal.
    pub fn balances(&self) -> Result<()> {
        let out = self.stored + self.refused_total() + self.dropped_total() + self.sampled_out + self.in_flight;
        ensure(self.received == out, || format!("the ledger does not balance: {} in, {out} out: {self:?}", self.received))
    }

    /// Fails unless exactly `spans` came in, all of them were passed on, and none is on its way.
    pub fn is_all_stored(&self, spans: u64) -> Result<()> {
        let expected = Ledger { received: spans, stored: spans, ..Self::default() };
        ensure(*self == expected, || format!("expected {spans} spans received and stored, and nothing else: {self:?}"))
    }
}
