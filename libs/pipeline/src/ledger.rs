//! The ledger of a tier: `skua_spans_total{tier,outcome,reason}` and `skua_spans_in_flight{tier}`.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::Arc;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    tier: &'static str,
    outcome: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Tier {
    tier: &'static str,
}

/// Counts each span once when it comes in and once when its fate is known. At rest,
/// `received = stored + refused + dropped + sampled-out`; in between the difference is in flight.
///
/// - **stored**: the next stage has accepted it (Kafka, or the store).
/// - **refused**: it was not taken and somebody knows: the sender was told, or it is in the dead-letter topic.
/// - **dropped**: it was lost although nobody was told (a failed delivery after `--collector.ack=queued`).
/// - **sampled-out**: it was left out on purpose, with its whole trace (`--downsampling.ratio`).
#[derive(Debug)]
pub struct Ledger {
    tier: &'static str,
    family: Family<Labels, Counter>,
    received: Counter,
    stored: Counter,
    in_flight: Gauge,
}

impl Ledger {
    /// For one tier: `collector`, `ingester`.
    pub fn new(tier: &'static str, registry: &mut Registry) -> Arc<Self> {
        let family = Family::<Labels, Counter>::default();
        registry.register(
            "skua_spans",
            "Spans by what became of them; received = stored + refused + dropped + sampled-out + in flight",
            family.clone(),
        );
        let gauge = Family::<Tier, Gauge>::default();
        registry.register("skua_spans_in_flight", "Spans received whose fate is not yet known", gauge.clone());
        let counter = |outcome| family.get_or_create(&Labels { tier, outcome, reason: "" }).clone();
        let (received, stored) = (counter("received"), counter("stored"));
        let in_flight = gauge.get_or_create(&Tier { tier }).clone();
        Arc::new(Self { tier, family, received, stored, in_flight })
    }

    /// Spans came in. What is not settled when the guard goes is counted as dropped, reason `abandoned`.
    pub fn received(self: &Arc<Self>, spans: u64) -> InFlight {
        self.received.inc_by(spans);
        self.in_flight.inc_by(spans as i64);
        InFlight { ledger: self.clone(), open: spans, answered: true }
    }

    fn count(&self, outcome: &'static str, reason: &'static str, spans: u64) {
        self.family.get_or_create(&Labels { tier: self.tier, outcome, reason }).inc_by(spans);
    }
}

/// Spans whose fate is not yet known.
#[derive(Debug)]
pub struct InFlight {
    ledger: Arc<Ledger>,
    open: u64,
    answered: bool,
}

impl InFlight {
    /// Of spans whose sender cannot be told anything: what is refused is lost, and counted as dropped.
    pub fn unanswered(mut self) -> Self {
        self.answered = false;
        self
    }

    /// The next stage has accepted them.
    pub fn stored(&mut self, spans: u64) {
        self.ledger.stored.inc_by(spans);
        self.close(spans);
    }

    /// Not taken, and somebody knows, unless these are [`InFlight::unanswered`].
    pub fn refused(&mut self, reason: &'static str, spans: u64) {
        if spans > 0 {
            self.ledger.count(if self.answered { "refused" } else { "dropped" }, reason, spans);
            self.close(spans);
        }
    }

    /// Lost.
    pub fn dropped(&mut self, reason: &'static str, spans: u64) {
        if spans > 0 {
            self.ledger.count("dropped", reason, spans);
            self.close(spans);
        }
    }

    /// Left out on purpose.
    pub fn sampled_out(&mut self, spans: u64) {
        if spans > 0 {
            self.ledger.count("sampled-out", "", spans);
            self.close(spans);
        }
    }

    /// Spans whose fate is not yet known.
    pub fn open(&self) -> u64 {
        self.open
    }

    fn close(&mut self, spans: u64) {
        debug_assert!(spans <= self.open, "a span has one fate");
        let spans = spans.min(self.open);
        self.open -= spans;
        self.ledger.in_flight.dec_by(spans as i64);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let open = self.open;
        self.dropped("abandoned", open);
    }
}
