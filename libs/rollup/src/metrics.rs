//! Counters of the counting.

use crate::count::Seen;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// `skua_rollup_*`.
#[derive(Debug, Clone)]
pub struct RollupMetrics {
    counted: Counter,
    duplicate: Counter,
    replayed: Counter,
    pub(crate) uncounted: Counter,
    unjoined: Counter,
    evicted: Counter,
    overflowed: Counter,
    window: Gauge,
    series: Gauge,
    links: Gauge,
    pub(crate) saved: Counter,
    pub(crate) failed: Counter,
    pub(crate) conflicts: Counter,
}

impl RollupMetrics {
    /// Registers them all.
    pub fn register(registry: &mut Registry) -> Self {
        let registry = registry.sub_registry_with_prefix("skua_rollup");
        let spans = Family::<Outcome, Counter>::default();
        registry.register("spans", "Spans that roll-ups have seen, by what came of them", spans.clone());
        let joins = Family::<Outcome, Counter>::default();
        registry.register("unjoined_spans", "Spans that left the window before it was known who called them", joins.clone());
        let saves = Family::<Outcome, Counter>::default();
        registry.register("saves", "Documents of roll-ups that were to be saved", saves.clone());
        let of = |family: &Family<Outcome, Counter>, outcome| family.get_or_create(&Outcome { outcome }).clone();
        let metrics = Self {
            counted: of(&spans, "counted"),
            duplicate: of(&spans, "duplicate"),
            replayed: of(&spans, "replayed"),
            uncounted: of(&spans, "uncounted"),
            unjoined: of(&joins, "expired"),
            evicted: of(&joins, "evicted"),
            overflowed: Counter::default(),
            window: Gauge::default(),
            series: Gauge::default(),
            links: Gauge::default(),
            saved: of(&saves, "saved"),
            failed: of(&saves, "failed"),
            conflicts: of(&saves, "conflict"),
        };
        let help = "Spans and calls counted under other-operations, other-services or other-peers: more than --rollup.max-series";
        registry.register("overflowed", help, metrics.overflowed.clone());
        registry.register(
            "window_bytes",
            "Bytes of the spans that wait for parents, children and duplicates",
            metrics.window.clone(),
        );
        registry.register("series", "Series that are told apart", metrics.series.clone());
        registry.register("links", "Links that are told apart", metrics.links.clone());
        metrics
    }

    pub(crate) fn seen(&self, seen: &Seen) {
        self.counted.inc_by(seen.counted);
        self.duplicate.inc_by(seen.duplicate);
        self.replayed.inc_by(seen.replayed);
        self.unjoined.inc_by(seen.unjoined);
        self.evicted.inc_by(seen.evicted);
    }

    /// Spans that left the window before it was known who called them: in time, and for lack of memory.
    pub(crate) fn unjoined(&self) -> (u64, u64) {
        (self.unjoined.get(), self.evicted.get())
    }

    pub(crate) fn overflowed(&self, names: u64) {
        self.overflowed.inc_by(names);
    }

    pub(crate) fn size(&self, window: usize, (series, links): (usize, usize)) {
        self.window.set(window as i64);
        self.series.set(series as i64);
        self.links.set(links as i64);
    }
}
